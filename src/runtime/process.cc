#include "runtime/process.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <utility>

namespace runtime {

namespace {

constexpr size_t kSystemFileMax = 64 << 10;
constexpr size_t kDescendantsMax = 100'000;

// What posix_spawn is told, freed at the end.
class SpawnPlan {
public:
    SpawnPlan() {
        posix_spawn_file_actions_init(&actions_);
        posix_spawnattr_init(&attributes_);
    }

    ~SpawnPlan() {
        posix_spawnattr_destroy(&attributes_);
        posix_spawn_file_actions_destroy(&actions_);
    }

    SpawnPlan(const SpawnPlan&) = delete;
    SpawnPlan& operator=(const SpawnPlan&) = delete;

    void open_nothing_as_input() {
        note(posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0));
    }

    // With both the same, glibc takes close-on-exec off.
    void duplicate(int from, int to) { note(posix_spawn_file_actions_adddup2(&actions_, from, to)); }

    void reset_signals() {
        sigset_t none;
        sigset_t all;
        sigemptyset(&none);
        sigfillset(&all);
        note(posix_spawnattr_setsigmask(&attributes_, &none));
        note(posix_spawnattr_setsigdefault(&attributes_, &all));
        short flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSID;
        note(posix_spawnattr_setflags(&attributes_, flags));
    }

    [[nodiscard]] int run(const char* executable, char* const* arguments, char* const* environment) {
        pid_t pid = 0;
        if (status_ == 0) {
            status_ = posix_spawn(&pid, executable, &actions_, &attributes_, arguments, environment);
        }
        return status_ == 0 ? pid : -status_;
    }

private:
    void note(int status) { status_ = status_ == 0 ? status : status_; }

    posix_spawn_file_actions_t actions_{};
    posix_spawnattr_t attributes_{};
    int status_ = 0;
};

std::vector<char*> pointers(std::vector<std::string>& words) {
    std::vector<char*> list;
    for (std::string& word : words) {
        list.push_back(word.data());
    }
    list.push_back(nullptr);
    return list;
}

void set_non_blocking(int fd) { ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK); }

int keep_ends(int (&ends)[2], Pipe& pipe) {
    pipe.ours = above_standard(Descriptor(ends[0]));
    pipe.theirs = above_standard(Descriptor(ends[1]));
    if (!pipe.ours.is_open() || !pipe.theirs.is_open()) {
        return -EMFILE;
    }
    set_non_blocking(pipe.ours.get());
    return 0;
}

std::string in_proc(pid_t pid, std::string_view name) {
    return "/proc/" + std::to_string(pid) + "/" + std::string(name);
}

// The names of a directory of /proc that are numbers.
std::vector<pid_t> numbers_in(const std::string& directory) {
    std::vector<pid_t> numbers;
    std::error_code failed;
    std::filesystem::directory_iterator entry(directory, failed);
    while (!failed && entry != std::filesystem::directory_iterator{}) {
        std::string name = entry->path().filename().string();
        pid_t number = 0;
        auto [end, status] = std::from_chars(name.data(), name.data() + name.size(), number);
        if (status == std::errc{} && end == name.data() + name.size()) {
            numbers.push_back(number);
        }
        entry.increment(failed);
    }
    return numbers;
}

void append_numbers(std::string_view text, std::vector<pid_t>& numbers) {
    const char* at = text.data();
    const char* end = at + text.size();
    while (at < end) {
        pid_t number = 0;
        auto parsed = std::from_chars(at, end, number);
        if (parsed.ec == std::errc{}) {
            numbers.push_back(number);
        }
        at = parsed.ptr + 1;
    }
}

// Each thread has a list of the children that it made.
void append_children(pid_t parent, std::vector<pid_t>& children) {
    for (pid_t thread : numbers_in(in_proc(parent, "task"))) {
        append_numbers(
            read_system_file(in_proc(parent, "task/" + std::to_string(thread) + "/children")),
            children
        );
    }
}

// Where the kernel keeps no such lists (CONFIG_PROC_CHILDREN): by everybody's parent.
void append_children_by_parent(pid_t parent, std::vector<pid_t>& children) {
    for (pid_t pid : numbers_in("/proc")) {
        if (parent_of(pid) == parent) {
            children.push_back(pid);
        }
    }
}

bool has_children_lists() {
    static const bool has_lists = ::access("/proc/thread-self/children", R_OK) == 0;
    return has_lists;
}

int open_pidfd(pid_t pid) { return static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)); }

// The pidfd pins the process, and the parent, read after it, shows that it is the one that was meant.
void kill_descendant(pid_t pid, pid_t root, const std::vector<pid_t>& descendants) {
    Descriptor process(open_pidfd(pid));
    if (!process.is_open()) {
        return;
    }
    pid_t parent = parent_of(pid);
    if (parent == root || std::ranges::contains(descendants, parent)) {
        // One that has ended meanwhile is what was wanted.
        [[maybe_unused]] int status = send_signal(process.get(), SIGKILL);
    }
}

}  // namespace

int spawn(const SpawnRequest& request) {
    std::vector<std::string> arguments = request.arguments;
    std::vector<std::string> environment = request.environment;
    SpawnPlan plan;
    plan.open_nothing_as_input();
    plan.duplicate(request.standard_output, STDOUT_FILENO);
    plan.duplicate(request.standard_error, STDERR_FILENO);
    for (int fd : request.kept) {
        plan.duplicate(fd, fd);
    }
    plan.reset_signals();
    return plan.run(request.executable.c_str(), pointers(arguments).data(), pointers(environment).data());
}

int open_process(pid_t pid) {
    int fd = open_pidfd(pid);
    return fd < 0 ? -errno : fd;
}

int send_signal(int process, int number) {
    return ::syscall(SYS_pidfd_send_signal, process, number, nullptr, 0) < 0 ? -errno : 0;
}

ssize_t try_reap(pid_t pid, int& status) {
    pid_t reaped = 0;
    do {
        reaped = ::waitpid(pid, &status, WNOHANG);
    } while (reaped < 0 && errno == EINTR);
    if (reaped < 0) {
        return -errno;
    }
    return reaped == 0 ? -EAGAIN : reaped;
}

Descriptor above_standard(Descriptor fd) {
    if (fd.get() > STDERR_FILENO || !fd.is_open()) {
        return fd;
    }
    return Descriptor(::fcntl(fd.get(), F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
}

int open_output_pipe(Pipe& pipe) {
    int ends[2];
    return ::pipe2(ends, O_CLOEXEC) < 0 ? -errno : keep_ends(ends, pipe);
}

int open_channel(Pipe& channel) {
    int ends[2];
    return ::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0 ? -errno
                                                                             : keep_ends(ends, channel);
}

ssize_t read_some(int fd, std::span<char> target) {
    ssize_t count = 0;
    do {
        count = ::read(fd, target.data(), target.size());
    } while (count < 0 && errno == EINTR);
    return count < 0 ? -errno : count;
}

ssize_t write_some(int fd, std::span<const char> bytes) {
    ssize_t count = 0;
    do {
        count = ::write(fd, bytes.data(), bytes.size());
    } while (count < 0 && errno == EINTR);
    return count < 0 ? -errno : count;
}

std::string read_system_file(const std::string& path) {
    Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    std::string text;
    char piece[4096];
    while (file.is_open() && text.size() < kSystemFileMax) {
        ssize_t count = read_some(file.get(), piece);
        if (count <= 0) {
            break;
        }
        text.append(piece, static_cast<size_t>(count));
    }
    return text;
}

// /proc/PID/stat: "pid (name) state ppid …"; the name may hold anything, so the last parenthesis counts.
pid_t parent_of(pid_t pid) {
    std::string text = read_system_file(in_proc(pid, "stat"));
    size_t name_end = text.rfind(')');
    if (name_end == std::string::npos || name_end + 4 >= text.size()) {
        return 0;
    }
    pid_t parent = 0;
    std::from_chars(text.data() + name_end + 4, text.data() + text.size(), parent);
    return parent;
}

std::vector<pid_t> descendants_of(pid_t root) {
    std::vector<pid_t> found{root};
    for (size_t at = 0; at < found.size() && found.size() < kDescendantsMax; ++at) {
        pid_t parent = found[at];
        if (has_children_lists()) {
            append_children(parent, found);
        } else {
            append_children_by_parent(parent, found);
        }
    }
    found.erase(found.begin());
    return found;
}

size_t kill_descendants() {
    pid_t self = ::getpid();
    std::vector<pid_t> descendants = descendants_of(self);
    for (pid_t pid : descendants) {
        kill_descendant(pid, self, descendants);
    }
    return descendants.size();
}

uint64_t resident_bytes(pid_t pid) {
    std::vector<pid_t> pages;  // size, resident …
    append_numbers(read_system_file(in_proc(pid, "statm")), pages);
    static const auto page_size = static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
    return pages.size() < 2 ? 0 : static_cast<uint64_t>(pages[1]) * page_size;
}

uint64_t proportional_bytes(pid_t pid) {
    std::string text = read_system_file(in_proc(pid, "smaps_rollup"));
    size_t line = text.find("\nPss:");
    if (line == std::string::npos) {
        return resident_bytes(pid);
    }
    size_t digits = text.find_first_of("0123456789", line);
    uint64_t kibibytes = 0;
    if (digits != std::string::npos) {
        std::from_chars(text.data() + digits, text.data() + text.size(), kibibytes);
    }
    return kibibytes * 1024;
}

}  // namespace runtime
