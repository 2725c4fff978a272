// Lists the keys of each table with their values.
#include "node/config_settings.h"

#include "core/json_text.h"
#include "core/units.h"
#include "node/config_pools.h"

namespace node {

namespace {

std::string literal(core::Duration duration) { return text_literal(core::format_duration(duration)); }

std::string literal(uint32_t count) { return std::to_string(count); }

std::string literal(bool flag) { return flag ? "true" : "false"; }

std::string literal(upstream::Algorithm algorithm) { return text_literal(algorithm_name(algorithm)); }

std::string literal(upstream::Mode mode) { return text_literal(mode_name(mode)); }

std::string literal(const std::vector<std::string>& texts) {
    std::string result = "[";
    for (const std::string& text : texts) {
        result += (result.size() == 1 ? "" : ", ") + text_literal(text);
    }
    return result + "]";
}

std::string size_literal(uint64_t bytes) { return text_literal(core::format_byte_count(bytes)); }

// "" where there is none.
std::string optional_literal(std::string_view text) { return text.empty() ? "" : text_literal(text); }

}  // namespace

std::string text_literal(std::string_view text) {
    std::string result;
    core::append_json_string(result, text);
    return result;
}

std::vector<Setting> balancer_settings(const balancer::Config& config) {
    const balancer::Config defaults;
    return {
        {"threads", literal(config.threads), literal(defaults.threads), Applies::after_restart},
        {"trusted_proxies", literal(config.trusted_proxies), literal(defaults.trusted_proxies)},
    };
}

std::vector<Setting> timeout_settings(const balancer::TimeoutConfig& timeouts) {
    const balancer::TimeoutConfig defaults;
    return {
        {"connect", literal(timeouts.connect), literal(defaults.connect)},
        {"request_head", literal(timeouts.request_head), literal(defaults.request_head)},
        {"idle", literal(timeouts.idle), literal(defaults.idle)},
        {"body", literal(timeouts.body), literal(defaults.body)},
        {"first_byte", literal(timeouts.first_byte), literal(defaults.first_byte)},
        {"response", literal(timeouts.response), literal(defaults.response)},
        {"tunnel", literal(timeouts.tunnel), literal(defaults.tunnel)},
        {"drain", literal(timeouts.drain), literal(defaults.drain)},
    };
}

std::vector<Setting> limit_settings(const balancer::LimitConfig& limits) {
    const balancer::LimitConfig defaults;
    return {
        {"request_head", size_literal(limits.request_head), size_literal(defaults.request_head)},
        {"uri", size_literal(limits.uri), size_literal(defaults.uri)},
        {"headers", literal(limits.headers), literal(defaults.headers)},
        {"body", size_literal(limits.body), size_literal(defaults.body)},
        {"response_head", size_literal(limits.response_head), size_literal(defaults.response_head)},
        {"connections", literal(limits.connections), literal(defaults.connections), Applies::after_restart},
        {"connections_per_client",
         literal(limits.connections_per_client),
         literal(defaults.connections_per_client)},
        {"retries", literal(limits.retries), literal(defaults.retries)},
        {"retry_budget_percent", literal(limits.retry_budget_percent), literal(defaults.retry_budget_percent)
        },
    };
}

std::vector<Setting> access_log_settings(const balancer::AccessLogConfig& access_log) {
    const balancer::AccessLogConfig defaults;
    return {
        {"enabled", literal(access_log.is_enabled), literal(defaults.is_enabled)},
        {"file", optional_literal(access_log.file), optional_literal(defaults.file)},
    };
}

std::vector<Setting> pool_settings(const upstream::PoolConfig& pool) {
    const upstream::PoolConfig defaults;
    return {
        {"algorithm", literal(pool.algorithm), literal(defaults.algorithm)},
        {"mode", literal(pool.mode), literal(defaults.mode)},
        {"failback", literal(pool.has_failback), literal(defaults.has_failback)},
        {"connections_max", literal(pool.connections_max), literal(defaults.connections_max)},
        {"queue_max", literal(pool.queue_max), literal(defaults.queue_max)},
        {"queue_timeout", literal(pool.queue_timeout), literal(defaults.queue_timeout)},
        {"idle_timeout", literal(pool.idle_timeout), literal(defaults.idle_timeout)},
    };
}

std::vector<Setting> health_settings(const upstream::HealthConfig& health) {
    const upstream::HealthConfig defaults;
    return {
        {"path", optional_literal(health.path.value_or("")), ""},
        {"interval", literal(health.interval), literal(defaults.interval)},
        {"timeout", literal(health.timeout), literal(defaults.timeout)},
        {"fall", literal(health.fall), literal(defaults.fall)},
        {"rise", literal(health.rise), literal(defaults.rise)},
        {"slow_start", literal(health.slow_start), literal(defaults.slow_start)},
    };
}

std::vector<Setting> backend_settings(const upstream::BackendConfig& backend) {
    const upstream::BackendConfig defaults;
    return {
        {"address", text_literal(backend.address.to_string()), ""},
        {"weight", literal(backend.weight), literal(defaults.weight)},
        {"backup", literal(backend.is_backup), literal(defaults.is_backup)},
    };
}

}  // namespace node
