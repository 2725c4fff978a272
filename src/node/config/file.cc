// Reads a configuration file from top to bottom and gathers what is wrong with it.
#include "node/config/file.h"

#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <format>
#include <memory>

#include "core/result.h"
#include "node/config/app.h"
#include "node/config/balancer.h"
#include "node/config/check.h"
#include "node/config/cluster.h"
#include "node/config/database.h"
#include "node/config/derived.h"
#include "node/config/drill.h"
#include "node/config/log.h"
#include "node/config/paths.h"
#include "node/config/pools.h"
#include "node/config/ports.h"
#include "node/config/routes.h"
#include "node/config/section.h"
#include "node/config/servers.h"
#include "node/config/toml.h"
#include "node/config/web.h"

namespace node {

namespace {

constexpr std::array<std::string_view, 4> kLaterSections{"router", "firewall", "vip", "monitor"};

using ConfigOrErrors = std::expected<Config, std::vector<ConfigError>>;

std::unexpected<std::vector<ConfigError>> refuse_file(std::string_view file, std::string message) {
    return std::unexpected(std::vector{ConfigError{.file = std::string(file), .message = std::move(message)}}
    );
}

void refuse_later_sections(Section& root) {
    for (std::string_view name : kLaterSections) {
        if (root.table().find(name) != nullptr) {
            root.problems().add(
                root.find(name)->position,
                std::format("[{}] is not supported by this version", name)
            );
        }
    }
}

// The roles whose sections are there.
RoleSet implied_roles(const TomlValue& root) {
    RoleSet roles;
    auto imply = [&](std::string_view section, Role role) {
        if (root.find(section) != nullptr) {
            roles.add(role);
        }
    };
    imply("balancer", Role::balancer);
    imply("pools", Role::balancer);
    imply("routes", Role::balancer);
    imply("web", Role::web);
    imply("app", Role::app);
    imply("database", Role::router);
    // Databases that are not said to be elsewhere are here.
    const TomlValue* database = root.find("database");
    bool is_kept = database != nullptr && database->kind == TomlValue::Kind::table &&
                   database->find("nodes") == nullptr && database->find("account") == nullptr;
    if (is_kept) {
        roles.add(Role::database);
    }
    return roles;
}

// [web], [app] and [database], also where only a server's role says that they are there.
void read_tiers(Section& root, Config& config) {
    if (auto web = root.child("web")) {
        config.web = read_web(*web, config.base_directory);
    } else if (has_role(config, Role::web)) {
        config.web.emplace().site.try_files.clear();
    }
    if (auto app = root.child("app")) {
        config.app = read_app(*app, config.base_directory);
    }
    if (auto database = root.child("database")) {
        if (has_role(config, Role::database)) {
            config.cluster = read_cluster(*database, config.base_directory, config.servers);
            config.database =
                read_kept_database(*database, config.base_directory, config.servers, *config.cluster);
        } else {
            config.database = read_database(*database, config.base_directory);
        }
    }
}

Config read_sections(Section& root, std::string_view base_directory) {
    Config config;
    config.base_directory = base_directory;
    config.site = read_site(root);
    read_user(root, config.user);
    config.servers = read_servers(root, implied_roles(root.table()));
    upstream::PoolConfig pool_defaults;
    if (auto balancer = root.child("balancer")) {
        read_balancer(*balancer, config.balancer);
        read_pool_defaults(*balancer, pool_defaults);
        balancer->finish();
    }
    config.admin_listen = read_admin(root);
    if (auto log = root.child("log")) {
        read_log(*log, base_directory, config.log);
    }
    read_tiers(root, config);
    auto derived = derive_pool(config, pool_defaults);
    config.balancer.pools = read_pools(root, pool_defaults, derived_pool_name(config));
    if (derived) {
        config.balancer.pools.push_back(std::move(*derived));
    }
    read_routes(root, config);
    if (auto drill = root.child("drill")) {
        config.drill = read_drill(*drill);
    }
    if (auto objectives = root.child("objectives")) {
        config.objectives = read_objectives(*objectives);
    }
    refuse_later_sections(root);
    root.finish();
    if (root.problems().is_empty()) {
        check_tiers(root, config);
    }
    if (root.problems().is_empty()) {
        check_listeners(root, config);
    }
    return config;
}

struct CloseFile {
    void operator()(std::FILE* file) const { std::fclose(file); }
};

}  // namespace

ConfigOrErrors read_config(
    std::string_view text,
    std::string_view file_name,
    std::string_view base_directory
) {
    if (text.size() > kConfigFileBytesMax) {
        return refuse_file(file_name, std::format("has more than {} bytes", kConfigFileBytesMax));
    }
    Problems problems(file_name);
    auto tree = parse_toml(text);
    if (!tree) {
        problems.add(tree.error().position, std::move(tree.error().message));
        return std::unexpected(std::move(problems).take());
    }
    Section root(*tree, {}, problems);
    Config config = read_sections(root, base_directory);
    if (!problems.is_empty()) {
        return std::unexpected(std::move(problems).take());
    }
    return config;
}

core::Result<ConfigText> read_config_text(const std::string& path) {
    auto refuse_errno = [](int code) { return core::fail(core::Error::of_errno(code, "cannot be read")); };
    std::unique_ptr<std::FILE, CloseFile> file(std::fopen(path.c_str(), "re"));
    if (file == nullptr && errno == ENOENT && path == kDefaultFile) {
        return core::fail(
            core::ErrorKind::not_found,
            "there is none in this directory: name the file, as in trilith up FILE"
        );
    }
    if (file == nullptr) {
        return refuse_errno(errno);
    }
    ConfigText read;
    read.text.resize(kConfigFileBytesMax + 1);
    read.text.resize(std::fread(read.text.data(), 1, read.text.size(), file.get()));
    struct stat status{};
    if (std::ferror(file.get()) != 0 || ::fstat(::fileno(file.get()), &status) != 0) {
        return refuse_errno(errno);
    }
    read.origin = {
        .owner = status.st_uid,
        .is_open_to_others = (status.st_mode & (S_IWGRP | S_IWOTH)) != 0,
    };
    return read;
}

ConfigOrErrors load_config(const std::string& path) {
    auto read = read_config_text(path);
    if (!read) {
        return refuse_file(path, read.error().context());
    }
    auto base_directory = directory_of(path);
    if (!base_directory) {
        return refuse_file(path, base_directory.error().context());
    }
    auto config = read_config(read->text, path, *base_directory);
    if (config) {
        config->origin = read->origin;
    }
    return config;
}

}  // namespace node
