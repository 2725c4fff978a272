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
        if (used_.fetch_add(1, std::memory_order_relaxed) < limit_.load(std::memory_order_relaxed)) {
            return true;
        }
        used_.fetch_sub(1, std::memory_order_relaxed);
        return false;
    }

    void give_back() { used_.fetch_sub(1, std::memory_order_relaxed); }

    // May go below what is used now; nothing is taken away.
    void set_limit(uint32_t limit) { limit_.store(limit, std::memory_order_relaxed); }

    [[nodiscard]] uint32_t used() const { return used_.load(std::memory_order_relaxed); }

    [[nodiscard]] uint32_t limit() const { return limit_.load(std::memory_order_relaxed); }

private:
    std::atomic<uint32_t> used_{0};
    std::atomic<uint32_t> limit_;
};

}  // namespace runtime
