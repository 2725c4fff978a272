// Good files and what they mean; files that are not files; text cut anywhere.
#include "node/config/file.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <functional>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "node/config/cases.h"

namespace node {

namespace {

using namespace std::chrono_literals;

net::Address address(std::string_view text) { return *net::Address::parse(text); }

Config whole_config() {
    Config config;
    config.base_directory = "/";
    config.site = "api.foobar.com";
    config.servers = {
        {.name = "lb1", .address = *net::Address::parse_host("127.0.0.1"), .roles = {Role::balancer}}
    };
    config.balancer.listen = {address("127.0.0.1:8101")};
    config.balancer.threads = 1;
    config.balancer.access_log.is_enabled = true;
    upstream::PoolConfig pool;
    pool.name = "origin";
    pool.health.path = "/healthz";
    pool.backends = {
        {.name = "127.0.0.1:9001", .address = address("127.0.0.1:9001")},
        {.name = "b2", .address = address("127.0.0.1:9002"), .weight = 50},
        {.name = "127.0.0.1:9003", .address = address("127.0.0.1:9003"), .is_backup = true},
    };
    config.balancer.pools = {pool};
    config.balancer.routes = {{.host = "api.foobar.com", .path = "/v1/*", .pool = 0}};
    return config;
}

// A part of the whole file that may be left out, and what the configuration is then.
struct Optional {
    std::string_view text;
    void (*leave_out)(Config&);
};

constexpr std::array<Optional, 16> kOptionals{{
    {"site = \"api.foobar.com\"\n", [](Config& config) { config.site = "local"; }},
    {"[servers]\nlb1 = { address = \"127.0.0.1\", roles = [\"balancer\"] }\n",
     [](Config& config) { config.servers[0].name = "local"; }},
    {"address = \"127.0.0.1\", ", [](Config&) {}},
    {", roles = [\"balancer\"]", [](Config&) {}},
    {"listen    = [\"http://127.0.0.1:8101\"]\n",
     [](Config& config) { config.balancer.listen = {address("127.0.0.1:8080")}; }},
    {"threads   = 1                    # default: one a core\n",
     [](Config& config) { config.balancer.threads = 0; }},
    {"algorithm = \"round-robin\"\n", [](Config&) {}},
    {"mode      = \"active-active\"\n", [](Config&) {}},
    {"path = \"/healthz\"                # without it: a TCP connect\n",
     [](Config& config) { config.balancer.pools[0].health.path.reset(); }},
    {"interval = \"2s\"\n", [](Config&) {}},
    {"fall = 3\nrise = 2\n", [](Config&) {}},
    {"[balancer.access_log]\nenabled = true                   # JSON lines, to stdout or file = \"...\"\n",
     [](Config& config) { config.balancer.access_log.is_enabled = false; }},
    {", weight = 50", [](Config& config) { config.balancer.pools[0].backends[1].weight = 100; }},
    {", name = \"b2\"", [](Config& config) { config.balancer.pools[0].backends[1].name = "127.0.0.1:9002"; }},
    {"host = \"api.foobar.com\"          # exact, \"*.foobar.com\", or left out\n",
     [](Config& config) { config.balancer.routes[0].host.clear(); }},
    {"path = \"/v1/*\"                   # exact or prefix\n",
     [](Config& config) { config.balancer.routes[0].path.clear(); }},
}};

void check_without(std::initializer_list<const Optional*> parts) {
    std::string text(kWholeFile);
    Config expected = whole_config();
    for (const Optional* part : parts) {
        if (size_t at = text.find(part->text); at != std::string::npos) {
            text.erase(at, part->text.size());
            part->leave_out(expected);
        }
    }
    CHECK(good(text) == expected);
}

}  // namespace

TEST_CASE("the whole file means what it says") { CHECK(good(kWholeFile) == whole_config()); }

TEST_CASE("every part that may be left out leaves the default and nothing else") {
    for (const Optional& first : kOptionals) {
        REQUIRE(kWholeFile.contains(first.text));
        check_without({&first});
        for (const Optional& second : kOptionals) {
            check_without({&first, &second});
        }
    }
}

TEST_CASE("all that may be left out may be left out together") {
    Config config = good(kPool);
    CHECK(config.site == "local");
    REQUIRE(config.servers.size() == 1);
    CHECK(config.servers[0].name == "local");
    CHECK(config.servers[0].address.host_string() == "127.0.0.1");
    CHECK(config.servers[0].roles == RoleSet{Role::balancer});
    CHECK(config.balancer.listen == std::vector{address("127.0.0.1:8080")});
    CHECK(config.balancer.routes == std::vector{balancer::RouteConfig{}});
    CHECK_FALSE(config.admin_listen.has_value());
}

TEST_CASE("every key reaches its field") {
    Config config = good(R"(
[balancer]
listen = ["http://*:80", "http://[::1]:8080", "http://127.0.0.1:0"]
threads = 256
trusted_proxies = ["10.0.0.0/8", "192.168.1.1", "fd00::/64"]
mode = "active-passive"
failback = false
[balancer.health]
path = "/up?deep=1"
interval = "100ms"
timeout = "10ms"
fall = 1
rise = 100
slow_start = "1m"
[balancer.timeouts]
connect = "1ms"
request_head = "2ms"
idle = "3ms"
body = "4ms"
first_byte = "5ms"
response = "6ms"
tunnel = "24h"
drain = "8ms"
[balancer.limits]
request_head = "2KiB"
uri = "64B"
headers = 8
body = "0"
response_head = "48KiB"
connections = 7
connections_per_client = 6
retries = 0
retry_budget_percent = 100
[balancer.access_log]
file = "access.log"
[admin]
listen = "http://127.0.0.1:9180"
[pools.a]
backends = ["[::1]:9001"]
connections_max = 1
queue_max = 0
queue_timeout = "1ms"
idle_timeout = "1h"
)");
    const balancer::Config& balancer = config.balancer;
    CHECK(balancer.listen.size() == 3);
    CHECK(balancer.listen[0] == address("*:80"));
    CHECK(balancer.listen[2].port() == 0);
    CHECK(balancer.threads == 256);
    CHECK(balancer.trusted_proxies == std::vector<std::string>{"10.0.0.0/8", "192.168.1.1", "fd00::/64"});
    CHECK(balancer.timeouts == balancer::TimeoutConfig{1ms, 2ms, 3ms, 4ms, 5ms, 6ms, 24h, 8ms});
    CHECK(balancer.limits == balancer::LimitConfig{2048, 64, 8, 0, 48 << 10, 7, 6, 0, 100});
    CHECK(balancer.access_log == balancer::AccessLogConfig{.is_enabled = true, .file = "access.log"});
    CHECK(config.admin_listen == address("127.0.0.1:9180"));
    const upstream::PoolConfig& pool = balancer.pools[0];
    CHECK(pool.mode == upstream::Mode::active_passive);
    CHECK_FALSE(pool.has_failback);
    CHECK(pool.health == upstream::HealthConfig{"/up?deep=1", 100ms, 10ms, 1, 100, 1min});
    CHECK(pool.backends[0].address == address("[::1]:9001"));
    CHECK(pool.connections_max == 1);
    CHECK(pool.queue_max == 0);
    CHECK(pool.queue_timeout == 1ms);
    CHECK(pool.idle_timeout == 1h);
}

TEST_CASE("a pool overrides the balancer's defaults key by key") {
    Config config = good(R"(
[pools.first]
backends = ["127.0.0.1:1"]
mode = "active-active"
health = { interval = "9s" }
[pools.second]
backends = ["127.0.0.1:2"]
failback = true
[balancer]
mode = "active-passive"
failback = false
health = { path = "/up", fall = 9 }
[[routes]]
host = "second"
pool = "second"
[[routes]]
pool = "first"
)");
    const upstream::PoolConfig& first = config.balancer.pools[0];
    const upstream::PoolConfig& second = config.balancer.pools[1];
    CHECK(first.mode == upstream::Mode::active_active);
    CHECK_FALSE(first.has_failback);
    CHECK(first.health == upstream::HealthConfig{.path = "/up", .interval = 9s, .fall = 9});
    CHECK(second.mode == upstream::Mode::active_passive);
    CHECK(second.has_failback);
    CHECK(second.health == upstream::HealthConfig{.path = "/up", .fall = 9});
}

TEST_CASE("servers, pools, backends and routes keep the order of the file") {
    Config config = good(R"(
[servers]
z = { address = "127.0.0.1", roles = ["balancer"] }
a = { address = "127.0.0.2", roles = ["balancer"] }
[balancer]
listen = "http://*:80"
[pools.z]
backends = ["127.0.0.1:9", { name = "y", address = "127.0.0.1:8" }, "127.0.0.1:7"]
[pools]
a.backends = ["127.0.0.1:1"]
[[routes]]
path = "/z"
pool = "a"
[[routes]]
path = "/a"
pool = "z"
)");
    CHECK(config.servers[0].name == "z");
    CHECK(config.servers[1].name == "a");
    const balancer::Config& balancer = config.balancer;
    CHECK(balancer.pools[0].name == "z");
    CHECK(balancer.pools[0].backends[1].name == "y");
    CHECK(balancer.pools[0].backends[2].name == "127.0.0.1:7");
    CHECK(balancer.pools[1].name == "a");
    CHECK(balancer.routes[0].pool == 1);
    CHECK(balancer.routes[1].pool == 0);
}

TEST_CASE("the largest target follows a smaller request head") {
    Config config = good(std::string(kPool) + "[balancer.limits]\nrequest_head = \"1KiB\"\n");
    CHECK(config.balancer.limits.uri == 1024);
}

TEST_CASE("an access log that is switched off stays off with a file") {
    Config config = good(std::string(kPool) + "[balancer.access_log]\nfile = \"a\"\nenabled = false\n");
    CHECK_FALSE(config.balancer.access_log.is_enabled);
}

TEST_CASE("lines may end with CRLF and the file without a newline") {
    CHECK(good("[pools.origin]\r\nbackends = [\"127.0.0.1:9001\"]") == good(kPool));
}

TEST_CASE("text cut at any byte is refused or means something, and says where") {
    for (std::string_view whole : {kWholeFile, kTierFile}) {
        size_t refused = 0;
        auto lines = static_cast<uint32_t>(std::ranges::count(whole, '\n'));
        for (size_t length = 0; length < whole.size(); ++length) {
            auto config = read_config(whole.substr(0, length), "t");
            if (config) {
                continue;
            }
            ++refused;
            REQUIRE_FALSE(config.error().empty());
            for (const ConfigError& error : config.error()) {
                CHECK(error.line >= 1);
                CHECK(error.line <= lines + 1);
                CHECK(error.column >= 1);
                CHECK_FALSE(error.message.empty());
            }
        }
        CHECK(refused > whole.size() / 2);
    }
}

TEST_CASE("any byte of the text may be any other without harm") {
    for (std::string_view whole : {kWholeFile, kTierFile}) {
        std::string text(whole);
        for (size_t at = 0; at < text.size(); at += 3) {
            char right = std::exchange(text[at], static_cast<char>(at * 7));
            auto config = read_config(text, "t");
            CHECK((config.has_value() || !config.error().empty()));
            text[at] = right;
        }
    }
}

TEST_CASE("at most 20 problems are told, the first ones of the file, in its order") {
    std::string text;
    for (int at = 0; at < 30; ++at) {
        text += "x" + std::to_string(at) + "xxxxxxxx = 1\n";
    }
    text += "[balancer]\nthreads = true\n";
    auto config = read_config(text, "t");
    REQUIRE_FALSE(config.has_value());
    REQUIRE(config.error().size() == 20);
    for (uint32_t at = 1; at < 20; ++at) {
        CHECK(config.error()[at].line >= config.error()[at - 1].line);
    }
    CHECK(config.error().back().line <= 20);
}

TEST_CASE("a file that cannot be read is one problem without a line") {
    auto missing = load_config("/nonexistent/trilith.toml");
    REQUIRE_FALSE(missing.has_value());
    REQUIRE(missing.error().size() == 1);
    CHECK(
        missing.error()[0].to_string() ==
        "/nonexistent/trilith.toml: cannot be read: No such file or directory"
    );
    auto unnamed = load_config("trilith.toml");
    REQUIRE_FALSE(unnamed.has_value());
    CHECK(unnamed.error()[0].to_string().contains("name the file, as in trilith up FILE"));
    auto folder = load_config("/");
    REQUIRE_FALSE(folder.has_value());
    CHECK(folder.error()[0].to_string() == "/: cannot be read: Is a directory");
}

TEST_CASE("a file is read whole, up to its bound") {
    std::string path = "/tmp/trilith_config_test." + std::to_string(::getpid());
    auto write = [&](const std::string& text) {
        std::FILE* file = std::fopen(path.c_str(), "w");
        REQUIRE(file != nullptr);
        CHECK(std::fwrite(text.data(), 1, text.size(), file) == text.size());
        CHECK(std::fclose(file) == 0);
    };
    std::string text = std::string(kPool) + "#";
    write(text + std::string(kConfigFileBytesMax - text.size(), 'x'));
    auto config = load_config(path);
    REQUIRE(config.has_value());
    CHECK(config->base_directory == "/tmp");
    write(text + std::string(kConfigFileBytesMax - text.size() + 1, 'x'));
    auto large = load_config(path);
    REQUIRE_FALSE(large.has_value());
    CHECK(large.error()[0].to_string() == path + ": has more than 1048576 bytes");
    CHECK(std::remove(path.c_str()) == 0);
}

}  // namespace node
