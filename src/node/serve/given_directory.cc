#include "node/serve/given_directory.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <format>
#include <system_error>

#include "runtime/descriptor.h"
#include "runtime/privileges.h"

namespace node {

using core::Error;
using core::ErrorKind;
using core::fail;
using core::Result;

namespace {

// A file that was root's while the site was served as root. Not a link, and not one name of a file that has
// others: the directory may have been somebody else's.
Result<void> give_file(int directory, const std::string& name, const runtime::Account& account) {
    runtime::Descriptor file(::openat(directory, name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
    struct stat status{};
    if (!file.is_open() || ::fstat(file.get(), &status) != 0) {
        return {};  // it is gone, which is as well
    }
    bool is_given = (S_ISREG(status.st_mode) || S_ISSOCK(status.st_mode)) && status.st_nlink == 1;
    if (is_given && ::fchownat(file.get(), "", account.uid, account.gid, AT_EMPTY_PATH) != 0) {
        return fail(Error::of_errno(errno, std::format("giving {} to {}", name, account.name)));
    }
    return {};
}

Result<void> give_files(int directory, const std::string& path, const runtime::Account& account) {
    std::error_code unreadable;
    for (const auto& entry : std::filesystem::directory_iterator(path, unreadable)) {
        TRY_VOID(give_file(directory, entry.path().filename().string(), account));
    }
    return {};
}

struct Folder {
    int directory;  // in which it is
    const char* name;
    uid_t owner;  // of whoever else's it stays as it is
};

// With the files in it; nothing where there is none.
Result<void> give_folder(const Folder& folder, const runtime::Account& account) {
    constexpr int kFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    runtime::Descriptor opened(::openat(folder.directory, folder.name, kFlags));
    struct stat status{};
    if (!opened.is_open() || ::fstat(opened.get(), &status) != 0 || status.st_uid != folder.owner) {
        return {};
    }
    TRY_VOID(give_files(opened.get(), std::format("/proc/self/fd/{}", opened.get()), account));
    if (::fchown(opened.get(), account.uid, account.gid) != 0) {
        return fail(Error::of_errno(errno, std::format("giving {} to {}", folder.name, account.name)));
    }
    return {};
}

// Others cannot take away or replace what lies there: in a directory like /tmp not what is root's.
bool is_safe_place(const std::string& path, uid_t owner_within) {
    struct stat status{};
    if (::lstat(path.c_str(), &status) != 0 || !S_ISDIR(status.st_mode) || status.st_uid != 0) {
        return false;
    }
    bool is_open_to_others = (status.st_mode & (S_IWGRP | S_IWOTH)) != 0;
    return !is_open_to_others || ((status.st_mode & S_ISVTX) != 0 && owner_within == 0);
}

// Nobody but root has a say in what `path`, the directory of `status`, leads to.
bool is_put_by_root(const std::string& path, const struct stat& status) {
    std::error_code failed;
    std::filesystem::path real = std::filesystem::canonical(path, failed);
    struct stat found{};
    if (failed || ::lstat(real.c_str(), &found) != 0 || found.st_ino != status.st_ino ||
        found.st_dev != status.st_dev) {
        return false;
    }
    uid_t owner_within = status.st_uid;
    while (real.has_relative_path()) {
        real = real.parent_path();
        if (!is_safe_place(real.string(), owner_within)) {
            return false;
        }
        owner_within = 0;
    }
    return true;
}

// An empty directory of the account's appears there, where nothing is; never one that is root's for a moment,
// which another server that starts at this time would find. What fails shows when the directory is opened.
void make_for(const std::string& path, const runtime::Account& account) {
    std::string fresh = std::format("{}.{}", path, ::getpid());
    if (::access(path.c_str(), F_OK) == 0 || ::mkdir(fresh.c_str(), 0700) != 0) {
        return;
    }
    runtime::Descriptor directory(::open(fresh.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    bool is_made = directory.is_open() && ::fchown(directory.get(), account.uid, account.gid) == 0 &&
                   ::renameat2(AT_FDCWD, fresh.c_str(), AT_FDCWD, path.c_str(), RENAME_NOREPLACE) == 0;
    if (!is_made) {
        ::rmdir(fresh.c_str());
    }
}

}  // namespace

Result<void> give_directory(const std::string& path, const runtime::Account& account) {
    make_for(path, account);
    runtime::Descriptor directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    struct stat status{};
    if (!directory.is_open() || ::fstat(directory.get(), &status) != 0) {
        return fail(Error::of_errno(errno, path));
    }
    if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
        return fail(
            ErrorKind::permission,
            std::format("{} may be written to by other users: chmod 700 {}", path, path)
        );
    }
    if (status.st_uid == account.uid) {
        return {};
    }
    if (!is_put_by_root(path, status)) {
        return fail(
            ErrorKind::permission,
            std::format(
                "{} belongs to user {}, and the server goes on as {}: chown -R {} {}",
                path,
                status.st_uid,
                account.name,
                account.name,
                path
            )
        );
    }
    TRY_VOID(give_files(directory.get(), path, account));
    TRY_VOID(give_folder({directory.get(), "logs", status.st_uid}, account));
    if (::fchown(directory.get(), account.uid, account.gid) != 0) {
        return fail(Error::of_errno(errno, std::format("giving {} to {}", path, account.name)));
    }
    return {};
}

void let_through(const std::string& base, const std::string& path) {
    struct stat state{};
    if (path.starts_with(base + "/") && ::lstat(base.c_str(), &state) == 0 && S_ISDIR(state.st_mode) &&
        state.st_uid == 0) {
        [[maybe_unused]] int status = ::chmod(base.c_str(), (state.st_mode & 07777) | 0111);
    }
}

std::string closed_directory(const std::string& path) {
    for (size_t end = path.find('/', 1); end != std::string::npos; end = path.find('/', end + 1)) {
        std::string directory = path.substr(0, end);
        if (::faccessat(AT_FDCWD, directory.c_str(), X_OK, AT_EACCESS) != 0 && errno == EACCES) {
            return directory;
        }
    }
    return "";
}

Result<void> check_reach(const std::string& path, const runtime::Account& account) {
    runtime::FileRights rights(account);
    std::string closed = closed_directory(path + "/.");
    if (!closed.empty()) {
        return fail(
            ErrorKind::permission,
            std::format(
                "the user {} may not enter {}, on the way to {}: chmod o+x {}",
                account.name,
                closed,
                path,
                closed
            )
        );
    }
    return {};
}

}  // namespace node
