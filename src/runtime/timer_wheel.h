// Timers in a hierarchical wheel: adding and removing cost a few pointer writes, whatever their number.
// Resolution 1 ms; a timer never fires early and fires at most one tick late. Source: Varghese and Lauck,
// "Hashed and Hierarchical Timing Wheels" (1987), scheme 7.
#pragma once

#include <array>
#include <cstdint>

#include "core/units.h"

namespace runtime {

// A link of a circular list; the wheel's slots are list heads.
struct TimerLink {
    TimerLink* previous = nullptr;
    TimerLink* next = nullptr;
};

// Something to be done at an instant. Lives in its owner's memory; must be removed or have fired before that
// ends.
class Timer : public TimerLink {
public:
    [[nodiscard]] bool is_pending() const { return next != nullptr; }

protected:
    ~Timer() = default;

private:
    friend class TimerWheel;
    virtual void fire() = 0;

    uint64_t tick_ = 0;
};

class TimerWheel {
public:
    explicit TimerWheel(core::Instant start);
    ~TimerWheel();
    TimerWheel(const TimerWheel&) = delete;
    TimerWheel& operator=(const TimerWheel&) = delete;

    // `timer` must not be pending. An instant that has passed fires at the next advance; never() is not
    // accepted.
    void add(Timer& timer, core::Instant when);
    // Does nothing when it is not pending.
    void remove(Timer& timer);
    // Fires all timers due at `now`. A fired timer is not pending; firing may add and remove timers.
    void advance(core::Instant now);
    // No timer fires before this instant; never() when there is none. Exact to the tick for timers of the
    // next 64 ms and where few share the slot of the first one; else a lower bound.
    [[nodiscard]] core::Instant next_due() const;

private:
    static constexpr unsigned kSlotBits = 6;
    static constexpr unsigned kSlots = 1U << kSlotBits;
    static constexpr unsigned kLevels = 6;  // a round has 64^6 ms: two years

    // Where the next timers are.
    struct Ahead {
        unsigned level = 0;  // kLevels: beyond this round, or nowhere
        unsigned slot = 0;
        uint64_t tick = 0;  // the slot's first; UINT64_MAX: there are none
    };

    [[nodiscard]] uint64_t tick_of(core::Instant when) const;
    void place(Timer& timer);
    void fire_slot(unsigned slot);
    void bring_down(TimerLink& head);
    [[nodiscard]] Ahead first_ahead() const;

    core::Instant start_;
    uint64_t tick_ = 0;  // all timers of earlier ticks have fired
    std::array<std::array<TimerLink, kSlots>, kLevels> slots_;
    std::array<uint64_t, kLevels> occupied_{};  // may have bits of slots that have emptied since
    TimerLink beyond_;                          // timers of later rounds
};

}  // namespace runtime
