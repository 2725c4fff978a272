// Range requests (RFC 9110 section 14): which bytes of a representation are asked for, and how many of them
// one response carries.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace web {

// More ranges than this and the whole is sent: sixteen parts are more than any reader of documents asks for,
// and the heads of parts cannot make a response much larger than its file.
inline constexpr size_t kRangesMax = 16;

struct ByteRange {
    uint64_t first = 0;
    uint64_t length = 0;  // at least 1

    friend bool operator==(const ByteRange&, const ByteRange&) = default;
};

enum class RangeOutcome : uint8_t {
    whole,          // 200: no such field as we know, or too much asked for
    partial,        // 206
    unsatisfiable,  // 416
};

class RangeVerdict {
public:
    RangeOutcome outcome = RangeOutcome::whole;

    // partial: at least one, in the order asked for, without bytes in common.
    [[nodiscard]] std::span<const ByteRange> ranges() const { return std::span(ranges_).first(size_); }

    // Merges what overlaps or touches into the place of the first (section 15.3.7.2). ranges() has room.
    void add(ByteRange range);

private:
    std::array<ByteRange, kRangesMax> ranges_{};
    size_t size_ = 0;
};

// The value of a Range field for a representation of `size` bytes. Another unit than bytes, what does not
// follow the grammar, more than kRangesMax ranges, and ranges that sum up to more than the whole (overlapping
// ones, which only an attacker asks for) give the whole.
[[nodiscard]] RangeVerdict read_ranges(std::string_view value, uint64_t size);

// "bytes 0-499/1234"
[[nodiscard]] std::string format_content_range(const ByteRange& range, uint64_t size);

// "bytes */1234"
[[nodiscard]] std::string format_unsatisfied_range(uint64_t size);

}  // namespace web
