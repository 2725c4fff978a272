// Dates in their three forms, and texts that are none.
#include "http/http_date.h"

#include <doctest/doctest.h>

#include "core/random.h"

namespace http {
namespace {

TEST_CASE("all three forms of RFC 9110 section 5.6.7 are read") {
    struct Row {
        std::string_view text;
        int64_t seconds;
    };
    constexpr Row kRows[] = {
        {"Sun, 06 Nov 1994 08:49:37 GMT", 784'111'777},
        {"Sunday, 06-Nov-94 08:49:37 GMT", 784'111'777},
        {"Sun Nov  6 08:49:37 1994", 784'111'777},
        {"Sun Nov 06 08:49:37 1994", 784'111'777},
        {"Thu, 01 Jan 1970 00:00:00 GMT", 0},
        {"Wed, 31 Dec 1969 23:59:59 GMT", -1},
        {"Thu, 29 Feb 2024 12:00:00 GMT", 1'709'208'000},
        {"Sat, 31 Dec 2016 23:59:60 GMT", 1'483'228'800},  // a leap second
        {"Fri, 31 Dec 9999 23:59:59 GMT", 253'402'300'799},
        {"Monday, 01-Jan-70 00:00:00 GMT", 0},               // the day's name is not compared
        {"Tuesday, 01-Jan-69 00:00:00 GMT", 3'124'224'000},  // 2069
        {"Tue Feb 10 10:00:00 2026", 1'770'717'600},
    };
    for (const Row& row : kRows) {
        CAPTURE(row.text);
        CHECK(parse_http_date(row.text) == row.seconds);
    }
}

TEST_CASE("what is no date is none") {
    constexpr std::string_view kTexts[] = {
        "",
        "0",
        "784111777",
        "Sun, 06 Nov 1994 08:49:37",
        "Sun, 06 Nov 1994 08:49:37 UTC",
        "Sun, 06 Nov 1994 08:49:37 GMT ",
        " Sun, 06 Nov 1994 08:49:37 GMT",
        "Sun, 6 Nov 1994 08:49:37 GMT",
        "Sun, 06 nov 1994 08:49:37 GMT",
        "sun, 06 Nov 1994 08:49:37 GMT",
        "Sux, 06 Nov 1994 08:49:37 GMT",
        "Sun,06 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 94 08:49:37 GMT",
        "Sun, 06 anF 1994 08:49:37 GMT",  // stands across two names of months
        "Sun, 31 Nov 1994 08:49:37 GMT",
        "Thu, 29 Feb 2023 12:00:00 GMT",
        "Sun, 00 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:49:37 GMT",
        "Sun, 06 Nov 1994 08:60:37 GMT",
        "Sun, 06 Nov 1994 08:49:61 GMT",
        "Sun, 06 Nov 1994 8:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:3 GMT",
        "Sun, 06 Nov -994 08:49:37 GMT",
        "Sun, +6 Nov 1994 08:49:37 GMT",
        "Sunday, 06-Nov-1994 08:49:37 GMT",
        "Sunday 06-Nov-94 08:49:37 GMT",
        "Sun Nov 6 08:49:37 1994",
        "Sun Nov  6 08:49:37 94",
        "Sun Nov    08:49:37 1994",
        "1994-11-06T08:49:37Z",
    };
    for (const std::string_view text : kTexts) {
        CAPTURE(text);
        CHECK_FALSE(parse_http_date(text));
    }
}

TEST_CASE("no beginning of a date is a date") {
    for (const std::string_view whole :
         {"Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"}) {
        for (size_t length = 0; length < whole.size(); ++length) {
            CAPTURE(whole.substr(0, length));
            CHECK_FALSE(parse_http_date(whole.substr(0, length)));
        }
    }
}

TEST_CASE("a date that is written is read as the same second") {
    CHECK(format_http_date(784'111'777) == "Sun, 06 Nov 1994 08:49:37 GMT");
    CHECK(format_http_date(0) == "Thu, 01 Jan 1970 00:00:00 GMT");
    CHECK(format_http_date(-1) == "Wed, 31 Dec 1969 23:59:59 GMT");
    core::Random random(1);
    for (int i = 0; i < 1000; ++i) {
        const auto seconds = static_cast<int64_t>(random.below(253'402'300'799)) - 50'000'000'000;
        CAPTURE(seconds);
        const std::string text = format_http_date(seconds);
        CHECK(text.size() == kHttpDateSize);
        CHECK(parse_http_date(text) == seconds);
    }
}

TEST_CASE("times that no date has are written as the nearest that has one") {
    CHECK(format_http_date(INT64_MAX) == "Fri, 31 Dec 9999 23:59:59 GMT");
    CHECK(format_http_date(INT64_MIN) == "Mon, 01 Jan 0001 00:00:00 GMT");
}

}  // namespace
}  // namespace http
