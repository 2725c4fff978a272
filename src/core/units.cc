#include "core/units.h"

#include <array>
#include <charconv>
#include <ctime>
#include <span>
#include <utility>

namespace core {

namespace {

struct Unit {
    std::string_view name;
    uint64_t scale;
};

constexpr std::array<Unit, 7> kDurationUnits{{
    {"d", 86'400'000'000'000},
    {"h", 3'600'000'000'000},
    {"m", 60'000'000'000},
    {"s", 1'000'000'000},
    {"ms", 1'000'000},
    {"us", 1'000},
    {"ns", 1},
}};
constexpr std::array<Unit, 7> kByteUnits{{
    {"GiB", 1ULL << 30},
    {"MiB", 1ULL << 20},
    {"KiB", 1ULL << 10},
    {"B", 1},
    {"GB", 1'000'000'000},
    {"MB", 1'000'000},
    {"KB", 1'000},
}};
constexpr size_t kBinaryByteUnits = 4;  // the units that format_byte_count may choose

// Reads NUMBER UNIT, the number decimal with an optional fraction, into an exact count of the smallest unit.
Result<uint64_t> parse_quantity(
    std::string_view text,
    std::span<const Unit> units,
    std::string_view expected
) {
    auto refuse = [&] {
        return fail(ErrorKind::invalid, "\"" + std::string(text) + "\" is not " + std::string(expected));
    };
    const char* end = text.data() + text.size();
    uint64_t whole = 0;
    auto number = std::from_chars(text.data(), end, whole);
    if (number.ec != std::errc{}) {
        return refuse();
    }
    uint64_t fraction = 0;
    uint64_t fraction_scale = 1;
    const char* cursor = number.ptr;
    if (cursor != end && *cursor == '.') {
        ++cursor;
        const char* first = cursor;
        for (; cursor != end && *cursor >= '0' && *cursor <= '9' && cursor - first < 9; ++cursor) {
            fraction = fraction * 10 + static_cast<uint64_t>(*cursor - '0');
            fraction_scale *= 10;
        }
        if (cursor == first) {
            return refuse();
        }
    }
    std::string_view name(cursor, static_cast<size_t>(end - cursor));
    for (const Unit& unit : units) {
        if (unit.name != name) {
            continue;
        }
        if (whole > static_cast<uint64_t>(INT64_MAX) / unit.scale - 1) {
            return refuse();
        }
        return whole * unit.scale +
               static_cast<uint64_t>(static_cast<unsigned __int128>(fraction) * unit.scale / fraction_scale);
    }
    return refuse();
}

std::string format_quantity(uint64_t value, std::span<const Unit> units) {
    for (const Unit& unit : units) {
        if (value % unit.scale == 0) {
            return std::to_string(value / unit.scale) + std::string(unit.name);
        }
    }
    std::unreachable();
}

}  // namespace

Result<Duration> parse_duration(std::string_view text) {
    auto quantity =
        parse_quantity(text, kDurationUnits, "a duration: a number and a unit, such as \"2s\" or \"250ms\"");
    return std::move(quantity).transform([](uint64_t value) { return Duration(static_cast<int64_t>(value)); }
    );
}

std::string format_duration(Duration duration) {
    if (duration == Duration::zero()) {
        return "0s";
    }
    // Days and hours are exact only for round values, so "90s" stays seconds and "1500ms" milliseconds.
    return format_quantity(static_cast<uint64_t>(duration.count()), kDurationUnits);
}

Result<uint64_t> parse_byte_count(std::string_view text) {
    if (text == "0") {
        return 0;
    }
    return parse_quantity(text, kByteUnits, "a size: a number and a unit, such as \"16KiB\" or \"4MiB\"");
}

std::string format_byte_count(uint64_t bytes) {
    if (bytes == 0) {
        return "0";
    }
    return format_quantity(bytes, std::span(kByteUnits).first(kBinaryByteUnits));
}

void write_rfc3339(WallTime time, char* target) {
    auto milliseconds = std::chrono::floor<std::chrono::milliseconds>(time.since_epoch).count();
    time_t seconds = milliseconds / 1000;
    tm parts{};
    gmtime_r(&seconds, &parts);
    auto put = [&](int value, int digits) {
        for (int at = digits - 1; at >= 0; --at) {
            target[at] = static_cast<char>('0' + value % 10);
            value /= 10;
        }
        target += digits;
    };
    put(parts.tm_year + 1900, 4);
    *target++ = '-';
    put(parts.tm_mon + 1, 2);
    *target++ = '-';
    put(parts.tm_mday, 2);
    *target++ = 'T';
    put(parts.tm_hour, 2);
    *target++ = ':';
    put(parts.tm_min, 2);
    *target++ = ':';
    put(parts.tm_sec, 2);
    *target++ = '.';
    put(static_cast<int>(milliseconds % 1000), 3);
    *target = 'Z';
}

}  // namespace core
