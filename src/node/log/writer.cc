#include "node/log/writer.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <format>

#include "runtime/descriptor.h"
#include "runtime/file.h"
#include "runtime/privileges.h"

namespace node {

namespace {

constexpr int kLookInterval = 100;  // milliseconds

bool is_pipe(int fd) {
    struct stat status{};
    return ::fstat(fd, &status) == 0 &&
           (S_ISFIFO(status.st_mode) || S_ISCHR(status.st_mode) || S_ISSOCK(status.st_mode));
}

bool is_empty(int fd) {
    struct stat status{};
    return ::fstat(fd, &status) == 0 && status.st_size == 0;
}

constexpr mode_t kReadableByGroup = 0640;

int open_for_appending(const std::string& path) {
    constexpr int flags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY;
    return ::open(path.c_str(), flags, kReadableByGroup);
}

}  // namespace

core::Result<void> LogWriter::check_writable(const std::string& path) {
    if (path.empty()) {
        return {};
    }
    int fd = open_for_appending(path);
    if (fd < 0) {
        std::string cure =
            errno == EACCES
                ? std::format(
                      ": user {} may not write it: give the file, or the folder so that it can be made anew, "
                      "to that user",
                      ::geteuid()
                  )
                : "";
        return core::fail(core::Error::of_errno(errno, "balancer.access_log.file " + path + cure));
    }
    ::close(fd);
    return {};
}

core::Result<void> LogWriter::hand_over(const std::string& path, const runtime::Account& account) {
    {
        runtime::FileRights rights(account);
        auto writable = check_writable(path);
        if (writable || writable.error().kind() != core::ErrorKind::permission) {
            return writable;
        }
    }
    // Parts of the way may be the account's to change: no link on it is followed.
    runtime::Descriptor file(runtime::append_without_links(path.c_str(), kReadableByGroup));
    struct stat status{};
    bool is_ours = file.is_open() && ::fstat(file.get(), &status) == 0 && S_ISREG(status.st_mode) &&
                   status.st_nlink == 1 && status.st_uid == 0;
    bool is_given = is_ours && ::fchown(file.get(), account.uid, account.gid) == 0;
    if (!is_given) {
        return core::fail(
            core::ErrorKind::permission,
            std::format(
                "balancer.access_log.file {}: {} may not write it: chown {} {}",
                path,
                account.name,
                account.name,
                path
            )
        );
    }
    runtime::FileRights rights(account);
    return check_writable(path);
}

core::Result<std::unique_ptr<LogWriter>> LogWriter::create(runtime::Os& os, core::Log& log, LogFiles* files) {
    TRY(auto reactor, runtime::Reactor::open(os));
    return std::unique_ptr<LogWriter>(new LogWriter(std::move(reactor), log, files));
}

void LogWriter::start() {
    thread_ = std::make_unique<runtime::Cores>("log", 1, [this](size_t) { reactor_->run(serve()); });
}

LogWriter::LogWriter(std::unique_ptr<runtime::Reactor> reactor, core::Log& log, LogFiles* files)
    : reactor_(std::move(reactor)), log_(log), files_(files), stopped_(*reactor_) {}

LogWriter::~LogWriter() {
    is_ending_.store(true, std::memory_order_relaxed);
    reactor_->post([this] { stopped_.set(); });
    thread_.reset();
    if (fd_ > STDERR_FILENO) {
        ::close(fd_);
    }
}

runtime::Task<void> LogWriter::serve() { co_await stopped_.wait(); }

bool LogWriter::write(std::string lines) {
    bool is_kept = files_ != nullptr && is_kept_.load(std::memory_order_relaxed);
    if (!is_printed_.load(std::memory_order_relaxed)) {
        if (is_kept) {
            files_->keep_requests(std::move(lines));
        }
        return true;
    }
    if (is_kept) {
        files_->keep_requests(lines);
    }
    size_t size = lines.size();
    if (pending_bytes_.fetch_add(size, std::memory_order_relaxed) + size > kPendingBytesMax) {
        pending_bytes_.fetch_sub(size, std::memory_order_relaxed);
        return false;
    }
    reactor_->post([this, block = std::move(lines)] { write_now(block); });
    return true;
}

void LogWriter::reopen(LogPlace place) {
    is_kept_.store(place.is_kept, std::memory_order_relaxed);
    is_printed_.store(place.is_printed, std::memory_order_relaxed);
    reactor_->post([this, name = std::move(place.file)] { open_now(name); });
}

void LogWriter::open_now(const std::string& path) {
    int fd = STDOUT_FILENO;
    if (!path.empty()) {
        fd = open_for_appending(path);
        if (fd < 0) {
            note(errno);
            return;
        }
    }
    if (fd_ > STDERR_FILENO) {
        ::close(fd_);
    }
    fd_ = fd;
    path_ = path;
    has_torn_line_ = has_torn_line_ && !is_empty(fd_);
}

// Waits for room in steps, so that a reader who has stopped reading cannot hold up our end.
bool LogWriter::await_room() {
    for (;;) {
        pollfd waited{.fd = fd_, .events = POLLOUT, .revents = 0};
        int ready = ::poll(&waited, 1, kLookInterval);
        if (ready > 0) {
            return true;
        }
        if (ready == 0 && is_ending_.load(std::memory_order_relaxed)) {
            return false;
        }
    }
}

// Gives how much was written before `error`, which is not 0 when that is not all.
size_t LogWriter::write_bytes(std::string_view bytes, int& error) {
    // A pipe that has room at all has it for this many bytes, so the write cannot block (pipe(7)).
    size_t step = is_pipe(fd_) ? PIPE_BUF : bytes.size();
    size_t written = 0;
    while (written < bytes.size() && error == 0) {
        if (!await_room()) {
            error = ETIMEDOUT;
            break;
        }
        ssize_t count = ::write(fd_, bytes.data() + written, std::min(step, bytes.size() - written));
        if (count >= 0) {
            written += static_cast<size_t>(count);
        } else if (errno != EINTR && errno != EAGAIN) {
            error = errno;
        }
    }
    return written;
}

// A disk that fills up takes a part of a block: the line that broke off is ended before the next begins.
void LogWriter::write_now(const std::string& lines) {
    int error = 0;
    if (has_torn_line_) {
        has_torn_line_ = write_bytes("\n", error) == 0;
    }
    size_t written = error == 0 ? write_bytes(lines, error) : 0;
    if (error != 0) {
        auto lost = std::ranges::count(std::string_view(lines).substr(written), '\n');
        lines_lost_.add(static_cast<uint64_t>(lost));
        has_torn_line_ = has_torn_line_ || (written > 0 && lines[written - 1] != '\n');
    }
    pending_bytes_.fetch_sub(lines.size(), std::memory_order_relaxed);
    note(error);
}

// One line when it breaks, one when it works again.
void LogWriter::note(int error) {
    if (error != 0 && !has_failed_) {
        log_.error(
            "access_log",
            "cannot be written: lines are lost",
            {{"file", path_}, {"reason", std::strerror(error)}}
        );
    } else if (error == 0 && has_failed_) {
        log_.info("access_log", "is written again", {{"file", path_}});
    }
    has_failed_ = error != 0;
}

}  // namespace node
