#include "child/program_start.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <string_view>

#include "child/environment.h"
#include "runtime/account.h"
#include "runtime/descriptor.h"
#include "runtime/privileges.h"

namespace child {

namespace {

constexpr int kListeningFd = 3;  // SD_LISTEN_FDS_START
constexpr rlim_t kOpenFilesDefault = 65536;

// Every step gives 0 or a positive errno.
int checked(int status) { return status < 0 ? errno : 0; }

int enter_group(const std::string& group) {
    if (group.empty()) {
        return 0;
    }
    runtime::Descriptor file(::open((group + "/cgroup.procs").c_str(), O_WRONLY | O_CLOEXEC));
    return !file.is_open() ? errno : checked(static_cast<int>(::write(file.get(), "0", 1)));
}

int limit_open_files(rlim_t wanted) {
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    if (wanted == 0) {
        limit.rlim_cur = std::min(limit.rlim_max, kOpenFilesDefault);
    } else {
        limit = {.rlim_cur = wanted, .rlim_max = wanted};
    }
    return checked(setrlimit(RLIMIT_NOFILE, &limit));
}

int limit(__rlimit_resource resource, rlim_t wanted) {
    rlimit both{.rlim_cur = wanted, .rlim_max = wanted};
    return checked(setrlimit(resource, &both));
}

int set_limits(const ChildSpec& spec) {
    int failed = limit_open_files(spec.open_files);
    if (failed == 0) {
        // A dump of a program that crashes in a loop fills the disk, and holds whatever secrets it had.
        failed = limit(RLIMIT_CORE, 0);
    }
    if (failed == 0 && spec.processes > 0) {
        failed = limit(RLIMIT_NPROC, spec.processes);
    }
    return failed;
}

// Out of the way of what is about to be arranged; -1 stays.
int move_up(int& fd) {
    if (fd < 0) {
        return 0;
    }
    int moved = ::fcntl(fd, F_DUPFD_CLOEXEC, kListeningFd + 3);
    if (moved < 0) {
        return errno;
    }
    fd = moved;
    return 0;
}

// Leaves 0 to 2, the listening socket as 3, what is held behind it, and `failures`, which it moves behind
// them and which exec closes.
int arrange_descriptors(int listening, int held, int& failures) {
    for (int* fd : {&listening, &held, &failures}) {
        if (int failed = move_up(*fd); failed != 0) {
            return failed;
        }
    }
    int next = kListeningFd;
    for (int fd : {listening, held}) {
        if (fd >= 0 && ::dup2(fd, next) < 0) {
            return errno;
        }
        next += fd >= 0 ? 1 : 0;
    }
    if (::dup3(failures, next, O_CLOEXEC) < 0) {
        return errno;
    }
    failures = next;
    return checked(::close_range(static_cast<unsigned>(next) + 1, ~0U, 0));
}

// The supervisor may have become that user already, and then has no right to set what is set.
int change_user(const std::optional<runtime::Account>& user) {
    if (!user || user->uid == ::geteuid()) {
        return 0;
    }
    int failed = runtime::become_account(*user);
    // From one user that is not root to another they stay, and they were for this step.
    return failed != 0 || user->uid == 0 ? failed : runtime::clear_capabilities();
}

// By its path, so that a directory that has taken the place of another is entered; else, where the way there
// may not be searched, the one that the descriptor has led to (`is_inside`).
int enter_directory(const std::string& path, bool is_inside) {
    int failed = checked(::chdir(path.c_str()));
    return failed == EACCES && is_inside ? 0 : failed;
}

// A change of user clears the death signal, so it comes after; the guard may have died before it was set.
int tie_to_guard(pid_t guard) {
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0) {
        return errno;
    }
    return ::getppid() == guard ? 0 : ESRCH;
}

void reset_signals() {
    struct sigaction standard{};
    standard.sa_handler = SIG_DFL;
    for (int number = 1; number <= SIGRTMAX; ++number) {
        sigaction(number, &standard, nullptr);  // refused for SIGKILL, SIGSTOP and the library's own
    }
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
}

void name_descriptors(std::vector<std::string>& environment, bool is_listening) {
    std::erase_if(environment, [](std::string_view entry) { return entry.starts_with("LISTEN_"); });
    if (is_listening) {
        environment.emplace_back("LISTEN_FDS=1");
        environment.push_back("LISTEN_PID=" + std::to_string(::getpid()));
        environment.emplace_back("LISTEN_FDNAMES=http");
    }
}

std::vector<char*> pointers(std::vector<std::string>& words) {
    std::vector<char*> list;
    for (std::string& word : words) {
        list.push_back(word.data());
    }
    list.push_back(nullptr);
    return list;
}

// Of a search along PATH, a directory that the user may not enter tells nothing: it may be root's own.
bool is_telling(int failed, const std::string& file, size_t candidate_count) {
    bool is_hidden = failed == EACCES && candidate_count > 1 && ::access(file.c_str(), F_OK) < 0;
    return failed != ENOENT && failed != ENOTDIR && !is_hidden;
}

// execvp(3), but for its last resort: what is no program is not given to a shell. Returns the errno that says
// most.
int execute(const ChildSpec& spec, std::vector<std::string>& environment) {
    std::vector<std::string> words = spec.command;
    std::vector<char*> arguments = pointers(words);
    std::vector<char*> entries = pointers(environment);
    std::vector<std::string> files = program_files(spec.command.front(), environment);
    // Nothing may allocate from here on.
    int failed = spec.data_bytes > 0 ? limit(RLIMIT_DATA, spec.data_bytes) : 0;
    int worst = ENOENT;
    for (const std::string& file : files) {
        if (failed == 0) {
            ::execve(file.c_str(), arguments.data(), entries.data());
            int refusal = errno;
            worst = is_telling(refusal, file, files.size()) ? refusal : worst;
        }
    }
    return failed != 0 ? failed : worst;
}

}  // namespace

void become_program(const ChildSpec& spec, std::vector<std::string> environment, pid_t guard, int failures) {
    auto require = [&failures](StartStep step, int failed) {
        if (failed != 0) {
            StartFailure failure{.step = step, .code = failed};
            [[maybe_unused]] ssize_t written = ::write(failures, &failure, sizeof failure);
            _exit(127);
        }
    };
    require(StartStep::session, checked(::setsid()));
    require(StartStep::group, enter_group(spec.group));
    require(StartStep::limits, set_limits(spec));
    bool is_inside = spec.open_directory >= 0 && ::fchdir(spec.open_directory) == 0;
    require(StartStep::descriptors, arrange_descriptors(spec.listening, spec.held, failures));
    require(StartStep::user, change_user(spec.user));
    require(StartStep::orphaned, tie_to_guard(guard));
    require(StartStep::directory, enter_directory(spec.directory, is_inside));
    reset_signals();
    name_descriptors(environment, spec.listening >= 0);
    require(StartStep::execute, execute(spec, environment));
    _exit(127);
}

}  // namespace child
