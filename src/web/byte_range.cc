#include "web/byte_range.h"

#include <algorithm>
#include <format>
#include <optional>

#include "core/panic.h"
#include "http/text.h"

namespace web {
namespace {

// What one range-spec asks for.
struct Spec {
    bool is_satisfiable = false;
    ByteRange range{};
};

// Digits and nothing else, at least one; what is larger than any file counts as the largest number.
std::optional<uint64_t> read_position(std::string_view text) {
    if (text.empty() || !http::all_of(text, http::kDigitByte)) {
        return std::nullopt;
    }
    text.remove_prefix(std::min(text.find_first_not_of('0'), text.size() - 1));
    uint64_t position = 0;
    return http::parse_decimal(text, position) ? position : uint64_t{INT64_MAX};
}

// "-500": the last bytes. Of nothing they can be asked for, but no Content-Range can say so (section 14.1.2):
// the whole is sent then.
std::optional<Spec> read_suffix(std::string_view digits, uint64_t size) {
    const std::optional<uint64_t> wanted = read_position(digits);
    if (!wanted || (size == 0 && *wanted > 0)) {
        return std::nullopt;
    }
    const uint64_t length = std::min(*wanted, size);
    return Spec{.is_satisfiable = length > 0, .range = {.first = size - length, .length = length}};
}

// "0-499", "500-", "-500"; none: it is not a range.
std::optional<Spec> read_spec(std::string_view text, uint64_t size) {
    const size_t dash = text.find('-');
    if (dash == std::string_view::npos) {
        return std::nullopt;
    }
    if (dash == 0) {
        return read_suffix(text.substr(1), size);
    }
    const std::optional<uint64_t> first = read_position(text.substr(0, dash));
    std::optional<uint64_t> last = INT64_MAX;
    if (dash + 1 < text.size()) {
        last = read_position(text.substr(dash + 1));
    }
    if (!first || !last || *last < *first) {
        return std::nullopt;
    }
    if (*first >= size) {
        return Spec{};
    }
    return Spec{
        .is_satisfiable = true,
        .range = {.first = *first, .length = std::min(*last, size - 1) - *first + 1}
    };
}

bool is_touching(const ByteRange& a, const ByteRange& b) {
    return a.first <= b.first + b.length && b.first <= a.first + a.length;
}

ByteRange join(const ByteRange& a, const ByteRange& b) {
    const uint64_t first = std::min(a.first, b.first);
    return {.first = first, .length = std::max(a.first + a.length, b.first + b.length) - first};
}

}  // namespace

void RangeVerdict::add(ByteRange range) {
    ASSERT(size_ < ranges_.size());
    ByteRange* const begin = ranges_.data();
    size_t place = size_;
    for (size_t i = 0; i < size_;) {
        if (!is_touching(ranges_[i], range)) {
            ++i;
            continue;
        }
        range = join(ranges_[i], range);
        place = std::min(place, i);
        std::shift_left(begin + i, begin + size_, 1);
        --size_;
        i = 0;  // the joined range may touch those before
    }
    place = std::min(place, size_);
    std::shift_right(begin + place, begin + size_ + 1, 1);
    ranges_[place] = range;
    ++size_;
}

RangeVerdict read_ranges(std::string_view value, uint64_t size) {
    constexpr std::string_view kUnit = "bytes=";
    RangeVerdict verdict;
    if (!http::equals_ignoring_case(value.substr(0, kUnit.size()), kUnit)) {
        return {};
    }
    std::string_view list = value.substr(kUnit.size());
    size_t count = 0;
    uint64_t sum = 0;
    while (!list.empty()) {
        const std::string_view element = http::take_list_element(list);
        if (element.empty()) {
            continue;
        }
        const std::optional<Spec> spec = read_spec(element, size);
        if (!spec || ++count > kRangesMax) {
            return {};
        }
        if (spec->is_satisfiable) {
            verdict.add(spec->range);
            sum += spec->range.length;
        }
        if (sum > size) {  // looked at each time, so that the sum cannot overflow
            return {};
        }
    }
    if (count == 0) {
        return {};
    }
    verdict.outcome = sum > 0 ? RangeOutcome::partial : RangeOutcome::unsatisfiable;
    return verdict;
}

std::string format_content_range(const ByteRange& range, uint64_t size) {
    return std::format("bytes {}-{}/{}", range.first, range.first + range.length - 1, size);
}

std::string format_unsatisfied_range(uint64_t size) { return std::format("bytes */{}", size); }

}  // namespace web
