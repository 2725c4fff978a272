#include "node/serve/port_holder.h"

#include <dirent.h>
#include <netinet/in.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <format>
#include <memory>
#include <optional>
#include <ranges>
#include <string_view>
#include <vector>

#include "node/config/listen.h"
#include "runtime/process.h"

namespace node {

namespace {

constexpr std::string_view kListening = "0A";  // TCP_LISTEN, as /proc/net/tcp has it
constexpr size_t kHoldersMax = 4;

struct CloseListing {
    void operator()(DIR* directory) const { ::closedir(directory); }
};

std::vector<std::string> names_of(const std::string& directory) {
    std::vector<std::string> names;
    std::unique_ptr<DIR, CloseListing> listing(::opendir(directory.c_str()));
    while (dirent* entry = listing == nullptr ? nullptr : ::readdir(listing.get())) {
        names.emplace_back(entry->d_name);
    }
    return names;
}

std::vector<std::string_view> words_of_line(std::string_view line) {
    std::vector<std::string_view> words;
    for (auto word : std::views::split(line, ' ')) {
        if (!word.empty()) {
            words.emplace_back(word);
        }
    }
    return words;
}

// "0100007F:1F90": the words of the address in the byte order of the machine, then the port.
std::optional<net::Address> parse_proc_address(std::string_view text) {
    size_t colon = text.find(':');
    std::array<uint8_t, 16> bytes{};
    if (colon != 8 && colon != 32) {
        return std::nullopt;
    }
    for (size_t at = 0; at < colon; at += 8) {
        uint32_t word = 0;
        std::from_chars(text.data() + at, text.data() + at + 8, word, 16);
        std::memcpy(bytes.data() + at / 2, &word, sizeof word);
    }
    uint16_t port = 0;
    std::from_chars(text.data() + colon + 1, text.data() + text.size(), port, 16);
    sockaddr_storage storage{};
    if (colon == 8) {
        sockaddr_in four{.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {}, .sin_zero = {}};
        std::memcpy(&four.sin_addr, bytes.data(), sizeof four.sin_addr);
        std::memcpy(&storage, &four, sizeof four);
    } else {
        sockaddr_in6 six{};
        six.sin6_family = AF_INET6;
        six.sin6_port = htons(port);
        std::memcpy(&six.sin6_addr, bytes.data(), sizeof six.sin6_addr);
        std::memcpy(&storage, &six, sizeof six);
    }
    return net::Address::of_sockaddr(storage);
}

// What the descriptors of who listens there lead to: "socket:[12345]".
std::vector<std::string> sockets_at(const net::Address& address) {
    std::vector<std::string> sockets;
    for (const char* table : {"/proc/net/tcp", "/proc/net/tcp6"}) {
        std::string text = runtime::read_system_file(table);
        for (auto line : std::views::split(std::string_view(text), '\n')) {
            std::vector<std::string_view> words = words_of_line(std::string_view(line));
            if (words.size() < 10 || words[3] != kListening) {
                continue;
            }
            auto found = parse_proc_address(words[1]);
            if (found && (listen_covers(*found, address) || listen_covers(address, *found))) {
                sockets.push_back(std::format("socket:[{}]", words[9]));
            }
        }
    }
    return sockets;
}

bool has_one_of(const std::string& process, const std::vector<std::string>& sockets) {
    std::string directory = process + "/fd";
    for (const std::string& name : names_of(directory)) {
        std::array<char, 64> target;
        ssize_t size = ::readlink((directory + "/" + name).c_str(), target.data(), target.size());
        if (size > 0 &&
            std::ranges::contains(sockets, std::string_view(target.data(), static_cast<size_t>(size)))) {
            return true;
        }
    }
    return false;
}

}  // namespace

std::string port_holder(const net::Address& address) {
    std::vector<std::string> sockets = sockets_at(address);
    std::string text;
    size_t told = 0;
    for (const std::string& name : sockets.empty() ? std::vector<std::string>() : names_of("/proc")) {
        bool is_process =
            !name.empty() && std::ranges::all_of(name, [](char c) { return c >= '0' && c <= '9'; });
        if (!is_process || !has_one_of("/proc/" + name, sockets) || ++told > kHoldersMax) {
            continue;
        }
        std::string program = runtime::read_system_file("/proc/" + name + "/comm");
        program = program.substr(0, program.find('\n'));
        text += std::format("{}process {} ({})", text.empty() ? "" : ", ", name, program);
    }
    return text;
}

std::string port_cure(const net::Address& address) {
    std::string holder = port_holder(address);
    return holder.empty() ? "; `ss -ltnp` as root names who listens there: end it, or write another port"
                          : std::format("; {} listens there: end it, or write another port", holder);
}

}  // namespace node
