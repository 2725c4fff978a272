// Durations and sizes as people write them: what is read, what is refused, and that format and parse agree.
#include "core/units.h"

#include <string>
#include <string_view>

#include <doctest/doctest.h>

#include "core/random.h"

namespace core {
namespace {

using namespace std::chrono_literals;
using namespace std::string_view_literals;

struct DurationCase {
    std::string_view text;
    Duration value;
};

constexpr DurationCase kDurations[] = {
    {"0s", 0s},
    {"0ms", 0s},
    {"1ns", 1ns},
    {"100us", 100us},
    {"250ms", 250ms},
    {"2s", 2s},
    {"007s", 7s},
    {"1.5s", 1500ms},
    {"0.5ms", 500us},
    {"0.000000001s", 1ns},
    {"1.999999999s", 1999999999ns},
    {"5m", 5min},
    {"1.5h", 90min},
    {"7d", 168h},
    {"0.25d", 6h},
    {"100000d", 2400000h},
};

constexpr std::string_view kNoDurations[] = {
    "",
    "2",
    "s",
    ".5s",
    "1.s",
    "1.5.5s",
    "-1s",
    "+1s",
    " 2s",
    "2s ",
    "2 s",
    "2S",
    "2sec",
    "1e3s",
    "0x1s",
    "1,5s",
    "2ss",
    "1m30s",
    "infinity",
    "2s\0"sv,
    "1.0000000001s",  // a tenth of a nanosecond: no such thing
    "106752d",        // 2^63 ns are 106751.99 days
    "9223372037s",
    "9223372036854775808ns",
    "99999999999999999999s",
    "18446744073709551617ns",  // 1 after wrapping around at 2^64
    "213503982335d",           // the product wraps to a small number
};

struct ByteCase {
    std::string_view text;
    uint64_t value;
};

constexpr ByteCase kByteCounts[] = {
    {"0", 0},
    {"0B", 0},
    {"512B", 512},
    {"16KiB", 16384},
    {"4MiB", 4194304},
    {"1GiB", 1073741824},
    {"16KB", 16000},
    {"4MB", 4000000},
    {"1GB", 1000000000},
    {"1.5KiB", 1536},
    {"0.5MB", 500000},
    {"1048576GiB", 1ULL << 50},
};

constexpr std::string_view kNoByteCounts[] = {
    "",
    "16",
    "KiB",
    "16K",
    "16k",
    "16kb",
    "16kib",
    "16KIB",
    "16 KiB",
    "-1B",
    "+1B",
    " 1B",
    "1B ",
    "1TiB",
    "00",
    "1..5KiB",
    "8589934592GiB",   // 2^63
    "17179869184GiB",  // 2^64
    "18446744073709551617B",
};

TEST_CASE("every written form of a duration is read exactly") {
    for (const DurationCase& row : kDurations) {
        CAPTURE(row.text);
        Result<Duration> read = parse_duration(row.text);
        REQUIRE(read);
        CHECK(read->count() == row.value.count());
    }
}

TEST_CASE("what is no duration is refused and named") {
    for (std::string_view text : kNoDurations) {
        CAPTURE(text);
        Result<Duration> read = parse_duration(text);
        REQUIRE_FALSE(read);
        CHECK(read.error().kind() == ErrorKind::invalid);
        CHECK(read.error().context().find("\"" + std::string(text) + "\"") != std::string::npos);
    }
}

TEST_CASE("a duration is formatted in its largest exact unit") {
    CHECK(format_duration(0s) == "0s");
    CHECK(format_duration(2s) == "2s");
    CHECK(format_duration(1500ms) == "1500ms");
    CHECK(format_duration(90s) == "90s");
    CHECK(format_duration(120s) == "2m");
    CHECK(format_duration(24h) == "1d");
    CHECK(format_duration(25h) == "25h");
    CHECK(format_duration(1000001us) == "1000001us");
    CHECK(format_duration(1ns) == "1ns");
}

TEST_CASE("every byte count is read exactly") {
    for (const ByteCase& row : kByteCounts) {
        CAPTURE(row.text);
        Result<uint64_t> read = parse_byte_count(row.text);
        REQUIRE(read);
        CHECK(*read == row.value);
    }
}

TEST_CASE("what is no byte count is refused") {
    for (std::string_view text : kNoByteCounts) {
        CAPTURE(text);
        Result<uint64_t> read = parse_byte_count(text);
        REQUIRE_FALSE(read);
        CHECK(read.error().kind() == ErrorKind::invalid);
    }
}

TEST_CASE("a byte count is formatted in its largest exact binary unit") {
    CHECK(format_byte_count(0) == "0");
    CHECK(format_byte_count(100) == "100B");
    CHECK(format_byte_count(1000) == "1000B");
    CHECK(format_byte_count(1024) == "1KiB");
    CHECK(format_byte_count(16 << 10) == "16KiB");
    CHECK(format_byte_count(4 << 20) == "4MiB");
    CHECK(format_byte_count((4 << 20) + 1) == "4194305B");
    CHECK(format_byte_count(1ULL << 40) == "1024GiB");
}

TEST_CASE("what is formatted reads back as the same quantity") {
    Random random(1);
    for (int round = 0; round < 20000; ++round) {
        uint64_t scale = 1;
        for (uint64_t step = random.below(5); step > 0; --step) {
            scale *= 1000;
        }
        uint64_t value = random.next() % 1000000 * scale;
        CAPTURE(value);
        Result<Duration> duration = parse_duration(format_duration(Duration(static_cast<int64_t>(value))));
        REQUIRE(duration);
        CHECK(duration->count() == static_cast<int64_t>(value));
        Result<uint64_t> bytes = parse_byte_count(format_byte_count(value));
        REQUIRE(bytes);
        CHECK(*bytes == value);
    }
}

TEST_CASE("civil time is written as RFC 3339 in UTC with milliseconds") {
    struct Case {
        Duration since_epoch;
        std::string_view text;
    };
    constexpr Case kCases[] = {
        {0s, "1970-01-01T00:00:00.000Z"},
        {1ms - 1ns, "1970-01-01T00:00:00.000Z"},
        {951782399999ms, "2000-02-28T23:59:59.999Z"},
        {951782400000ms, "2000-02-29T00:00:00.000Z"},
        {1795234114123ms, "2026-11-21T04:08:34.123Z"},
        {4107542399s + 7ms, "2100-02-28T23:59:59.007Z"},
        {4107542400s, "2100-03-01T00:00:00.000Z"},
    };
    for (const Case& row : kCases) {
        char text[25];
        text[24] = '|';
        write_rfc3339({row.since_epoch}, text);
        CHECK(std::string_view(text, 25) == std::string(row.text) + "|");
    }
}

TEST_CASE("an instant beyond the end of time is never") {
    constexpr Instant kLate{Duration::max() - 5s};
    CHECK((kLate + 4s) == Instant{Duration::max() - 1s});
    CHECK((kLate + 5s).is_never());
    CHECK((kLate + 1h).is_never());
    CHECK((Instant::never() + 1ns).is_never());
    CHECK((Instant{3s} + Duration::max()).is_never());
    CHECK((Instant{3s} - Instant{1s}) == 2s);
    CHECK(Instant{3s} < Instant::never());
}

}  // namespace
}  // namespace core
