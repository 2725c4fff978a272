// Paths in their one normal form, and what is refused instead; hosts and ports.
#include "http/uri.h"

#include <array>
#include <string>
#include <vector>

#include <doctest/doctest.h>

namespace http {
namespace {

using namespace std::string_view_literals;

TEST_CASE("paths come into their normal form, which is normal itself") {
    struct Row {
        std::string_view raw;
        std::string_view normal;
        PathOutcome outcome;
    };
    using enum PathOutcome;
    constexpr Row kRows[] = {
        {"", "/", rewritten},
        {"/", "/", as_is},
        {"/a/b.html", "/a/b.html", as_is},
        {"/a.b/c..d/e...", "/a.b/c..d/e...", as_is},
        {"//a///b//", "//a///b//", as_is},
        {"/a;b=c/d:@!$&'()*+,=~", "/a;b=c/d:@!$&'()*+,=~", as_is},
        {"/.well-known/x", "/.well-known/x", rewritten},
        {"/...", "/...", rewritten},
        {"/..a/.b", "/..a/.b", rewritten},
        {"/.", "/", rewritten},
        {"/./", "/", rewritten},
        {"/a/.", "/a/", rewritten},
        {"/a/./b", "/a/b", rewritten},
        {"/a/..", "/", rewritten},
        {"/a/../b", "/b", rewritten},
        {"/a/b/../../c", "/c", rewritten},
        {"/a/b/c/../..", "/a/", rewritten},
        {"/a//../b", "/a/b", rewritten},
        {"//..", "/", rewritten},
        {"/%61%7E%2d%5f%2E%41", "/a~-_.A", rewritten},
        {"/a/%2e/b/%2E%2e/c", "/a/c", rewritten},
        {"/a/.%2e/b", "/b", rewritten},
        {"/%c3%a4%3f%23%20", "/%C3%A4%3F%23%20", rewritten},
        {"/%C3%A4", "/%C3%A4", rewritten},
        {"/%252e%252e/a", "/%252e%252e/a", rewritten},
        {"/a%25", "/a%25", rewritten},
        {"/a;x/../b", "/b", rewritten},
        {"/...;x/%3B", "/...;x/%3B", rewritten},
    };
    for (const Row& row : kRows) {
        CAPTURE(row.raw);
        const std::vector<char> raw(row.raw.begin(), row.raw.end());
        std::vector<char> target(raw.size());
        const PathResult result = normalize_path({raw.data(), raw.size()}, target);
        CHECK(result.outcome == row.outcome);
        CHECK(result.path == row.normal);
        std::vector<char> again_target(row.normal.size());
        const PathResult again = normalize_path(row.normal, again_target);
        CHECK(again.outcome != refused);
        CHECK(again.path == row.normal);
    }
}

TEST_CASE("paths that two nodes could read differently are refused") {
    constexpr std::string_view kPaths[] = {
        "/..",         "/../",       "/../a",   "/a/../..", "/a/../../b",
        "//../../a",   "/%2e%2e",    "/%2E./a", "/.%2e",    "/a/%2e%2e/%2e%2e/b",
        "/%2F",        "/a%2fb",     "/%5C",    "/a%5cb",   "/a\\b",
        "/%00",        "/a%00b",     "/%0a",    "/%0D%0A",  "/%1f",
        "/%7F",        "/%",         "/%4",     "/a%4",     "/%4g",
        "/%g4",        "/%%",        "/a%",     "/..;/a",   "/.;a",
        "/a/..;b=c/d", "/a b",       "/a?b",    "/a#b",     "/a\"b",
        "/\xC3\xA4",   "a",          "a/b",     "*",        "/\0"sv,
        "/a/..%3bx",   "/%2e%2e;/x",
    };
    for (const std::string_view path : kPaths) {
        CAPTURE(path);
        const std::vector<char> raw(path.begin(), path.end());
        std::vector<char> target(raw.size());
        const PathResult result = normalize_path({raw.data(), raw.size()}, target);
        CHECK(result.outcome == PathOutcome::refused);
        CHECK_FALSE(result.reason.empty());
    }
}

TEST_CASE("hosts are taken apart and brought to lower case") {
    struct Row {
        std::string_view text;
        std::string_view name;
        uint16_t port;
    };
    constexpr Row kRows[] = {
        {"a", "a", 0},
        {"API.Foobar.com", "api.foobar.com", 0},
        {"foobar.com.", "foobar.com", 0},
        {"foobar.com.:80", "foobar.com", 80},
        {"my_app-1:65535", "my_app-1", 65535},
        {"10.0.0.1:00080", "10.0.0.1", 80},
        {"[::1]", "[::1]", 0},
        {"[2001:DB8::A]:443", "[2001:db8::a]", 443},
        {"[::ffff:1.2.3.4]", "[::ffff:1.2.3.4]", 0},
    };
    for (const Row& row : kRows) {
        CAPTURE(row.text);
        std::array<char, kHostNameMax> target;
        const std::optional<Host> host = parse_host(row.text, target);
        REQUIRE(host);
        CHECK(host->name == row.name);
        CHECK(host->port == row.port);
    }
}

TEST_CASE("what is no host is refused") {
    const std::string longest(kHostNameMax, 'a');
    std::array<char, kHostNameMax> target;
    CHECK(parse_host(longest, target));
    CHECK_FALSE(parse_host(longest + "a", target));
    constexpr std::string_view kTexts[] = {
        "",
        ".",
        "..",
        ".a",
        "a..b",
        "a..",
        ":80",
        "a:",
        "a:0",
        "a:65536",
        "a:100000",
        "a:000080",
        "a:8a",
        "a:-1",
        "a:80:80",
        "a b",
        "a,b",
        "a/b",
        "a@b",
        "u:p@a",
        "a%41",
        "a\\b",
        "a\xC3\xA4",
        "a\0b"sv,
        "a;b",
        "a(b)",
        "[",
        "[]",
        "[::1",
        "::1",
        "[::1]a",
        "[::1]:",
        "[::1]80",
        "[::1%25eth0]",
        "[v1.a]",
        "[1.2.3.4]",
        "[::g]",
        "[1:2]",
        "a[::1]",
        "[::1].",
        "[0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000]",
        "[::1\0]"sv,
    };
    for (const std::string_view text : kTexts) {
        CAPTURE(text);
        const std::vector<char> exact(text.begin(), text.end());
        CHECK_FALSE(split_host({exact.data(), exact.size()}));
    }
}

}  // namespace
}  // namespace http
