// Checks hosts, paths and pools of routes.
#include "node/config_routes.h"

#include <algorithm>
#include <array>
#include <format>
#include <unordered_map>

#include "http/uri.h"
#include "node/config_check.h"
#include "node/config_names.h"

namespace node {

namespace {

using balancer::RouteConfig;

constexpr size_t kRoutesMax = 10'000;
constexpr size_t kHostBytesMax = 257;
constexpr size_t kPathBytesMax = 2048;
constexpr std::string_view kExpectedHost = "a host such as \"api.foobar.com\" or \"*.foobar.com\"";
constexpr std::string_view kExpectedPath = "a path such as \"/login\" or \"/v1/*\", or \"raw\"";

// The names of pools, looked up by every route.
class PoolNames {
public:
    explicit PoolNames(std::span<const upstream::PoolConfig> pools) {
        for (size_t at = 0; at < pools.size(); ++at) {
            names_.push_back(pools[at].name);
            indices_.emplace(pools[at].name, at);
        }
    }

    [[nodiscard]] std::optional<size_t> find(std::string_view name) const {
        auto at = indices_.find(name);
        return at == indices_.end() ? std::nullopt : std::optional(at->second);
    }

    [[nodiscard]] std::span<const std::string_view> names() const { return names_; }

private:
    std::vector<std::string_view> names_;
    std::unordered_map<std::string_view, size_t> indices_;
};

// The host in lower case, "*.foobar.com" or exact; the cure as the error.
std::expected<std::string, std::string_view> parse_route_host(std::string_view text) {
    std::string_view star = text.starts_with("*.") ? text.substr(0, 2) : "";
    std::string_view name = text.substr(star.size());
    if (name.contains('*')) {
        return std::unexpected(
            text == "*" ? ": leave host out for every host"
                        : ": \"*\" stands only at the beginning, before a dot"
        );
    }
    std::array<char, http::kHostNameMax> buffer;
    auto whole = http::split_host(name);
    if (whole && whole->port != 0) {
        return std::unexpected(": write it without the port");
    }
    auto host = http::parse_host(name, buffer);
    if (!host || (!star.empty() && host->name.starts_with('['))) {
        return std::unexpected("");
    }
    return std::string(star) + std::string(host->name);
}

// The path as it is matched; the cure as the error.
std::expected<std::string, std::string> parse_route_path(std::string_view text) {
    if (text == "raw") {
        return std::string(text);
    }
    if (!text.starts_with('/')) {
        return std::unexpected(text == "*" ? ": leave path out for every path" : ": it begins with \"/\"");
    }
    bool is_prefix = text.ends_with("/*");
    std::string_view path = is_prefix ? text.substr(0, text.size() - 1) : text;
    if (path.contains('*')) {
        return std::unexpected(": \"*\" stands only at the end, after a \"/\"");
    }
    if (path.contains('?')) {
        return std::unexpected(": a route does not match the query, write the path without it");
    }
    std::string buffer(path.size(), '\0');
    http::PathResult normal = http::normalize_path(path, buffer);
    if (normal.outcome == http::PathOutcome::refused) {
        return std::unexpected(": " + std::string(normal.reason));
    }
    if (normal.path != path) {
        std::string cure = std::string(normal.path) + (is_prefix ? "*" : "");
        return std::unexpected(": requests are matched in their normal form, write " + in_quotes(cure));
    }
    return std::string(text);
}

size_t read_route_pool(Section& section, const PoolNames& pools) {
    if (section.find("pool") == nullptr) {
        section.problems().add(
            section.table().position,
            std::format("a route needs a pool{}", suggestion("", pools.names(), "the pools are"))
        );
        return 0;
    }
    auto name = section.read_text("pool", "the name of a pool");
    if (!name) {
        return 0;
    }
    auto pool = pools.find(*name);
    if (!pool) {
        section.problems().add(
            section.find("pool")->position,
            std::format("no pool {}{}", in_quotes(*name), suggestion(*name, pools.names(), "the pools are"))
        );
    }
    return pool.value_or(0);
}

// Reads the text under `key` by `parse`; false when what stands there was refused. A missing key leaves the
// target as it is.
struct RouteKey {
    std::string_view key;
    std::string_view expected;
    size_t bytes_max;
};

template <class Parse>
bool read_route_key(Section& section, RouteKey rule, Parse parse, std::string& target) {
    const TomlValue* value = section.find(rule.key);
    if (value == nullptr) {
        return true;
    }
    auto text = section.read_text(rule.key, rule.expected, rule.bytes_max);
    if (!text) {
        return false;
    }
    auto parsed = parse(*text);
    if (!parsed) {
        section.problems().add(
            value->position,
            std::format(
                "{}: expected {}, found {}{}",
                section.dotted(rule.key),
                rule.expected,
                in_quotes(*text),
                parsed.error()
            )
        );
        return false;
    }
    target = std::move(*parsed);
    return true;
}

std::vector<RouteConfig> derive_routes(
    Problems& problems,
    Position place,
    std::span<const upstream::PoolConfig> pools
) {
    if (pools.size() > 1) {
        problems.add(
            place,
            std::format(
                "{} pools but no [[routes]]: write a [[routes]] with pool = {} for the requests that it "
                "takes, and one for "
                "each of the others",
                pools.size(),
                in_quotes(pools[0].name)
            )
        );
    }
    return pools.empty() ? std::vector<RouteConfig>{} : std::vector<RouteConfig>(1);
}

}  // namespace

std::vector<RouteConfig> read_routes(Section& root, std::span<const upstream::PoolConfig> pools) {
    auto items = root.read_list("routes", "tables, each headed [[routes]]");
    if (items.empty()) {
        const TomlValue* written = root.find("routes");
        const TomlValue* table = root.find("pools");
        if (written != nullptr && written->kind != TomlValue::Kind::list) {
            return {};
        }
        return derive_routes(root.problems(), table == nullptr ? Position{1, 1} : table->position, pools);
    }
    std::vector<RouteConfig> routes;
    if (items.size() > kRoutesMax) {
        root.problems().add(
            items.front().position,
            std::format("expected at most {} [[routes]], found {}", kRoutesMax, items.size())
        );
        return routes;
    }
    PoolNames names(pools);
    std::vector<PlacedRoute> placed;
    for (const TomlValue& item : items) {
        if (item.kind != TomlValue::Kind::table) {
            root.refuse("routes", item, "tables, each headed [[routes]]");
            continue;
        }
        Section section(item, {"routes", "[[routes]]"}, root.problems());
        RouteConfig& route = routes.emplace_back();
        bool has_host =
            read_route_key(section, {"host", kExpectedHost, kHostBytesMax}, parse_route_host, route.host);
        bool has_path =
            read_route_key(section, {"path", kExpectedPath, kPathBytesMax}, parse_route_path, route.path);
        route.pool = read_route_pool(section, names);
        section.finish();
        if (has_host && has_path) {
            placed.push_back({route, item.position});
        }
    }
    refuse_unreachable_routes(placed, root.problems());
    return routes;
}

}  // namespace node
