// Finds contradictions between the entries of a configuration.
#include "node/config/check.h"

#include <algorithm>
#include <array>
#include <format>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "node/config/database.h"
#include "node/config/servers.h"
#include "node/config/web.h"

namespace node {

namespace {

using balancer::RouteConfig;

// Every host pattern that matches all that `host` matches, itself included.
std::vector<std::string> covering_hosts(std::string_view host) {
    std::vector<std::string> hosts{""};
    if (host.empty()) {
        return hosts;
    }
    hosts.emplace_back(host);
    std::string_view name = host.starts_with("*.") ? host.substr(2) : host;
    for (size_t dot = name.find('.'); dot != std::string_view::npos; dot = name.find('.', dot + 1)) {
        hosts.push_back("*" + std::string(name.substr(dot)));
    }
    return hosts;
}

// The same for paths.
std::vector<std::string> covering_paths(std::string_view path) {
    // A path that cannot be normalised goes to raw routes alone, so nothing else takes all that one takes.
    std::vector<std::string> paths{"raw"};
    if (path == "raw") {
        return paths;
    }
    paths.emplace_back("");
    if (path.empty()) {
        paths.emplace_back("/*");
        return paths;
    }
    paths.emplace_back(path);
    std::string_view fixed = path.ends_with("/*") ? path.substr(0, path.size() - 1) : path;
    for (size_t slash = 0; slash != std::string_view::npos; slash = fixed.find('/', slash + 1)) {
        paths.push_back(std::string(fixed.substr(0, slash + 1)) + "*");
    }
    return paths;
}

std::string describe(const RouteConfig& route) {
    std::string host = route.host.empty() ? "any host" : "host " + in_quotes(route.host);
    return host + ", " + (route.path.empty() ? "any path" : "path " + in_quotes(route.path));
}

struct RoleSection {
    std::string_view name;
    Role role;
};

constexpr std::array<RoleSection, 5> kRoleSections{{
    {"balancer", Role::balancer},
    {"pools", Role::balancer},
    {"routes", Role::balancer},
    {"web", Role::web},
    {"app", Role::app},
}};

// Of a balancer that has neither pools nor files to answer with.
void check_targets(Section& root, const balancer::Config& config) {
    if (!config.pools.empty() || !config.routes.empty()) {
        return;
    }
    const TomlValue* pools = root.find("pools");
    root.problems().add(
        pools == nullptr ? Position{1, 1} : pools->position,
        "no pool: write [pools.NAME] with backends = [\"127.0.0.1:9001\"]"
    );
}

// Of the roles that have a SQL router, and the section that says what it does.
void check_router(Section& root, const Config& config) {
    bool has_router = std::ranges::any_of(config.servers, [&](const ServerConfig& server) {
        return runs_router(config, server);
    });
    if (!config.database && has_role(config, Role::database)) {
        root.problems().add(
            place_of_role(root, config, Role::database),
            "a server has the role \"database\", but there is no [database]: write it with name = "
            "\"foobar\", "
            "the schema that the site's program uses"
        );
        return;
    }
    if (config.database && !has_router && !config.cluster) {
        root.problems().add(
            root.find("database")->position,
            "[database]: no server has the role \"router\" or \"app\": add \"router\" to the roles of one in "
            "[servers]"
        );
    }
    if (!config.database && has_role(config, Role::router)) {
        root.problems().add(
            place_of_role(root, config, Role::router),
            "a server has the role \"router\", but there is no [database]: write it with nodes = "
            "[\"10.0.0.5:3306\"], the addresses of the database servers"
        );
    }
}

}  // namespace

void refuse_unreachable_routes(std::span<const PlacedRoute> routes, Problems& problems) {
    std::unordered_map<std::string, const PlacedRoute*> seen;  // by host, a space, path: the first of each
    for (const PlacedRoute& placed : routes) {
        const PlacedRoute* covering = nullptr;
        auto paths = covering_paths(placed.route.path);
        for (const std::string& host : covering_hosts(placed.route.host)) {
            for (const std::string& path : paths) {
                auto at = seen.find(host + " " + path);
                bool is_first =
                    at != seen.end() && (covering == nullptr || at->second->position < covering->position);
                covering = is_first ? at->second : covering;
            }
        }
        if (covering != nullptr) {
            problems.add(
                placed.position,
                std::format(
                    "this route ({}) can never match: the route of line {} ({}) comes first and takes all "
                    "that it would",
                    describe(placed.route),
                    covering->position.line,
                    describe(covering->route)
                )
            );
        }
        seen.try_emplace(placed.route.host + " " + placed.route.path, &placed);
    }
}

void check_tiers(Section& root, Config& config) {
    if (!has_role(config, Role::balancer) && !has_role(config, Role::web) && !has_role(config, Role::app) &&
        !has_role(config, Role::router) && !has_role(config, Role::database)) {
        root.problems().add(
            {1, 1},
            "nothing to serve: write [web] with root = \"public\", [app] with command = [\"./app\"], or "
            "[pools.NAME] with backends = [\"127.0.0.1:9001\"]"
        );
        return;
    }
    check_router(root, config);
    for (const RoleSection& section : kRoleSections) {
        const TomlValue* value = root.table().find(section.name);
        if (value != nullptr && !has_role(config, section.role)) {
            root.problems().add(
                value->position,
                std::format(
                    "[{}]: no server has the role {}: add it to the roles of one in [servers]",
                    section.name,
                    in_quotes(role_name(section.role))
                )
            );
        }
    }
    if (has_role(config, Role::app) && !config.app) {
        root.problems().add(
            place_of_role(root, config, Role::app),
            "a server has the role \"app\", but there is no [app]: write it with command = [\"./app\"]"
        );
    } else if (config.web) {
        settle_web(root, config);
    }
    if (has_role(config, Role::balancer)) {
        check_targets(root, config.balancer);
    }
}

}  // namespace node
