// The program's own log on standard error, which must never hold anybody up: whoever reads it (a pager, a
// journal) may have stopped reading.
#pragma once

#include <atomic>
#include <cstdint>
#include <string_view>

namespace node {

// Of any thread.
class StandardError {
public:
    // Writes `line` if it can be taken now; otherwise drops it, and says how many were dropped before the
    // next one that is taken.
    void write(std::string_view line);

    // Lines that were dropped, ever.
    [[nodiscard]] uint64_t lines_lost() const { return lost_.load(std::memory_order_relaxed); }

private:
    std::atomic<uint64_t> dropped_{0};  // and not told yet
    std::atomic<uint64_t> lost_{0};
};

}  // namespace node
