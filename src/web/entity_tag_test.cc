// Lists of entity tags: what is read, and where a list ends.
#include "web/entity_tag.h"

#include <string>
#include <vector>

#include <doctest/doctest.h>

namespace web {
namespace {

std::string read_all(std::string_view text) {
    const std::vector<char> exact(text.begin(), text.end());
    EntityTagList list({exact.data(), exact.size()});
    std::string all;
    while (const std::optional<EntityTag> tag = list.next()) {
        all += tag->is_weak ? "weak " : "strong ";
        all += tag->opaque;
        all += ' ';
    }
    return all;
}

TEST_CASE("lists are read to their end or to the first thing that is no tag (RFC 9110 section 8.8.3)") {
    struct Row {
        std::string_view text;
        std::string_view tags;
    };
    constexpr Row kRows[] = {
        {"", ""},
        {R"("a")", R"(strong "a" )"},
        {R"(W/"a")", R"(weak "a" )"},
        {R"("")", R"(strong "" )"},
        {R"("a","b",W/"c")", R"(strong "a" strong "b" weak "c" )"},
        {"\t\"a\" ,\t \"b\"  ", R"(strong "a" strong "b" )"},
        {R"(,, "a",, "b",)", R"(strong "a" strong "b" )"},
        {R"("a,b","c")", R"(strong "a,b" strong "c" )"},  // a comma is a byte like others between quotes
        {R"("a\", "b")", R"(strong "a\" strong "b" )"},   // and so is a backslash
        {R"("a\"", "b")", ""},
        {"\"\x80\xFF\"", "strong \"\x80\xFF\" "},
        {R"("a b")", ""},
        {"\"a\tb\"", ""},
        {"a", ""},
        {"*", ""},
        {R"(w/"a")", ""},
        {R"(W/ "a")", ""},
        {R"(W/a)", ""},
        {"W/", ""},
        {R"(")", ""},
        {R"("a)", ""},
        {R"("a" "b")", ""},
        {R"("a", b, "c")", R"(strong "a" )"},
        {R"("a", *)", R"(strong "a" )"},
        {R"("a";q=1)", ""},
        {"\"a\x7F\"", ""},
    };
    for (const Row& row : kRows) {
        CAPTURE(row.text);
        CHECK(read_all(row.text) == row.tags);
    }
}

TEST_CASE("tags are compared as RFC 9110 section 8.8.3.2 has it") {
    constexpr EntityTag kStrong{.opaque = "\"1\""};
    constexpr EntityTag kWeak{.opaque = "\"1\"", .is_weak = true};
    constexpr EntityTag kOther{.opaque = "\"2\""};
    CHECK(matches_strongly(kStrong, kStrong));
    CHECK_FALSE(matches_strongly(kStrong, kWeak));
    CHECK_FALSE(matches_strongly(kWeak, kWeak));
    CHECK_FALSE(matches_strongly(kStrong, kOther));
    CHECK(matches_weakly(kStrong, kWeak));
    CHECK(matches_weakly(kWeak, kWeak));
    CHECK_FALSE(matches_weakly(kWeak, kOther));
}

}  // namespace
}  // namespace web
