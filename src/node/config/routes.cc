// Checks hosts, paths and pools of routes.
#include "node/config/routes.h"

#include <algorithm>
#include <array>
#include <format>
#include <unordered_map>

#include "http/uri.h"
#include "node/config/check.h"
#include "node/config/names.h"

namespace node {

namespace {

using balancer::RouteConfig;

constexpr size_t kRoutesMax = 10'000;
constexpr size_t kHostBytesMax = 257;
constexpr size_t kRoutePathBytesMax = 2048;
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
    auto name = section.read_text("pool", "the name of a pool");
    if (!name) {
        return balancer::kNoTarget;
    }
    auto pool = pools.find(*name);
    if (!pool) {
        std::string cure =
            pools.names().empty()
                ? std::format("; write [pools.NAME] with backends = [{}]", "\"127.0.0.1:9001\"")
                : suggestion(*name, pools.names(), "the pools are");
        section.problems().add(section.find("pool")->position, "no pool " + in_quotes(*name) + cure);
    }
    return pool.value_or(balancer::kNoTarget);
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

// The sites of routes; routes with the same files and the same behind them share one, and its cache.
class RouteSites {
public:
    explicit RouteSites(std::vector<web::Config>& sites) : sites_(sites) {}

    size_t add(std::string root, web::Fallback fallback) {
        std::string key = (fallback == web::Fallback::app ? "@" : "=") + root;
        auto [at, is_new] = places_.try_emplace(std::move(key), sites_.size());
        if (is_new) {
            web::Config& site = sites_.emplace_back();
            site.root = std::move(root);
            site.try_files = web::default_try_files(fallback);
        }
        return at->second;
    }

private:
    std::vector<web::Config>& sites_;
    std::unordered_map<std::string, size_t> places_;
};

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

// Where a route leads.
class TargetReader {
public:
    explicit TargetReader(Config& config)
        : base_(config.base_directory), pools_(config.balancer.pools), sites_(config.route_sites) {}

    void read(Section& section, RouteConfig& route) {
        bool has_pool = section.find("pool") != nullptr;
        route.pool = read_route_pool(section, pools_);
        const TomlValue* written = section.find("root");
        auto root = section.read_file_path("root", "a folder such as \"public\"", base_);
        if (!has_pool && written == nullptr) {
            section.problems().add(
                section.table().position,
                std::format(
                    "a route needs a pool or a root{}",
                    suggestion("", pools_.names(), "the pools are")
                )
            );
        }
        if (written != nullptr && route.path == "raw") {
            section.problems().add(
                written->position,
                section.dotted("root") + ": the path of a \"raw\" route is not normalised and names no file"
            );
        }
        if (root) {
            route.handler =
                sites_.add(std::move(*root), has_pool ? web::Fallback::app : web::Fallback::not_found);
        }
    }

private:
    std::string_view base_;
    PoolNames pools_;
    RouteSites sites_;
};

}  // namespace

void read_routes(Section& root, Config& config) {
    auto items = root.read_list("routes", "tables, each headed [[routes]]");
    if (items.empty()) {
        const TomlValue* written = root.find("routes");
        const TomlValue* table = root.find("pools");
        if (written == nullptr || written->kind == TomlValue::Kind::list) {
            Position place = table == nullptr ? Position{1, 1} : table->position;
            config.balancer.routes = derive_routes(root.problems(), place, config.balancer.pools);
        }
        return;
    }
    if (items.size() > kRoutesMax) {
        root.problems().add(
            items.front().position,
            std::format("expected at most {} [[routes]], found {}", kRoutesMax, items.size())
        );
        return;
    }
    TargetReader target(config);
    std::vector<PlacedRoute> placed;
    for (const TomlValue& item : items) {
        if (item.kind != TomlValue::Kind::table) {
            root.refuse("routes", item, "tables, each headed [[routes]]");
            continue;
        }
        Section section(item, {"routes", "[[routes]]"}, root.problems());
        RouteConfig& route = config.balancer.routes.emplace_back();
        bool has_host =
            read_route_key(section, {"host", kExpectedHost, kHostBytesMax}, parse_route_host, route.host);
        bool has_path = read_route_key(
            section,
            {"path", kExpectedPath, kRoutePathBytesMax},
            parse_route_path,
            route.path
        );
        target.read(section, route);
        section.finish();
        if (has_host && has_path) {
            placed.push_back({route, item.position});
        }
    }
    refuse_unreachable_routes(placed, root.problems());
}

}  // namespace node
