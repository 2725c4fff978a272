// Counts by key: each key has its own bound, also when many threads count at once.
#include "runtime/keyed_count.h"

#include <atomic>

#include <doctest/doctest.h>

#include "runtime/cores.h"

namespace runtime {
namespace {

KeyedCount::Key key_of(uint32_t number) {
    KeyedCount::Key key{};
    for (size_t at = 0; at < 4; ++at) {
        key[at] = static_cast<uint8_t>(number >> (8 * at));
    }
    return key;
}

TEST_CASE("each key is counted up to the limit, whatever the others have") {
    KeyedCount count;
    for (uint32_t number = 0; number < 1000; ++number) {
        for (int time = 0; time < 3; ++time) {
            CHECK(count.try_add(key_of(number), 3));
        }
    }
    for (uint32_t number = 0; number < 1000; ++number) {
        CHECK_FALSE(count.try_add(key_of(number), 3));
        count.remove(key_of(number));
        CHECK(count.try_add(key_of(number), 3));
        CHECK_FALSE(count.try_add(key_of(number), 3));
        CHECK(count.try_add(key_of(number), 4));  // the limit is the caller's
    }
}

TEST_CASE("keys that differ in their last byte alone are two keys") {
    KeyedCount count;
    KeyedCount::Key one{};
    KeyedCount::Key two{};
    two[15] = 1;
    CHECK(count.try_add(one, 1));
    CHECK(count.try_add(two, 1));
    CHECK_FALSE(count.try_add(one, 1));
    count.remove(two);
    CHECK_FALSE(count.try_add(one, 1));
    CHECK(count.try_add(two, 1));
}

TEST_CASE("many threads on a few keys never pass the limit and leave nothing behind") {
    constexpr uint32_t kLimit = 2;
    KeyedCount count;
    std::array<std::atomic<uint32_t>, 4> held{};
    std::atomic<bool> is_exceeded = false;
    {
        Cores threads("test", 4, [&](size_t thread) {
            for (uint32_t round = 0; round < 20000; ++round) {
                uint32_t number = (round + static_cast<uint32_t>(thread)) % held.size();
                if (count.try_add(key_of(number), kLimit)) {
                    if (held[number].fetch_add(1) >= kLimit) {
                        is_exceeded = true;
                    }
                    held[number].fetch_sub(1);
                    count.remove(key_of(number));
                }
            }
        });
    }
    CHECK_FALSE(is_exceeded);
    for (uint32_t number = 0; number < held.size(); ++number) {
        CHECK(count.try_add(key_of(number), 1));  // nothing is left of the threads' counts
    }
}

}  // namespace
}  // namespace runtime
