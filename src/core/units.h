// Quantities with their unit: durations, instants, byte counts, and how they are written in configuration
// ("2s", "16KiB").
#pragma once

#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/result.h"

namespace core {

using Duration = std::chrono::nanoseconds;

// A point of a monotonic clock. There is no now() here: time comes from the runtime's reactor, so that it can
// be virtual.
struct Instant {
    Duration since_start{0};

    [[nodiscard]] static constexpr Instant never() { return {Duration::max()}; }

    [[nodiscard]] constexpr bool is_never() const { return since_start == Duration::max(); }

    friend constexpr auto operator<=>(const Instant&, const Instant&) = default;

    friend constexpr Duration operator-(Instant a, Instant b) { return a.since_start - b.since_start; }

    // Saturates at never().
    friend constexpr Instant operator+(Instant a, Duration d) {
        return d >= Duration::max() - a.since_start ? never() : Instant{a.since_start + d};
    }
};

// A point of civil time: since the Unix epoch, UTC.
struct WallTime {
    Duration since_epoch{0};
};

// Reads "250ms", "2s", "1.5s", "5m", "1h", "7d", "100us" (a number, no space, a unit). Refuses a missing
// unit, a negative or overflowing value.
[[nodiscard]] Result<Duration> parse_duration(std::string_view text);

// The shortest exact spelling: "2s", "1500ms".
[[nodiscard]] std::string format_duration(Duration duration);

// Reads "0", "512B", "16KiB", "4MiB", "1GiB", also "16KB", "4MB", "1GB" as powers of 1000. Refuses any other
// form and overflow.
[[nodiscard]] Result<uint64_t> parse_byte_count(std::string_view text);

// The shortest exact spelling in binary units: "16KiB", "100B".
[[nodiscard]] std::string format_byte_count(uint64_t bytes);

// RFC 3339 in UTC with milliseconds: "2026-11-21T04:08:34.123Z". Writes 24 characters to `target`.
void write_rfc3339(WallTime time, char* target);

}  // namespace core
