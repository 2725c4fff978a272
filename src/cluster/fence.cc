#include "cluster/fence.h"

#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <charconv>
#include <csignal>
#include <filesystem>
#include <string>

#include "cluster/durable_file.h"
#include "cluster/settings.h"
#include "runtime/process.h"

namespace cluster {

namespace {

// The words of a command line end with a NUL each.
bool has_word(const std::string& command_line, const std::string& word) {
    std::string ended = word + std::string(1, '\0');
    size_t at = command_line.find(ended);
    return at != std::string::npos && (at == 0 || command_line[at - 1] == '\0');
}

std::string command_line_of(const std::string& process) {
    return runtime::read_system_file("/proc/" + process + "/cmdline");
}

// The descriptor pins the process, and its command line, read after that, shows that it is the one.
bool kill_if_named(const std::string& process, const std::string& word) {
    pid_t pid = 0;
    auto [end, status] = std::from_chars(process.data(), process.data() + process.size(), pid);
    if (status != std::errc{} || end != process.data() + process.size() || pid == ::getpid() ||
        !has_word(command_line_of(process), word)) {
        return false;
    }
    runtime::Descriptor pinned(runtime::open_process(pid));
    if (!pinned.is_open() || !has_word(command_line_of(process), word)) {
        return false;
    }
    return ::syscall(SYS_pidfd_send_signal, pinned.get(), SIGKILL, nullptr, 0) == 0;
}

}  // namespace

size_t kill_database(const Place& place) {
    std::string word = settings_word(place);
    size_t killed = 0;
    std::error_code failed;
    std::filesystem::directory_iterator entry("/proc", failed);
    while (!failed && entry != std::filesystem::directory_iterator{}) {
        killed += kill_if_named(entry->path().filename().string(), word) ? 1 : 0;
        entry.increment(failed);
    }
    return killed;
}

runtime::Descriptor lock_database(const Place& place) { return try_lock(place.directory + "/lock"); }

bool has_ended(const Place& place) {
    struct stat found{};
    if (::stat(place.directory.c_str(), &found) != 0) {
        return errno == ENOENT;
    }
    return lock_database(place).is_open();
}

}  // namespace cluster
