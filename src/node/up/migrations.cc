#include "node/up/migrations.h"

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

namespace node {

namespace {

constexpr core::Duration kLongestWait = std::chrono::seconds(15);

}  // namespace

void UpMigrations::start_if_due(const sigset_t& unblocked, bool has_output) {
    if (is_done_ || is_over_ || pid_ != 0 || os_.now() < due_) {
        return;
    }
    std::vector<char*> arguments;
    for (std::string& word : words_) {
        arguments.push_back(word.data());
    }
    arguments.push_back(nullptr);
    runtime::Descriptor output = has_output ? output_.open() : runtime::Descriptor();
    pid_t parent = ::getpid();
    pid_ = ::fork();
    if (pid_ == 0) {
        ::setpgid(0, 0);  // Ctrl-C is ours to pass on
        ::prctl(PR_SET_PDEATHSIG, SIGTERM);
        ::sigprocmask(SIG_UNBLOCK, &unblocked, nullptr);
        if (output.is_open()) {
            ::dup2(output.get(), STDOUT_FILENO);
            ::dup2(output.get(), STDERR_FILENO);
        }
        if (::getppid() == parent) {
            ::execv("/proc/self/exe", arguments.data());
        }
        ::_exit(1);
    }
    if (pid_ < 0) {
        pid_ = 0;
        due_ = os_.now() + kLongestWait;
    }
}

bool UpMigrations::reap(pid_t pid, int status) {
    if (pid != pid_ || pid == 0) {
        return false;
    }
    pid_ = 0;
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : 1;
    if (is_over_) {
        return true;
    }
    if (code == 0) {
        is_done_ = true;
        log_.info("up", "the migrations are done");
    } else if (code == 2) {
        is_over_ = true;
        log_.error("up", "the migrations are wrong: correct them, then run `trilith migrate`");
    } else {
        due_ = os_.now() + pause_;
        log_.warn("up", "the migrations cannot be run yet", {{"in", core::format_duration(pause_)}});
        pause_ = std::min(pause_ * 2, kLongestWait);
    }
    return true;
}

void UpMigrations::stop() {
    is_over_ = true;
    if (pid_ > 0) {
        ::kill(pid_, SIGKILL);  // it can be cut off anywhere, and has to end where it is stopped, too
    }
}

}  // namespace node
