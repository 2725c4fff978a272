#include "cluster/programs.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <format>
#include <ranges>

namespace cluster {

namespace {

constexpr unsigned kMajorMin = 10;
constexpr unsigned kMinorMin = 11;

// Debian's, and whoever took its names.
std::string_view package_of(std::string_view program) {
    if (program == "mariadb-backup") {
        return program;
    }
    constexpr std::array<std::string_view, 3> kOfClient{"mariadb", "mariadb-dump", "mariadb-binlog"};
    bool is_client = std::ranges::contains(kOfClient, program);
    return is_client                        ? "mariadb-client"
           : program.starts_with("mariadb") ? "mariadb-server-core"
                                            : "coreutils";
}

}  // namespace

std::string search_path() {
    const char* path = std::getenv("PATH");
    std::string text = path == nullptr ? "" : std::string(path) + ":";
    return text + "/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin";
}

core::Result<std::string> find_program(std::string_view name) {
    std::string path = search_path();
    for (auto part : std::views::split(std::string_view(path), ':')) {
        std::string file = std::format("{}/{}", std::string_view(part), name);
        if (file.starts_with('/') && ::access(file.c_str(), X_OK) == 0) {
            return file;
        }
    }
    return core::fail(
        core::ErrorKind::not_found,
        std::format("{} is not there: install it (Debian: apt-get install {})", name, package_of(name))
    );
}

core::Result<void> check_mariadbd_version(std::string_view text) {
    auto refuse = [text] {
        return core::fail(
            core::ErrorKind::unsupported,
            std::format("MariaDB 10.11 or newer is needed, and this is: {}", text.substr(0, 200))
        );
    };
    // "mariadbd  Ver 10.11.19-MariaDB-0+deb12u1 for debian-linux-gnu on x86_64 (Debian 12)"
    size_t at = text.find("Ver ");
    if (at == std::string_view::npos || !text.contains("MariaDB")) {
        return refuse();
    }
    const char* end = text.data() + text.size();
    unsigned major = 0;
    unsigned minor = 0;
    auto read = std::from_chars(text.data() + at + 4, end, major);
    if (read.ec != std::errc{} || read.ptr == end || *read.ptr != '.') {
        return refuse();
    }
    read = std::from_chars(read.ptr + 1, end, minor);
    bool is_new = major > kMajorMin || (major == kMajorMin && minor >= kMinorMin);
    return read.ec == std::errc{} && is_new ? core::Result<void>{} : refuse();
}

}  // namespace cluster
