// Lists the keys of each table with their values.
#include "node/config/settings.h"

#include "core/json_text.h"
#include "core/units.h"
#include "node/config/app.h"
#include "node/config/pools.h"
#include "node/config/web.h"
#include "node/config/web_files.h"

namespace node {

namespace {

std::string literal(core::Duration duration) { return text_literal(core::format_duration(duration)); }

std::string literal(uint32_t count) { return std::to_string(count); }

std::string literal(uint16_t count) { return std::to_string(count); }

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

std::string literal(const std::vector<web::TryStep>& steps) {
    std::vector<std::string> texts;
    for (const web::TryStep& step : steps) {
        texts.push_back(web::format_try_step(step));
    }
    return literal(texts);
}

std::string literal(const std::vector<web::Encoding>& encodings) {
    std::vector<std::string> texts;
    for (web::Encoding encoding : encodings) {
        texts.emplace_back(encoding_name(encoding));
    }
    return literal(texts);
}

std::string size_literal(uint64_t bytes) { return text_literal(core::format_byte_count(bytes)); }

std::vector<Setting> after_restart(std::vector<Setting> settings) {
    for (Setting& setting : settings) {
        setting.applies = Applies::after_restart;
    }
    return settings;
}

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

std::vector<Setting> log_settings(const LogConfig& log) {
    const LogConfig defaults;
    return after_restart({
        {"enabled", literal(log.is_enabled), literal(defaults.is_enabled)},
        {"directory", optional_literal(log.directory), optional_literal(defaults.directory)},
        {"max_size", size_literal(log.size_max), size_literal(defaults.size_max)},
        {"keep", literal(log.kept), literal(defaults.kept)},
        {"requests", literal(log.has_requests), literal(defaults.has_requests)},
    });
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

std::vector<Setting> web_settings(const WebConfig& web, web::Fallback fallback) {
    const WebConfig defaults;
    const web::Config& site = web.site;
    const web::Config& usual = defaults.site;
    auto of_files = [&](std::string value) { return site.root.empty() ? std::string() : std::move(value); };
    auto shows_hidden = [](const web::Config& config) { return config.hidden == web::HiddenFiles::serve; };
    return {
        {"port", literal(web.port), literal(defaults.port), Applies::after_restart},
        {"threads", literal(web.threads), literal(defaults.threads), Applies::after_restart},
        {"root", optional_literal(site.root), ""},
        {"index", of_files(literal(site.index)), literal(usual.index)},
        {"try", literal(site.try_files), literal(derived_steps(site.root, fallback))},
        {"hidden", of_files(literal(shows_hidden(site))), literal(shows_hidden(usual))},
        {"sendfile", of_files(literal(site.uses_sendfile)), literal(usual.uses_sendfile)},
        {"precompressed", of_files(literal(site.precompressed)), literal(usual.precompressed)},
        {"charset", of_files(text_literal(site.charset)), text_literal(usual.charset)},
        {"health", text_literal(web.health_path), text_literal(defaults.health_path)},
    };
}

std::vector<Setting> cache_settings(const web::CacheConfig& cache) {
    const web::CacheConfig defaults;
    return {
        {"entries", literal(cache.entries_max), literal(defaults.entries_max)},
        {"bytes", size_literal(cache.bytes_max), size_literal(defaults.bytes_max)},
        {"memory", size_literal(cache.memory_max), size_literal(defaults.memory_max)},
        {"open_files", literal(cache.open_files_max), literal(defaults.open_files_max)},
        {"valid", literal(cache.valid), literal(defaults.valid)},
    };
}

std::vector<Setting> app_settings(const AppConfig& app, std::string_view base) {
    const AppConfig defaults;
    const app::Config& program = app.program;
    const app::Config& usual = defaults.program;
    return after_restart({
        {"command", literal(program.command), ""},
        {"instances", literal(program.instances), literal(usual.instances)},
        {"listen", text_literal(listen_name(program.listen)), text_literal(listen_name(usual.listen))},
        {"directory", text_literal(program.directory), text_literal(base)},
        {"user", optional_literal(program.user), ""},
        {"port", literal(app.port), literal(defaults.port)},
    });
}

std::vector<Setting> app_health_settings(const app::HealthCheck& health) {
    const app::HealthCheck defaults;
    const upstream::HealthConfig& usual = defaults.running;
    const upstream::HealthConfig& running = health.running;
    return after_restart({
        {"path", text_literal(health.path), text_literal(defaults.path)},
        {"within", literal(health.within), literal(defaults.within)},
        {"restart_after", literal(health.restart_after), literal(defaults.restart_after)},
        {"interval", literal(running.interval), literal(usual.interval)},
        {"timeout", literal(running.timeout), literal(usual.timeout)},
        {"fall", literal(running.fall), literal(usual.fall)},
        {"rise", literal(running.rise), literal(usual.rise)},
    });
}

std::vector<Setting> app_limit_settings(const app::LimitConfig& limits) {
    const app::LimitConfig defaults;
    return after_restart({
        {"memory", size_literal(limits.memory), size_literal(defaults.memory)},
        {"open_files", literal(limits.open_files), literal(defaults.open_files)},
        {"processes", literal(limits.processes), literal(defaults.processes)},
    });
}

std::vector<Setting> stop_settings(const app::StopConfig& stop) {
    const app::StopConfig defaults;
    return after_restart({
        {"signal", text_literal(signal_name(stop.signal)), text_literal(signal_name(defaults.signal))},
        {"within", literal(stop.within), literal(defaults.within)},
    });
}

std::vector<Setting> restart_settings(const app::RestartConfig& restart) {
    const app::RestartConfig defaults;
    return after_restart({
        {"first_pause", literal(restart.first_pause), literal(defaults.first_pause)},
        {"longest_pause", literal(restart.longest_pause), literal(defaults.longest_pause)},
        {"settled", literal(restart.settled), literal(defaults.settled)},
    });
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
