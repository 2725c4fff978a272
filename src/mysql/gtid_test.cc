// Positions: what is read, how they merge, and who has what.
#include "mysql/gtid.h"

#include <doctest/doctest.h>

namespace mysql {
namespace {

GtidPosition position(std::string_view text) {
    const std::optional<GtidPosition> read = GtidPosition::read(text);
    REQUIRE(read.has_value());
    return *read;
}

std::string text_of(const GtidPosition& position) {
    std::string text;
    position.append_to(text);
    return text;
}

TEST_CASE("a position is written as it was read, in the order of domains") {
    CHECK(text_of(position("")) == "");
    CHECK(text_of(position("0-1-270")) == "0-1-270");
    CHECK(text_of(position("5-2-13,0-1-270")) == "0-1-270,5-2-13");
    CHECK(text_of(position(" 0-1-2 , 1-1-3 ")) == "0-1-2,1-1-3");
    CHECK(
        text_of(position("4294967295-4294967295-18446744073709551615")) ==
        "4294967295-4294967295-18446744073709551615"
    );
}

TEST_CASE("what is no position is not read") {
    for (const std::string_view text :
         {",",
          "0-1",
          "0-1-",
          "0-1-2,",
          ",0-1-2",
          "0-1-2-3",
          "0--1-2",
          "-0-1-2",
          "+0-1-2",
          "0-1-+2",
          "a-1-2",
          "0-1-2x",
          "0 -1-2",
          "0-1-2,0-1-3",
          "4294967296-1-1",
          "0-4294967296-1",
          "0-1-18446744073709551616"}) {
        CAPTURE(text);
        CHECK_FALSE(GtidPosition::read(text).has_value());
    }
}

TEST_CASE("sixteen domains have room and a seventeenth has none") {
    std::string text = "0-1-1";
    for (int domain = 1; domain < 16; ++domain) {
        text += "," + std::to_string(domain) + "-1-1";
    }
    GtidPosition full = position(text);
    CHECK(full.gtids().size() == 16);
    CHECK_FALSE(GtidPosition::read(text + ",16-1-1").has_value());
    CHECK_FALSE(full.merge(Gtid{.domain = 16, .server = 1, .sequence = 1}));
    CHECK_FALSE(full.merge(position("3-1-9,17-1-1")));
    CHECK(full.gtids()[3].sequence == 9);
    CHECK(full.gtids().size() == 16);
}

TEST_CASE("merging keeps the later one of each domain") {
    GtidPosition merged = position("0-1-5,2-1-9");
    CHECK(merged.merge(position("0-2-6,1-1-1,2-2-8")));
    CHECK(text_of(merged) == "0-2-6,1-1-1,2-1-9");
    CHECK(merged.merge(*read_gtid("0-3-6")));
    CHECK(text_of(merged) == "0-2-6,1-1-1,2-1-9");
}

TEST_CASE("a position covers what is not later, whichever server wrote it") {
    const GtidPosition here = position("0-1-5,1-1-1");
    CHECK(here.covers(position("")));
    CHECK(here.covers(position("0-2-5")));
    CHECK(here.covers(position("0-1-4,1-1-1")));
    CHECK_FALSE(here.covers(position("0-1-6")));
    CHECK_FALSE(here.covers(position("0-1-4,1-1-2")));
    CHECK_FALSE(here.covers(position("0-1-4,2-1-1")));
    CHECK_FALSE(position("").covers(position("0-1-1")));
}

}  // namespace
}  // namespace mysql
