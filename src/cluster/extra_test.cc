// What a server has and its primary has not, from the states of their binlogs.
#include "cluster/extra.h"

#include <doctest/doctest.h>

namespace cluster {
namespace {

GtidState state(std::string_view text) {
    auto read = read_gtid_state(text);
    REQUIRE(read);
    return *read;
}

TEST_CASE("a state is read, and nothing else is taken for one") {
    CHECK(state("").empty());
    CHECK(state("0-1-5, 0-2-9,1-1-2").size() == 3);
    for (std::string_view text : {"0-1", "0-1-5;0-2-9", "0-1-5,,", "x", "0-1-5 0-2-9"}) {
        CHECK_FALSE(read_gtid_state(text));
    }
}

TEST_CASE("whoever is behind has nothing extra") {
    CHECK(extra_of(state("0-1-5,0-2-9"), state("0-1-5,0-2-12,0-3-13"), std::nullopt).empty());
    CHECK(extra_of(state(""), state("0-1-5"), std::nullopt).empty());
}

TEST_CASE("an old primary's tail, and what somebody wrote at a replica, are found by their server ids") {
    auto tail = extra_of(state("0-1-118"), state("0-1-114,0-2-150"), std::nullopt);
    REQUIRE(tail.size() == 1);
    CHECK(tail[0] == Extra{.last = {.domain = 0, .server = 1, .sequence = 118}, .after = 114});
    CHECK(describe_extra(tail) == "0-1-118 (after 114)");

    auto own = extra_of(state("0-1-114,0-3-115"), state("0-1-120"), std::nullopt);
    REQUIRE(own.size() == 1);
    CHECK(describe_extra(own) == "0-3-115");

    auto domains = extra_of(state("0-1-5,7-1-2"), state("0-1-5"), std::nullopt);
    CHECK(describe_extra(domains) == "7-1-2");
}

TEST_CASE("what the primary goes on writing is not extra at a replica that was looked at later") {
    CHECK(extra_of(state("0-1-118"), state("0-1-114"), 1).empty());
    CHECK(extra_of(state("0-1-118"), state("0-1-114"), 2).size() == 1);
}

TEST_CASE("a copy has the state of its source at its position") {
    CHECK(state_text_at("", "") == "");
    CHECK(state_text_at("0-7-50,0-9-71", "0-9-80") == "0-7-50,0-9-80");
    CHECK(state_text_at("0-9-71,0-7-50", "0-9-71") == "0-7-50,0-9-71");
    CHECK(state_text_at("0-7-50", "0-9-51") == "0-7-50,0-9-51");  // its first of that id came in between
    CHECK(state_text_at("0-7-50,3-7-4", "0-9-51,3-7-5") == "0-7-50,0-9-51,3-7-5");
    CHECK(state_text_at("nonsense", "0-9-51") == std::nullopt);
    CHECK(state_text_at("0-7-50", "NULL") == std::nullopt);
}

}  // namespace
}  // namespace cluster
