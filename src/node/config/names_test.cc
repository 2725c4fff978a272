// Nearest names and allowed names.
#include "node/config/names.h"

#include <array>
#include <string>
#include <vector>

#include <doctest/doctest.h>

namespace node {

TEST_CASE("the nearest known name is found by edits") {
    constexpr std::array<std::string_view, 6>
        known{"interval", "timeout", "fall", "rise", "slow_start", "path"};
    CHECK(nearest_name("intervall", known) == "interval");
    CHECK(nearest_name("intreval", known) == "interval");  // a swap is one edit
    CHECK(nearest_name("slowstart", known) == "slow_start");
    CHECK(nearest_name("Fall", known) == "fall");
    CHECK(nearest_name("pth", known) == "path");
    CHECK(nearest_name("weight", known) == "");
    CHECK(nearest_name("", known) == "");
    CHECK(nearest_name("x", known) == "");
    CHECK(nearest_name(std::string(1000, 'i'), known) == "");
}

TEST_CASE("a short name is never taken for another by replacing all of it") {
    constexpr std::array<std::string_view, 2> known{"a", "bc"};
    CHECK(nearest_name("b", known) == "bc");
    CHECK(nearest_name("z", known) == "");
}

TEST_CASE("without a near name the known ones are listed, up to twenty") {
    constexpr std::array<std::string_view, 2> known{"listen", "threads"};
    CHECK(suggestion("xyz", known, "known keys") == "; known keys: listen, threads");
    CHECK(suggestion("thread", known, "known keys") == "; did you mean \"threads\"?");
    CHECK(suggestion("xyz", {}, "known keys") == "");
    std::vector<std::string_view> many(21, "listen");
    CHECK(suggestion("xyz", many, "k").ends_with("listen, …"));
}

TEST_CASE("a name that becomes a file name cannot climb or hide") {
    CHECK(is_name("www.foobar.com", 100));
    CHECK(is_name("a", 1));
    for (std::string_view bad : {"", "ab", ".", ".a", "-", "_", "/", " ", "\xc3\xa4"}) {
        CHECK_FALSE(is_name(bad, 1));
    }
    CHECK_FALSE(is_name("a/b", 100));
    CHECK_FALSE(is_name("..", 100));
    CHECK_FALSE(is_name("a b", 100));
    CHECK_FALSE(is_name("[::1]:80", 100));
    CHECK(is_name("[::1]:80", 100, ":[]"));
}

}  // namespace node
