// Finds the route of a request: the first match in the order written, at a cost that does not grow with the
// number of routes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "balancer/config.h"

namespace balancer {

struct RouteMatch {
    uint32_t route;  // index into Config::routes
    bool is_raw;     // the route takes the path untouched
};

// Immutable once built.
class RouteTable {
public:
    explicit RouteTable(const std::vector<RouteConfig>& routes);

    // `host`: lower case, without port; `path`: normalised (http::normalize_path). nullopt: 404.
    [[nodiscard]] std::optional<RouteMatch> match(std::string_view host, std::string_view path) const;
    // For a path that cannot be normalised: only a `path = "raw"` route of this host may take it.
    [[nodiscard]] std::optional<RouteMatch> match_raw(std::string_view host) const;

private:
    static constexpr uint32_t kNone = UINT32_MAX;

    struct TextHash {
        using is_transparent = void;

        size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
    };

    template <class Value>
    using TextMap = std::unordered_map<std::string, Value, TextHash, std::equal_to<>>;

    // The routes of one host pattern, by their place in the order.
    struct HostRoutes {
        uint32_t first = kNone;     // the smallest place of all below
        uint32_t any_path = kNone;  // without a path, or raw
        uint32_t raw = kNone;
        TextMap<uint32_t> exact;
        TextMap<uint32_t> prefixes;  // with the final "/"
        size_t longest_prefix = 0;
    };

    void add(HostRoutes& host, const RouteConfig& route, uint32_t place);
    static void find_path(const HostRoutes& host, std::string_view path, uint32_t& best);
    template <class Visit>
    void for_each_host(std::string_view host, const Visit& visit) const;

    HostRoutes any_host_;
    TextMap<HostRoutes> exact_hosts_;
    TextMap<HostRoutes> wildcard_hosts_;  // by what follows the star: ".foobar.com"
    size_t longest_wildcard_ = 0;
    std::vector<bool> is_raw_;
};

}  // namespace balancer
