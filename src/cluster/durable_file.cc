#include "cluster/durable_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "runtime/file.h"
#include "runtime/process.h"

namespace cluster {

using core::Error;
using core::fail;
using runtime::Descriptor;

namespace {

core::Result<void> write_whole(int fd, std::string_view text, const std::string& path) {
    while (!text.empty()) {
        ssize_t count = runtime::write_some(fd, text);
        if (count < 0) {
            return fail(Error::of_errno(static_cast<int>(-count), path + ": cannot be written"));
        }
        text.remove_prefix(static_cast<size_t>(count));
    }
    if (::fsync(fd) != 0) {
        return fail(Error::of_errno(errno, path + ": cannot be written"));
    }
    return {};
}

core::Result<void> sync_parent(const std::string& path) {
    std::string parent = path.substr(0, path.rfind('/'));
    Descriptor opened(::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!opened.is_open() || ::fsync(opened.get()) != 0) {
        return fail(Error::of_errno(errno, parent + ": the directory cannot be synchronised"));
    }
    return {};
}

}  // namespace

core::Result<std::optional<std::string>> read_small_file(const std::string& path, size_t bytes_max) {
    Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
    if (!file.is_open()) {
        if (errno == ENOENT || errno == ENOTDIR) {
            return std::nullopt;
        }
        return fail(Error::of_errno(errno, path + ": cannot be read"));
    }
    std::string text(bytes_max + 1, '\0');
    ssize_t count = runtime::read_file_at(file.get(), text, 0);
    if (count < 0) {
        return fail(Error::of_errno(static_cast<int>(-count), path + ": cannot be read"));
    }
    if (static_cast<size_t>(count) > bytes_max) {
        return fail(core::ErrorKind::too_large, path + ": is larger than it can be");
    }
    text.resize(static_cast<size_t>(count));
    return text;
}

core::Result<void> replace_durably(const std::string& path, std::string_view text) {
    std::string fresh = path + ".new";
    ::unlink(fresh.c_str());  // of a process that died while it wrote
    Descriptor file(::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!file.is_open()) {
        return fail(Error::of_errno(errno, fresh + ": cannot be created"));
    }
    TRY_VOID(write_whole(file.get(), text, fresh));
    if (::rename(fresh.c_str(), path.c_str()) != 0) {
        return fail(Error::of_errno(errno, path + ": cannot be replaced"));
    }
    return sync_parent(path);
}

core::Result<void> append_durably(const std::string& path, std::string_view line) {
    Descriptor file(::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600));
    if (!file.is_open()) {
        return fail(Error::of_errno(errno, path + ": cannot be opened"));
    }
    return write_whole(file.get(), line, path);
}

bool is_there(const std::string& path) {
    struct stat found{};
    return ::lstat(path.c_str(), &found) == 0;
}

core::Result<void> rename_to(const std::string& from, const std::string& to) {
    if (::rename(from.c_str(), to.c_str()) != 0) {
        return fail(Error::of_errno(errno, "renaming " + from + " to " + to));
    }
    return {};
}

core::Result<void> make_directory(const std::string& path) {
    if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
        return fail(Error::of_errno(errno, path + ": cannot be created"));
    }
    return {};
}

core::Result<Descriptor> lock_shortly(const std::string& path) {
    Descriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600));
    int status = -1;
    do {
        status = file.is_open() ? ::flock(file.get(), LOCK_EX) : -1;
    } while (status != 0 && errno == EINTR);
    if (status != 0) {
        return fail(Error::of_errno(errno, path + ": cannot be locked"));
    }
    return file;
}

Descriptor try_lock(const std::string& path, std::string* why) {
    auto tell = [why](const char* reason) {
        if (why != nullptr) {
            *why = reason;
        }
    };
    Descriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600));
    if (!file.is_open()) {
        tell(std::strerror(errno));
        return {};
    }
    if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
        tell("somebody else has its lock");
        return {};
    }
    return runtime::above_standard(std::move(file));
}

}  // namespace cluster
