// What is explained is what works: read again it gives the same configuration.
#include "node/config/explain.h"

#include <string>

#include <doctest/doctest.h>

#include "node/config/cases.h"

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

constexpr std::string_view kNoRoot = "[web]\nport = 80\n[app]\ncommand = \"a\"\nuser = \"www-data\"\n";

constexpr std::string_view kDerivedApp = R"(
[servers]
lb = { address = "10.0.0.1", roles = ["balancer"] }
a = { address = "10.0.0.2", roles = ["app"] }
[app]
command = "a"
health.path = "/up"
)";

}  // namespace

TEST_CASE("an explanation read again gives the same configuration") {
    for (std::string_view text : {kWholeFile, kPool, kRichFile, kTierFile, kNoRoot, kDerivedApp}) {
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
             "{\n  \"site\": \"rich\",\n  \"user\": null,\n  \"servers\": {\n    \"lb.1\": {\n      "
             "\"address\": \"fd00::1\",",
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

TEST_CASE("an explanation marks the derived pool, and keeps what it is derived from") {
    std::string text = explain(good(kTierFile));
    for (std::string_view piece : {
             "w1 = { address = \"10.0.0.2\", roles = [\"web\", \"app\"], weight = 50 }\n",
             "lb = { address = \"10.0.0.1\", roles = [\"balancer\"] }\n",
             "mode = \"active-passive\"\n",
             "\n[balancer.health]\npath = \"/lb\"\n",
             "port = 8081                             # default\n",
             "root = \"/public\"\n",
             "cache_control = [\n    { match = \"*.css\", value = \"max-age=\\\"1\\\"\" },\n",
             "\n[web.error_pages]\n404 = \"/404.html\"\n500 = ",
             "\n[web.mime_types]\nlog = \"text/x-log\"\n\"c++\" = \"text/x-c\"\n",
             "directory = \"/srv\"\n",
             "\n[app.env]\nA = \"1\"\nB = \"\"\n",
             "processes = 0                           # default: no limit\n",
             "\n# derived from [servers]: the pool \"web\"\n# [pools.web]\n# backends = [\n"
             "#     { name = \"w1\", address = \"10.0.0.2:8081\", weight = 50, backup = false },\n",
             "\n[[routes]]\nhost = \"b\"\n# every path\nroot = \"/static\"\npool = \"other\"\n",
         }) {
        CAPTURE(piece);
        CAPTURE(text);
        CHECK(text.contains(piece));
    }
    std::string bare = explain(good(kNoRoot));
    CHECK(bare.contains("# no root: every request goes to the app\ntry = [\"@app\"]"));
    CHECK(bare.contains("# default: where this file is\n"));
    CHECK_FALSE(bare.contains("balancer"));
    CHECK_FALSE(bare.contains("[web.cache]"));
}

TEST_CASE("the explanation of a file that lies elsewhere keeps its paths") {
    auto config = read_config(kTierFile, "t", "/etc/trilith");
    REQUIRE(config.has_value());
    Config moved = good(explain(*config));
    CHECK(moved.web->site.root == "/etc/trilith/public");
    CHECK(moved.app->program.directory == "/etc/trilith/srv");
    moved.base_directory = config->base_directory;
    CHECK(moved == *config);
}

TEST_CASE("the JSON explanation has the tiers, their tables, and what was derived") {
    std::string json = explain_json(good(kTierFile));
    size_t at = 0;
    for (std::string_view piece : {
             "\"weight\": 50",
             "\"balancer\": {",
             "\"web\": {\n    \"port\": 8081,",
             "\"try\": [",
             "\"cache_control\": [\n      {\n        \"match\": \"*.css\",",
             "\"error_pages\": {\n      \"404\": \"/404.html\",",
             "\"mime_types\": {\n      \"log\": \"text/x-log\",",
             "\"app\": {\n    \"command\": [",
             "\"env\": {\n      \"A\": \"1\",",
             "\"signal\": \"SIGTERM\"",
             "\"derived\": true",
             "\"root\": \"/static\"\n    }",
             "\"root\": \"/static\",\n      \"pool\": \"other\"",
         }) {
        CAPTURE(piece);
        CAPTURE(json);
        size_t found = json.find(piece, at);
        REQUIRE(found != std::string::npos);
        at = found;
    }
    CHECK_FALSE(explain_json(good(kNoRoot)).contains("\"balancer\""));
}

}  // namespace node
