#include "node/log/rotated_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <format>

namespace node {

using core::Error;
using core::fail;
using core::Result;

namespace {

constexpr mode_t kLogDirectoryMode = 0700;
constexpr mode_t kLogFileMode = 0640;

// Gives how much was written before the error, 0: none.
size_t write_lines(int fd, std::string_view lines, int& error) {
    size_t written = 0;
    while (written < lines.size() && error == 0) {
        ssize_t count = ::write(fd, lines.data() + written, lines.size() - written);
        if (count >= 0) {
            written += static_cast<size_t>(count);
        } else if (errno != EINTR) {
            error = errno;
        }
    }
    return written;
}

}  // namespace

Result<void> RotatedFile::open() {
    constexpr int flags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
    file_ = runtime::Descriptor(::open(path_.c_str(), flags, kLogFileMode));
    if (!file_.is_open() && errno == ENOENT) {
        ::mkdir(path_.substr(0, path_.rfind('/')).c_str(), kLogDirectoryMode);
        file_ = runtime::Descriptor(::open(path_.c_str(), flags, kLogFileMode));
    }
    if (!file_.is_open()) {
        return fail(Error::of_errno(errno, path_));
    }
    struct stat status{};
    if (::fstat(file_.get(), &status) != 0 || !S_ISREG(status.st_mode)) {
        file_.close();
        return fail(core::ErrorKind::invalid, path_ + " is no file");
    }
    size_ = static_cast<uint64_t>(status.st_size);
    return {};
}

// What cannot be renamed is overwritten: a bound that does not hold is worse than a file that is lost.
Result<void> RotatedFile::rotate() {
    for (uint32_t at = rule_.kept; at > 1; --at) {
        std::rename(std::format("{}.{}", path_, at - 1).c_str(), std::format("{}.{}", path_, at).c_str());
    }
    bool is_moved = rule_.kept > 0 && std::rename(path_.c_str(), (path_ + ".1").c_str()) == 0;
    if (!is_moved && ::unlink(path_.c_str()) != 0 && errno != ENOENT) {
        return fail(Error::of_errno(errno, path_ + " is full and cannot be renamed"));
    }
    file_.close();
    return open();
}

Result<void> RotatedFile::append(std::string_view lines) {
    if (!file_.is_open()) {
        TRY_VOID(open());
    }
    if (size_ > 0 && size_ + lines.size() > rule_.size_max) {
        TRY_VOID(rotate());
    }
    int error = 0;
    size_t written = write_lines(file_.get(), lines, error);
    if (error == 0) {
        size_ += written;
        return {};
    }
    // A line that broke off would spoil the next one.
    if (written > 0 && ::ftruncate(file_.get(), static_cast<off_t>(size_)) != 0) {
        size_ += written;
    }
    file_.close();
    return fail(Error::of_errno(error, path_));
}

}  // namespace node
