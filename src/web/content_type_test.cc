// Content types by name: the table, the charset, and the configuration's own.
#include "web/content_type.h"

#include <doctest/doctest.h>

#include "web/mime_table.h"

namespace web {
namespace {

TEST_CASE("the table knows what browsers meet") {
    struct Row {
        std::string_view extension;
        std::string_view type;
    };
    constexpr Row kRows[] = {
        {"html", "text/html"},
        {"HTM", "text/html"},
        {"css", "text/css"},
        {"js", "text/javascript"},
        {"mjs", "text/javascript"},
        {"json", "application/json"},
        {"map", "application/json"},
        {"wasm", "application/wasm"},
        {"webmanifest", "application/manifest+json"},
        {"svg", "image/svg+xml"},
        {"png", "image/png"},
        {"JPEG", "image/jpeg"},
        {"avif", "image/avif"},
        {"webp", "image/webp"},
        {"jxl", "image/jxl"},
        {"ico", "image/x-icon"},
        {"woff2", "font/woff2"},
        {"ttf", "font/ttf"},
        {"md", "text/markdown"},
        {"txt", "text/plain"},
        {"xml", "application/xml"},
        {"pdf", "application/pdf"},
        {"mp4", "video/mp4"},
        {"webm", "video/webm"},
        {"m3u8", "application/vnd.apple.mpegurl"},
        {"zip", "application/zip"},
        {"zst", "application/zstd"},
        {"7z", "application/x-7z-compressed"},
        {"docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
    };
    for (const Row& row : kRows) {
        CAPTURE(row.extension);
        CHECK(find_mime_type(row.extension) == row.type);
    }
    for (const std::string_view unknown :
         {"", "x", "htmlx", "php", "html ", "a-very-long-extension-indeed"}) {
        CAPTURE(unknown);
        CHECK(find_mime_type(unknown).empty());
    }
}

TEST_CASE("the charset is told for text alone") {
    const ContentTypes types{Config{}};
    CHECK(types.of("index.html") == "text/html; charset=utf-8");
    CHECK(types.of("a/b.min.js") == "text/javascript; charset=utf-8");
    CHECK(types.of("a.json") == "application/json");
    CHECK(types.of("a.svg") == "image/svg+xml");
    CHECK(types.of("a.xml") == "application/xml");
    CHECK(types.of("a.png") == "image/png");
}

TEST_CASE("a name without a known ending is bytes") {
    const ContentTypes types{Config{}};
    for (const std::string_view name : {"README", "a.unknown", "a.", "", "dir.html/file", ".", "a.html/"}) {
        CAPTURE(name);
        CHECK(types.of(name) == "application/octet-stream");
    }
}

TEST_CASE("types of the configuration go first, and keep their parameters") {
    const ContentTypes types(
        {.charset = "iso-8859-1",
         .mime_types =
             {
                 {.extension = "LOG", .type = "text/x-log"},
                 {.extension = "html", .type = "text/html; charset=koi8-r"},
                 {.extension = "log", .type = "text/never"},
             }}
    );
    CHECK(types.of("a.log") == "text/x-log; charset=iso-8859-1");
    CHECK(types.of("a.Html") == "text/html; charset=koi8-r");
    CHECK(types.of("a.css") == "text/css; charset=iso-8859-1");
    CHECK(ContentTypes({.charset = ""}).of("a.css") == "text/css");
}

}  // namespace
}  // namespace web
