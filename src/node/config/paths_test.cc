// Relative paths begin where the configuration file is.
#include "node/config/paths.h"

#include <doctest/doctest.h>

namespace node {

TEST_CASE("a path is absolute, or lies below the base") {
    struct Case {
        std::string_view text;
        std::string_view path;
    };
    for (const Case& one : std::initializer_list<Case>{
             {"public", "/etc/trilith/public"},
             {"./public", "/etc/trilith/public"},
             {".//./public/", "/etc/trilith/public"},
             {"a/b//", "/etc/trilith/a/b"},
             {"../public", "/etc/trilith/../public"},
             {".", "/etc/trilith"},
             {"./", "/etc/trilith"},
             {".hidden", "/etc/trilith/.hidden"},
             {"/srv/www/", "/srv/www"},
             {"/", "/"},
             {"//", "/"},
         }) {
        CAPTURE(one.text);
        CHECK(path_from("/etc/trilith", one.text) == one.path);
        CHECK(path_from("/elsewhere", one.path) == one.path);
    }
    CHECK(path_from("/", "a") == "/a");
    CHECK(path_from("/", ".") == "/");
}

TEST_CASE("the directory of a file is told as an absolute path") {
    CHECK(*directory_of("/etc/trilith/a.toml") == "/etc/trilith");
    CHECK(*directory_of("/a.toml") == "/");
    std::string here = *directory_of("a.toml");
    CHECK(here.starts_with('/'));
    CHECK(*directory_of("./a.toml") == here);
    CHECK(*directory_of("b/a.toml") == path_from(here, "b"));
}

}  // namespace node
