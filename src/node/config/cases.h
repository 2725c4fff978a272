// What the tests of the configuration share: the example file of the README's size, and refusals as one text.
#pragma once

#include <string>
#include <string_view>

#include "core/panic.h"
#include "node/config/file.h"

namespace node {

// A file with every section.
inline constexpr std::string_view kWholeFile =
    R"(site = "api.foobar.com"
[servers]
lb1 = { address = "127.0.0.1", roles = ["balancer"] }
[balancer]
listen    = ["http://127.0.0.1:8101"]
threads   = 1                    # default: one a core
algorithm = "round-robin"
mode      = "active-active"
[balancer.health]
path = "/healthz"                # without it: a TCP connect
interval = "2s"
timeout = "1s"
fall = 3
rise = 2
[balancer.access_log]
enabled = true                   # JSON lines, to stdout or file = "..."
[pools.origin]
backends = ["127.0.0.1:9001", )"
    R"({ address = "127.0.0.1:9002", name = "b2", weight = 50 }, )"
    R"({ address = "127.0.0.1:9003", backup = true }]
[[routes]]
host = "api.foobar.com"          # exact, "*.foobar.com", or left out
path = "/v1/*"                   # exact or prefix
pool = "origin"
)";

// Every tier, and much of what each may say.
inline constexpr std::string_view kTierFile = R"(
[servers]
lb = { address = "10.0.0.1", roles = ["balancer"] }
w1 = { address = "10.0.0.2", roles = ["web", "app"], weight = 50 }
w2 = { address = "10.0.0.3", roles = ["web"], weight = 0 }
[balancer]
mode = "active-passive"
health = { path = "/lb", fall = 9 }
[web]
root = "public"
try = ["{path}", "{path}.html", "/a.html", "@app"]
cache_control = [{ match = "*.css", value = "max-age=\"1\"" }, { match = "/a/*", value = "no-store" }]
error_pages = { 404 = "/404.html", 500 = "/\"500\".html" }
mime_types = { log = "text/x-log", "c++" = "text/x-c" }
precompressed = []
charset = ""
limits.body = "0"
[app]
command = ["bin/app", "--name", "a \"b\"", ""]
env = { A = "1", B = "" }
directory = "srv"
limits = { memory = "1GiB" }
[pools.other]
backends = ["127.0.0.1:1"]
[[routes]]
host = "a"
root = "static"
[[routes]]
host = "b"
root = "static"
pool = "other"
[[routes]]
pool = "web"
)";

// A pool and nothing else: the shortest good file, to which tests add what they are about.
inline constexpr std::string_view kPool = "[pools.origin]\nbackends = [\"127.0.0.1:9001\"]\n";

// "LINE:COLUMN: message" of every problem, one a line without a newline after the last; "" when the file is
// good.
inline std::string refusals(std::string_view text) {
    auto config = read_config(text, "t");
    std::string all;
    if (!config) {
        for (const ConfigError& error : config.error()) {
            all += (all.empty() ? "" : "\n") + error.to_string().substr(2);
        }
    }
    return all;
}

struct BadFile {
    std::string_view text;
    std::string_view refusal;  // as refusals() gives it
};

// What a file says that must be good.
inline Config good(std::string_view text) {
    auto config = read_config(text, "t");
    if (!config) {
        PANIC(refusals(text) + "\n" + std::string(text));
    }
    return *config;
}

}  // namespace node
