// Configurations that cannot be served: each with a sentence that names it and the cure.
#include "web/site_check.h"

#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include <doctest/doctest.h>

#include "web/site_tree.h"

namespace web {
namespace {

// The error's sentence; "" where there is none.
std::string complaint(const Config& config) {
    const core::Result<void> result = check_site(config);
    return result ? "" : result.error().context();
}

TEST_CASE("a root that cannot be served is named, with the cure") {
    const SiteTree tree;
    tree.write("file", "x");
    CHECK(complaint({.root = tree.path()}).empty());
    CHECK(complaint({.root = ""}).contains("expected an absolute path"));
    CHECK(complaint({.root = "relative"}).contains("expected an absolute path"));
    CHECK(complaint({.root = tree / "nothing"}).contains("create it"));
    CHECK(complaint({.root = tree / "file"}).contains("is not a directory"));
    if (::geteuid() != 0) {
        tree.make_directory("closed");
        REQUIRE(::chmod((tree / "closed").c_str(), 0) == 0);
        CHECK(complaint({.root = tree / "closed"}).contains("the x right"));
        REQUIRE(::chmod((tree / "closed").c_str(), 0700) == 0);
    }
}

TEST_CASE("without a root there is nothing but @app") {
    CHECK(complaint({.root = "", .try_files = {{.kind = TryStep::Kind::app}}}).empty());
    CHECK(complaint({.root = "", .try_files = {}}).contains("try is empty"));
    CHECK(complaint({.root = "", .try_files = default_try_files(Fallback::app)}).contains("absolute path"));
}

TEST_CASE("values that make no sense are refused") {
    const SiteTree tree;
    const std::string root = tree.path();
    struct Row {
        Config config;
        std::string_view part;
    };
    const Row kRows[] = {
        {{.root = root, .index = {"a/b"}}, "index \"a/b\""},
        {{.root = root, .index = {""}}, "index \"\""},
        {{.root = root, .index = {".."}}, "index \"..\""},
        {{.root = root, .try_files = {}}, "try is empty"},
        {{.root = root, .error_pages = {{.status = 200, .path = "/a"}}}, "error page for 200"},
        {{.root = root, .error_pages = {{.status = 404, .path = "a"}}}, "error page \"a\""},
        {{.root = root, .error_pages = {{.status = 404, .path = "/../a"}}}, "error page \"/../a\""},
        {{.root = root, .error_pages = {{.status = 404, .path = "/a"}, {.status = 404, .path = "/b"}}},
         "two error pages"},
        {{.root = root, .cache_control = {{.match = "", .value = "x"}}}, "Cache-Control"},
        {{.root = root, .cache_control = {{.match = "*", .value = ""}}}, "Cache-Control"},
        {{.root = root, .cache_control = {{.match = "*", .value = "a\r\nb: c"}}}, "Cache-Control"},
        {{.root = root, .mime_types = {{.extension = "", .type = "a/b"}}}, "type \"a/b\""},
        {{.root = root, .mime_types = {{.extension = ".a", .type = "a/b"}}}, "of \"..a\""},
        {{.root = root, .mime_types = {{.extension = "a", .type = "b"}}}, "type \"b\""},
        {{.root = root, .mime_types = {{.extension = "a", .type = "a/b\n"}}}, "of \".a\""},
        {{.root = root, .charset = "utf 8"}, "charset"},
        {{.root = root, .precompressed = {Encoding::gzip, Encoding::gzip}}, "twice"},
    };
    for (const Row& row : kRows) {
        CAPTURE(row.part);
        CHECK(complaint(row.config).contains(row.part));
    }
}

TEST_CASE("all that can be configured is accepted together") {
    const SiteTree tree;
    CHECK(complaint({
                        .root = tree.path(),
                        .index = {"index.html", ".index"},
                        .try_files = default_try_files(Fallback::app),
                        .cache_control = {{.match = "*.css", .value = "max-age=1"}},
                        .error_pages = {{.status = 404, .path = "/.errors/404.html"}},
                        .hidden = HiddenFiles::serve,
                        .precompressed = {},
                        .charset = "",
                        .mime_types = {{.extension = "log", .type = "text/plain; charset=utf-8"}},
                    })
              .empty());
}

}  // namespace
}  // namespace web
