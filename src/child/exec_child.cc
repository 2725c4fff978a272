#include "child/exec_child.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <optional>
#include <string>
#include <utility>

#include "child/child_spec.h"
#include "child/program_start.h"
#include "runtime/descriptor.h"
#include "runtime/process.h"

namespace child {

namespace {

using runtime::Descriptor;

// Killing goes round by round: what a dying process leaves behind becomes our child in the next one. So many
// rounds of so many milliseconds, about five seconds, are for processes that hang in the kernel.
constexpr int kKillRounds = 250;
constexpr int kRoundMilliseconds = 20;

class Guard {
public:
    explicit Guard(ChildSpec spec) : spec_(std::move(spec)), channel_(spec_.channel) {}

    int run(std::vector<std::string> environment);

private:
    [[nodiscard]] bool take_over_signals();
    [[nodiscard]] bool start(std::vector<std::string> environment);
    [[nodiscard]] bool watch();
    [[nodiscard]] bool on_start_ended();
    [[nodiscard]] bool on_order();
    [[nodiscard]] bool on_signals();
    void drain_signals();
    bool reap();
    void kill_all();
    void report(GuardReport report);

    ChildSpec spec_;
    Descriptor channel_;
    Descriptor signals_;
    Descriptor starting_;  // the reading end of the start's pipe, until the program runs
    pid_t program_ = 0;
    std::optional<int> status_;  // the program's, once it has ended
    bool has_failed_ = false;    // it never ran
    bool has_survivors_ = false;
};

// SIGTERM is what the system sends when the thread that made us dies; anyone else's is not for us: the
// supervisor decides.
bool Guard::take_over_signals() {
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, nullptr);
    sigset_t watched;
    sigemptyset(&watched);
    sigaddset(&watched, SIGCHLD);
    sigaddset(&watched, SIGTERM);
    signals_ = Descriptor(signalfd(-1, &watched, SFD_CLOEXEC | SFD_NONBLOCK));
    bool is_set = prctl(PR_SET_CHILD_SUBREAPER, 1) == 0 && prctl(PR_SET_PDEATHSIG, SIGTERM) == 0;
    prctl(PR_SET_NAME, "trilith-guard");
    return is_set && signals_.is_open() && ::getppid() == spec_.supervisor;
}

bool Guard::start(std::vector<std::string> environment) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) < 0) {
        report({.kind = ReportKind::failed, .step = StartStep::fork, .pid = 0, .code = errno});
        return false;
    }
    starting_ = Descriptor(ends[0]);
    Descriptor failures(ends[1]);
    pid_t guard = ::getpid();
    program_ = ::fork();
    if (program_ == 0) {
        become_program(spec_, std::move(environment), guard, failures.get());
    }
    if (program_ < 0) {
        report({.kind = ReportKind::failed, .step = StartStep::fork, .pid = 0, .code = errno});
        return false;
    }
    if (spec_.listening >= 0) {
        ::close(spec_.listening);
    }
    return true;
}

// The pipe closes by itself when the program runs. False: it does not.
bool Guard::on_start_ended() {
    StartFailure failure;
    ssize_t count = runtime::read_some(starting_.get(), bytes_of(failure));
    starting_.close();
    if (count == static_cast<ssize_t>(sizeof failure)) {
        has_failed_ = true;
        report({.kind = ReportKind::failed, .step = failure.step, .pid = 0, .code = failure.code});
        return false;
    }
    report({.kind = ReportKind::started, .step = {}, .pid = program_, .code = 0});
    return true;
}

// False: everything is to end.
bool Guard::on_order() {
    GuardOrder order;
    ssize_t count = runtime::read_some(channel_.get(), bytes_of(order));
    if (count != static_cast<ssize_t>(sizeof order) || order.kind == GuardOrder::Kind::kill_all) {
        return false;
    }
    // Nobody but us reaps it: the pid is the program's as long as it has no status.
    if (!status_) {
        ::kill(program_, order.signal);
    }
    return true;
}

void Guard::drain_signals() {
    std::array<signalfd_siginfo, 8> taken;
    while (::read(signals_.get(), taken.data(), sizeof taken) > 0) {
    }
}

// False: there is no child left.
bool Guard::reap() {
    int status = 0;
    pid_t pid = 0;
    while ((pid = ::waitpid(-1, &status, WNOHANG)) > 0) {
        if (pid == program_ && !status_) {
            status_ = status;
        }
    }
    return pid == 0 || errno != ECHILD;
}

// False: the program has ended, or the supervisor.
bool Guard::on_signals() {
    drain_signals();
    reap();
    return !status_ && ::getppid() == spec_.supervisor;
}

// Until the program has ended, or everything is to end: false when it never ran.
bool Guard::watch() {
    for (;;) {
        std::array<pollfd, 3> awaited{
            pollfd{.fd = starting_.get(), .events = POLLIN, .revents = 0},
            pollfd{.fd = channel_.get(), .events = POLLIN, .revents = 0},
            pollfd{.fd = signals_.get(), .events = POLLIN, .revents = 0},
        };
        if (::poll(awaited.data(), awaited.size(), -1) < 0 && errno != EINTR) {
            return true;
        }
        if (awaited[0].revents != 0 && !on_start_ended()) {
            return false;
        }
        if (awaited[1].revents != 0 && !on_order()) {
            return true;
        }
        if (awaited[2].revents != 0 && !on_signals()) {
            // A program that ends at once does so before its start is read; then the pipe is closed.
            return !status_ || !starting_.is_open() || on_start_ended();
        }
    }
}

void Guard::kill_all() {
    for (int round = 0; round < kKillRounds; ++round) {
        [[maybe_unused]] size_t found = runtime::kill_descendants();
        if (!reap()) {
            return;
        }
        pollfd awaited{.fd = signals_.get(), .events = POLLIN, .revents = 0};
        [[maybe_unused]] int ready = ::poll(&awaited, 1, kRoundMilliseconds);
        drain_signals();
    }
    has_survivors_ = true;
}

void Guard::report(GuardReport report) {
    // Without a supervisor there is nobody to tell.
    [[maybe_unused]] ssize_t written = runtime::write_some(channel_.get(), bytes_of(report));
}

int Guard::run(std::vector<std::string> environment) {
    if (!take_over_signals()) {
        return 1;
    }
    bool is_started = start(std::move(environment)) && watch();
    if (is_started && status_) {
        report({.kind = ReportKind::exited, .step = {}, .pid = program_, .code = *status_});
    }
    bool was_told = status_.has_value();
    kill_all();
    if (is_started && status_ && !was_told) {
        report({.kind = ReportKind::exited, .step = {}, .pid = program_, .code = *status_});
    }
    if (has_survivors_) {
        auto left = static_cast<int>(runtime::descendants_of(::getpid()).size());
        report({.kind = ReportKind::abandoned, .step = {}, .pid = program_, .code = left});
    }
    return is_started && !has_survivors_ ? 0 : 1;
}

}  // namespace

int exec_child(int argc, char** argv) {
    auto spec = parse_guard_arguments({argv, static_cast<size_t>(argc)});
    if (!spec) {
        std::string line = "trilith: exec-child: " + spec.error().context() + "\n";
        [[maybe_unused]] ssize_t written = ::write(STDERR_FILENO, line.data(), line.size());
        return 2;
    }
    Guard guard(*std::move(spec));
    return guard.run(reveal_environment(environ));
}

}  // namespace child
