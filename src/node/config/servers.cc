// Checks the site's name, its servers and the admin listener.
#include "node/config/servers.h"

#include <algorithm>
#include <array>
#include <format>

#include "node/config/listen.h"
#include "node/config/names.h"

namespace node {

namespace {

constexpr size_t kServerNameBytesMax = 63;
constexpr size_t kServersMax = 1000;
constexpr std::array<std::string_view, 5> kRoleNames{"balancer", "web", "app", "database", "router"};
constexpr std::string_view kLocalName = "local";
constexpr std::string_view kLocalAddress = "127.0.0.1";
constexpr std::string_view kExpectedRoles = "a list of roles such as [\"balancer\"]";

RoleSet read_roles(Section& server) {
    RoleSet roles;
    std::string key = server.dotted("roles");
    auto items = server.read_list("roles", kExpectedRoles);
    for (const TomlValue& item : items) {
        auto text = read_text(item, {key, "a role such as \"balancer\""}, server.problems());
        if (!text) {
            continue;
        }
        auto at = std::ranges::find(kRoleNames, *text);
        if (at == kRoleNames.end()) {
            server.problems().add(
                item.position,
                std::format(
                    "unknown role {}{}",
                    in_quotes(*text),
                    suggestion(*text, kRoleNames, "known roles")
                )
            );
            continue;
        }
        roles.add(static_cast<Role>(at - kRoleNames.begin()));
    }
    const TomlValue* written = server.find("roles");
    if (written->kind == TomlValue::Kind::list && items.empty()) {
        server.problems().add(
            written->position,
            std::format("{}: expected {}, found none", key, kExpectedRoles)
        );
    }
    return roles;
}

net::Address read_server_address(Section& server) {
    constexpr std::string_view expected = "an address such as \"10.0.0.1\"";
    auto text = server.read_text("address", expected);
    if (!text) {
        return {};
    }
    const TomlValue* value = server.find("address");
    auto address = net::Address::parse_host(*text);
    if (address && !is_any_address(*address)) {
        return *address;
    }
    std::string cure = ", which is not one address of one server";
    if (!address) {
        bool has_port = net::Address::parse(*text).has_value();
        cure = has_port ? ": write it without the port"
                        : ": names are not looked up, write the IPv4 or IPv6 address";
    }
    server.problems().add(
        value->position,
        std::format("{}: expected {}, found {}{}", server.dotted("address"), expected, in_quotes(*text), cure)
    );
    return {};
}

void read_weight(Section& server, ServerConfig& config) {
    server.read("weight", config.weight, {0, upstream::kWeightMax});
    const TomlValue* weight = server.find("weight");
    // Refused, not ignored: a weight that moves no traffic would be believed.
    if (weight != nullptr && !has_share(config) && !config.roles.is_empty()) {
        server.problems().add(
            weight->position,
            std::format(
                "{}: is a server's share of the pool \"web\" or \"app\", and this one has neither role; the "
                "weight of another backend is written in [pools.NAME] backends",
                server.dotted("weight")
            )
        );
    }
}

// What a single server may leave out.
struct ServerDefaults {
    bool is_single = false;
    RoleSet implied;
};

ServerConfig read_server(const TomlMember& member, Section& server, ServerDefaults defaults) {
    ServerConfig config{.name = member.key, .address = {}, .roles = {}};
    if (!is_name(member.key, kServerNameBytesMax) || member.key == "up") {
        server.problems().add(
            member.position,
            std::format(
                "a server's name has 1 to {} letters, digits, \".\", \"_\" or \"-\", begins with a letter or "
                "digit and is "
                "not \"up\"; found {}",
                kServerNameBytesMax,
                in_quotes(member.key)
            )
        );
    }
    auto require = [&](std::string_view key) {
        if (server.find(key) != nullptr) {
            return true;
        }
        if (!defaults.is_single) {
            server.problems().add(
                member.position,
                std::format(
                    "server {}: {} is missing (only a single server may leave it out)",
                    in_quotes(member.key),
                    key
                )
            );
        }
        return false;
    };
    if (require("address")) {
        config.address = read_server_address(server);
    } else if (auto local = net::Address::parse_host(kLocalAddress)) {
        config.address = *local;
    }
    config.roles = require("roles") ? read_roles(server) : defaults.implied;
    read_weight(server, config);
    server.finish();
    return config;
}

void refuse_shared_addresses(
    const std::vector<ServerConfig>& servers,
    const TomlValue& table,
    Problems& problems
) {
    for (size_t at = 1; at < servers.size(); ++at) {
        if (is_any_address(servers[at].address)) {
            continue;  // was refused for itself
        }
        for (size_t earlier = 0; earlier < at; ++earlier) {
            if (servers[earlier].address == servers[at].address) {
                problems.add(
                    table.members[at].position,
                    std::format(
                        "server {} has the address {} of server {}; each has its own (127.0.0.2 is on this "
                        "machine, too)",
                        in_quotes(servers[at].name),
                        servers[at].address.host_string(),
                        in_quotes(servers[earlier].name)
                    )
                );
                break;
            }
        }
    }
}

}  // namespace

std::string_view role_name(Role role) { return kRoleNames[static_cast<size_t>(role)]; }

bool has_share(const ServerConfig& server) {
    return server.roles.has(Role::web) || server.roles.has(Role::app);
}

bool has_role(const Config& config, Role role) {
    return std::ranges::any_of(config.servers, [&](const ServerConfig& server) {
        return server.roles.has(role);
    });
}

Position place_of_role(Section& root, const Config& config, Role role) {
    const TomlValue* table = root.find("servers");
    size_t written = table == nullptr ? 0 : table->members.size();
    for (size_t at = 0; at < std::min(written, config.servers.size()); ++at) {
        if (config.servers[at].roles.has(role)) {
            return table->members[at].position;
        }
    }
    return {1, 1};
}

std::string read_site(Section& root) {
    constexpr std::string_view expected = "a name such as \"www.foobar.com\"";
    auto text = root.read_text("site", expected);
    if (text && !is_name(*text, kSiteBytesMax)) {
        root.problems().add(
            root.find("site")->position,
            std::format(
                "site: expected 1 to {} letters, digits, \".\", \"_\" or \"-\", a letter or digit first, "
                "found {}",
                kSiteBytesMax,
                in_quotes(*text)
            )
        );
    }
    return text ? std::string(*text) : Config{}.site;
}

void read_user(Section& section, std::string& user) {
    constexpr size_t kUserBytesMax = 32;
    constexpr std::string_view expected = "the name of a user of the system such as \"www-data\"";
    auto text = section.read_text("user", expected);
    if (text && !is_name(*text, kUserBytesMax, "_$")) {
        section.refuse("user", *section.find("user"), expected);
    } else if (text) {
        user = *text;
    }
}

std::vector<ServerConfig> read_servers(Section& root, RoleSet implied) {
    std::vector<ServerConfig> servers;
    if (root.find("servers") == nullptr) {
        if (auto local = net::Address::parse_host(kLocalAddress)) {
            servers.push_back({.name = std::string(kLocalName), .address = *local, .roles = implied});
        }
        return servers;
    }
    auto section = root.child("servers");
    if (!section) {
        return servers;
    }
    const TomlValue& table = section->table();
    if (table.members.empty() || table.members.size() > kServersMax) {
        root.problems().add(
            table.position,
            std::format("[servers]: expected 1 to {} servers, found {}", kServersMax, table.members.size())
        );
        return servers;
    }
    for (const TomlMember& member : table.members) {
        if (auto server = section->child(member)) {
            servers.push_back(read_server(member, *server, {table.members.size() == 1, implied}));
        } else {
            servers.push_back({.name = member.key, .address = {}, .roles = {}});
        }
    }
    refuse_shared_addresses(servers, table, root.problems());
    return servers;
}

std::optional<net::Address> read_admin(Section& root) {
    auto section = root.child("admin");
    if (!section) {
        return std::nullopt;
    }
    std::optional<net::Address> listen;
    if (section->find("listen") == nullptr) {
        section->problems().add(
            section->table().position,
            "[admin]: listen is missing; write listen = \"http://127.0.0.1:9180\""
        );
    } else if (auto text = section->read_text("listen", "one text such as \"http://127.0.0.1:9180\"")) {
        auto address = parse_listen(*text);
        if (address) {
            listen = *address;
        } else {
            section->problems().add(
                section->find("listen")->position,
                section->dotted("listen") + ": " + address.error().context()
            );
        }
    }
    section->finish();
    return listen;
}

}  // namespace node
