// What is explained is what works: read again it gives the same configuration.
#include "node/config_explain.h"

#include <string>

#include <doctest/doctest.h>

#include "node/config_cases.h"

namespace node {

namespace {

constexpr std::string_view kRichFile = R"(
site = "rich"
[servers]
"lb.1" = { address = "fd00::1", roles = ["balancer"] }
lb2 = { address = "10.0.0.2", roles = ["balancer"] }
[balancer]
listen = ["http://*:80", "http://[::1]:0"]
trusted_proxies = ["10.0.0.0/8", "::1"]
limits = { body = "0", uri = "1000B", connections_per_client = 5, retries = 0 }
timeouts = { connect = "1500ms", tunnel = "24h" }
access_log.file = "/var/log/\u00e4 \"b\".log"
[admin]
listen = "http://127.0.0.1:9180"
[pools."p.1"]
backends = ["[::1]:1", { address = "10.0.0.1:1", name = "x", weight = 0, backup = true }]
mode = "active-passive"
failback = false
health = { path = "/up?a=\"b\"", slow_start = "1m" }
[pools.two]
backends = ["10.0.0.1:2"]
queue_max = 0
[[routes]]
host = "*.foobar.com"
path = "raw"
pool = "p.1"
[[routes]]
pool = "two"
)";

}  // namespace

TEST_CASE("an explanation read again gives the same configuration") {
    for (std::string_view text : {kWholeFile, kPool, kRichFile}) {
        Config config = good(text);
        std::string explained = explain(config);
        INFO(explained);
        CHECK(good(explained) == config);
        CHECK(explain(good(explained)) == explained);
    }
}

TEST_CASE("an explanation shows what was derived and what is the default") {
    std::string text = explain(good(kPool));
    for (std::string_view line : {
             "site = \"local\"\n",
             "local = { address = \"127.0.0.1\", roles = [\"balancer\"] }\n",
             "listen = [\"http://127.0.0.1:8080\"]\n",
             "threads = 0                             # default: one a processor\n",
             "first_byte = \"1m\"                       # default\n",
             "body = \"1GiB\"                           # default\n",
             "# no file: standard output\n",
             "# no [admin]: metrics are on the control socket only\n",
             "    { name = \"127.0.0.1:9001\", address = \"127.0.0.1:9001\", weight = 100, backup = false "
             "},\n",
             "\n[pools.origin.health]\n# no path: a check is a TCP connect\n",
             "\n[[routes]]\n# every host\n# every path\npool = \"origin\"\n",
         }) {
        CAPTURE(line);
        CAPTURE(text);
        CHECK(text.contains(line));
    }
    std::string written = explain(good(std::string(kPool) + "health.fall = 4\n"));
    CHECK(written.contains("fall = 4\n"));
}

TEST_CASE("the JSON explanation has the keys of the file in their order") {
    std::string json = explain_json(good(kRichFile));
    size_t at = 0;
    for (std::string_view piece : {
             "{\n  \"site\": \"rich\",\n  \"servers\": {\n    \"lb.1\": {\n      \"address\": \"fd00::1\",",
             "\"roles\": [\n        \"balancer\"\n      ]",
             "\"listen\": [\n      \"http://*:80\",\n      \"http://[::1]:0\"\n    ]",
             "\"threads\": 0",
             "\"trusted_proxies\": [\n      \"10.0.0.0/8\",\n      \"::1\"\n    ]",
             "\"connect\": \"1500ms\"",
             "\"body\": \"0\"",
             "\"file\": \"/var/log/\u00e4 \\\"b\\\".log\"",
             "\"admin\": {\n    \"listen\": \"http://127.0.0.1:9180\"\n  }",
             "\"p.1\": {",
             "\"backup\": true",
             "\"path\": \"/up?a=\\\"b\\\"\"",
             "\"two\": {",
             "\"path\": null",
             "\"host\": \"*.foobar.com\",\n      \"path\": \"raw\",\n      \"pool\": \"p.1\"",
             "\"host\": null,\n      \"path\": null,\n      \"pool\": \"two\"",
         }) {
        CAPTURE(piece);
        CAPTURE(json);
        size_t found = json.find(piece, at);
        REQUIRE(found != std::string::npos);
        at = found;
    }
}

}  // namespace node
