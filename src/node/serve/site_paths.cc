#include "node/serve/site_paths.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <format>
#include <memory>
#include <utility>

#include "net/address.h"
#include "node/serve/given_directory.h"
#include "runtime/privileges.h"

namespace node {

using core::Error;
using core::ErrorKind;
using core::fail;
using core::Result;

namespace {

constexpr std::string_view kSocketSuffix = ".sock";
constexpr std::string_view kUpSocket = "up.sock";  // that of `trilith up` itself, no server's
constexpr size_t kSocketsMax = 1000;
constexpr mode_t kPrivateMode = 0700;
constexpr mode_t kSearchedMode = 0711;

std::string variable(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? "" : value;
}

bool is_root(const Environment& environment) { return environment.user == 0; }

std::string join(std::string_view directory, std::string_view name) {
    return std::format("{}/{}", directory, name);
}

// Where several sites of one user have their runtime directories side by side.
std::string runtime_base(const Environment& environment) {
    if (is_root(environment)) {
        return join(environment.system_runtime, "trilith");
    }
    if (!environment.xdg_runtime.empty()) {
        return join(environment.xdg_runtime, "trilith");
    }
    return join(environment.temporary, std::format("trilith-{}", environment.user));
}

// A base in a directory that everybody may write to; empty: it lies elsewhere.
std::string private_base(const Environment& environment) {
    return is_root(environment) || !environment.xdg_runtime.empty() ? "" : runtime_base(environment);
}

// The one runtime directory that an option or variable names; empty: none does.
std::string named_runtime(const DirectoryOptions& options, const Environment& environment) {
    return options.runtime.empty() ? environment.runtime : options.runtime;
}

Result<std::string> state_directory(
    const DirectoryOptions& options,
    const Environment& environment,
    std::string_view site
) {
    if (!options.state.empty()) {
        return options.state;
    }
    if (!environment.state.empty()) {
        return environment.state;
    }
    if (is_root(environment)) {
        return join(join(environment.system_state, "trilith"), site);
    }
    if (environment.home.empty()) {
        return fail(
            ErrorKind::not_found,
            "HOME is not set: say where the state is to lie with --state-dir or TRILITH_STATE_DIR"
        );
    }
    return join(join(environment.home, ".local/state/trilith"), site);
}

// Refuses what is there under this name unless it is a directory of ours alone. lstat(): a link in /tmp may
// be anybody's.
Result<void> check_ownership(const std::string& path, const Environment& environment) {
    struct stat state{};
    if (::lstat(path.c_str(), &state) != 0) {
        return fail(Error::of_errno(errno, path));
    }
    if (S_ISLNK(state.st_mode) && state.st_uid == environment.user && ::stat(path.c_str(), &state) != 0) {
        return fail(Error::of_errno(errno, path));
    }
    if (!S_ISDIR(state.st_mode)) {
        return fail(ErrorKind::conflict, path + " is not a directory");
    }
    if (state.st_uid != environment.user) {
        return fail(
            ErrorKind::permission,
            std::format("{} belongs to user {}, not to this user ({})", path, state.st_uid, environment.user)
        );
    }
    if ((state.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
        return fail(
            ErrorKind::permission,
            std::format("{} may be written to by other users: chmod 700 {}", path, path)
        );
    }
    return {};
}

// A parent that is there already is of no interest; one that cannot be made shows with the last.
void make_parents(const std::string& path, mode_t mode) {
    for (size_t end = path.find('/', 1); end != std::string::npos; end = path.find('/', end + 1)) {
        ::mkdir(path.substr(0, end).c_str(), mode);
    }
}

Result<void> make_directory(const std::string& path, mode_t mode = kPrivateMode) {
    make_parents(path, mode);
    if (::mkdir(path.c_str(), kPrivateMode) != 0 && errno != EEXIST) {
        return fail(Error::of_errno(errno, "the directory " + path + " cannot be made"));
    }
    return {};
}

// The process id that the owner of a lock file wrote into it; "another process" where none is there (yet).
std::string read_owner(int fd) {
    std::array<char, 32> text;
    ssize_t count = ::pread(fd, text.data(), text.size(), 0);
    int pid = 0;
    auto [end, status] = std::from_chars(text.data(), text.data() + std::max<ssize_t>(count, 0), pid);
    return status == std::errc{} ? std::format("process {}", pid) : "another process";
}

// The descriptor that holds the lock. The file stays for ever: to remove it would let two processes lock two
// files of one name.
Result<int> lock_file(const std::string& path, std::string_view server) {
    int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    struct stat status{};
    if (fd < 0 || ::fstat(fd, &status) != 0) {
        return fail(Error::of_errno(errno, path));
    }
    // Root writes into a directory that it has given away: not into a file that has other names.
    if (!S_ISREG(status.st_mode) || status.st_nlink > 1) {
        ::close(fd);
        return fail(ErrorKind::conflict, path + " is no file of ours: remove it");
    }
    if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
        Error error =
            errno == EWOULDBLOCK
                ? Error(
                      ErrorKind::conflict,
                      std::format("the server \"{}\" runs already: {} holds {}", server, read_owner(fd), path)
                  )
                : Error::of_errno(errno, path);
        ::close(fd);
        return fail(std::move(error));
    }
    std::string pid = std::format("{}\n", ::getpid());
    if (::ftruncate(fd, 0) != 0 || ::pwrite(fd, pid.data(), pid.size(), 0) < 0) {
        Error error = Error::of_errno(errno, path);
        ::close(fd);
        return fail(std::move(error));
    }
    return fd;
}

struct CloseDirectory {
    void operator()(DIR* directory) const { ::closedir(directory); }
};

// The names in a directory, sorted; none if there is no such directory.
Result<std::vector<std::string>> names_in(const std::string& path) {
    std::unique_ptr<DIR, CloseDirectory> directory(::opendir(path.c_str()));
    if (directory == nullptr) {
        if (errno == ENOENT || errno == ENOTDIR) {
            return std::vector<std::string>{};
        }
        return fail(Error::of_errno(errno, path));
    }
    std::vector<std::string> names;
    while (const dirent* entry = ::readdir(directory.get())) {
        if (entry->d_name[0] != '.') {
            names.emplace_back(entry->d_name);
        }
    }
    std::ranges::sort(names);
    return names;
}

Result<void> add_sockets(
    const std::string& directory,
    std::string_view site,
    std::vector<ServerSocket>& sockets
) {
    TRY(std::vector<std::string> names, names_in(directory));
    for (const std::string& name : names) {
        bool is_server =
            name.ends_with(kSocketSuffix) && name != kUpSocket && name.size() > kSocketSuffix.size();
        if (is_server && sockets.size() < kSocketsMax) {
            std::string server = name.substr(0, name.size() - kSocketSuffix.size());
            sockets.push_back({.site = std::string(site), .server = server, .path = join(directory, name)});
        }
    }
    return {};
}

}  // namespace

Environment read_environment() {
    return {
        .user = ::geteuid(),
        .state = variable("TRILITH_STATE_DIR"),
        .runtime = variable("TRILITH_RUNTIME_DIR"),
        .home = variable("HOME"),
        .xdg_runtime = variable("XDG_RUNTIME_DIR"),
    };
}

std::string SitePaths::socket(std::string_view server) const {
    return join(runtime_dir, std::format("{}{}", server, kSocketSuffix));
}

std::string SitePaths::database_dir() const { return state_dir + "/database"; }

std::string SitePaths::programs_dir() const { return join(runtime_dir, "app"); }

std::string SitePaths::overrides_file(std::string_view server) const {
    return join(state_dir, std::format("{}.overrides.json", server));
}

Result<SitePaths> site_paths(
    const DirectoryOptions& options,
    const Environment& environment,
    std::string_view site
) {
    TRY(std::string state, state_directory(options, environment, site));
    SitePaths paths{
        .state_dir = std::move(state),
        .runtime_dir = named_runtime(options, environment),
        .private_base = {},
    };
    if (paths.runtime_dir.empty()) {
        paths.runtime_dir = join(runtime_base(environment), site);
        paths.private_base = private_base(environment);
    }
    return paths;
}

namespace {

Result<void> check_length(std::string_view what, const std::string& path) {
    if (!net::Address::of_unix_path(path)) {
        return fail(
            ErrorKind::too_large,
            std::format(
                "the {} {} would have a path of {} bytes, and 107 are possible: choose a shorter "
                "--runtime-dir",
                what,
                path,
                path.size()
            )
        );
    }
    return {};
}

// For a server that goes on as `account`.
Result<void> prepare_for(
    const SitePaths& paths,
    const Environment& environment,
    const runtime::Account& account
) {
    {
        // Where the account may make its state directory itself, root does not lend a hand.
        runtime::FileRights rights(account);
        [[maybe_unused]] auto made = make_directory(paths.state_dir, kSearchedMode);
    }
    TRY_VOID(make_directory(paths.runtime_dir, kSearchedMode));
    TRY_VOID(check_ownership(paths.runtime_dir, environment));
    if (::chmod(paths.runtime_dir.c_str(), kSearchedMode) != 0) {
        return fail(Error::of_errno(errno, paths.runtime_dir));
    }
    make_parents(paths.state_dir, kSearchedMode);
    let_through(join(environment.system_state, "trilith"), paths.state_dir);
    let_through(join(environment.system_runtime, "trilith"), paths.runtime_dir);
    for (const std::string& path : {paths.state_dir, paths.programs_dir()}) {
        TRY_VOID(give_directory(path, account));
        TRY_VOID(check_reach(path, account));
    }
    return {};
}

}  // namespace

Result<void> check_socket_path(const SitePaths& paths, std::string_view server) {
    return check_length("control socket", paths.socket(server));
}

Result<void> check_program_sockets(const SitePaths& paths, std::string_view server) {
    // The longest that app/listening_socket makes before generation 10000.
    return check_length(
        "application's socket",
        join(paths.programs_dir(), std::format("app-{}-64.9999.sock", server))
    );
}

Result<void> prepare_directories(
    const SitePaths& paths,
    const Environment& environment,
    const std::optional<runtime::Account>& becomes
) {
    if (becomes) {
        return prepare_for(paths, environment, *becomes);
    }
    if (!paths.private_base.empty()) {
        TRY_VOID(make_directory(paths.private_base));
        TRY_VOID(check_ownership(paths.private_base, environment));
    }
    for (const std::string& path : {paths.state_dir, paths.runtime_dir, paths.programs_dir()}) {
        TRY_VOID(make_directory(path));
        TRY_VOID(check_ownership(path, environment));
    }
    return {};
}

LockedServer::LockedServer(LockedServer&& other) noexcept
    : state_fd_(std::exchange(other.state_fd_, -1)), runtime_fd_(std::exchange(other.runtime_fd_, -1)) {}

LockedServer& LockedServer::operator=(LockedServer&& other) noexcept {
    std::swap(state_fd_, other.state_fd_);
    std::swap(runtime_fd_, other.runtime_fd_);
    return *this;
}

LockedServer::~LockedServer() {
    for (int fd : {runtime_fd_, state_fd_}) {
        if (fd >= 0) {
            ::close(fd);
        }
    }
}

// Two locks, because the two directories are chosen apart: one process a set of overrides, and one a socket.
Result<LockedServer> lock_server(const SitePaths& paths, std::string_view server) {
    TRY(int state_fd, lock_file(join(paths.state_dir, std::format("{}.owner", server)), server));
    LockedServer locked(state_fd, -1);
    TRY(int runtime_fd, lock_file(join(paths.runtime_dir, std::format("{}.lock", server)), server));
    locked.runtime_fd_ = runtime_fd;
    return locked;
}

Result<std::vector<ServerSocket>> list_sockets(
    const DirectoryOptions& options,
    const Environment& environment,
    std::string_view site
) {
    std::vector<ServerSocket> sockets;
    if (std::string named = named_runtime(options, environment); !named.empty()) {
        TRY_VOID(add_sockets(named, "", sockets));
        return sockets;
    }
    std::string base = runtime_base(environment);
    struct stat state{};
    if (!private_base(environment).empty() && ::lstat(base.c_str(), &state) == 0) {
        TRY_VOID(check_ownership(base, environment));
    }
    if (!site.empty()) {
        TRY_VOID(add_sockets(join(base, site), site, sockets));
        return sockets;
    }
    TRY(std::vector<std::string> sites, names_in(base));
    for (const std::string& name : sites) {
        TRY_VOID(add_sockets(join(base, name), name, sockets));
    }
    return sockets;
}

std::string sockets_place(
    const DirectoryOptions& options,
    const Environment& environment,
    std::string_view site
) {
    if (std::string named = named_runtime(options, environment); !named.empty()) {
        return named;
    }
    std::string base = runtime_base(environment);
    return site.empty() ? base : join(base, site);
}

}  // namespace node
