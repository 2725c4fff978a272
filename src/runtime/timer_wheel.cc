#include "runtime/timer_wheel.h"

#include <algorithm>
#include <bit>

#include "core/panic.h"

namespace runtime {

namespace {

constexpr core::Duration kTick = std::chrono::milliseconds(1);

bool is_empty(const TimerLink& head) { return head.next == &head; }

void unlink(TimerLink& link) {
    link.previous->next = link.next;
    link.next->previous = link.previous;
    link.previous = nullptr;
    link.next = nullptr;
}

}  // namespace

TimerWheel::TimerWheel(core::Instant start) : start_(start) {
    for (auto& level : slots_) {
        for (TimerLink& head : level) {
            head.previous = &head;
            head.next = &head;
        }
    }
}

TimerWheel::~TimerWheel() {
    for (auto& level : slots_) {
        for (TimerLink& head : level) {
            ASSERT(is_empty(head));
        }
    }
}

// Rounded up, so that nothing fires early.
uint64_t TimerWheel::tick_of(core::Instant when) const {
    if (when <= start_) {
        return 0;
    }
    return static_cast<uint64_t>((when - start_ + kTick - core::Duration(1)) / kTick);
}

void TimerWheel::add(Timer& timer, core::Instant when) {
    ASSERT(!timer.is_pending());
    ASSERT(!when.is_never());
    timer.tick_ = tick_of(when);
    place(timer);
}

// The level is that of the highest 6-bit digit in which the timer's tick differs from ours: within a level,
// slots lie ahead.
void TimerWheel::place(Timer& timer) {
    uint64_t due = timer.tick_ > tick_ ? timer.tick_ : tick_ + 1;
    constexpr uint64_t kHorizon = (1ULL << (kSlotBits * kLevels)) - 1;
    due = std::min(due, tick_ | kHorizon);
    unsigned level = 0;
    if (uint64_t differs = due ^ tick_; differs != 0) {
        level = (static_cast<unsigned>(std::bit_width(differs)) - 1) / kSlotBits;
    }
    ASSERT(level < kLevels);
    auto slot = static_cast<unsigned>(due >> (kSlotBits * level)) % kSlots;
    TimerLink& head = slots_[level][slot];
    timer.previous = head.previous;
    timer.next = &head;
    head.previous->next = &timer;
    head.previous = &timer;
    occupied_[level] |= 1ULL << slot;
}

void TimerWheel::remove(Timer& timer) {
    if (timer.is_pending()) {
        unlink(timer);
    }
}

void TimerWheel::fire_slot(unsigned slot) {
    TimerLink& head = slots_[0][slot];
    occupied_[0] &= ~(1ULL << slot);
    while (!is_empty(head)) {
        auto& timer = static_cast<Timer&>(*head.next);
        unlink(timer);
        timer.fire();
    }
}

// Our digit of `level` has just changed: its slot's timers belong to lower levels now.
void TimerWheel::cascade(unsigned level) {
    auto slot = static_cast<unsigned>(tick_ >> (kSlotBits * level)) % kSlots;
    if (slot == 0 && level + 1 < kLevels) {
        cascade(level + 1);
    }
    TimerLink& head = slots_[level][slot];
    occupied_[level] &= ~(1ULL << slot);
    // Taken off as a whole first: a clamped timer may come back to this very slot.
    TimerLink list;
    if (is_empty(head)) {
        return;
    }
    list = head;
    list.next->previous = &list;
    list.previous->next = &list;
    head.previous = &head;
    head.next = &head;
    while (!is_empty(list)) {
        auto& timer = static_cast<Timer&>(*list.next);
        unlink(timer);
        if (timer.tick_ <= tick_) {
            // Due in this very tick: the caller fires slot 0 of it next.
            TimerLink& now = slots_[0][tick_ % kSlots];
            timer.previous = now.previous;
            timer.next = &now;
            now.previous->next = &timer;
            now.previous = &timer;
        } else {
            place(timer);
        }
    }
}

void TimerWheel::advance(core::Instant now) {
    if (now <= start_) {
        return;
    }
    auto target = static_cast<uint64_t>((now - start_) / kTick);
    while (tick_ < target) {
        // Skips ticks in which nothing can happen: to the next occupied slot of level 0, or to its end.
        uint64_t row_end = tick_ | (kSlots - 1);
        auto here = static_cast<unsigned>(tick_ % kSlots);
        uint64_t ahead = here == kSlots - 1 ? 0 : occupied_[0] & (~0ULL << (here + 1));
        if (ahead != 0) {
            uint64_t due =
                (tick_ & ~static_cast<uint64_t>(kSlots - 1)) + static_cast<uint64_t>(std::countr_zero(ahead));
            if (due > target) {
                tick_ = target;
                return;
            }
            tick_ = due;
        } else if (row_end >= target) {
            tick_ = target;
            return;
        } else {
            tick_ = row_end + 1;
            cascade(1);
        }
        fire_slot(static_cast<unsigned>(tick_ % kSlots));
    }
}

core::Instant TimerWheel::next_due() const {
    for (unsigned level = 0; level < kLevels; ++level) {
        auto here = static_cast<unsigned>(tick_ >> (kSlotBits * level)) % kSlots;
        uint64_t ahead = here == kSlots - 1 ? 0 : occupied_[level] & (~0ULL << (here + 1));
        for (; ahead != 0; ahead &= ahead - 1) {
            auto slot = static_cast<unsigned>(std::countr_zero(ahead));
            if (is_empty(slots_[level][slot])) {
                continue;
            }
            unsigned shift = kSlotBits * level;
            uint64_t above = (tick_ >> shift) & ~static_cast<uint64_t>(kSlots - 1);
            uint64_t due = (above | slot) << shift;
            return start_ + kTick * static_cast<int64_t>(due);
        }
    }
    return core::Instant::never();
}

}  // namespace runtime
