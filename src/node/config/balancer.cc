// Checks the keys of [balancer], [balancer.timeouts], [balancer.limits] and [balancer.access_log].
#include "node/config/balancer.h"

#include <algorithm>
#include <charconv>
#include <format>

#include "node/config/listen.h"

namespace node {

namespace {

using namespace std::chrono_literals;

constexpr uint32_t kThreadsMax = 256;
constexpr uint32_t kConnectionsMax = 1'000'000;
constexpr size_t kListenMax = 100;
constexpr size_t kTrustedMax = 1000;
constexpr Bounds<uint32_t> kHeadBytes{1 << 10, 48 << 10};
constexpr uint32_t kUriBytesMin = 64;

void read_listen_item(
    const TomlValue& item,
    const std::string& key,
    Problems& problems,
    std::vector<net::Address>& listen
) {
    auto text = read_text(item, {key, "a text such as \"http://127.0.0.1:8080\""}, problems);
    if (!text) {
        return;
    }
    auto address = parse_listen(*text);
    if (!address) {
        problems.add(item.position, key + ": " + address.error().context());
        return;
    }
    for (const net::Address& other : listen) {
        bool is_covered = listen_covers(other, *address);
        if (is_covered || listen_covers(*address, other)) {
            problems.add(
                item.position,
                std::format(
                    "{}: {} {} {}, which is there already",
                    key,
                    in_quotes(*text),
                    other == *address ? "repeats" : (is_covered ? "is a part of" : "covers"),
                    in_quotes(listen_text(other))
                )
            );
            return;
        }
    }
    listen.push_back(*address);
}

void read_listen(Section& balancer, std::vector<net::Address>& listen) {
    const TomlValue* value = balancer.find("listen");
    if (value == nullptr) {
        return;
    }
    std::string key = balancer.dotted("listen");
    if (value->kind == TomlValue::Kind::text) {
        read_listen_item(*value, key, balancer.problems(), listen);
        return;
    }
    auto items = balancer.read_list("listen", "a list such as [\"http://127.0.0.1:8080\"]");
    if (value->kind == TomlValue::Kind::list && (items.empty() || items.size() > kListenMax)) {
        balancer.problems().add(
            value->position,
            std::format("{}: expected 1 to {} addresses, found {}", key, kListenMax, items.size())
        );
        return;
    }
    for (const TomlValue& item : items) {
        read_listen_item(item, key, balancer.problems(), listen);
    }
}

bool is_address_or_network(std::string_view text) {
    size_t slash = text.find('/');
    auto address = net::Address::parse_host(text.substr(0, slash));
    if (!address || slash == std::string_view::npos) {
        return address.has_value();
    }
    std::string_view digits = text.substr(slash + 1);
    uint32_t bits = 0;
    auto [end, status] = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
    return status == std::errc{} && end == digits.data() + digits.size() &&
           bits <= (address->family() == AF_INET6 ? 128U : 32U);
}

void read_trusted_proxies(Section& balancer, std::vector<std::string>& trusted) {
    constexpr std::string_view expected = "an address or network such as \"10.0.0.0/8\"";
    auto items = balancer.read_list("trusted_proxies", "a list such as [\"10.0.0.1\", \"10.1.0.0/16\"]");
    std::string key = balancer.dotted("trusted_proxies");
    if (items.size() > kTrustedMax) {
        balancer.problems().add(
            items.front().position,
            std::format("{}: expected at most {}, found {}", key, kTrustedMax, items.size())
        );
        return;
    }
    for (const TomlValue& item : items) {
        auto text = read_text(item, {key, expected}, balancer.problems());
        if (text && !is_address_or_network(*text)) {
            balancer.problems().add(
                item.position,
                std::format("{}: expected {}, found {}", key, expected, in_quotes(*text))
            );
        } else if (text) {
            trusted.emplace_back(*text);
        }
    }
}

void read_timeouts(Section& section, balancer::TimeoutConfig& timeouts) {
    constexpr Bounds<core::Duration> bounds{1ms, 24h};
    section.read("connect", timeouts.connect, bounds);
    section.read("request_head", timeouts.request_head, bounds);
    section.read("idle", timeouts.idle, bounds);
    section.read("body", timeouts.body, bounds);
    section.read("first_byte", timeouts.first_byte, bounds);
    section.read("response", timeouts.response, bounds);
    section.read("tunnel", timeouts.tunnel, bounds);
    section.read("drain", timeouts.drain, bounds);
    section.finish();
}

void read_limits(Section& section, balancer::LimitConfig& limits) {
    section.read_bytes("request_head", limits.request_head, kHeadBytes);
    limits.uri = std::min(limits.uri, limits.request_head);
    section.read_bytes("uri", limits.uri, {kUriBytesMin, limits.request_head});
    section.read("headers", limits.headers, {8, 1000});
    section.read_bytes("body", limits.body);
    section.read_bytes("response_head", limits.response_head, kHeadBytes);
    section.read("connections", limits.connections, {1, kConnectionsMax});
    section.read("connections_per_client", limits.connections_per_client, {0, kConnectionsMax});
    section.read("retries", limits.retries, {0, 10});
    section.read("retry_budget_percent", limits.retry_budget_percent, {0, 100});
    section.finish();
}

void read_access_log(Section& section, balancer::AccessLogConfig& access_log) {
    if (auto file = section.read_text("file", "the path of a file such as \"access.log\"")) {
        access_log.file = *file;
        access_log.is_enabled = true;
    }
    section.read("enabled", access_log.is_enabled);
    section.finish();
}

}  // namespace

void read_threads(Section& section, uint32_t& threads) { section.read("threads", threads, {0, kThreadsMax}); }

void read_client_tables(
    Section& tier,
    balancer::TimeoutConfig& timeouts,
    balancer::LimitConfig& limits,
    balancer::AccessLogConfig& access_log
) {
    if (auto section = tier.child("timeouts")) {
        read_timeouts(*section, timeouts);
    }
    if (auto section = tier.child("limits")) {
        read_limits(*section, limits);
    }
    if (auto section = tier.child("access_log")) {
        read_access_log(*section, access_log);
    }
}

void read_balancer(Section& balancer, balancer::Config& config) {
    read_listen(balancer, config.listen);
    read_threads(balancer, config.threads);
    read_trusted_proxies(balancer, config.trusted_proxies);
    read_client_tables(balancer, config.timeouts, config.limits, config.access_log);
}

}  // namespace node
