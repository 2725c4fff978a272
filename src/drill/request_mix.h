// Which request or statement is the next one of a drill. Pure.
#pragma once

#include <cstddef>
#include <cstdint>

namespace drill {

// Of a sequence of which `reads` percent are reads, spread evenly.
struct MixedTurn {
    bool is_read = true;
    uint64_t number = 0;  // of its kind, from 0
};

// `at`: of all, from 0. `reads`: 0 to 100.
[[nodiscard]] constexpr MixedTurn turn_of(uint64_t at, uint32_t reads) {
    uint64_t reads_before = at * reads / 100;
    uint64_t reads_with = (at + 1) * reads / 100;
    bool is_read = reads_with > reads_before;
    return {.is_read = is_read, .number = is_read ? reads_before : at - reads_before};
}

}  // namespace drill
