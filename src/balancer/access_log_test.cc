// The access log: one line of valid JSON for each exchange, whatever clients put into it, and nothing lost
// unseen.
#include "balancer/access_log.h"

#include <charconv>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "balancer/request_plan.h"
#include "balancer/worker.h"
#include "runtime/linux_os.h"

namespace balancer {
namespace {

using namespace std::chrono_literals;
using namespace std::string_view_literals;

// Takes blocks as the control thread does.
struct Blocks final : ControlLink {
    void report(BackendFailure) override {}

    bool write_log(std::string lines) override {
        if (!is_full) {
            blocks.push_back(std::move(lines));
        }
        return !is_full;
    }

    [[nodiscard]] std::string all() const {
        std::string text;
        for (const std::string& block : blocks) {
            text += block;
        }
        return text;
    }

    std::vector<std::string> blocks;
    bool is_full = false;
};

// One core of a balancer with a pool of one backend, and no network.
struct Core {
    Core() {
        upstream::PoolConfig pool{.name = "origin", .backends = {}, .health = {}};
        pool.backends.push_back({.name = "b\"1\"", .address = {}});
        Config config;
        config.pools.push_back(pool);
        config.access_log.is_enabled = true;
        config.routes.push_back({.host = "api.foobar.com", .path = "/v1/*", .pool = 0});
        auto state = std::make_unique<upstream::PoolState>();
        state->config = pool;
        state->record = std::make_unique<upstream::PoolRecord>(10, 1);
        state->backends.push_back(std::make_unique<upstream::BackendRecord>(1, 10, 1));
        upstream::BackendView view{.id = 1, .name = pool.backends[0].name, .address = {}};
        state->set = upstream::build_backend_set({}, {view});
        Publication publication{
            .snapshot = std::make_unique<Snapshot>(config, TrustedProxies()),
            .pools = {}
        };
        publication.pools.push_back(std::move(state));
        worker.apply(publication);
    }

    runtime::LinuxOs os;
    std::unique_ptr<runtime::Reactor> reactor = *runtime::Reactor::open(os);
    Blocks control;
    core::Log log{[] { return core::WallTime{}; }, [](std::string_view) {}};
    Shared shared{"balancer", 100, 1, log, control};
    Worker worker{*reactor, 0, shared};
};

// A client's request, read and planned as its connection does.
struct Planned {
    Planned(Core& core, std::string_view request)
        : client(net::Socket(*core.reactor, -1), core.worker.shared_buffer(), net::Address()),
          exchange(core.worker, client, *core.worker.generation()->snapshot, core.reactor->now()) {
        std::string address = "192.0.2.7";
        client.address_length = static_cast<uint8_t>(address.size());
        std::ranges::copy(address, client.address_text.begin());
        std::ranges::copy(request, client.buffer.prepare().begin());
        client.buffer.commit(request.size());
        http::HeadProgress progress;
        http::HeadResult read = http::parse_request_head(
            client.buffer.bytes(),
            {},
            progress,
            core.worker.request_fields(),
            core.worker.request_head()
        );
        REQUIRE(read.outcome == http::HeadOutcome::complete);
        refusal = plan_request(exchange, *core.worker.generation(), read.length);
    }

    Client client;
    Exchange exchange;
    Refusal refusal;
};

// One flat JSON object, as RFC 8259 has it: values are strings (decoded), numbers or null, as they stand.
// Empty for anything else.
class FlatObject {
public:
    explicit FlatObject(std::string_view text) : rest_(text) { is_valid_ = read() && rest_.empty(); }

    [[nodiscard]] bool is_valid() const { return is_valid_; }

    [[nodiscard]] std::string value(std::string_view key) const {
        for (const auto& [name, value] : members_) {
            if (name == key) {
                return value;
            }
        }
        return "(none)";
    }

    [[nodiscard]] std::vector<std::string> keys() const {
        std::vector<std::string> names;
        for (const auto& [name, value] : members_) {
            names.push_back(name);
        }
        return names;
    }

private:
    bool read() {
        if (!take('{')) {
            return false;
        }
        do {
            std::string name;
            std::string value;
            if (!read_string(name) || !take(':') || !(read_string(value) || read_plain(value))) {
                return false;
            }
            for (const auto& [known, other] : members_) {
                if (known == name) {
                    return false;
                }
            }
            members_.emplace_back(std::move(name), std::move(value));
        } while (take(','));
        return take('}');
    }

    bool take(char wanted) {
        bool is_there = rest_.starts_with(wanted);
        rest_.remove_prefix(is_there ? 1 : 0);
        return is_there;
    }

    bool read_plain(std::string& value) {
        size_t end = std::min(rest_.find_first_of(",}"), rest_.size());
        value = rest_.substr(0, end);
        rest_.remove_prefix(end);
        bool is_number = !value.empty() && value.find_first_not_of("0123456789") == std::string::npos;
        return value == "null" || (is_number && (value == "0" || value.front() != '0'));
    }

    bool read_string(std::string& value) {
        if (!rest_.starts_with('"')) {
            return false;
        }
        rest_.remove_prefix(1);
        while (!rest_.empty() && rest_.front() != '"') {
            if (static_cast<unsigned char>(rest_.front()) < 0x20 ||
                (rest_.front() == '\\' && !read_escape(value))) {
                return false;
            }
            if (rest_.empty() || rest_.front() == '"') {
                break;
            }
            if (rest_.front() != '\\') {
                value += rest_.front();
                rest_.remove_prefix(1);
            }
        }
        return take('"');
    }

    // An escape becomes its byte: the log writes none above 255.
    bool read_escape(std::string& value) {
        constexpr std::string_view kLetters = "\"\\nrt";
        constexpr std::string_view kMeant = "\"\\\n\r\t";
        if (rest_.size() >= 6 && rest_.starts_with("\\u00")) {
            unsigned byte = 0;
            auto [end, status] = std::from_chars(rest_.data() + 4, rest_.data() + 6, byte, 16);
            value += static_cast<char>(byte);
            rest_.remove_prefix(6);
            return status == std::errc{} && end == rest_.data();
        }
        if (rest_.size() < 2 || !kLetters.contains(rest_[1])) {
            return false;
        }
        value += kMeant[kLetters.find(rest_[1])];
        rest_.remove_prefix(2);
        return true;
    }

    std::string_view rest_;
    std::vector<std::pair<std::string, std::string>> members_;
    bool is_valid_ = false;
};

FlatObject only_line(Core& core) {
    core.worker.access_log().flush();
    std::string text = core.control.all();
    core.control.blocks.clear();
    CAPTURE(text);
    REQUIRE(text.ends_with('\n'));
    REQUIRE(text.find('\n') == text.size() - 1);
    FlatObject line(std::string_view(text).substr(0, text.size() - 1));
    REQUIRE(line.is_valid());
    return line;
}

constexpr core::WallTime kWallNow{1795234114123ms};

TEST_CASE("a complete exchange is told with its request, its fate and its times") {
    Core core;
    Planned planned(
        core,
        "POST /v1/a?b=%22 HTTP/1.1\r\nHost: api.foobar.com\r\nUser-Agent: curl/8\r\nReferer: http://x/y\r\n"
        "X-Request-Id: id-1\r\nContent-Length: 5\r\n\r\nhello"
    );
    Exchange& exchange = planned.exchange;
    REQUIRE(planned.refusal.status == 0);
    auto lease = exchange.pool->acquire_now({});
    REQUIRE((lease && *lease));
    exchange.backend = (*lease)->shared_backend();
    core::Instant began = exchange.timings.began;
    exchange.status = 200;
    exchange.retries = 1;
    exchange.bytes_out = 12345678901234;
    exchange.timings = {
        .began = began,
        .queued = began + 1ms,
        .placed = began + 3ms,
        .connected = began + 3500us,
        .sent = began + 4ms,
        .first_byte = began + 14ms,
    };
    core.worker.access_log().write(exchange, kWallNow, began + 123ms);
    FlatObject line = only_line(core);
    CHECK(line.keys() == std::vector<std::string>{"time",       "tier",          "request_id", "client",
                                                  "method",     "host",          "path",       "protocol",
                                                  "status",     "bytes_in",      "bytes_out",  "route",
                                                  "pool",       "backend",       "retries",    "queue_us",
                                                  "connect_us", "first_byte_us", "total_us",   "ended",
                                                  "user_agent", "referer"});
    CHECK(line.value("time") == "2026-11-21T04:08:34.000Z");  // when the request began
    CHECK(line.value("request_id") == "id-1");
    CHECK(line.value("client") == "192.0.2.7");
    CHECK(line.value("method") == "POST");
    CHECK(line.value("host") == "api.foobar.com");
    CHECK(line.value("path") == "/v1/a?b=%22");
    CHECK(line.value("protocol") == "HTTP/1.1");
    CHECK(line.value("status") == "200");
    CHECK(line.value("bytes_in") == "5");
    CHECK(line.value("bytes_out") == "12345678901234");
    CHECK(line.value("route") == "api.foobar.com/v1/*");
    CHECK(line.value("pool") == "origin");
    CHECK(line.value("backend") == "b\"1\"");
    CHECK(line.value("retries") == "1");
    CHECK(line.value("queue_us") == "2000");
    CHECK(line.value("connect_us") == "500");
    CHECK(line.value("first_byte_us") == "10000");
    CHECK(line.value("total_us") == "123000");
    CHECK(line.value("ended") == "complete");
    CHECK(line.value("user_agent") == "curl/8");
    CHECK(line.value("referer") == "http://x/y");
}

TEST_CASE("bytes of a client cannot break out of their value") {
    Core core;
    const std::string_view values[] = {
        R"(","status":"200)"sv,
        R"(\",\"x\":\")"sv,
        "\\"sv,
        "a\tb"sv,
        "\xFF\xC3\x28"sv,
        "\xC3\xBC"sv,
        "\xED\xA0\x80"sv,
        "}{"sv,
    };
    for (std::string_view value : values) {
        CAPTURE(value);
        std::string text(value);
        Planned planned(
            core,
            "GET /v1/ HTTP/1.1\r\nHost: api.foobar.com\r\nUser-Agent: " + text + "\r\nReferer: " + text +
                "\r\n\r\n"
        );
        core.worker.access_log().write(planned.exchange, kWallNow, core.reactor->now());
        FlatObject line = only_line(core);
        CHECK(line.value("user_agent") == value);
        CHECK(line.value("referer") == value);
        CHECK(line.value("status") == "0");
    }
}

TEST_CASE("a request without a route is told as it came") {
    Core core;
    Planned planned(core, "GET http://Other.com:81/x?y HTTP/1.0\r\nHost: Other.com:81\r\n\r\n");
    CHECK(planned.refusal.status == 404);
    planned.exchange.fail(Ended::refused, planned.refusal.reason);
    planned.exchange.status = 404;
    core.worker.access_log().write(planned.exchange, kWallNow, core.reactor->now());
    FlatObject line = only_line(core);
    CHECK(line.value("path") == "http://Other.com:81/x?y");
    CHECK(line.value("host") == "Other.com:81");
    CHECK(line.value("protocol") == "HTTP/1.0");
    CHECK(line.value("ended") == "refused");
    CHECK(line.value("reason") == planned.refusal.reason);
    for (std::string_view key : {"route", "pool", "backend"}) {
        CHECK(line.value(key) == "(none)");
    }
    for (std::string_view key : {"queue_us", "connect_us", "first_byte_us"}) {
        CHECK(line.value(key) == "null");
    }
}

TEST_CASE("a request that was never understood has a line too") {
    Core core;
    Client client(net::Socket(*core.reactor, -1), core.worker.shared_buffer(), net::Address());
    Exchange exchange(core.worker, client, *core.worker.generation()->snapshot, core.reactor->now());
    exchange.fail(Ended::client_timeout, "the request's head did not come in time");
    exchange.status = 408;
    core.worker.access_log().write(exchange, kWallNow, core.reactor->now());
    FlatObject line = only_line(core);
    CHECK(line.value("status") == "408");
    CHECK(line.value("method").empty());
    CHECK(line.value("path").empty());
    CHECK(line.value("ended") == "client_timeout");
}

TEST_CASE("blocks hold whole lines, all of them, in their order") {
    Core core;
    Planned planned(
        core,
        "GET /v1/ HTTP/1.1\r\nHost: api.foobar.com\r\nUser-Agent: " + std::string(500, 'u') + "\r\n\r\n"
    );
    constexpr uint32_t kLines = 1000;
    for (uint32_t number = 0; number < kLines; ++number) {
        planned.exchange.retries = number;
        core.worker.access_log().write(planned.exchange, kWallNow, core.reactor->now());
    }
    CHECK(core.control.blocks.size() > 5);  // handed over while it grew
    core.worker.access_log().flush();
    core.worker.access_log().flush();
    uint32_t next = 0;
    for (const std::string& block : core.control.blocks) {
        CHECK(block.size() < 80000);
        REQUIRE(block.ends_with('\n'));
        for (size_t begin = 0; begin < block.size(); begin = block.find('\n', begin) + 1) {
            FlatObject line(std::string_view(block).substr(begin, block.find('\n', begin) - begin));
            REQUIRE(line.is_valid());
            CHECK(line.value("retries") == std::to_string(next));
            ++next;
        }
    }
    CHECK(next == kLines);
    CHECK(core.worker.counters().log_lines_dropped.value() == 0);
}

TEST_CASE("lines that the writer cannot take are counted") {
    Core core;
    Planned planned(core, "GET /v1/ HTTP/1.1\r\nHost: api.foobar.com\r\n\r\n");
    core.control.is_full = true;
    for (int number = 0; number < 7; ++number) {
        core.worker.access_log().write(planned.exchange, kWallNow, core.reactor->now());
    }
    core.worker.access_log().flush();
    CHECK(core.worker.counters().log_lines_dropped.value() == 7);
    core.control.is_full = false;
    core.worker.access_log().write(planned.exchange, kWallNow, core.reactor->now());
    core.worker.access_log().flush();
    CHECK(core.worker.counters().log_lines_dropped.value() == 7);
    CHECK(core.control.blocks.size() == 1);
}

}  // namespace
}  // namespace balancer
