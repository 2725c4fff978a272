// Conditional requests: each rule of RFC 9110 section 13, and which goes before which.
#include "web/conditional.h"

#include <doctest/doctest.h>

namespace web {
namespace {

using enum Precondition;
using Value = std::optional<std::string_view>;

constexpr std::string_view kBefore = "Sun, 06 Nov 1994 08:49:36 GMT";
constexpr std::string_view kSame = "Sun, 06 Nov 1994 08:49:37 GMT";
constexpr std::string_view kAfter = "Sun, 06 Nov 1994 08:49:38 GMT";
constexpr std::string_view kSameOld = "Sunday, 06-Nov-94 08:49:37 GMT";

// Modified at kSame.
constexpr Validators kFile{.tag = {.opaque = R"("1-2")"}, .modified = 784'111'777};

struct Row {
    std::string_view section;
    Value if_match;
    Value if_unmodified_since;
    Value if_none_match;
    Value if_modified_since;
    Precondition expected;
};
constexpr Value kNone = std::nullopt;
constexpr Row kRows[] = {
    {"13.2.2", kNone, kNone, kNone, kNone, proceed},
    // If-Match: strong comparison, "*" is whatever is there.
    {"13.1.1", "*", kNone, kNone, kNone, proceed},
    {"13.1.1", " * ", kNone, kNone, kNone, proceed},
    {"13.1.1", R"("1-2")", kNone, kNone, kNone, proceed},
    {"13.1.1", R"("x", "1-2")", kNone, kNone, kNone, proceed},
    {"13.1.1", R"("x")", kNone, kNone, kNone, failed},
    {"13.1.1", R"("x", "y")", kNone, kNone, kNone, failed},
    {"13.1.1", R"(W/"1-2")", kNone, kNone, kNone, failed},
    {"13.1.1", "1-2", kNone, kNone, kNone, failed},
    {"13.1.1", "", kNone, kNone, kNone, failed},
    {"13.1.1", R"(x, "1-2")", kNone, kNone, kNone, failed},
    // If-None-Match: weak comparison.
    {"13.1.2", kNone, kNone, "*", kNone, not_modified},
    {"13.1.2", kNone, kNone, R"("1-2")", kNone, not_modified},
    {"13.1.2", kNone, kNone, R"(W/"1-2")", kNone, not_modified},
    {"13.1.2", kNone, kNone, R"("x", W/"1-2")", kNone, not_modified},
    {"13.1.2", kNone, kNone, R"("x")", kNone, proceed},
    {"13.1.2", kNone, kNone, R"("1-2-br")", kNone, proceed},
    {"13.1.2", kNone, kNone, R"("1-2)", kNone, proceed},
    {"13.1.2", kNone, kNone, "", kNone, proceed},
    // If-Modified-Since.
    {"13.1.3", kNone, kNone, kNone, kSame, not_modified},
    {"13.1.3", kNone, kNone, kNone, kSameOld, not_modified},
    {"13.1.3", kNone, kNone, kNone, kAfter, not_modified},
    {"13.1.3", kNone, kNone, kNone, kBefore, proceed},
    {"13.1.3", kNone, kNone, kNone, "yesterday", proceed},
    {"13.1.3", kNone, kNone, kNone, "", proceed},
    // If-Unmodified-Since.
    {"13.1.4", kNone, kSame, kNone, kNone, proceed},
    {"13.1.4", kNone, kAfter, kNone, kNone, proceed},
    {"13.1.4", kNone, kBefore, kNone, kNone, failed},
    {"13.1.4", kNone, "yesterday", kNone, kNone, proceed},
    // Which goes before which.
    {"13.2.2 step 1", R"("1-2")", kBefore, kNone, kNone, proceed},
    {"13.2.2 step 1", R"("x")", kAfter, kNone, kNone, failed},
    {"13.2.2 step 1", R"("x")", kNone, R"("1-2")", kNone, failed},
    {"13.2.2 step 1, 3", R"("1-2")", kNone, R"("1-2")", kNone, not_modified},
    {"13.2.2 step 2, 3", kNone, kBefore, R"("1-2")", kNone, failed},
    {"13.2.2 step 2, 3", kNone, kAfter, R"("1-2")", kNone, not_modified},
    {"13.2.2 step 2, 4", kNone, kAfter, kNone, kSame, not_modified},
    {"13.2.2 step 3", kNone, kNone, R"("x")", kAfter, proceed},
    {"13.2.2 step 3", kNone, kNone, R"("1-2")", kBefore, not_modified},
    {"13.2.2 step 3", kNone, kNone, "", kAfter, proceed},
};

TEST_CASE("preconditions are decided as their sections say") {
    for (const Row& row : kRows) {
        CAPTURE(row.section);
        CAPTURE(row.if_match.value_or("none"));
        CAPTURE(row.if_unmodified_since.value_or("none"));
        CAPTURE(row.if_none_match.value_or("none"));
        CAPTURE(row.if_modified_since.value_or("none"));
        const Conditions conditions{
            .if_match = row.if_match,
            .if_unmodified_since = row.if_unmodified_since,
            .if_none_match = row.if_none_match,
            .if_modified_since = row.if_modified_since,
        };
        CHECK(check_preconditions(conditions, kFile) == row.expected);
    }
}

TEST_CASE("a range is honoured where If-Range names exactly this file (RFC 9110 section 13.1.5)") {
    struct Row {
        Value if_range;
        bool expected;
    };
    const Row kRangeRows[] = {
        {std::nullopt, true},
        {R"("1-2")", true},
        {R"("x")", false},
        {R"(W/"1-2")", false},
        {R"("1-2", "x")", false},  // one tag, no list
        {R"("1-2" )", false},
        {"*", false},
        {kSame, true},
        {kSameOld, true},
        {kAfter, false},  // not exactly
        {kBefore, false},
        {"yesterday", false},
        {"", false},
    };
    for (const Row& row : kRangeRows) {
        CAPTURE(row.if_range.value_or("none"));
        CHECK(is_range_wanted({.if_range = row.if_range}, kFile) == row.expected);
    }
}

TEST_CASE("a weak tag of a file never makes a range") {
    constexpr Validators kWeakFile{.tag = {.opaque = R"("1-2")", .is_weak = true}, .modified = 0};
    CHECK_FALSE(is_range_wanted({.if_range = R"("1-2")"}, kWeakFile));
    CHECK_FALSE(is_range_wanted({.if_range = R"(W/"1-2")"}, kWeakFile));
}

}  // namespace
}  // namespace web
