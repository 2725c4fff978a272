// Counters that one core writes and any thread may read: summed over the cores when they are read, never
// shared for writing.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "core/units.h"

namespace core {

// Written by one thread (its owner core), read by all; a read may miss the newest increments, never tears.
class Counter {
public:
    void add(uint64_t amount = 1) {
        value_.store(value_.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
    }

    [[nodiscard]] uint64_t value() const { return value_.load(std::memory_order_relaxed); }

private:
    std::atomic<uint64_t> value_{0};
};

// A level that goes up and down; same threading as Counter.
class Gauge {
public:
    void add(int64_t amount) {
        value_.store(value_.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
    }

    [[nodiscard]] int64_t value() const { return value_.load(std::memory_order_relaxed); }

private:
    std::atomic<int64_t> value_{0};
};

// A latency histogram with fixed upper bounds, as Prometheus wants them.
class Histogram {
public:
    static constexpr std::array<Duration, 14> kBounds{
        std::chrono::microseconds(250),
        std::chrono::microseconds(500),
        std::chrono::milliseconds(1),
        std::chrono::microseconds(2500),
        std::chrono::milliseconds(5),
        std::chrono::milliseconds(10),
        std::chrono::milliseconds(25),
        std::chrono::milliseconds(50),
        std::chrono::milliseconds(100),
        std::chrono::milliseconds(250),
        std::chrono::milliseconds(500),
        std::chrono::seconds(1),
        std::chrono::milliseconds(2500),
        std::chrono::seconds(10),
    };

    void record(Duration value) {
        size_t bucket = 0;
        while (bucket < kBounds.size() && value > kBounds[bucket]) {
            ++bucket;
        }
        buckets_[bucket].add();
        sum_nanoseconds_.add(static_cast<uint64_t>(value.count()));
    }

    // How many values fell into bucket `index` alone (not cumulated); the last one, kBounds.size(), is above
    // all bounds.
    [[nodiscard]] uint64_t bucket(size_t index) const { return buckets_[index].value(); }

    [[nodiscard]] uint64_t sum_nanoseconds() const { return sum_nanoseconds_.value(); }

private:
    std::array<Counter, kBounds.size() + 1> buckets_;
    Counter sum_nanoseconds_;
};

}  // namespace core
