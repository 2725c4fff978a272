// The timer wheel against the simplest model there is: a sorted multimap of instants.
#include "runtime/timer_wheel.h"

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include <doctest/doctest.h>

#include "core/random.h"

namespace runtime {
namespace {

using namespace std::chrono_literals;
using core::Duration;
using core::Instant;

constexpr Duration kTick = 1ms;
constexpr Instant kStart{1234567890123ns};

class TestTimer final : public Timer {
public:
    explicit TestTimer(std::function<void()> call) : call_(std::move(call)) {}

private:
    void fire() override { call_(); }

    std::function<void()> call_;
};

// A wheel and its model, driven side by side.
class Driven {
public:
    Driven(uint64_t seed, size_t timers, Instant begin = kStart)
        : random_(seed), now_(begin), before_(begin) {
        wheel_.advance(begin);
        for (size_t number = 0; number < timers; ++number) {
            timers_.push_back(std::make_unique<TestTimer>([this, number] { on_fire(number); }));
            due_.push_back(Instant::never());
            added_at_.push_back(kStart);
        }
    }

    ~Driven() {
        for (auto& timer : timers_) {
            wheel_.remove(*timer);
        }
    }

    void step() {
        uint64_t choice = random_.below(10);
        size_t number = random_.below(timers_.size());
        if (choice < 5) {
            remove(number);
            add(number, now_ + draw_duration());
        } else if (choice < 7) {
            remove(number);
        } else {
            advance(now_ + draw_step());
        }
        check_next_due();
    }

    void add(size_t number, Instant when) {
        wheel_.add(*timers_[number], when);
        due_[number] = when;
        added_at_[number] = now_;
        pending_.emplace(when, number);
    }

    void remove(size_t number) {
        CHECK(timers_[number]->is_pending() == !due_[number].is_never());
        wheel_.remove(*timers_[number]);
        CHECK_FALSE(timers_[number]->is_pending());
        forget(number);
    }

    void advance(Instant now) {
        before_ = now_;
        now_ = now;
        wheel_.advance(now);
        // Whatever is a tick or more overdue has fired by now.
        for (auto [when, number] : pending_) {
            if (when + kTick > now) {
                break;
            }
            bool is_added_just_now = added_at_[number] + kTick > now;
            CHECK(is_added_just_now);
        }
    }

    void check_next_due() const {
        Instant due = wheel_.next_due();
        REQUIRE(due.is_never() == pending_.empty());
        if (!pending_.empty()) {
            CHECK(due <= std::max(pending_.begin()->first, now_) + kTick);
        }
    }

    [[nodiscard]] size_t fired() const { return fired_; }

private:
    void on_fire(size_t number) {
        CHECK_FALSE(timers_[number]->is_pending());
        REQUIRE_FALSE(due_[number].is_never());
        CHECK(due_[number] <= now_);
        ++fired_;
        forget(number);
        // A quarter of the firings changes the wheel from within.
        size_t other = random_.below(timers_.size());
        switch (random_.below(12)) {
            case 0: add(number, now_ + draw_duration()); break;
            case 1: remove(other); break;
            case 2:
                remove(other);
                add(other,
                    Instant{before_.since_start + Duration(static_cast<int64_t>(random_.below(5000000)))});
                break;
            default: break;
        }
    }

    void forget(size_t number) {
        auto [first, last] = pending_.equal_range(due_[number]);
        for (auto at = first; at != last; ++at) {
            if (at->second == number) {
                pending_.erase(at);
                break;
            }
        }
        due_[number] = Instant::never();
    }

    // From nothing to a year, each magnitude equally likely.
    Duration draw_duration() {
        uint64_t bits = random_.below(55);
        return std::min(
            Duration(static_cast<int64_t>(random_.next() & ((1ULL << bits) - 1))),
            Duration(8760h)
        );
    }

    // From nothing to some minutes, now and then hours.
    Duration draw_step() {
        uint64_t bits = random_.below(200) == 0 ? 44 : random_.below(38);
        return Duration(static_cast<int64_t>(random_.next() & ((1ULL << bits) - 1)));
    }

    core::Random random_;
    TimerWheel wheel_{kStart};
    std::vector<std::unique_ptr<TestTimer>> timers_;
    std::vector<Instant> due_;  // never() when not pending
    std::vector<Instant> added_at_;
    std::multimap<Instant, size_t> pending_;
    Instant now_;
    Instant before_;
    size_t fired_ = 0;
};

TEST_CASE("no timer fires early, none more than a tick late, whatever is added, removed and advanced") {
    for (uint64_t seed = 1; seed <= 20; ++seed) {
        CAPTURE(seed);
        Driven driven(seed, seed % 2 == 0 ? 8 : 300);
        for (int step = 0; step < 3000; ++step) {
            driven.step();
        }
        CHECK(driven.fired() > 100);
    }
}

constexpr Duration kRound = kTick * (int64_t{1} << 36);

TEST_CASE("the same holds where the wheel's clock begins its next round") {
    for (uint64_t seed = 1; seed <= 20; ++seed) {
        CAPTURE(seed);
        auto round = static_cast<int64_t>(seed % 3 + 1);
        auto seconds = static_cast<int64_t>(seed % 4);
        Driven driven(seed, seed % 2 == 0 ? 8 : 300, kStart + (kRound * round - 10s * seconds));
        for (int step = 0; step < 300; ++step) {
            driven.step();
        }
        CHECK(driven.fired() > 10);
    }
}

TEST_CASE("a timer rounds ahead fires in its tick, and whoever sleeps until next_due wakes a few times") {
    for (Duration ahead : {Duration(1ms), Duration(1s), kRound - 1ms, kRound, kRound * 3 + 5s}) {
        CAPTURE(ahead.count());
        TimerWheel wheel(kStart);
        Instant now = kStart + (kRound - 1ms);
        wheel.advance(now);
        Instant fired_at = Instant::never();
        TestTimer timer([&] { fired_at = now; });
        TestTimer removed([] {});
        Instant when = now + ahead;
        wheel.add(timer, when);
        wheel.add(removed, when);
        wheel.remove(removed);
        int wakes = 0;
        while (timer.is_pending() && wakes < 12) {
            now = wheel.next_due();
            wheel.advance(now);
            ++wakes;
        }
        CHECK(fired_at >= when);
        CHECK(fired_at < when + kTick);
        CHECK(wakes < 12);
        CHECK(wheel.next_due().is_never());
        wheel.remove(timer);
    }
}

TEST_CASE("a sleeper that wakes only at next_due fires every timer in its tick, after few wake-ups") {
    for (int64_t nanoseconds = 1; nanoseconds < Duration(720h).count(); nanoseconds = nanoseconds * 3 + 7) {
        for (Duration head_start : {Duration(0), Duration(41ms), Duration(64ms - 1ns), Duration(4095ms)}) {
            CAPTURE(nanoseconds);
            TimerWheel wheel(kStart);
            Instant now = kStart + head_start;
            wheel.advance(now);
            Instant fired_at = Instant::never();
            TestTimer timer([&] { fired_at = now; });
            Instant when = now + Duration(nanoseconds);
            wheel.add(timer, when);
            int wakes = 0;
            while (timer.is_pending() && wakes < 10) {
                Instant next = wheel.next_due();
                REQUIRE(next > now);  // or the sleeper would spin
                now = next;
                wheel.advance(now);
                ++wakes;
            }
            CHECK(fired_at >= when);
            CHECK(fired_at < when + kTick);
            CHECK(wakes <= 6);
            wheel.remove(timer);
        }
    }
}

TEST_CASE("next_due is exact to the tick within a row of 64 ticks") {
    for (int64_t ticks = 1; ticks < 64; ++ticks) {
        TimerWheel wheel(kStart);
        TestTimer timer([] {});
        TestTimer later([] {});
        wheel.add(timer, kStart + (kTick * ticks - 1ns));
        wheel.add(later, kStart + 1h);
        CHECK(wheel.next_due() == kStart + kTick * ticks);
        wheel.remove(timer);
        wheel.remove(later);
        CHECK(wheel.next_due().is_never());
    }
}

TEST_CASE("next_due is exact for a few timers farther away, and a lower bound for many") {
    TimerWheel wheel(kStart);
    std::deque<TestTimer> timers;
    for (int at = 0; at < 4; ++at) {
        wheel.add(timers.emplace_back([] {}), kStart + kTick * (1000 - at));
    }
    CHECK(wheel.next_due() == kStart + kTick * 997);
    wheel.add(timers.emplace_back([] {}), kStart + kTick * 999);
    CHECK(wheel.next_due() <= kStart + kTick * 997);
    for (TestTimer& timer : timers) {
        wheel.remove(timer);
    }
}

TEST_CASE("timers of one moment fire in one advance and may remove one another") {
    TimerWheel wheel(kStart);
    int fired = 0;
    std::vector<std::unique_ptr<TestTimer>> timers;
    for (size_t number = 0; number < 100; ++number) {
        timers.push_back(std::make_unique<TestTimer>([&, number] {
            ++fired;
            wheel.remove(*timers[number ^ 1]);
        }));
        wheel.add(*timers.back(), kStart + 5s);
    }
    wheel.advance(kStart + (5s - 1ns));
    CHECK(fired == 0);
    wheel.advance(kStart + 5s);
    CHECK(fired == 50);
    CHECK(wheel.next_due().is_never());
}

TEST_CASE("an instant that has passed fires at the next tick and never within the advance that added it") {
    TimerWheel wheel(kStart);
    int rounds = 0;
    TestTimer* self = nullptr;
    TestTimer timer([&] {
        ++rounds;
        wheel.add(*self, Instant{0s});
    });
    self = &timer;
    wheel.add(timer, Instant{0s});
    wheel.advance(kStart);
    CHECK(rounds == 0);
    for (int tick = 1; tick <= 200; ++tick) {
        wheel.advance(kStart + kTick * tick);
        CHECK(rounds == tick);
    }
    wheel.remove(timer);
}

TEST_CASE("time that stands still or goes back fires nothing") {
    TimerWheel wheel(kStart);
    int fired = 0;
    TestTimer timer([&] { ++fired; });
    wheel.advance(kStart + 10s);
    wheel.add(timer, kStart + 10s + 1ms);
    wheel.advance(kStart + 10s);
    wheel.advance(kStart + 3s);
    wheel.advance(Instant{0s});
    CHECK(fired == 0);
    wheel.advance(kStart + 10s + 1ms);
    CHECK(fired == 1);
}

}  // namespace
}  // namespace runtime
