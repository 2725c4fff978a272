// Ranges: what is read, merged, refused and passed over.
#include "web/byte_range.h"

#include <format>
#include <string>
#include <vector>

#include <doctest/doctest.h>

namespace web {
namespace {

// "whole", "none", or "first+length" of each range.
std::string read(std::string_view value, uint64_t size) {
    const std::vector<char> exact(value.begin(), value.end());
    const RangeVerdict verdict = read_ranges({exact.data(), exact.size()}, size);
    switch (verdict.outcome) {
        case RangeOutcome::whole: return "whole";
        case RangeOutcome::unsatisfiable: return "none";
        case RangeOutcome::partial: break;
    }
    std::string text;
    for (const ByteRange& range : verdict.ranges()) {
        text += std::format("{}{}+{}", text.empty() ? "" : " ", range.first, range.length);
    }
    return text;
}

struct Row {
    std::string_view section;
    std::string_view value;
    uint64_t size;
    std::string_view expected;
};
constexpr Row kRows[] = {
    // One range.
    {"14.1.2", "bytes=0-499", 10000, "0+500"},
    {"14.1.2", "bytes=500-999", 10000, "500+500"},
    {"14.1.2", "bytes=-500", 10000, "9500+500"},
    {"14.1.2", "bytes=9500-", 10000, "9500+500"},
    {"14.1.2", "bytes=0-0", 10000, "0+1"},
    {"14.1.2", "bytes=9999-9999", 10000, "9999+1"},
    {"14.1.2", "bytes=0-", 10, "0+10"},
    {"14.1.2", "bytes=5-100", 10, "5+5"},
    {"14.1.2", "bytes=-100", 10, "0+10"},
    {"14.1.2", "bytes=007-0008", 10, "7+2"},
    {"14.1.2", "bytes=0-99999999999999999999999999", 10, "0+10"},
    {"14.1.2", "bytes=0-18446744073709551615", 10, "0+10"},
    {"14.1.2", "bytes=-18446744073709551616", 10, "0+10"},
    {"14.1", "BYTES=0-1", 10, "0+2"},
    // Unsatisfiable.
    {"15.5.17", "bytes=10-", 10, "none"},
    {"15.5.17", "bytes=10-20", 10, "none"},
    {"15.5.17", "bytes=99999999999999999999999999-", 10, "none"},
    {"15.5.17", "bytes=-0", 10, "none"},
    {"15.5.17", "bytes=10-,20-", 10, "none"},
    {"15.5.17", "bytes=0-", 0, "none"},
    {"15.5.17", "bytes=-0", 0, "none"},
    {"14.1.2", "bytes=-5", 0, "whole"},  // satisfiable, and no Content-Range can say it
    // Several.
    {"14.1.2", "bytes=0-0,-1", 10000, "0+1 9999+1"},
    {"14.1.2", "bytes=500-600,601-999", 10000, "500+500"},
    {"14.1.2", "bytes=500-700,601-999", 10000, "500+500"},
    {"15.3.7.2", "bytes=900-999,0-9", 1000, "900+100 0+10"},
    {"15.3.7.2", "bytes=0-9,20-29,5-24", 1000, "0+30"},
    {"15.3.7.2", "bytes=50-59,0-9,10-49", 1000, "0+60"},
    {"15.3.7.2", "bytes=5-6,100-110,5-6,3-4", 1000, "3+4 100+11"},
    {"14.2", "bytes=0-1,2000-,4-5", 1000, "0+2 4+2"},
    {"5.6.1.2", "bytes=0-1 ,\t4-5", 1000, "0+2 4+2"},
    {"5.6.1.2", "bytes=,0-1,,4-5,", 1000, "0+2 4+2"},
    // More than there is, overlapping or not.
    {"14.2", "bytes=0-,0-", 10, "whole"},
    {"14.2", "bytes=0-9,-5", 10, "whole"},
    {"14.2", "bytes=0-4,5-9", 10, "0+10"},
    {"14.2", "bytes=0-,3-,0-4", INT64_MAX, "whole"},  // their sum is 2^64
    // No grammar: passed over.
    {"14.2", "", 10, "whole"},
    {"14.2", "bytes", 10, "whole"},
    {"14.2", "bytes=", 10, "whole"},
    {"14.2", "bytes=,", 10, "whole"},
    {"14.2", "bytes=-", 10, "whole"},
    {"14.2", "bytes=5", 10, "whole"},
    {"14.2", "bytes=5-4", 10, "whole"},
    {"14.2", "bytes=a-b", 10, "whole"},
    {"14.2", "bytes=0x0-5", 10, "whole"},
    {"14.2", "bytes=+0-5", 10, "whole"},
    {"14.2", "bytes=0 - 5", 10, "whole"},
    {"14.2", "bytes=0--5", 10, "whole"},
    {"14.2", "bytes=--5", 10, "whole"},
    {"14.2", "bytes=0-5-7", 10, "whole"},
    {"14.2", "bytes=0-1;2-3", 10, "whole"},
    {"14.2", "bytes=0-1,x", 10, "whole"},
    {"14.2", "bytes=x,0-1", 10, "whole"},
    {"14.2", "bytes 0-1", 10, "whole"},
    {"14.2", "bytes =0-1", 10, "whole"},
    {"14.2", " bytes=0-1", 10, "whole"},
    {"14.2", "items=0-1", 10, "whole"},
    {"14.2", "bytesx=0-1", 10, "whole"},
};

TEST_CASE("ranges are read as RFC 9110 section 14 says") {
    for (const Row& row : kRows) {
        CAPTURE(row.section);
        CAPTURE(row.value);
        CHECK(read(row.value, row.size) == row.expected);
    }
}

std::string many_ranges(size_t count) {
    std::string value = "bytes=";
    for (size_t i = 0; i < count; ++i) {
        value += std::format("{}{}-{}", i == 0 ? "" : ",", i * 10, i * 10 + 1);
    }
    return value;
}

TEST_CASE("sixteen ranges are sent, of seventeen the whole") {
    CHECK(read_ranges(many_ranges(kRangesMax), 1000).ranges().size() == kRangesMax);
    CHECK(read(many_ranges(kRangesMax + 1), 1000) == "whole");
    // Those that are not there count too.
    CHECK(read(many_ranges(kRangesMax + 1), 2) == "whole");
    CHECK(read(many_ranges(kRangesMax), 2) == "0+2");
}

TEST_CASE("whatever is asked for, the parts are disjoint and inside the file") {
    for (const std::string_view value :
         {"bytes=0-3,2-5,9-9,4-6", "bytes=9-,0-0,8-8,1-1", "bytes=-1,-2,-3", "bytes=3-3,1-1,2-2,0-0"}) {
        CAPTURE(value);
        const RangeVerdict verdict = read_ranges(value, 100);
        uint64_t sum = 0;
        for (const ByteRange& range : verdict.ranges()) {
            CHECK(range.length > 0);
            CHECK(range.first + range.length <= 100);
            sum += range.length;
            for (const ByteRange& other : verdict.ranges()) {
                const bool is_apart =
                    range.first + range.length < other.first || other.first + other.length < range.first;
                CHECK((is_apart || &range == &other));
            }
        }
        CHECK(sum <= 100);
    }
}

TEST_CASE("Content-Range is written as RFC 9110 section 14.4 says") {
    CHECK(format_content_range({.first = 0, .length = 500}, 1234) == "bytes 0-499/1234");
    CHECK(format_unsatisfied_range(1234) == "bytes */1234");
}

}  // namespace
}  // namespace web
