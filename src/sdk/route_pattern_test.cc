// Patterns of routes: what they say, and what is refused.
#include "sdk/route_pattern.h"

#include <doctest/doctest.h>

namespace trilith::sdk {
namespace {

// "users,{id},{slug},{path*}" with ":int" where it was written.
std::string told(std::string_view pattern) {
    auto segments = read_pattern(pattern);
    if (!segments) {
        return "refused";
    }
    std::string text;
    for (const PatternSegment& segment : *segments) {
        text += text.empty() ? "" : ",";
        switch (segment.kind) {
            case PatternSegment::Kind::literal: text += "'" + segment.text + "'"; break;
            case PatternSegment::Kind::parameter:
                text += segment.text + (segment.is_integer ? ":int" : "");
                break;
            case PatternSegment::Kind::rest: text += segment.text + "*"; break;
        }
    }
    return text;
}

TEST_CASE("patterns are read into their segments") {
    CHECK(told("/") == "''");
    CHECK(told("/a") == "'a'");
    CHECK(told("/a/") == "'a',''");
    CHECK(told("/users/{id:int}/posts/{slug}") == "'users',id:int,'posts',slug");
    CHECK(told("/files/{path*}") == "'files',path*");
    CHECK(told("/{all*}") == "all*");
    CHECK(told("/%C3%A4/a-b_c~d.e") == "'%C3%A4','a-b_c~d.e'");
}

TEST_CASE("what cannot be matched as it is written is refused") {
    for (std::string_view pattern : {
             "",
             "a",
             "{a}",
             "/{",
             "/}",
             "/{}",
             "/{a",
             "/a{b}",
             "/{a}b",
             "/{a}{b}",
             "/{a-b}",
             "/{a b}",
             "/{a:}",
             "/{a:text}",
             "/{a:int*}",
             "/{a*}/b",
             "/{a}/{a}",
             "/{*}",
             "/a b",
             "/\xC3\xA4",
             "/%c3",
             "/%41",
             "/a/../b",
             "/.",
             "/a?b",
             "/a#b",
             "/%2F",
             "/a\nb",
             "/{a}/{b}/{c}/{d}/{e}/{f}/{g}/{h}/{i}",
         }) {
        CAPTURE(pattern);
        CHECK(told(pattern) == "refused");
    }
    CHECK(told("/" + std::string(2000, 'a')) == "refused");
    std::string long_path;
    for (int count = 0; count < 65; ++count) {
        long_path += "/a";
    }
    CHECK(told(long_path) == "refused");
    CHECK(read_pattern("/{a}/{a}").error().context() == "pattern \"/{a}/{a}\": two parameters have one name");
}

}  // namespace
}  // namespace trilith::sdk
