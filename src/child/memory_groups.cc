#include "child/memory_groups.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <format>
#include <utility>
#include <vector>

#include "runtime/descriptor.h"
#include "runtime/process.h"

namespace child {

using core::ErrorKind;
using core::fail;

namespace {

// The next word of `text`, which loses it; words are apart by spaces or newlines.
std::string_view take_word(std::string_view& text) {
    size_t begin = std::min(text.find_first_not_of(" \n"), text.size());
    text.remove_prefix(begin);
    std::string_view word = text.substr(0, text.find_first_of(" \n"));
    text.remove_prefix(word.size());
    return word;
}

std::string_view take_line(std::string_view& text) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    return line;
}

core::Result<void> write_control(const std::string& path, std::string_view value) {
    runtime::Descriptor file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
    ssize_t written = file.is_open() ? runtime::write_some(file.get(), value) : -errno;
    if (written < 0) {
        return fail(
            core::Error::of_errno(static_cast<int>(-written), std::format("writing {} to {}", value, path))
        );
    }
    return {};
}

bool is_same_program(pid_t pid) {
    struct stat theirs{};
    struct stat ours{};
    std::string path = std::format("/proc/{}/exe", pid);
    return ::stat(path.c_str(), &theirs) == 0 && ::stat("/proc/self/exe", &ours) == 0 &&
           theirs.st_dev == ours.st_dev && theirs.st_ino == ours.st_ino;
}

// So that the group may hand its controllers down.
core::Result<void> move_own_processes(const std::string& base) {
    std::string list = runtime::read_system_file(base + "/cgroup.procs");
    std::vector<std::string> processes;
    std::string_view rest = list;
    for (std::string_view word = take_word(rest); !word.empty(); word = take_word(rest)) {
        pid_t pid = 0;
        std::from_chars(word.data(), word.data() + word.size(), pid);
        if (!is_same_program(pid)) {
            return fail(ErrorKind::conflict, std::format("{} holds processes that are not ours", base));
        }
        processes.emplace_back(word);
    }
    std::string leaf = std::format("{}/{}", base, kOwnLeaf);
    if (::mkdir(leaf.c_str(), 0755) < 0 && errno != EEXIST) {
        return fail(core::Error::of_errno(errno, "making " + leaf));
    }
    for (const std::string& process : processes) {
        TRY_VOID(write_control(leaf + "/cgroup.procs", process));
    }
    return {};
}

}  // namespace

std::optional<std::string> own_group_of(std::string_view text) {
    while (!text.empty()) {
        std::string_view line = take_line(text);
        if (line.starts_with("0::/")) {
            return std::string(line.substr(3));
        }
    }
    return std::nullopt;
}

// "36 25 0:31 / /sys/fs/cgroup rw,… - cgroup2 cgroup2 rw" (proc_pid_mountinfo(5)): the fifth word is the
// mount point, the type stands behind the hyphen.
std::optional<std::string> group_mount_of(std::string_view text) {
    while (!text.empty()) {
        std::string_view line = take_line(text);
        if (!line.contains(" - cgroup2 ")) {
            continue;
        }
        std::string_view point;
        for (int word = 0; word < 5; ++word) {
            point = take_word(line);
        }
        return std::string(point);
    }
    return std::nullopt;
}

bool lists_word(std::string_view text, std::string_view word) {
    for (std::string_view found = take_word(text); !found.empty(); found = take_word(text)) {
        if (found == word) {
            return true;
        }
    }
    return false;
}

uint64_t keyed_value(std::string_view text, std::string_view key) {
    while (!text.empty()) {
        std::string_view line = take_line(text);
        if (take_word(line) == key) {
            std::string_view digits = take_word(line);
            uint64_t value = 0;
            std::from_chars(digits.data(), digits.data() + digits.size(), value);
            return value;
        }
    }
    return 0;
}

core::Result<MemoryGroups> MemoryGroups::find() {
    auto own = own_group_of(runtime::read_system_file("/proc/self/cgroup"));
    auto mount = group_mount_of(runtime::read_system_file("/proc/self/mountinfo"));
    if (!own || !mount) {
        return fail(ErrorKind::unsupported, "the system has no cgroup v2");
    }
    std::string base = *own == "/" ? *mount : *mount + *own;
    bool is_in_leaf = base.ends_with("/" + std::string(kOwnLeaf));
    if (is_in_leaf) {
        base.resize(base.size() - kOwnLeaf.size() - 1);
    }
    if (!lists_word(runtime::read_system_file(base + "/cgroup.controllers"), "memory")) {
        return fail(ErrorKind::unsupported, std::format("{} has no memory controller", base));
    }
    std::string handed_down = base + "/cgroup.subtree_control";
    if (::access(base.c_str(), W_OK) < 0) {
        return fail(
            core::Error::of_errno(errno, std::format("making groups in {} (systemd: Delegate=yes)", base))
        );
    }
    if (!lists_word(runtime::read_system_file(handed_down), "memory")) {
        if (*own == "/") {
            return fail(ErrorKind::unsupported, "the root cgroup hands no memory controller down");
        }
        TRY_VOID(move_own_processes(base));
        TRY_VOID(write_control(handed_down, "+memory +pids"));
    }
    GroupLevel level = base == *mount ? GroupLevel::root : GroupLevel::below;
    return MemoryGroups(std::move(base), level);
}

core::Result<void> MemoryGroups::hand_over(const runtime::Account& account) const {
    if (level_ == GroupLevel::root) {
        return fail(ErrorKind::permission, "the root cgroup is not given away");
    }
    for (const char* name : {"", "/cgroup.procs", "/cgroup.subtree_control", "/cgroup.threads"}) {
        std::string path = base_ + name;
        if (::chown(path.c_str(), account.uid, account.gid) < 0) {
            return fail(core::Error::of_errno(errno, std::format("giving {} to {}", path, account.name)));
        }
    }
    return {};
}

core::Result<std::string> MemoryGroups::create(const std::string& name, const GroupLimits& limits) const {
    std::string group = std::format("{}/{}", base_, name);
    // One that a killed process left counts what was, and may hold what is still dying.
    if (::access(group.c_str(), F_OK) == 0) {
        remove_group(group);
    }
    if (::mkdir(group.c_str(), 0755) < 0) {
        return fail(core::Error::of_errno(errno, "making the cgroup " + group));
    }
    if (limits.memory > 0) {
        TRY_VOID(write_control(group + "/memory.max", std::to_string(limits.memory)));
        // Absent where the kernel does not count swap; with it, a limit of memory would only mean slowness.
        // One process that is killed leaves a program that hangs, so all go (memory.oom.group).
        for (auto [file, value] : {std::pair{"memory.swap.max", "0"}, std::pair{"memory.oom.group", "1"}}) {
            [[maybe_unused]] auto set = write_control(std::format("{}/{}", group, file), value);
        }
    }
    if (limits.processes > 0) {
        TRY_VOID(write_control(group + "/pids.max", std::to_string(limits.processes)));
    }
    return group;
}

void remove_group(const std::string& group) {
    if (group.empty()) {
        return;
    }
    [[maybe_unused]] auto killed = write_control(group + "/cgroup.kill", "1");
    // Refused while a killed process is still there; then the next run of this name removes it.
    [[maybe_unused]] int removed = ::rmdir(group.c_str());
}

uint64_t group_memory(const std::string& group) {
    std::string text = runtime::read_system_file(group + "/memory.current");
    uint64_t bytes = 0;
    std::from_chars(text.data(), text.data() + text.size(), bytes);
    return bytes;
}

bool has_hit_memory_limit(const std::string& group) {
    return keyed_value(runtime::read_system_file(group + "/memory.events"), "oom_kill") > 0;
}

}  // namespace child
