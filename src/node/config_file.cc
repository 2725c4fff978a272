// Reads a configuration file from top to bottom and gathers what is wrong with it.
#include "node/config_file.h"

#include <array>
#include <cerrno>
#include <cstdio>
#include <format>
#include <memory>

#include "core/result.h"
#include "node/config_balancer.h"
#include "node/config_check.h"
#include "node/config_pools.h"
#include "node/config_routes.h"
#include "node/config_section.h"
#include "node/config_servers.h"
#include "node/config_toml.h"

namespace node {

namespace {

constexpr std::array<std::string_view, 7>
    kLaterSections{"web", "app", "database", "router", "firewall", "vip", "monitor"};

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
    for (std::string_view section : {"balancer", "pools", "routes"}) {
        if (root.find(section) != nullptr) {
            roles.add(Role::balancer);
        }
    }
    return roles;
}

Config read_sections(Section& root) {
    Config config;
    config.site = read_site(root);
    config.servers = read_servers(root, implied_roles(root.table()));
    upstream::PoolConfig pool_defaults;
    if (auto balancer = root.child("balancer")) {
        read_balancer(*balancer, config.balancer);
        read_pool_defaults(*balancer, pool_defaults);
        balancer->finish();
    }
    config.admin_listen = read_admin(root);
    config.balancer.pools = read_pools(root, pool_defaults);
    config.balancer.routes = read_routes(root, config.balancer.pools);
    refuse_later_sections(root);
    root.finish();
    if (root.problems().is_empty()) {
        check_listeners(root, config);
    }
    return config;
}

struct CloseFile {
    void operator()(std::FILE* file) const { std::fclose(file); }
};

}  // namespace

ConfigOrErrors read_config(std::string_view text, std::string_view file_name) {
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
    Config config = read_sections(root);
    if (!problems.is_empty()) {
        return std::unexpected(std::move(problems).take());
    }
    return config;
}

ConfigOrErrors load_config(const std::string& path) {
    auto refuse_errno = [&](int code) {
        return refuse_file(path, core::Error::of_errno(code, "cannot be read").context());
    };
    std::unique_ptr<std::FILE, CloseFile> file(std::fopen(path.c_str(), "re"));
    if (file == nullptr) {
        return refuse_errno(errno);
    }
    std::string text(kConfigFileBytesMax + 1, '\0');
    text.resize(std::fread(text.data(), 1, text.size(), file.get()));
    if (std::ferror(file.get()) != 0) {
        return refuse_errno(errno);
    }
    return read_config(text, path);
}

}  // namespace node
