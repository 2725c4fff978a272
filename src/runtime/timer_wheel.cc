#include "runtime/timer_wheel.h"

#include <algorithm>
#include <bit>

#include "core/panic.h"

namespace runtime {

namespace {

constexpr core::Duration kTick = std::chrono::milliseconds(1);
// To know when the first timer of a slot is due, each of it is looked at; beyond so many the slot's first
// tick must do, and costs a wake-up more.
constexpr int kLookedAtMax = 4;

bool is_empty(const TimerLink& head) { return head.next == &head; }

void make_empty(TimerLink& head) {
    head.previous = &head;
    head.next = &head;
}

void append(TimerLink& head, TimerLink& link) {
    link.previous = head.previous;
    link.next = &head;
    head.previous->next = &link;
    head.previous = &link;
}

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
            make_empty(head);
        }
    }
    make_empty(beyond_);
}

TimerWheel::~TimerWheel() {
    for (auto& level : slots_) {
        for (TimerLink& head : level) {
            ASSERT(is_empty(head));
        }
    }
    ASSERT(is_empty(beyond_));
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
    uint64_t due = std::max(timer.tick_, tick_ + 1);
    unsigned level = (static_cast<unsigned>(std::bit_width(due ^ tick_)) - 1) / kSlotBits;
    if (level >= kLevels) {
        append(beyond_, timer);
        return;
    }
    auto slot = static_cast<unsigned>(due >> (kSlotBits * level)) % kSlots;
    append(slots_[level][slot], timer);
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

// The clock has reached the first tick of this slot, or of the wheel's next round: its timers belong to lower
// levels now.
void TimerWheel::bring_down(TimerLink& head) {
    if (is_empty(head)) {
        return;
    }
    // Taken off as a whole first: a timer of a round after the next comes back to this very list.
    TimerLink list = head;
    list.next->previous = &list;
    list.previous->next = &list;
    make_empty(head);
    while (!is_empty(list)) {
        auto& timer = static_cast<Timer&>(*list.next);
        unlink(timer);
        if (timer.tick_ <= tick_) {
            append(slots_[0][tick_ % kSlots], timer);  // the caller fires it next
        } else {
            place(timer);
        }
    }
}

// Within a level slots lie ahead of our digit, and all of a level lies before the next slot of the level
// above.
TimerWheel::Ahead TimerWheel::first_ahead() const {
    for (unsigned level = 0; level < kLevels; ++level) {
        unsigned shift = kSlotBits * level;
        uint64_t position = tick_ >> shift;
        uint64_t ahead = occupied_[level] & (~1ULL << (position % kSlots));
        for (; ahead != 0; ahead &= ahead - 1) {
            auto slot = static_cast<unsigned>(std::countr_zero(ahead));
            if (!is_empty(slots_[level][slot])) {
                return {.level = level, .slot = slot, .tick = (position - position % kSlots + slot) << shift};
            }
        }
    }
    constexpr uint64_t kRound = 1ULL << (kSlotBits * kLevels);
    return {.level = kLevels, .tick = is_empty(beyond_) ? UINT64_MAX : (tick_ | (kRound - 1)) + 1};
}

void TimerWheel::advance(core::Instant now) {
    if (now <= start_) {
        return;
    }
    auto target = static_cast<uint64_t>((now - start_) / kTick);
    while (tick_ < target) {
        Ahead next = first_ahead();
        if (next.tick > target) {
            tick_ = target;
            return;
        }
        tick_ = next.tick;
        if (next.level == kLevels) {
            bring_down(beyond_);
        } else if (next.level > 0) {
            occupied_[next.level] &= ~(1ULL << next.slot);
            bring_down(slots_[next.level][next.slot]);
        }
        fire_slot(static_cast<unsigned>(tick_ % kSlots));
    }
}

core::Instant TimerWheel::next_due() const {
    Ahead first = first_ahead();
    uint64_t tick = first.tick;
    if (first.level > 0 && first.level < kLevels) {
        // All of this slot lie before all of the next: the first of them is the first of all.
        const TimerLink& head = slots_[first.level][first.slot];
        uint64_t due = UINT64_MAX;
        const TimerLink* link = head.next;
        for (int looked_at = 0; link != &head && looked_at < kLookedAtMax; ++looked_at, link = link->next) {
            due = std::min(due, static_cast<const Timer&>(*link).tick_);
        }
        tick = link == &head ? std::max(due, tick) : tick;
    }
    return tick == UINT64_MAX ? core::Instant::never() : start_ + kTick * static_cast<int64_t>(tick);
}

}  // namespace runtime
