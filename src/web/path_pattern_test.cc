// Patterns: names and paths, stars, and the cost of many stars.
#include "web/path_pattern.h"

#include <string>

#include <doctest/doctest.h>

namespace web {
namespace {

TEST_CASE("a pattern without slash is compared with the name, another with the path") {
    struct Row {
        std::string_view pattern;
        std::string_view path;
        bool expected;
    };
    constexpr Row kRows[] = {
        {"*.css", "/a.css", true},
        {"*.css", "/deep/er/a.css", true},
        {"*.css", "/a.css.map", false},
        {"*.css", "/.css", true},
        {"*.css", "/a.css/b.js", false},
        {"*.CSS", "/a.css", false},
        {"/assets/*", "/assets/a.js", true},
        {"/assets/*", "/assets/deep/a.js", true},
        {"/assets/*", "/other/assets/a.js", false},
        {"/assets/*", "/assets", false},
        {"/assets/*.js", "/assets/deep/a.js", true},
        {"/assets/*.js", "/assets/a.css", false},
        {"*/x/*", "/a/x/b", true},
        {"index.html", "/a/index.html", true},
        {"/index.html", "/a/index.html", false},
        {"/index.html", "/index.html", true},
        {"*", "/anything/at.all", true},
        {"**", "/a", true},
        {"a*b*c", "/axxbyyc", true},
        {"a*b*c", "/axxbyy", false},
        {"a*b*c", "/abcbc", true},
        {"a?c", "/abc", false},
        {"", "/a", false},
    };
    for (const Row& row : kRows) {
        CAPTURE(row.pattern);
        CAPTURE(row.path);
        CHECK(matches_pattern(row.pattern, row.path) == row.expected);
    }
}

TEST_CASE("many stars cost no more than pattern times path") {
    std::string pattern = "/";
    for (int i = 0; i < 200; ++i) {
        pattern += "*a";
    }
    CHECK_FALSE(matches_pattern(pattern + "b", "/" + std::string(4000, 'a')));
}

}  // namespace
}  // namespace web
