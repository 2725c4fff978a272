// A bound that all cores share: taken and given back from any thread, never exceeded.
#pragma once

#include <atomic>
#include <cstdint>

namespace runtime {

class Quota {
public:
    explicit Quota(uint32_t limit) : limit_(limit) {}

    // False when the limit is reached.
    [[nodiscard]] bool try_take() {
        for (;;) {
            if (used_.fetch_add(1) < limit()) {
                return true;
            }
            if (used_.fetch_sub(1) > limit()) {
                return false;
            }
            // What was given back while this attempt stood in the way, another may have been refused for: it
            // must not be left lying.
        }
    }

    void give_back() { used_.fetch_sub(1); }

    // May go below what is used now; nothing is taken away.
    void set_limit(uint32_t limit) { limit_.store(limit, std::memory_order_relaxed); }

    // Sequentially consistent, as taking and giving back are: of two threads that each change one quota and
    // then look at the other's, one sees the other's change.
    [[nodiscard]] uint32_t used() const { return used_.load(); }

    [[nodiscard]] uint32_t limit() const { return limit_.load(std::memory_order_relaxed); }

private:
    std::atomic<uint32_t> used_{0};
    std::atomic<uint32_t> limit_;
};

}  // namespace runtime
