// Finds contradictions between the entries of a configuration.
#include "node/config_check.h"

#include <algorithm>
#include <format>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/panic.h"
#include "node/config_listen.h"

namespace node {

namespace {

using balancer::RouteConfig;

constexpr uint16_t kBalancerPort = 8080;

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

net::Address default_listen(const net::Address& server) {
    std::string host = server.host_string();
    auto address = parse_listen(
        std::format("http://{}:{}", server.family() == AF_INET6 ? "[" + host + "]" : host, kBalancerPort)
    );
    ASSERT(address.has_value());
    return *address;
}

void check_admin(Section& root, const net::Address& admin, std::span<const net::Address> listen) {
    for (const net::Address& address : listen) {
        bool is_taken = listen_covers(address, admin) || listen_covers(admin, address);
        if (is_taken && admin.port() != 0) {
            root.problems().add(
                root.find("admin")->find("listen")->position,
                std::format(
                    "admin.listen: {} is where the balancer listens ({})",
                    in_quotes(listen_text(admin)),
                    in_quotes(listen_text(address))
                )
            );
        }
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

void check_listeners(Section& root, Config& config) {
    const TomlValue* section = root.find("balancer");
    Position place = section == nullptr ? Position{1, 1} : section->position;
    auto is_balancer = [](const ServerConfig& server) { return server.roles.has(Role::balancer); };
    auto balancers = std::ranges::count_if(config.servers, is_balancer);
    if (balancers == 0) {
        root.problems().add(
            place,
            "no server has the role \"balancer\": add it to the roles of one in [servers]"
        );
        return;
    }
    auto& listen = config.balancer.listen;
    if (listen.empty() && balancers > 1) {
        root.problems().add(
            place,
            "[balancer]: listen is missing, and several servers have the role \"balancer\": write "
            "listen = [\"http://*:8080\"]"
        );
        return;
    }
    if (listen.empty()) {
        listen.push_back(default_listen(std::ranges::find_if(config.servers, is_balancer)->address));
    }
    if (config.admin_listen) {
        check_admin(root, *config.admin_listen, listen);
    }
}

}  // namespace node
