#include "balancer/access_log.h"

#include <charconv>
#include <concepts>

#include "balancer/shared.h"
#include "balancer/worker.h"
#include "core/json_text.h"

namespace balancer {

namespace {

// Appends `,"key":value` pairs to one line; keys are literals that need no escape.
class LineWriter {
public:
    explicit LineWriter(std::string& line) : line_(line) { line_ += '{'; }

    void text(std::string_view key, std::string_view value) {
        begin(key);
        core::append_json_string(line_, value);
    }

    void number(std::string_view key, std::unsigned_integral auto value) {
        begin(key);
        char digits[20];
        auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
        line_.append(digits, end);
    }

    // Microseconds between two points, null where one was not reached.
    void time(std::string_view key, core::Instant from, core::Instant to) {
        if (from.is_never() || to.is_never()) {
            begin(key);
            line_ += "null";
        } else {
            number(key, static_cast<uint64_t>((to - from) / std::chrono::microseconds(1)));
        }
    }

    void finish() { line_ += "}\n"; }

private:
    void begin(std::string_view key) {
        line_ += is_first_ ? "\"" : ",\"";
        is_first_ = false;
        line_ += key;
        line_ += "\":";
    }

    std::string& line_;
    bool is_first_ = true;
};

void write_route(LineWriter& line, const Exchange& exchange) {
    if (exchange.route == Exchange::kNoRoute) {
        return;
    }
    const RouteConfig& route = exchange.snapshot.config.routes[exchange.route];
    std::string name = (route.host.empty() ? "*" : route.host) + (route.path.empty() ? "/*" : route.path);
    line.text("route", name);
    if (exchange.pool == nullptr || exchange.local) {
        return;
    }
    line.text("pool", exchange.pool->state().config.name);
    if (exchange.backend != nullptr) {
        line.text("backend", exchange.backend->view.name);
    }
}

}  // namespace

void AccessLog::write(const Exchange& exchange, core::WallTime wall_now, core::Instant now) {
    const Timings& times = exchange.timings;
    char stamp[24];
    core::write_rfc3339({wall_now.since_epoch - (now - times.began)}, stamp);
    LineWriter line(block_);
    line.text("time", {stamp, sizeof stamp});
    line.text("tier", exchange.worker.shared().tier);
    line.text("request_id", exchange.text(exchange.written.request_id));
    line.text("client", exchange.client.address());
    line.text("method", exchange.text(exchange.written.method));
    line.text("host", exchange.text(exchange.written.host));
    line.text("path", exchange.text(exchange.written.target));
    line.text("protocol", exchange.version_minor == 0 ? "HTTP/1.0" : "HTTP/1.1");
    line.number("status", static_cast<uint32_t>(exchange.status));
    line.number("bytes_in", exchange.bytes_in);
    line.number("bytes_out", exchange.bytes_out);
    write_route(line, exchange);
    line.number("retries", exchange.retries);
    line.time("queue_us", times.queued, times.placed);
    line.time("connect_us", times.placed, times.connected);
    line.time("first_byte_us", times.sent, times.first_byte);
    line.time("total_us", times.began, now);
    line.text("ended", ended_name(exchange.ended));
    if (!exchange.reason.empty()) {
        line.text("reason", exchange.reason);
    }
    line.text("user_agent", exchange.text(exchange.written.user_agent));
    line.text("referer", exchange.text(exchange.written.referer));
    line.finish();
    ++lines_;
    if (block_.size() >= kBlockBytes) {
        flush();
    }
}

void AccessLog::flush() {
    if (block_.empty()) {
        return;
    }
    std::string full;
    full.reserve(kBlockBytes + (4 << 10));
    std::swap(full, block_);
    if (!control_.write_log(std::move(full))) {
        counters_.log_lines_dropped.add(lines_);
    }
    lines_ = 0;
}

}  // namespace balancer
