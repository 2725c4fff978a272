// Files below a directory, at the level of system calls: opened so that no name and no link leads out of it.
// Calls that return int or ssize_t give a value >= 0, or -errno.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <span>

#include "runtime/descriptor.h"

namespace runtime {

// Two looks at a file that give the same identity saw the same bytes, as far as the file system's clock
// tells: before Linux 6.13 two changes within one tick (up to 10 ms) may have the same time.
struct FileIdentity {
    uint64_t device = 0;
    uint64_t inode = 0;
    uint64_t size = 0;
    int64_t modified_ns = 0;  // mtime: of the content; copied by tools that copy files
    int64_t changed_ns = 0;   // ctime: of content, name or rights; nobody can set it

    friend bool operator==(const FileIdentity&, const FileIdentity&) = default;
};

enum class FileKind : uint8_t { regular, directory, other };

struct FileStatus {
    FileKind kind = FileKind::other;
    FileIdentity identity;
};

// A directory below which files are opened. Needs no right to list it.
[[nodiscard]] int open_directory(const char* path);

// A file to append to, made with `mode` where it is not there; -ELOOP: there is a link on the way, or it is
// one.
[[nodiscard]] int append_without_links(const char* path, mode_t mode);

// The same file once more.
[[nodiscard]] int duplicate(int fd);

// Whether files can be opened below it: 0; -EACCES: it may not be searched; -ENOSYS or -EPERM: the system has
// no openat2(2) (Linux before 5.6, or a sandbox that forbids it).
[[nodiscard]] int can_open_beneath(int directory);

// For reading. Links are followed as long as they stay below `directory`, else -EXDEV; what /proc links to is
// -ELOOP. Never waits for the other end of a FIFO or for a device, so look at its status before reading.
[[nodiscard]] int open_beneath(int directory, const char* path);

// 0, and `status` is filled.
[[nodiscard]] int file_status(int fd, FileStatus& status);

// The same of a path, relative to `directory` where it is not absolute; links are followed, even out of the
// directory, so the result may be compared and nothing more.
[[nodiscard]] int file_status_at(int directory, const char* path, FileStatus& status);

// The same of an absolute path.
[[nodiscard]] int file_status_of(const char* path, FileStatus& status);

// Whether the open file has another size, or was written to since its content had the time `modified_ns`;
// true too where that cannot be told. Not ctime, which a rename, a link or new rights change as well.
[[nodiscard]] bool has_changed(int fd, uint64_t size, int64_t modified_ns);

// Reads until `target` is full or the file ends; the bytes read.
[[nodiscard]] ssize_t read_file_at(int fd, std::span<char> target, uint64_t offset);

}  // namespace runtime
