#include "node/up/child.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>

#include "node/serve/readiness.h"
#include "runtime/process.h"

namespace node {

namespace {

[[noreturn]] void become_server(char* const* arguments, const ServerLaunch& launch, pid_t parent) {
    ::setpgid(0, 0);
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    // Until the server has its handlers, a reload must not end it.
    struct sigaction ignore{};
    ignore.sa_handler = SIG_IGN;
    ::sigaction(SIGHUP, &ignore, nullptr);
    ::sigprocmask(SIG_UNBLOCK, &launch.unblocked, nullptr);
    if (launch.telling >= 0) {
        ::fcntl(launch.telling, F_SETFD, 0);
        ::setenv(kReadyVariable, std::to_string(launch.telling).c_str(), 1);
    }
    if (launch.output >= 0) {
        ::dup2(launch.output, STDERR_FILENO);
    }
    if (::getppid() == parent) {
        ::execv("/proc/self/exe", arguments);
    }
    ::_exit(1);
}

}  // namespace

pid_t launch_server(const ServerLaunch& launch) {
    std::vector<std::string> words = launch.words;
    std::vector<char*> arguments;
    for (std::string& word : words) {
        arguments.push_back(word.data());
    }
    arguments.push_back(nullptr);
    pid_t parent = ::getpid();
    pid_t pid = ::fork();
    if (pid == 0) {
        become_server(arguments.data(), launch, parent);
    }
    return pid < 0 ? -errno : pid;
}

runtime::Descriptor OutputLines::open() {
    runtime::Pipe pipe;
    unread_.clear();
    if (runtime::open_output_pipe(pipe) < 0) {
        return {};
    }
    pipe_ = std::move(pipe.ours);
    return std::move(pipe.theirs);
}

void OutputLines::look(const std::function<void(std::string_view)>& line) {
    std::array<char, 4096> bytes;
    ssize_t count = 0;
    while (pipe_.is_open() && (count = runtime::read_some(pipe_.get(), bytes)) > 0) {
        unread_.append(bytes.data(), static_cast<size_t>(count));
        for (size_t end = unread_.find('\n'); end != std::string::npos; end = unread_.find('\n')) {
            line(std::string_view(unread_).substr(0, end + 1));
            unread_.erase(0, end + 1);
        }
        if (unread_.size() > kLineMax) {
            unread_.clear();
        }
    }
    if (count == 0) {
        pipe_.close();
    }
}

}  // namespace node
