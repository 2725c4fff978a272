// For the tests: a guard, a site's program with bad habits, and a server process that supervises one.
//
//   exec-child …                 the guard
//   serve [ignore-term] [broken-if FILE]
//                                HTTP on descriptor 3, or on PORT: GET /healthz, /pid, /descriptors, /crash,
//                                /spawn (a grandchild in a session of its own; gives its pid)
//   supervise DIRECTORY          two instances of `serve` with their sockets there, until it is killed
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "app/sample_surroundings.h"
#include "app/supervisor.h"
#include "child/exec_child.h"
#include "net/address.h"
#include "runtime/descriptor.h"
#include "runtime/linux_os.h"

namespace {

struct Habits {
    std::string broken_if;
    std::string descriptors;  // at the start
};

std::string variable(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? "" : value;
}

// "0 1 2 3", and whether LISTEN_PID is ours.
std::string describe_descriptors() {
    std::vector<int> open;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
        int number = std::stoi(entry.path().filename().string());
        struct stat found{};
        if (::fstat(number, &found) == 0 && !S_ISDIR(found.st_mode)) {  // the listing itself is a directory
            open.push_back(number);
        }
    }
    std::ranges::sort(open);
    std::string text;
    for (int number : open) {
        text += std::to_string(number) + " ";
    }
    bool is_pid_right = variable("LISTEN_PID") == std::to_string(::getpid());
    return text + "LISTEN_FDS=" + variable("LISTEN_FDS") + (is_pid_right ? " pid" : " wrong pid") +
           " names=" + variable("LISTEN_FDNAMES") +
           " session=" + (::getsid(0) == ::getpid() ? "own" : "other");
}

// Leaves its session and its parent, as a daemon does.
std::string spawn_grandchild() {
    int ends[2];
    if (::pipe(ends) < 0) {
        return "0";
    }
    if (::fork() == 0) {
        ::setsid();
        pid_t grandchild = ::fork();
        if (grandchild == 0) {
            ::setsid();
            ::close_range(STDERR_FILENO + 1, ~0U, 0);  // or the client's connection would stay open
            for (;;) {
                ::pause();
            }
        }
        [[maybe_unused]] ssize_t written = ::write(ends[1], &grandchild, sizeof grandchild);
        _exit(0);
    }
    pid_t grandchild = 0;
    [[maybe_unused]] ssize_t taken = ::read(ends[0], &grandchild, sizeof grandchild);
    ::close(ends[0]);
    ::close(ends[1]);
    return std::to_string(grandchild);
}

std::string answer(std::string_view target, const Habits& habits) {
    bool is_broken = !habits.broken_if.empty() && std::filesystem::exists(habits.broken_if);
    std::string status = "200 OK";
    std::string body;
    if (target == "/healthz") {
        status = is_broken ? "503 Service Unavailable" : status;
    } else if (target == "/pid") {
        body = std::to_string(::getpid());
    } else if (target == "/descriptors") {
        body = habits.descriptors;
    } else if (target == "/spawn") {
        body = spawn_grandchild();
    } else if (target == "/crash") {
        std::string words = "cannot go on\n";
        [[maybe_unused]] ssize_t written = ::write(STDERR_FILENO, words.data(), words.size());
        _exit(3);
    } else {
        status = "404 Not Found";
    }
    return "HTTP/1.1 " + status + "\r\nContent-Length: " + std::to_string(body.size()) +
           "\r\nConnection: close\r\n\r\n" + body;
}

void await_readable(int fd) {
    pollfd awaited{.fd = fd, .events = POLLIN, .revents = 0};
    [[maybe_unused]] int ready = ::poll(&awaited, 1, 5000);
}

void serve_connection(runtime::LinuxOs& os, int fd, const Habits& habits) {
    runtime::Descriptor connection(fd);
    std::string head;
    while (!head.contains("\r\n\r\n")) {
        await_readable(fd);
        char piece[1024];
        ssize_t count = os.receive(fd, piece);
        if (count <= 0) {
            return;
        }
        head.append(piece, static_cast<size_t>(count));
    }
    size_t begin = head.find(' ') + 1;
    std::string text = answer(std::string_view(head).substr(begin, head.find(' ', begin) - begin), habits);
    iovec part{.iov_base = text.data(), .iov_len = text.size()};
    [[maybe_unused]] ssize_t sent = os.send(fd, {&part, 1}, 0);
}

int open_port(runtime::LinuxOs& os) {
    auto address = net::Address::parse("127.0.0.1:" + variable("PORT"));
    int fd = os.open_socket(AF_INET);
    sockaddr_storage storage;
    socklen_t length = address->fill(storage);
    bool is_open = os.set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1) == 0 &&
                   os.bind(fd, reinterpret_cast<sockaddr*>(&storage), length) == 0 && os.listen(fd, 64) == 0;
    return is_open ? fd : -1;
}

int serve(const std::vector<std::string_view>& words) {
    Habits habits{.broken_if = {}, .descriptors = describe_descriptors()};
    for (size_t at = 2; at < words.size(); ++at) {
        if (words[at] == "ignore-term") {
            std::signal(SIGTERM, SIG_IGN);
        } else if (words[at] == "broken-if") {
            habits.broken_if = words[++at];
        }
    }
    runtime::LinuxOs os;
    int listening = variable("PORT").empty() ? 3 : open_port(os);
    for (;;) {
        sockaddr_storage peer;
        await_readable(listening);
        int fd = os.accept(listening, peer);
        if (fd >= 0) {
            serve_connection(os, fd, habits);
        }
    }
}

void write_line(std::string_view line) {
    [[maybe_unused]] ssize_t written = ::write(STDERR_FILENO, line.data(), line.size());
}

int supervise(const std::string& directory) {
    runtime::LinuxOs os;
    auto reactor = runtime::Reactor::open(os);
    core::Log log([&] { return os.wall_time(); }, write_line);
    app::Config config;
    config.command = {std::filesystem::read_symlink("/proc/self/exe").string(), "serve"};
    config.instances = 2;
    app::SupervisorOptions options;
    options.server = "s";
    options.runtime_directory = directory;
    options.base_directory = "/";
    app::SampleSurroundings surroundings(**reactor);
    app::Supervisor supervisor(**reactor, log, config, options, surroundings);
    (*reactor)->run(supervisor.serve());
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    std::vector<std::string_view> words(argv, argv + argc);
    if (words.size() > 1 && words[1] == child::kExecChildVerb) {
        return child::exec_child(argc, argv);
    }
    if (words.size() > 2 && words[1] == "supervise") {
        return supervise(std::string(words[2]));
    }
    return serve(words);
}
