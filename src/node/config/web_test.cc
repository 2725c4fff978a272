// What [web] means, and what is refused of it.
#include "node/config/web.h"

#include <string>

#include <doctest/doctest.h>

#include "node/config/cases.h"

namespace node {

namespace {

using namespace std::chrono_literals;

constexpr std::string_view kApp = "[app]\ncommand = \"./app\"\n";

std::string steps_of(const web::Config& site) {
    std::string text;
    for (const web::TryStep& step : site.try_files) {
        text += (text.empty() ? "" : " ") + web::format_try_step(step);
    }
    return text;
}

std::string steps_of(std::string_view text) { return steps_of(good(text).web->site); }

void check_refusals(std::string_view before, std::initializer_list<BadFile> files, std::string_view after) {
    for (const BadFile& bad : files) {
        std::string text = std::string(before) + std::string(bad.text) + std::string(after);
        CAPTURE(text);
        CHECK(refusals(text) == bad.refusal);
    }
}

}  // namespace

TEST_CASE("the shortest web server is one line in a section") {
    auto config = read_config("[web]\nroot = \"public\"\n", "t", "/srv/site");
    REQUIRE(config.has_value());
    CHECK(config->base_directory == "/srv/site");
    REQUIRE(config->servers.size() == 1);
    CHECK(config->servers[0].name == "local");
    CHECK(config->servers[0].roles == RoleSet{Role::web});
    CHECK(config->balancer == balancer::Config{});
    CHECK_FALSE(config->app.has_value());
    WebConfig expected;
    expected.site.root = "/srv/site/public";
    CHECK(config->web == expected);
}

TEST_CASE("every key of [web] reaches its field") {
    Config config = good(R"(
[web]
port = 80
threads = 3
root = "/srv/www/"
index = ["index.html", "index.htm"]
try = ["{path}", "{path}.html", "{path}/", "/fallback.html", "=410"]
cache_control = [{ match = "*.css", value = "max-age=3600" }, { match = "/assets/*", value = "immutable" }]
hidden = true
sendfile = true
precompressed = ["gzip", "br"]
charset = ""
health = "/up"
[web.error_pages]
404 = "/404.html"
"500" = "/errors/500.html"
[web.mime_types]
LOG = "text/x-log"
"c++" = "text/x-c++; charset=utf-8"
[web.cache]
entries = 10
bytes = "1MiB"
memory = "0"
open_files = 7
valid = "0s"
[web.timeouts]
idle = "5s"
[web.limits]
connections = 9
[web.access_log]
file = "web.log"
)");
    const WebConfig& web = *config.web;
    CHECK(web.port == 80);
    CHECK(web.threads == 3);
    CHECK(web.timeouts == balancer::TimeoutConfig{.idle = 5s});
    CHECK(web.limits == balancer::LimitConfig{.connections = 9});
    CHECK(web.access_log == balancer::AccessLogConfig{.is_enabled = true, .file = "web.log"});
    CHECK(web.health_path == "/up");
    const web::Config& site = web.site;
    CHECK(site.root == "/srv/www");
    CHECK(site.index == std::vector<std::string>{"index.html", "index.htm"});
    CHECK(steps_of(site) == "{path} {path}.html {path}/ /fallback.html =410");
    CHECK(
        site.cache_control ==
        std::vector<web::CacheControlRule>{{"*.css", "max-age=3600"}, {"/assets/*", "immutable"}}
    );
    CHECK(site.error_pages == std::vector<web::ErrorPage>{{404, "/404.html"}, {500, "/errors/500.html"}});
    CHECK(site.hidden == web::HiddenFiles::serve);
    CHECK(site.uses_sendfile);
    CHECK(site.precompressed == std::vector{web::Encoding::gzip, web::Encoding::brotli});
    CHECK(site.cache == web::CacheConfig{10, 1 << 20, 0, 7, 0s});
    CHECK(site.charset.empty());
    CHECK(
        site.mime_types ==
        std::vector<web::MimeOverride>{{"log", "text/x-log"}, {"c++", "text/x-c++; charset=utf-8"}}
    );
}

TEST_CASE("what is no file goes to the app where there is one") {
    std::string root = "[web]\nroot = \"public\"\n";
    std::string app(kApp);
    CHECK(steps_of(root) == "{path} {path}/ =404");
    CHECK(steps_of(root + app) == "{path} {path}/ @app");
    CHECK(steps_of(root + "try = [\"{path}\"]\n" + app) == "{path}");
    CHECK(steps_of("[web]\n" + app) == "@app");
    CHECK(steps_of("[web]\ntry = [\"@app\"]\n" + app) == "@app");
}

TEST_CASE("the role web needs no section where an app answers") {
    std::string servers = "[servers]\na = { roles = [\"web\", \"app\"] }\n";
    Config config = good(servers + std::string(kApp));
    REQUIRE(config.web.has_value());
    CHECK(steps_of(config.web->site) == "@app");
    CHECK(config.web->site.root.empty());
    CHECK(
        refusals("[servers]\na = { roles = [\"web\"] }\n") ==
        "2:1: [web]: root is missing: write root = \"public\", or an [app] that answers every request"
    );
}

TEST_CASE("a web server that has nothing to answer with is refused") {
    CHECK(
        refusals("[web]\nport = 80\n") ==
        "1:1: [web]: root is missing: write root = \"public\", or an [app] that answers every request"
    );
    CHECK(
        refusals("[web]\nroot = \"public\"\ntry = [\"{path}\", \"@app\"]\n") ==
        "3:18: web.try: \"@app\" needs a server with the role \"app\", and there is none; write \"=404\""
    );
}

TEST_CASE("keys about files are refused where there are none") {
    std::string cure = ": without a root there are no files: write root = \"public\", or leave this out";
    for (std::string_view line : {
             "index = [\"a.html\"]",
             "cache_control = []",
             "error_pages = {}",
             "hidden = true",
             "precompressed = []",
             "charset = \"\"",
             "mime_types = {}",
             "cache = { entries = 10 }",
         }) {
        std::string text = "[web]\n" + std::string(line) + "\n" + std::string(kApp);
        std::string key(line.substr(0, line.find(' ')));
        std::string refusal = "2:" + std::to_string(key.size() + 4) + ": web." + key + cure;
        CAPTURE(text);
        CHECK(refusals(text) == refusal);
    }
    CHECK(
        refusals("[web]\ntry = [\"{path}\", \"@app\"]\n" + std::string(kApp)) ==
        "2:8: web.try: without a root there are no files: write root = \"public\", or [\"@app\"]"
    );
}

TEST_CASE("a wrong value of [web] is refused") {
    check_refusals(
        "[web]\nroot = \"public\"\n",
        {
            {"port = 0\n", "3:8: web.port: expected an integer from 1 to 65535, found the integer 0"},
            {"port = 65536\n", "3:8: web.port: expected an integer from 1 to 65535, found the integer 65536"},
            {"threads = 257\n", "3:11: web.threads: expected an integer from 0 to 256, found the integer 257"
            },
            {"rot = 1\n", "3:1: unknown key \"rot\" in [web]; did you mean \"root\"?"},
            {"index = \"index.html\"\n",
             "3:9: web.index: expected a list such as [\"index.html\"], found the text \"index.html\""},
            {"index = [\"a/b.html\"]\n",
             "3:10: web.index: expected the name of a file such as \"index.html\", found \"a/b.html\": it "
             "lies in the folder that is asked for"},
            {"index = [\"..\"]\n",
             "3:10: web.index: expected the name of a file such as \"index.html\", found \"..\": it lies in "
             "the folder that is asked for"},
            {"health = \"up\"\n",
             "3:10: web.health: expected a path such as \"/healthz\", found the text \"up\""},
            {"health = \"/up?a\"\n",
             "3:10: web.health: expected a path in its normal form, without a query, found the text "
             "\"/up?a\""},
            {"health = \"/a/../up\"\n",
             "3:10: web.health: expected a path in its normal form, without a query, found the text "
             "\"/a/../up\""},
            {"hidden = 1\n", "3:10: web.hidden: expected true or false, found the integer 1"},
            {"charset = \"a b\"\n", "3:11: web.charset: expected a charset such as \"utf-8\", found \"a b\""},
            {"precompressed = [\"br\", \"deflate\"]\n",
             "3:24: web.precompressed: expected \"br\" or \"zstd\" or \"gzip\", found the text \"deflate\""},
            {"precompressed = [\"br\", \"br\"]\n", "3:24: web.precompressed: \"br\" is there twice"},
            {"timeouts.idle = \"0s\"\n", "3:17: web.timeouts.idle: expected 1ms to 1d, found the text \"0s\""
            },
            {"limits.headers = 7\n",
             "3:18: web.limits.headers: expected an integer from 8 to 1000, found the integer 7"},
            {"access_log.path = \"a\"\n",
             "3:12: unknown key \"path\" in [web.access_log]; known keys: file, enabled"},
        },
        ""
    );
    CHECK(
        refusals("[web]\nroot = 1\n") ==
        "2:8: web.root: expected a folder such as \"public\", found the integer 1"
    );
    std::string deep = "[web]\nroot = \"" + std::string(4096, 'x') + "\"\n";
    CHECK(refusals(deep) == "2:8: web.root: is a path of 4097 bytes, more than 4095");
    CHECK(refusals("web = 1\n") == "1:7: web: expected a table, found the integer 1");
}

TEST_CASE("a wrong step of try is refused") {
    check_refusals(
        "[web]\nroot = \"public\"\n",
        {
            {"try = []\n", "3:7: web.try: expected 1 to 16, found 0"},
            {"try = \"{path}\"\n",
             "3:7: web.try: expected a list such as [\"{path}\", \"{path}/\", \"=404\"], found the text "
             "\"{path}\""},
            {"try = [404]\n", "3:8: web.try: expected a text such as \"{path}\", found the integer 404"},
            {"try = [\"{path}\", \"=99\"]\n",
             "3:18: web.try: try entry \"=99\": a status is = and a number from 400 to 599"},
            {"try = [\"=404\", \"{path}\"]\n",
             "3:16: web.try: \"{path}\" is never tried: \"=404\" before it answers every request"},
            {"try = [\"{path}\", \"@app\", \"=404\"]\n",
             "3:26: web.try: \"=404\" is never tried: \"@app\" before it answers every request"},
        },
        kApp
    );
}

TEST_CASE("a wrong table below [web] is refused") {
    check_refusals(
        "[web]\nroot = \"public\"\n",
        {
            {"cache_control = [1]\n",
             "3:18: web.cache_control: expected a rule such as { match = \"*.css\", value = \"no-cache\" }, "
             "found the integer 1"},
            {"cache_control = [{ match = \"*\" }]\n", "3:18: a rule of web.cache_control needs a value"},
            {"cache_control = [{ value = \"a\" }]\n", "3:18: a rule of web.cache_control needs a match"},
            {"cache_control = [{ match = \"*\", value = \" a\" }]\n",
             "3:41: web.cache_control.value: expected a value without spaces around it, found the text "
             "\" a\""},
            {"cache_control = [{ match = \"*\", value = \"a\", max = 1 }]\n",
             "3:46: unknown key \"max\" in a rule of web.cache_control; known keys: match, value"},
            {"cache_control = [{ match = \"*\", value = \"a\" }, { match = \"*\", value = \"b\" }]\n",
             "3:48: web.cache_control: an earlier rule matches \"*\""},
            {"error_pages = { 200 = \"/a\" }\n",
             "3:17: [web.error_pages]: expected a status from 400 to 599, found \"200\""},
            {"error_pages = { 0404 = \"/a\" }\n",
             "3:17: [web.error_pages]: expected a status from 400 to 599, found \"0404\""},
            {"error_pages = { 404 = \"a.html\" }\n",
             "3:23: web.error_pages.404: expected a file below the root such as \"/404.html\", found "
             "\"a.html\": it begins with \"/\""},
            {"error_pages = { 404 = \"/../a\" }\n",
             "3:23: web.error_pages.404: expected a file below the root such as \"/404.html\", found "
             "\"/../a\": without empty, \".\" and \"..\" segments"},
            {"mime_types = { \".log\" = \"text/plain\" }\n",
             "3:16: [web.mime_types]: expected what stands behind the last dot of a name, such as log, found "
             "\".log\""},
            {"mime_types = { log = \"text/plain\", LOG = \"text/x-log\" }\n",
             "3:36: [web.mime_types]: \"log\" is there already"},
            {"mime_types = { log = \"text\" }\n",
             "3:22: web.mime_types.log: expected a type such as \"text/plain\", found \"text\""},
            {"mime_types = { log = \"text/\" }\n",
             "3:22: web.mime_types.log: expected a type such as \"text/plain\", found \"text/\""},
            {"cache.entries = 9\n",
             "3:17: web.cache.entries: expected an integer from 10 to 10000000, found the integer 9"},
            {"cache.bytes = \"1KiB\"\n",
             "3:15: web.cache.bytes: expected 64KiB to 64GiB, found the text \"1KiB\""},
            {"cache.memory = \"17MiB\"\n",
             "3:16: web.cache.memory: expected 0 to 16MiB, found the text \"17MiB\""},
            {"cache.open_files = 0\n",
             "3:20: web.cache.open_files: expected an integer from 1 to 1000000, found the integer 0"},
            {"cache.valid = \"2h\"\n", "3:15: web.cache.valid: expected 0s to 1h, found the text \"2h\""},
            {"cache.size = 1\n",
             "3:7: unknown key \"size\" in [web.cache]; known keys: entries, bytes, memory, open_files, "
             "valid"},
        },
        ""
    );
}

}  // namespace node
