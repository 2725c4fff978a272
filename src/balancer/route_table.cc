#include "balancer/route_table.h"

#include <algorithm>

namespace balancer {

RouteTable::RouteTable(const std::vector<RouteConfig>& routes) {
    for (uint32_t place = 0; place < routes.size(); ++place) {
        const RouteConfig& route = routes[place];
        is_raw_.push_back(route.path == "raw");
        if (route.host.empty()) {
            add(any_host_, route, place);
        } else if (route.host.starts_with("*.")) {
            std::string suffix = route.host.substr(1);
            longest_wildcard_ = std::max(longest_wildcard_, suffix.size());
            add(wildcard_hosts_[suffix], route, place);
        } else {
            add(exact_hosts_[route.host], route, place);
        }
    }
}

void RouteTable::add(HostRoutes& host, const RouteConfig& route, uint32_t place) {
    host.first = std::min(host.first, place);
    if (route.path.empty() || route.path == "raw") {
        host.any_path = std::min(host.any_path, place);
        if (route.path == "raw") {
            host.raw = std::min(host.raw, place);
        }
    } else if (route.path.ends_with("/*")) {
        std::string prefix = route.path.substr(0, route.path.size() - 1);
        host.longest_prefix = std::max(host.longest_prefix, prefix.size());
        host.prefixes.try_emplace(std::move(prefix), place);
    } else {
        host.exact.try_emplace(route.path, place);
    }
}

void RouteTable::find_path(const HostRoutes& host, std::string_view path, uint32_t& best) {
    if (host.first >= best) {
        return;
    }
    best = std::min(best, host.any_path);
    if (auto found = host.exact.find(path); found != host.exact.end()) {
        best = std::min(best, found->second);
    }
    // "/a/b/c" is under "/", "/a/" and "/a/b/": as many look-ups as the deepest route has segments, at most.
    std::string_view candidates = path.substr(0, host.longest_prefix);
    for (size_t slash = candidates.find('/'); slash != std::string_view::npos;
         slash = candidates.find('/', slash + 1)) {
        if (auto found = host.prefixes.find(path.substr(0, slash + 1)); found != host.prefixes.end()) {
            best = std::min(best, found->second);
        }
    }
}

template <class Visit>
void RouteTable::for_each_host(std::string_view host, const Visit& visit) const {
    visit(any_host_);
    if (!exact_hosts_.empty()) {
        if (auto found = exact_hosts_.find(host); found != exact_hosts_.end()) {
            visit(found->second);
        }
    }
    if (wildcard_hosts_.empty()) {
        return;
    }
    // "*.foobar.com" stands for at least one label before the dot.
    for (size_t dot = host.find('.', 1); dot != std::string_view::npos; dot = host.find('.', dot + 1)) {
        if (host.size() - dot <= longest_wildcard_) {
            if (auto found = wildcard_hosts_.find(host.substr(dot)); found != wildcard_hosts_.end()) {
                visit(found->second);
            }
        }
    }
}

std::optional<RouteMatch> RouteTable::match(std::string_view host, std::string_view path) const {
    uint32_t best = kNone;
    for_each_host(host, [&](const HostRoutes& routes) { find_path(routes, path, best); });
    if (best == kNone) {
        return std::nullopt;
    }
    return RouteMatch{.route = best, .is_raw = is_raw_[best]};
}

std::optional<RouteMatch> RouteTable::match_raw(std::string_view host) const {
    uint32_t best = kNone;
    for_each_host(host, [&](const HostRoutes& routes) { best = std::min(best, routes.raw); });
    if (best == kNone) {
        return std::nullopt;
    }
    return RouteMatch{.route = best, .is_raw = true};
}

}  // namespace balancer
