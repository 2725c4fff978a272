// Derives where the balancer listens, and finds addresses that are taken twice.
#include "node/config/ports.h"

#include <algorithm>
#include <format>
#include <optional>
#include <set>
#include <string_view>
#include <vector>

#include "node/config/app.h"
#include "node/config/database.h"
#include "node/config/listen.h"

namespace node {

namespace {

constexpr uint16_t kBalancerPort = 8080;

// An address that a server opens.
struct Claim {
    std::string_view section;
    std::string_view key;
    std::string_view who;
    net::Address address;
};

std::vector<Claim> claims_of(const ServerConfig& server, const Config& config) {
    std::vector<Claim> claims;
    if (server.roles.has(Role::balancer)) {
        for (const net::Address& address : config.balancer.listen) {
            claims.push_back({"balancer", "listen", "the balancer", address});
        }
    }
    if (server.roles.has(Role::web)) {
        claims.push_back({"web", "port", "the web tier", at_port(server.address, config.web->port)});
    }
    if (has_app_port(config, server)) {
        claims.push_back({"app", "port", "the app tier", at_port(server.address, config.app->port)});
    }
    if (server.roles.has(Role::database)) {
        const cluster::Config& cluster = *config.cluster;
        claims.push_back({"database", "port", "its mariadbd", at_port(server.address, cluster.port)});
        claims.push_back(
            {"database manager",
             "manager_port",
             "its mariadbd's manager",
             at_port(server.address, cluster.manager_port)}
        );
    }
    if (config.cluster && runs_router(config, server)) {
        for (const net::Address& address : router_listen(config, server)) {
            claims.push_back({"database router", "listen", "the SQL router", address});
        }
    }
    if (auto address = admin_address(config, server)) {
        claims.push_back({"admin", "listen", "the admin listener", *address});
    }
    return claims;
}

// Where the claim is written, or null where its address was derived.
const TomlValue* place_of(Section& root, const Claim& claim) {
    const TomlValue* section = root.find(claim.section.substr(0, claim.section.find(' ')));
    return section == nullptr ? nullptr : section->find(claim.key);
}

void refuse_claim(Section& root, const Claim& refused, const Claim& other) {
    const TomlValue* place = place_of(root, refused);
    root.problems().add(
        place == nullptr ? Position{1, 1} : place->position,
        std::format(
            "{}.{}: {} is where {} listens ({})",
            refused.section,
            refused.key,
            in_quotes(listen_text(refused.address)),
            other.who,
            in_quotes(listen_text(other.address))
        )
    );
}

void refuse_taken_ports(Section& root, const Config& config) {
    std::set<std::string_view> told;  // sections, each of which is told once
    for (const ServerConfig& server : config.servers) {
        auto claims = claims_of(server, config);
        for (auto later = claims.begin(); later != claims.end(); ++later) {
            auto earlier = std::find_if(claims.begin(), later, [&](const Claim& claim) {
                bool is_free = later->address.port() == 0 || claim.section == later->section;
                return !is_free && (listen_covers(claim.address, later->address) ||
                                    listen_covers(later->address, claim.address));
            });
            if (earlier != later && told.insert(later->section).second) {
                bool is_written = place_of(root, *later) != nullptr;
                refuse_claim(root, is_written ? *later : *earlier, is_written ? *earlier : *later);
            }
        }
    }
}

}  // namespace

void check_listeners(Section& root, Config& config) {
    auto is_balancer = [](const ServerConfig& server) { return server.roles.has(Role::balancer); };
    auto balancers = std::ranges::count_if(config.servers, is_balancer);
    auto& listen = config.balancer.listen;
    if (listen.empty() && balancers > 1) {
        const TomlValue* section = root.find("balancer");
        root.problems().add(
            section == nullptr ? Position{1, 1} : section->position,
            "[balancer]: listen is missing, and several servers have the role \"balancer\": write "
            "listen = [\"http://*:8080\"]"
        );
        return;
    }
    if (listen.empty() && balancers == 1) {
        listen.push_back(at_port(std::ranges::find_if(config.servers, is_balancer)->address, kBalancerPort));
    }
    refuse_taken_ports(root, config);
}

std::optional<net::Address> admin_address(const Config& config, const ServerConfig& server) {
    bool is_of_each =
        config.admin_listen && config.servers.size() > 1 && is_any_address(*config.admin_listen);
    return is_of_each ? at_port(server.address, config.admin_listen->port()) : config.admin_listen;
}

}  // namespace node
