// Paths as names of files: what is decoded, and what names no file.
#include "web/file_path.h"

#include <memory>
#include <string>

#include <doctest/doctest.h>

namespace web {
namespace {

using namespace std::string_view_literals;

TEST_CASE("paths are decoded once") {
    struct Row {
        std::string_view path;
        std::string_view relative;
        bool ends_with_slash;
    };
    constexpr Row kRows[] = {
        {"/", "", true},
        {"/a", "a", false},
        {"/a/", "a", true},
        {"/a/b.html", "a/b.html", false},
        {"/a%20b", "a b", false},
        {"/%C3%A4", "\xC3\xA4", false},
        {"/%ff", "\xFF", false},
        {"/%252e%252e/a", "%2e%2e/a", false},
        {"/a%3Fb%23c", "a?b#c", false},
        {"/a;b=c", "a;b=c", false},
        {"/a...", "a...", false},
        {"/a..b/c", "a..b/c", false},
        {"/.well-known/x", ".well-known/x", false},
        {"/%2Ewell-known/", ".well-known", true},
        {"/a~", "a~", false},
    };
    const auto buffer = std::make_unique<PathBuffer>();
    for (const Row& row : kRows) {
        CAPTURE(row.path);
        const FilePath path = read_file_path(row.path, HiddenFiles::refuse, *buffer);
        CHECK(path.reason == "");
        CHECK(path.relative == row.relative);
        CHECK(path.ends_with_slash == row.ends_with_slash);
    }
}

TEST_CASE("what could be read in two ways names no file") {
    const auto buffer = std::make_unique<PathBuffer>();
    constexpr std::string_view kPaths[] = {
        "",
        "a",
        "*",
        "//",
        "//a",
        "/a//b",
        "/a//",
        "/..",
        "/../a",
        "/a/..",
        "/a/../b",
        "/.",
        "/./a",
        "/%2e%2e/a",
        "/%2E%2E",
        "/.%2e/a",
        "/a/%2e",
        "/a%2Fb",
        "/a%2fb",
        "/%2F",
        "/a\\b",
        "/a%5Cb",
        "/..%5c",
        "/a%00",
        "/%00",
        "/a\0b"sv,
        "/a%0Ab",
        "/a%7F",
        "/a\nb",
        "/a%",
        "/a%4",
        "/a%g0",
        "/%%",
        "/.env",
        "/.git/config",
        "/a/.htaccess",
        "/%2egit/config",
        "/...",
        "/..a",
        "/.well-known/.x",
        "/.well-known2",
        "/.WELL-KNOWN/x",
    };
    for (const std::string_view path : kPaths) {
        CAPTURE(path);
        CHECK(read_file_path(path, HiddenFiles::refuse, *buffer).reason != "");
    }
}

TEST_CASE("hidden files are served where the configuration says so, and dot segments never") {
    const auto buffer = std::make_unique<PathBuffer>();
    CHECK(read_file_path("/.env", HiddenFiles::serve, *buffer).relative == ".env");
    CHECK(read_file_path("/...", HiddenFiles::serve, *buffer).relative == "...");
    CHECK(read_file_path("/..", HiddenFiles::serve, *buffer).reason != "");
    CHECK(read_file_path("/%2e/a", HiddenFiles::serve, *buffer).reason != "");
}

TEST_CASE("names and paths have the system's bounds") {
    const auto buffer = std::make_unique<PathBuffer>();
    const auto is_refused = [&](const std::string& path) {
        return !read_file_path(path, HiddenFiles::refuse, *buffer).reason.empty();
    };
    const std::string longest(kFileNameMax, 'a');
    CHECK_FALSE(is_refused("/" + longest));
    CHECK(is_refused("/" + longest + "a"));
    CHECK(is_refused("/" + longest + "a/b"));
    std::string path;
    while (path.size() < kFilePathMax - 95) {
        path += "/" + std::string(99, 'a');
    }
    REQUIRE(path.size() == 4000);
    CHECK_FALSE(is_refused(path + "/" + std::string(kFilePathMax - 4000, 'a')));
    CHECK(is_refused(path + "/" + std::string(kFilePathMax - 4000 + 1, 'a')));
    // Decoded they are a third as long.
    std::string escaped;
    for (int i = 0; i < 255; ++i) {
        escaped += "%41";
    }
    CHECK_FALSE(is_refused("/" + escaped));
    CHECK(is_refused("/" + escaped + "%41"));
}

TEST_CASE("a path is put together without going over its end") {
    const auto buffer = std::make_unique<PathBuffer>();
    REQUIRE(buffer->append(std::string(kFilePathMax, 'a')));
    CHECK(buffer->append(""));
    CHECK_FALSE(buffer->append("b"));
    CHECK(buffer->text().size() == kFilePathMax);
    buffer->clear();
    CHECK(buffer->append("b"));
    CHECK(buffer->text() == "b");
}

}  // namespace
}  // namespace web
