// Steps as they are written: read, refused, and written again.
#include "web/try_files.h"

#include <doctest/doctest.h>

namespace web {
namespace {

using Kind = TryStep::Kind;

TEST_CASE("each form is read, and written as it was") {
    struct Row {
        std::string_view text;
        TryStep step;
    };
    const Row kRows[] = {
        {"{path}", {.kind = Kind::path}},
        {"{path}.html", {.kind = Kind::path, .text = ".html"}},
        {"{path}/", {.kind = Kind::directory}},
        {"/fallback.html", {.kind = Kind::file, .text = "/fallback.html"}},
        {"/.app/200.html", {.kind = Kind::file, .text = "/.app/200.html"}},
        {"/a b.html", {.kind = Kind::file, .text = "/a b.html"}},
        {"=404", {.kind = Kind::status, .status = 404}},
        {"=599", {.kind = Kind::status, .status = 599}},
        {"@app", {.kind = Kind::app}},
    };
    for (const Row& row : kRows) {
        CAPTURE(row.text);
        const auto step = parse_try_step(row.text);
        REQUIRE(step.has_value());
        CHECK(*step == row.step);
        CHECK(format_try_step(*step) == row.text);
    }
}

TEST_CASE("what is no step is refused, with the entry in the sentence") {
    for (const std::string_view text : {
             "",
             " ",
             "path",
             "$uri",
             "{path",
             "{uri}",
             "{path}/index.html",
             "{path}{path}",
             "{path}/x/",
             "=",
             "=abc",
             "=40",
             "=4040",
             "=200",
             "=301",
             "=600",
             "= 404",
             "@",
             "@other",
             "@app ",
             "/",
             "//a",
             "/a/",
             "/a//b",
             "/../a",
             "/a/..",
             "/a/./b",
             "/{path}",
             "index.html",
             "/a\nb",
             "/a\x7F",
         }) {
        CAPTURE(text);
        const auto step = parse_try_step(text);
        REQUIRE_FALSE(step.has_value());
        CHECK(step.error().kind() == core::ErrorKind::invalid);
        CHECK(step.error().context().starts_with("try entry \"" + std::string(text) + "\": "));
    }
}

TEST_CASE("the default ends with what stands behind the files") {
    const auto alone = default_try_files(Fallback::not_found);
    REQUIRE(alone.size() == 3);
    CHECK(format_try_step(alone[0]) == "{path}");
    CHECK(format_try_step(alone[1]) == "{path}/");
    CHECK(format_try_step(alone[2]) == "=404");
    CHECK(format_try_step(default_try_files(Fallback::app).back()) == "@app");
    CHECK(check_try_files(alone).has_value());
}

TEST_CASE("a list whose end is never reached is refused") {
    CHECK_FALSE(check_try_files({}).has_value());
    CHECK(check_try_files({{.kind = Kind::path}}).has_value());
    CHECK_FALSE(check_try_files({{.kind = Kind::app}, {.kind = Kind::path}}).has_value());
    const auto error = check_try_files({{.kind = Kind::status, .status = 404}, {.kind = Kind::app}});
    REQUIRE_FALSE(error.has_value());
    CHECK(error.error().context().contains("=404"));
}

}  // namespace
}  // namespace web
