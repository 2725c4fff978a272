// What each role of a server that takes requests listens on, answers and hands on: derived from the
// configuration, so that the tiers of a site cannot disagree.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "balancer/config.h"
#include "node/config/config.h"
#include "web/config.h"

namespace node {

// Answers 200 while the front can serve, else 503; the health check of the tier before it asks for this.
struct HealthPlan {
    friend bool operator==(const HealthPlan&, const HealthPlan&) = default;
};

// What one of balancer::RouteConfig::handler stands for.
using HandlerPlan = std::variant<web::Config, HealthPlan>;

inline constexpr std::string_view kBalancerTier = "balancer";
inline constexpr std::string_view kWebTier = "web";
inline constexpr std::string_view kAppTier = "app";

struct FrontPlan {
    std::string tier;        // one of the three
    std::string listen_key;  // of the configuration: "balancer.listen", "web.port", "app.port"
    balancer::Config balancer;
    std::vector<HandlerPlan> handlers;

    friend bool operator==(const FrontPlan&, const FrontPlan&) = default;
};

// The pool of the program's instances on this server; its backends come and go with them.
inline constexpr std::string_view kAppPool = "app";

// The fronts of one server, in the order balancer, web, app; at least one. `server` is one of config.servers.
[[nodiscard]] std::vector<FrontPlan> plan_fronts(const Config& config, const ServerConfig& server);

// A server has one access log: refuses plans that name two.
[[nodiscard]] core::Result<void> check_access_logs(const std::vector<FrontPlan>& plans);

// Whether this server runs the site's program.
[[nodiscard]] inline bool runs_app(const ServerConfig& server) { return server.roles.has(Role::app); }

}  // namespace node
