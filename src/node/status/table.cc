#include "node/status/table.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <format>
#include <string_view>
#include <vector>

#include "node/status/database_table.h"
#include "node/terminal/quantity_text.h"

namespace node {

namespace {

using core::Duration;
using namespace std::chrono_literals;

constexpr size_t kIndent = 2;

// Where it stood in `all` before is looked at first: names rarely move.
template <class Named>
const Named* find_named(const std::vector<Named>& all, size_t likely, const std::string& name) {
    if (likely < all.size() && all[likely].name == name) {
        return &all[likely];
    }
    auto found = std::ranges::find(all, name, &Named::name);
    return found == all.end() ? nullptr : &*found;
}

// A server and, where there is one, the look before.
struct Sample {
    const ServerStatus& now;
    const ServerStatus* before;

    [[nodiscard]] Duration between() const {
        return before == nullptr ? Duration::zero() : now.uptime - before->uptime;
    }

    [[nodiscard]] const BackendStatus* earlier(size_t pool, size_t backend) const {
        if (before == nullptr) {
            return nullptr;
        }
        const PoolStatus* was = find_named(before->pools, pool, now.pools[pool].name);
        return was == nullptr ? nullptr
                              : find_named(was->backends, backend, now.pools[pool].backends[backend].name);
    }
};

Ink ink_of(std::string_view state) {
    if (state == "up") {
        return Ink::green;
    }
    return state == "down" ? Ink::red : Ink::yellow;
}

// `Weighted` is a backend or a node.
template <class Weighted>
std::string weight_text(const Weighted& one) {
    if (one.override.weight) {
        return std::format("{}→{}", one.configured_weight, one.weight);
    }
    return std::format("{}", one.weight);
}

// Without the state's name, which stands in its own column.
std::string reason_text(const BackendStatus& backend) {
    std::string_view reason = backend.reason;
    std::string_view known = backend.state == "drained" ? std::string_view("draining") : backend.state;
    bool repeats = reason.starts_with(known) && reason.substr(known.size()).starts_with(": ");
    return printable(repeats ? reason.substr(known.size() + 2) : reason);
}

double total_weight(const PoolStatus& pool) {
    double total = 0;
    for (const BackendStatus& backend : pool.backends) {
        total += backend.is_in_rotation ? backend.effective_weight : 0;
    }
    return total;
}

// The part of the pool's new requests that it gets.
std::string share_text(const BackendStatus& backend, double total) {
    if (!backend.is_in_rotation || total <= 0) {
        return "-";
    }
    return std::format("{:.0f}%", 100 * backend.effective_weight / total);
}

std::vector<TextCell> headings(const Sample& sample) {
    std::vector<TextCell> cells;
    for (const char* name :
         {"BACKEND",
          "ADDRESS",
          "STATE",
          "WEIGHT",
          "SHARE",
          "NOW",
          "REQUESTS",
          "REQ/S",
          "ERRORS",
          "P50",
          "P99",
          "SINCE",
          "REASON"}) {
        cells.push_back({.text = name, .ink = Ink::dim});
    }
    if (sample.before == nullptr) {
        cells[7].text.clear();
    }
    return cells;
}

std::vector<TextCell> backend_row(
    const Sample& sample,
    const BackendStatus& backend,
    const BackendStatus* before,
    double pool_weight
) {
    HistogramStatus times =
        before == nullptr ? backend.response_time : difference(backend.response_time, before->response_time);
    std::string rate;
    if (sample.before != nullptr) {
        uint64_t requests_before = before == nullptr ? backend.requests_total : before->requests_total;
        rate = rate_text(backend.requests_total, requests_before, sample.between());
    }
    return {
        {printable(backend.name)},
        {backend.address == backend.name ? "" : printable(backend.address)},
        {printable(backend.state) + (backend.is_backup ? " (backup)" : ""), ink_of(backend.state)},
        {weight_text(backend), backend.override.weight ? Ink::bold : Ink::plain},
        {share_text(backend, pool_weight)},
        {std::format("{}", backend.in_flight)},
        {std::format("{}", backend.requests_total)},
        {rate},
        {std::format("{}", backend.failures_total), backend.failures_total > 0 ? Ink::yellow : Ink::plain},
        {quantile_text(times, 0.5)},
        {quantile_text(times, 0.99)},
        {span_text(backend.since_change)},
        {reason_text(backend)},
    };
}

void append_pool(std::string& target, const Sample& sample, size_t index, const TableOptions& options) {
    const PoolStatus& pool = sample.now.pools[index];
    TextTable title({Align::left, Align::left});
    std::string nature = std::format("{}, {}", pool.mode, pool.algorithm);
    if (pool.queued > 0) {
        nature += std::format(", {} of {} places in the queue taken", pool.queued, pool.queue_max);
    }
    title.add_row({{printable(pool.name), Ink::bold}, {printable(nature)}});
    title.append_to(target, {.columns = options.columns, .colour = options.colour});
    using enum Align;
    TextTable table({left, left, left, right, right, right, right, right, right, right, right, right, left});
    table.add_row(headings(sample));
    double weight = total_weight(pool);
    for (size_t at = 0; at < pool.backends.size(); ++at) {
        table.add_row(backend_row(sample, pool.backends[at], sample.earlier(index, at), weight));
    }
    table.append_to(target, {.indent = kIndent, .columns = options.columns, .colour = options.colour});
}

std::string listeners_text(const ServerStatus& server) {
    std::string text;
    for (const std::string& listener : server.listeners) {
        text += (text.empty() ? "" : ", ") + printable(listener);
    }
    return text.empty() ? "nothing" : text;
}

std::string traffic_text(const Sample& sample) {
    const ServerStatus& now = sample.now;
    std::string text = std::format(
        "{} of {} connections, {}",
        now.connections,
        now.connections_max,
        counted(now.requests_total, "request")
    );
    HistogramStatus times = now.request_time;
    if (sample.before != nullptr) {
        text += std::format(
            " ({}/s)",
            rate_text(now.requests_total, sample.before->requests_total, sample.between())
        );
        times = difference(times, sample.before->request_time);
    }
    text += std::format(", {} running", now.requests_active);
    if (std::string median = quantile_text(times, 0.5); median != "-") {
        text += std::format(", p50 {}, p99 {}", median, quantile_text(times, 0.99));
    }
    if (now.responses[5] > 0) {
        text += std::format(", {} answered with 5xx", now.responses[5]);
    }
    return text;
}

void append_app(std::string& target, const AppStatus& app, const TableOptions& options) {
    target += "\napplication";
    target += app.restart.is_running ? "  is being restarted\n" : "\n";
    TextTable table(
        {Align::left, Align::left, Align::right, Align::right, Align::right, Align::right, Align::left}
    );
    table.add_row({
        {"INSTANCE", Ink::dim},
        {"STATE", Ink::dim},
        {"PID", Ink::dim},
        {"MEMORY", Ink::dim},
        {"CRASHES", Ink::dim},
        {"SINCE", Ink::dim},
        {"LAST END", Ink::dim},
    });
    for (const InstanceStatus& instance : app.instances) {
        table.add_row({
            {printable(instance.name)},
            {printable(instance.state), ink_of(instance.state)},
            {instance.pid == 0 ? "-" : std::to_string(instance.pid)},
            {std::format("{:.1f}MiB", static_cast<double>(instance.memory_bytes) / (1 << 20))},
            {std::to_string(instance.restarts_total)},
            {span_text(instance.since_change)},
            {printable(instance.last_end)},
        });
    }
    table.append_to(target, {.indent = kIndent, .columns = options.columns, .colour = options.colour});
}

std::string pinned_text(const RouterStatus& router) {
    std::string text;
    for (const PinnedSessions& pinned : pinned_sessions(router)) {
        if (pinned.sessions != 0) {
            text += std::format("{}{} {}", text.empty() ? "pinned: " : ", ", pinned.sessions, pinned.reason);
        }
    }
    return text.empty() ? "none pinned" : text;
}

// Whether a node gets reads, or what an operator made of it.
std::string reads_text(const RouterNodeStatus& node) {
    if (node.override.admin == "disable") {
        return "disabled";
    }
    if (node.override.admin == "drain") {
        return node.running() > 0 ? "draining" : "drained";
    }
    bool is_asked = node.state == "replica" || node.is_in_rotation;
    return node.is_in_rotation ? "yes" : is_asked ? "no" : "-";
}

void append_router(std::string& target, const Sample& sample, const TableOptions& options) {
    using enum Align;
    const RouterStatus& router = *sample.now.router;
    std::string clients = std::format("{} of {}", counted(router.clients, "client"), router.clients_max);
    std::string commands = std::format("{}", counted(router.questions_total, "command"));
    if (sample.before != nullptr && sample.before->router) {
        uint64_t before = sample.before->router->questions_total;
        commands += std::format(" ({}/s)", rate_text(router.questions_total, before, sample.between()));
    }
    target += '\n';
    TextTable title({left, left, left, left});
    title.add_row({{"SQL router"}, {clients}, {commands}, {pinned_text(router)}});
    title.append_to(target, {.columns = options.columns, .colour = options.colour});
    TextTable table({left, left, right, right, right, right, right, right, left});
    std::vector<TextCell> heads;
    for (const char* head :
         {"SERVER", "STATE", "WEIGHT", "IN USE", "IDLE", "LIMIT", "WAITING", "LAG", "READS"}) {
        heads.push_back({head, Ink::dim});
    }
    table.add_row(std::move(heads));
    for (const RouterNodeStatus& node : router.nodes) {
        Ink ink = node.state == "primary" || node.is_fit ? Ink::green : Ink::red;
        table.add_row({
            {printable(node.name)},
            {printable(node.state), ink},
            {weight_text(node), node.override.weight ? Ink::bold : Ink::plain},
            {std::to_string(node.connections - node.connections_idle)},
            {std::to_string(node.connections_idle)},
            {std::to_string(router.connections_max)},
            {std::to_string(node.waiting), node.waiting == 0 ? Ink::plain : Ink::yellow},
            {node.lag ? latency_text(*node.lag) : "-"},
            {reads_text(node), node.override.admin ? Ink::yellow : Ink::plain},
        });
    }
    table.append_to(target, {.indent = kIndent, .columns = options.columns, .colour = options.colour});
}

void append_server(std::string& target, const Sample& sample, const TableOptions& options) {
    const ServerStatus& now = sample.now;
    const TextLayout layout{.columns = options.columns, .colour = options.colour};
    TextTable title({Align::left, Align::left, Align::left});
    std::string nature = std::format(
        "up {}, pid {}, {}, version {}",
        span_text(now.uptime),
        now.pid,
        counted(now.threads, "thread"),
        printable(now.version)
    );
    title.add_row(
        {{printable(now.site), Ink::bold},
         {printable(now.server), Ink::bold},
         now.is_draining ? TextCell{"draining to its end, " + nature, Ink::yellow} : TextCell{nature}}
    );
    title.append_to(target, layout);
    TextTable facts({Align::left});
    facts.add_row({{"listens on " + listeners_text(now)}});
    facts.add_row({{traffic_text(sample)}});
    facts.append_to(target, {.indent = kIndent, .columns = options.columns, .colour = options.colour});
    for (size_t pool = 0; pool < now.pools.size(); ++pool) {
        target += '\n';
        append_pool(target, sample, pool, options);
    }
    if (now.app) {
        append_app(target, *now.app, options);
    }
    if (now.router) {
        append_router(target, sample, options);
    }
    if (now.database) {
        append_database(target, *now.database, options);
    }
}

}  // namespace

std::string status_table(std::span<const ServerStatus> servers, const TableOptions& options) {
    std::string text;
    for (const ServerStatus& server : servers) {
        // Not of another process of the same name: its counters began anew.
        auto earlier = std::ranges::find_if(options.earlier, [&](const ServerStatus& one) {
            return one.server == server.server && one.pid == server.pid;
        });
        const ServerStatus* before = earlier == options.earlier.end() ? nullptr : &*earlier;
        text += text.empty() ? "" : "\n";
        append_server(text, {.now = server, .before = before}, options);
    }
    return text;
}

Duration quantile(const HistogramStatus& histogram, double fraction) {
    double total = 0;
    for (uint64_t count : histogram.buckets) {
        total += static_cast<double>(count);
    }
    double wanted = fraction * total;
    double below = 0;
    Duration lower{};
    for (size_t bucket = 0; bucket < core::Histogram::kBounds.size() && total > 0; ++bucket) {
        auto count = static_cast<double>(histogram.buckets[bucket]);
        Duration upper = core::Histogram::kBounds[bucket];
        if (count > 0 && below + count >= wanted) {
            double part = (wanted - below) / count;
            return lower + Duration(std::llround(part * static_cast<double>((upper - lower).count())));
        }
        below += count;
        lower = upper;
    }
    return total > 0 ? core::Histogram::kBounds.back() : Duration::zero();
}

std::string quantile_text(const HistogramStatus& histogram, double fraction) {
    if (std::ranges::all_of(histogram.buckets, [](uint64_t count) { return count == 0; })) {
        return "-";
    }
    Duration value = quantile(histogram, fraction);
    std::string text = latency_text(value);
    return value >= core::Histogram::kBounds.back() ? ">" + text : text;
}

HistogramStatus difference(const HistogramStatus& now, const HistogramStatus& before) {
    HistogramStatus between = now;
    for (size_t bucket = 0; bucket < now.buckets.size(); ++bucket) {
        between.buckets[bucket] -= std::min(between.buckets[bucket], before.buckets[bucket]);
    }
    return between;
}

}  // namespace node
