// Where a site keeps its state and its sockets, how a server claims its place there, and how verbs find the
// running ones.
//
//   state     --state-dir, TRILITH_STATE_DIR, /var/lib/trilith/SITE (root), ~/.local/state/trilith/SITE
//             SERVER.overrides.json, SERVER.owner (a lock), logs/
//   runtime   --runtime-dir, TRILITH_RUNTIME_DIR, /run/trilith/SITE (root), $XDG_RUNTIME_DIR/trilith/SITE,
//             /tmp/trilith-UID/SITE
//             SERVER.sock, SERVER.lock, app/ (sockets of the site's program)
//
// What an option or variable names is the directory of one site itself.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "runtime/account.h"

namespace node {

// What the command line says; empty: not given.
struct DirectoryOptions {
    std::string state;    // --state-dir
    std::string runtime;  // --runtime-dir

    friend bool operator==(const DirectoryOptions&, const DirectoryOptions&) = default;
};

// What decides about directories besides the command line; an empty text is a variable that is not set.
struct Environment {
    uint32_t user = 0;        // effective user id
    std::string state;        // TRILITH_STATE_DIR
    std::string runtime;      // TRILITH_RUNTIME_DIR
    std::string home;         // HOME
    std::string xdg_runtime;  // XDG_RUNTIME_DIR
    std::string temporary = "/tmp";
    std::string system_state = "/var/lib";
    std::string system_runtime = "/run";
};

// That of this process.
[[nodiscard]] Environment read_environment();

struct SitePaths {
    std::string state_dir;
    std::string runtime_dir;
    std::string private_base;  // /tmp/trilith-UID where runtime_dir lies in it, else empty: others could have
                               // made it

    [[nodiscard]] std::string socket(std::string_view server) const;
    [[nodiscard]] std::string overrides_file(std::string_view server) const;
    // Where log files lie, or links to where they lie; in the state directory.
    [[nodiscard]] std::string logs_dir() const { return state_dir + "/logs"; }
    // What the site's servers share of the databases that they keep; in the state directory.
    [[nodiscard]] std::string database_dir() const;
    // Where the sockets of the site's program lie, apart from the control sockets.
    [[nodiscard]] std::string programs_dir() const;

    friend bool operator==(const SitePaths&, const SitePaths&) = default;
};

// The directories of `site` (a valid name: config/config.h). Fails where nothing says where the state is to
// lie (no HOME).
[[nodiscard]] core::Result<SitePaths> site_paths(
    const DirectoryOptions& options,
    const Environment& environment,
    std::string_view site
);

// Refuses a control socket whose path has more than 107 bytes, and says what to do.
[[nodiscard]] core::Result<void> check_socket_path(const SitePaths& paths, std::string_view server);

// The same of the sockets of the site's program on this server, whose names are longer.
[[nodiscard]] core::Result<void> check_program_sockets(const SitePaths& paths, std::string_view server);

// Makes all directories where they are missing (0700, with their parents) and refuses one that belongs to
// another user, that others may write to, or that is no directory. `becomes`: whom this process goes on as.
// That user is given the state directory and programs_dir(); the runtime directory with lock and control
// socket stays ours, and is opened for searching (0711), as are parents that are made.
[[nodiscard]] core::Result<void> prepare_directories(
    const SitePaths& paths,
    const Environment& environment,
    const std::optional<runtime::Account>& becomes = std::nullopt
);

// A server's claim to its state and its socket; given up when this ends, whatever ends the process.
class LockedServer {
public:
    LockedServer(LockedServer&& other) noexcept;
    LockedServer& operator=(LockedServer&& other) noexcept;
    LockedServer(const LockedServer&) = delete;
    LockedServer& operator=(const LockedServer&) = delete;
    ~LockedServer();

private:
    friend core::Result<LockedServer> lock_server(const SitePaths& paths, std::string_view server);

    LockedServer(int state_fd, int runtime_fd) : state_fd_(state_fd), runtime_fd_(runtime_fd) {}

    int state_fd_;
    int runtime_fd_;
};

// Makes this process the only one that is `server` in these directories, which must be prepared.
// ErrorKind::conflict names the process that is it already. Who holds the claim may remove a socket that an
// earlier process left.
[[nodiscard]] core::Result<LockedServer> lock_server(const SitePaths& paths, std::string_view server);

// A control socket that is there; whether a process answers on it is another question.
struct ServerSocket {
    std::string site;  // empty where an option or variable names the directory
    std::string server;
    std::string path;

    friend bool operator==(const ServerSocket&, const ServerSocket&) = default;
};

// The control sockets of `site`, or of all sites of this user where it is empty; by site and server. None is
// no error; at most 1000. Fails for a directory that may not be read, or that lies in /tmp and belongs to
// another user.
[[nodiscard]] core::Result<std::vector<ServerSocket>> list_sockets(
    const DirectoryOptions& options,
    const Environment& environment,
    std::string_view site
);

// The directory that list_sockets() looks into, for messages.
[[nodiscard]] std::string sockets_place(
    const DirectoryOptions& options,
    const Environment& environment,
    std::string_view site
);

}  // namespace node
