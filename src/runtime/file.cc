#include "runtime/file.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

namespace runtime {
namespace {

// A rename somewhere in the tree at the same moment makes the kernel give up with EAGAIN (openat2(2)).
constexpr int kOpenAttempts = 8;

int open_as(int directory, const char* path, open_how how) {
    for (int attempt = 1;; ++attempt) {
        const long result = ::syscall(SYS_openat2, directory, path, &how, sizeof(how));
        if (result >= 0) {
            return static_cast<int>(result);
        }
        if ((errno != EAGAIN && errno != EINTR) || attempt == kOpenAttempts) {
            return -errno;
        }
    }
}

int open_with(int directory, const char* path, uint64_t flags) {
    open_how how{};
    how.flags = flags;
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
    return open_as(directory, path, how);
}

int64_t nanoseconds(const timespec& time) { return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec; }

FileKind kind_of(mode_t mode) {
    if (S_ISREG(mode)) {
        return FileKind::regular;
    }
    return S_ISDIR(mode) ? FileKind::directory : FileKind::other;
}

void fill(const struct stat& found, FileStatus& status) {
    status.kind = kind_of(found.st_mode);
    status.identity = {
        .device = found.st_dev,
        .inode = found.st_ino,
        .size = static_cast<uint64_t>(found.st_size),
        .modified_ns = nanoseconds(found.st_mtim),
        .changed_ns = nanoseconds(found.st_ctim),
    };
}

}  // namespace

int open_directory(const char* path) {
    const int result = ::open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    return result < 0 ? -errno : result;
}

int append_without_links(const char* path, mode_t mode) {
    open_how how{};
    how.flags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
    how.mode = mode;
    how.resolve = RESOLVE_NO_SYMLINKS;
    return open_as(AT_FDCWD, path, how);
}

int duplicate(int fd) {
    const int result = ::fcntl(fd, F_DUPFD_CLOEXEC, 3);
    return result < 0 ? -errno : result;
}

int can_open_beneath(int directory) {
    const int opened = open_with(directory, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (opened < 0) {
        return opened;
    }
    const Descriptor probe(opened);
    return ::faccessat(probe.get(), ".", X_OK, AT_EACCESS) < 0 ? -errno : 0;
}

int open_beneath(int directory, const char* path) {
    return open_with(directory, path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
}

int file_status(int fd, FileStatus& status) {
    struct stat found{};
    if (::fstat(fd, &found) < 0) {
        return -errno;
    }
    fill(found, status);
    return 0;
}

int file_status_at(int directory, const char* path, FileStatus& status) {
    struct stat found{};
    if (::fstatat(directory, path, &found, AT_NO_AUTOMOUNT) < 0) {
        return -errno;
    }
    fill(found, status);
    return 0;
}

int file_status_of(const char* path, FileStatus& status) { return file_status_at(AT_FDCWD, path, status); }

bool has_changed(int fd, uint64_t size, int64_t modified_ns) {
    FileStatus status;
    return file_status(fd, status) < 0 || status.identity.size != size ||
           status.identity.modified_ns != modified_ns;
}

ssize_t read_file_at(int fd, std::span<char> target, uint64_t offset) {
    size_t filled = 0;
    while (filled < target.size()) {
        const std::span<char> rest = target.subspan(filled);
        const ssize_t result = ::pread(fd, rest.data(), rest.size(), static_cast<off_t>(offset + filled));
        if (result == 0) {
            break;
        }
        if (result < 0 && errno != EINTR) {
            return -errno;
        }
        filled += result > 0 ? static_cast<size_t>(result) : 0;
    }
    return static_cast<ssize_t>(filled);
}

}  // namespace runtime
