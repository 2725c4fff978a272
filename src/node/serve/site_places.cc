#include "node/serve/site_places.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <format>
#include <optional>
#include <utility>

#include "child/environment.h"
#include "node/config/database.h"
#include "node/config/file.h"
#include "node/config/servers.h"
#include "node/config/toml.h"
#include "node/serve/given_directory.h"
#include "runtime/file.h"
#include "runtime/privileges.h"
#include "web/site_check.h"

namespace node {

namespace {

using runtime::Descriptor;
using runtime::FileRights;

// Whose rights are borrowed where nobody is changed: none, see FileRights.
const Account kOurselves{.name = {}, .uid = 0, .gid = 0, .home = {}};

class Places {
public:
    Places(const Config& config, const std::string& file, const Users& users)
        : config_(config), file_(file), users_(users) {
        // The file was read a moment ago; without it findings have no line.
        if (auto read = read_config_text(file)) {
            tree_ = parse_toml(read->text).value_or(TomlValue{});
        }
    }

    void look_at_web();
    void look_at_routes();
    void look_at_program();
    void look_at_file();

    [[nodiscard]] PlaceFindings take() && { return std::move(findings_); }

private:
    struct Key {
        std::string name;
        const TomlValue* value;
    };

    [[nodiscard]] Key key_of(std::string_view section, std::string_view key) const {
        const TomlValue* table = tree_.find(section);
        return {std::format("{}.{}", section, key), table == nullptr ? nullptr : table->find(key)};
    }

    void add(std::vector<ConfigError>& list, const Key& key, std::string_view sentence) {
        Position place = key.value == nullptr ? Position{} : key.value->position;
        list.push_back({
            .file = file_,
            .line = place.line,
            .column = place.column,
            .message = std::format("{}: {}", key.name, sentence),
        });
    }

    Descriptor look_at_root(const Key& key, const std::string& root);
    void look_at_page(const web::ErrorPage& page, const Descriptor& root);
    [[nodiscard]] std::string why_not_run(const Descriptor& directory) const;

    [[nodiscard]] const Account& server_account() const {
        return users_.server ? *users_.server : kOurselves;
    }

    const Config& config_;
    const std::string& file_;
    const Users& users_;
    TomlValue tree_;
    PlaceFindings findings_;
};

std::string who(const Account& account) {
    return account.name.empty() ? "this user" : "the user " + account.name;
}

// "; the user nobody may not enter /root: chmod o+x /root"
std::string told_barrier(const std::string& path, const Account& account) {
    std::string closed = closed_directory(path);
    return closed.empty() ? ""
                          : std::format("{} may not enter {}: chmod o+x {}", who(account), closed, closed);
}

// Not there: a problem has been told.
Descriptor Places::look_at_root(const Key& key, const std::string& root) {
    auto opened = web::open_root(root);
    if (!opened) {
        // As who we are: the server's user, where others than root could have written the file.
        std::string barrier = told_barrier(root + "/.", server_account());
        add(findings_.problems, key, opened.error().context() + (barrier.empty() ? "" : "; " + barrier));
        return {};
    }
    FileRights rights(server_account());
    if (auto usable = web::check_opened_root(opened->get(), root); !usable) {
        std::string by = users_.server ? std::format(" (the server goes on as {})", users_.server->name) : "";
        add(findings_.problems, key, usable.error().context() + by);
        return {};
    }
    if (std::string barrier = told_barrier(root + "/.", server_account()); !barrier.empty()) {
        add(findings_.warnings,
            key,
            std::format("{}; it is served as it was opened, another in its place is not noticed", barrier));
    }
    return *std::move(opened);
}

void Places::look_at_page(const web::ErrorPage& page, const Descriptor& root) {
    FileRights rights(server_account());
    Descriptor opened(runtime::open_beneath(root.get(), page.path.c_str() + 1));
    int failed = -opened.get();
    if (failed <= 0) {
        return;
    }
    Key key = key_of("web", "error_pages");
    key.name += std::format(".{}", page.status);
    key.value = key.value == nullptr ? nullptr : key.value->find(std::to_string(page.status));
    std::string cure = failed == ENOENT ? "create it, or leave the key out"
                                        : std::format("{} must be allowed to read it", who(server_account()));
    add(findings_.warnings,
        key,
        std::format("{} below the root cannot be read ({}): {}", page.path, std::strerror(failed), cure));
}

void Places::look_at_web() {
    const web::Config& site = config_.web->site;
    if (site.root.empty()) {
        return;
    }
    Descriptor root = look_at_root(key_of("web", "root"), site.root);
    for (const web::ErrorPage& page : site.error_pages) {
        if (root.is_open()) {
            look_at_page(page, root);
        }
    }
}

void Places::look_at_routes() {
    const TomlValue* written = tree_.find("routes");
    for (size_t at = 0; at < config_.balancer.routes.size(); ++at) {
        const balancer::RouteConfig& route = config_.balancer.routes[at];
        if (route.handler != balancer::kNoTarget) {
            bool is_known = written != nullptr && at < written->items.size();
            look_at_root(
                {"routes.root", is_known ? written->items[at].find("root") : nullptr},
                config_.route_sites[route.handler].root
            );
        }
    }
}

// Empty: its user may run it.
std::string Places::why_not_run(const Descriptor& directory) const {
    const app::Config& program = config_.app->program;
    std::vector<std::string> inherited = child::own_environment();
    auto environment = child::program_environment({
        .inherited = inherited,
        .configured = program.env,
        .user = users_.program,
        .instance = {},
        .port = {},
    });
    int worst = ENOENT;
    for (const std::string& path : child::program_files(program.command.front(), environment)) {
        struct stat status{};
        if (::fstatat(directory.get(), path.c_str(), &status, 0) == 0 && S_ISREG(status.st_mode) &&
            ::faccessat(directory.get(), path.c_str(), X_OK, AT_EACCESS) == 0) {
            return "";
        }
        worst = errno == ENOENT || errno == ENOTDIR ? worst : EACCES;
    }
    return worst == ENOENT ? "is not there: build it, or correct the path"
                           : "may not be run: it, and the way to it, must be open to its user (chmod a+rx)";
}

void Places::look_at_program() {
    const app::Config& program = config_.app->program;
    Descriptor directory(runtime::open_directory(program.directory.c_str()));
    Key key = key_of("app", "directory");
    key = key.value == nullptr ? key_of("app", "command") : key;
    if (!directory.is_open()) {
        add(findings_.warnings,
            key,
            std::format("{} cannot be entered: {}", program.directory, std::strerror(-directory.get())));
        return;
    }
    const Account& account = users_.program ? *users_.program : kOurselves;
    FileRights rights(account);
    if (std::string barrier = told_barrier(program.directory + "/.", account); !barrier.empty()) {
        add(findings_.warnings,
            key,
            std::format(
                "{}; the program is started in {}, and what it opens by a whole path it will not find",
                barrier,
                program.directory
            ));
    }
    if (std::string reason = why_not_run(directory); !reason.empty()) {
        add(findings_.warnings,
            key_of("app", "command"),
            std::format("{} {} ({})", in_quotes(program.command.front()), reason, who(account)));
    }
}

// Of the file itself: it is read again at a reload.
void Places::look_at_file() {
    FileRights rights(server_account());
    Descriptor opened(::open(file_.c_str(), O_RDONLY | O_CLOEXEC));
    if (opened.is_open()) {
        return;
    }
    std::string barrier = told_barrier(file_, server_account());
    std::string cure = barrier.empty() ? std::format(
                                             "{} may not read it: chgrp {} {} and chmod g+r",
                                             who(server_account()),
                                             server_account().name,
                                             file_
                                         )
                                       : barrier;
    findings_.warnings.push_back({.file = file_, .message = "a reload will be refused: " + cure});
}

}  // namespace

PlaceFindings look_at_places(
    const Config& config,
    const std::string& file,
    RoleSet roles,
    const Users& users
) {
    Places places(config, file, users);
    places.look_at_file();
    if (roles.has(Role::web)) {
        places.look_at_web();
    }
    if (roles.has(Role::balancer)) {
        places.look_at_routes();
    }
    if (roles.has(Role::app)) {
        places.look_at_program();
    }
    return std::move(places).take();
}

bool is_of_this_machine(runtime::Os& os, const ServerConfig& server) {
    Descriptor socket(os.open_socket(server.address.family()));
    sockaddr_storage storage;
    socklen_t length = server.address.fill(storage);
    return socket.is_open() &&
           os.bind(socket.get(), reinterpret_cast<const sockaddr*>(&storage), length) == 0;
}

std::vector<PlannedServer> whiteboard_of(runtime::Os& os, const Config& config, std::string_view self) {
    std::vector<PlannedServer> whiteboard;
    for (const ServerConfig& server : config.servers) {
        PlannedServer planned{.server = server.name, .address = server.address.host_string()};
        planned.is_local = server.name == self || is_of_this_machine(os, server);
        for (Role role : {Role::balancer, Role::web, Role::app, Role::router, Role::database}) {
            if (server.roles.has(role) || (role == Role::router && runs_router(config, server))) {
                planned.roles.emplace_back(role_name(role));
            }
        }
        whiteboard.push_back(std::move(planned));
    }
    return whiteboard;
}

}  // namespace node
