// Every single-valued key of a configuration with its value: one list for printing, for JSON and for
// comparing.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "balancer/config.h"
#include "node/config/config.h"
#include "upstream/config.h"

namespace node {

enum class Applies : unsigned char { live, after_restart };

struct Setting {
    std::string_view key;  // as in the file, static
    std::string value;  // as in the file, which is also JSON: "2s" with its quotes, 3, true; empty: not set
    std::string default_value;  // the same of a configuration that does not name the key
    Applies applies = Applies::live;
};

// In the order of the structs. trusted_proxies is among the first; listen, pools and routes are lists of
// their own.
[[nodiscard]] std::vector<Setting> balancer_settings(const balancer::Config& config);
[[nodiscard]] std::vector<Setting> timeout_settings(const balancer::TimeoutConfig& timeouts);
[[nodiscard]] std::vector<Setting> limit_settings(const balancer::LimitConfig& limits);
[[nodiscard]] std::vector<Setting> access_log_settings(const balancer::AccessLogConfig& access_log);
[[nodiscard]] std::vector<Setting> log_settings(const LogConfig& log);
[[nodiscard]] std::vector<Setting> pool_settings(const upstream::PoolConfig& pool);
[[nodiscard]] std::vector<Setting> health_settings(const upstream::HealthConfig& health);

// [web] but for its sub-tables and lists of tables. What concerns files is not set where there is no root.
// `fallback` says what `try` is derived from.
[[nodiscard]] std::vector<Setting> web_settings(const WebConfig& web, web::Fallback fallback);
[[nodiscard]] std::vector<Setting> cache_settings(const web::CacheConfig& cache);

// [app] but for env and its sub-tables. `base` is where the program runs by default.
[[nodiscard]] std::vector<Setting> app_settings(const AppConfig& app, std::string_view base);
[[nodiscard]] std::vector<Setting> app_health_settings(const app::HealthCheck& health);
[[nodiscard]] std::vector<Setting> app_limit_settings(const app::LimitConfig& limits);
[[nodiscard]] std::vector<Setting> stop_settings(const app::StopConfig& stop);
[[nodiscard]] std::vector<Setting> restart_settings(const app::RestartConfig& restart);

// The settings of one backend but its name: address, weight, backup.
[[nodiscard]] std::vector<Setting> backend_settings(const upstream::BackendConfig& backend);

// `text` as TOML and JSON write it, in quotes.
[[nodiscard]] std::string text_literal(std::string_view text);

}  // namespace node
