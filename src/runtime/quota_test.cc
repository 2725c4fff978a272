// A quota is never exceeded, from however many threads it is taken.
#include "runtime/quota.h"

#include <atomic>

#include <doctest/doctest.h>

#include "runtime/cores.h"

namespace runtime {
namespace {

TEST_CASE("a quota gives as many places as its limit says") {
    Quota quota(2);
    CHECK(quota.limit() == 2);
    CHECK(quota.try_take());
    CHECK(quota.try_take());
    CHECK_FALSE(quota.try_take());
    CHECK(quota.used() == 2);
    quota.give_back();
    CHECK(quota.used() == 1);
    CHECK(quota.try_take());
    CHECK_FALSE(quota.try_take());
    Quota none(0);
    CHECK_FALSE(none.try_take());
    CHECK(none.used() == 0);
}

TEST_CASE("a lower limit takes nothing away and a higher one holds at once") {
    Quota quota(3);
    CHECK(quota.try_take());
    CHECK(quota.try_take());
    quota.set_limit(1);
    CHECK(quota.used() == 2);
    CHECK_FALSE(quota.try_take());
    quota.give_back();
    CHECK_FALSE(quota.try_take());
    quota.give_back();
    CHECK(quota.try_take());
    quota.set_limit(2);
    CHECK(quota.try_take());
    CHECK_FALSE(quota.try_take());
}

TEST_CASE("several threads together never hold more than the limit and lose nothing") {
    constexpr uint32_t kLimit = 3;
    Quota quota(kLimit);
    std::atomic<uint32_t> held = 0;
    std::atomic<uint32_t> most = 0;
    std::atomic<uint64_t> taken = 0;
    {
        Cores takers("test", 4, [&](size_t) {
            for (int round = 0; round < 50000; ++round) {
                if (!quota.try_take()) {
                    continue;
                }
                uint32_t now = held.fetch_add(1) + 1;
                uint32_t before = most.load();
                while (now > before && !most.compare_exchange_weak(before, now)) {
                }
                ++taken;
                held.fetch_sub(1);
                quota.give_back();
            }
        });
    }
    CHECK(most >= 1);
    CHECK(most <= kLimit);
    CHECK(taken > 1000);
    CHECK(quota.used() == 0);
}

}  // namespace
}  // namespace runtime
