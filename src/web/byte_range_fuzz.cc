// Any bytes as Range, for files of some sizes: what is to be sent is inside the file, and nothing twice.
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "core/panic.h"
#include "web/byte_range.h"

namespace web {
namespace {

void check(std::string_view value, uint64_t size) {
    const RangeVerdict verdict = read_ranges(value, size);
    ASSERT(
        (verdict.outcome == RangeOutcome::partial) == !verdict.ranges().empty() ||
        verdict.outcome == RangeOutcome::whole
    );
    if (verdict.outcome != RangeOutcome::partial) {
        return;
    }
    ASSERT(verdict.ranges().size() <= kRangesMax);
    for (const ByteRange& range : verdict.ranges()) {
        ASSERT(range.length > 0 && range.length <= size && range.first <= size - range.length);
        for (const ByteRange& other : verdict.ranges()) {
            ASSERT(
                &range == &other || range.first + range.length < other.first ||
                other.first + other.length < range.first
            );
        }
    }
}

}  // namespace
}  // namespace web

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, size_t size) {
    const std::vector<char> exact(data, data + size);
    const std::string_view bytes(exact.data(), exact.size());
    const std::string prefixed = "bytes=" + std::string(bytes);
    for (const uint64_t file :
         {uint64_t{0}, uint64_t{1}, uint64_t{10}, uint64_t{5000}, uint64_t{INT64_MAX}}) {
        web::check(bytes, file);
        web::check(prefixed, file);
    }
    return 0;
}
