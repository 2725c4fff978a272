#include "runtime/reactor.h"

#include <algorithm>

#include "core/panic.h"
#include "runtime/io_waiter.h"

namespace runtime {

namespace {

constexpr size_t kEventsPerTurn = 256;
// Tasks resumed from the ready list in one turn, before descriptors and timers are looked at again.
constexpr size_t kResumesPerTurn = 1024;

}  // namespace

// The coroutine that awaits the root task; it frees itself at its end.
struct Reactor::RootTask {
    struct promise_type : PromiseBase {
        promise_type(Reactor& owner, Task<void>&) : reactor(owner) { fiber = &owner.root_fiber_; }

        RootTask get_return_object() { return {std::coroutine_handle<promise_type>::from_promise(*this)}; }

        std::suspend_never final_suspend() noexcept {
            reactor.root_ = nullptr;
            return {};
        }

        void return_void() {}

        Reactor& reactor;
    };

    std::coroutine_handle<promise_type> handle;
};

Reactor::RootTask Reactor::run_root(Reactor&, Task<void> task) { co_await std::move(task); }

core::Result<std::unique_ptr<Reactor>> Reactor::open(Os& os) {
    std::array<int, 3> opened{os.open_poll(), os.open_wake(), os.open_timer()};
    auto [poll, wake, timer] = opened;
    int status = std::ranges::min(opened);
    if (status >= 0) {
        status = os.watch(poll, wake, kWakeTag);
    }
    if (status >= 0) {
        status = os.watch(poll, timer, kTimerTag);
    }
    if (status >= 0) {
        return std::unique_ptr<Reactor>(new Reactor(os, poll, wake, timer));
    }
    for (int fd : opened) {
        if (fd >= 0) {
            os.close(fd);
        }
    }
    return core::fail(core::Error::of_errno(-status, "opening an event loop"));
}

Reactor::Reactor(Os& os, int poll, int wake, int timer)
    : os_(os), poll_(poll), wake_(wake), timer_(timer), now_(os.now()), timers_(now_) {}

Reactor::~Reactor() {
    ASSERT(root_ == nullptr);
    os_.close(timer_);
    os_.close(wake_);
    os_.close(poll_);
}

void Reactor::run(Task<void> root) {
    start(std::move(root));
    while (!is_done()) {
        turn(core::Duration::max());
    }
}

void Reactor::start(Task<void> root) {
    ASSERT(root_ == nullptr);
    now_ = os_.now();
    root_fiber_ = {};
    auto frame = run_root(*this, std::move(root)).handle;
    root_ = frame;
    frame.resume();
}

void Reactor::request_stop() { root_fiber_.request_stop(); }

// How long to wait. The timer descriptor is armed only for an instant earlier than the one it is armed for;
// timers that are removed before they are due, as nearly all are, leave it armed for nothing, which costs one
// empty turn when it rings. To give each wait its bound instead would cost two writes to the processor's
// timer a request.
core::Instant Reactor::housekeeping_in(core::Duration duration) const {
    constexpr core::Duration kGrid = std::chrono::milliseconds(50);
    core::Instant earliest = now_ + duration;
    core::Duration past = earliest.since_start % kGrid;
    return past == core::Duration::zero() || earliest.is_never() ? earliest : earliest + (kGrid - past);
}

core::Duration Reactor::arm_for_next_timer(core::Duration wait_max) {
    core::Instant due = timers_.next_due();
    if (armed_ <= now_) {
        armed_ = core::Instant::never();
    }
    if (due <= now_) {
        return core::Duration::zero();
    }
    if (due < armed_) {
        armed_ = due;
        os_.arm_timer(timer_, due);
    }
    return wait_max;
}

bool Reactor::turn(core::Duration wait_max) {
    core::Duration wait = ready_first_ != nullptr ? core::Duration::zero() : arm_for_next_timer(wait_max);
    std::array<PollEvent, kEventsPerTurn> events;
    int count = os_.wait(poll_, events, wait == core::Duration::max() ? core::Duration(-1) : wait);
    now_ = os_.now();
    for (int at = 0; at < count; ++at) {
        dispatch(events[static_cast<size_t>(at)]);
    }
    bool has_run = count > 0;
    timers_.advance(now_);
    has_run |= resume_ready();
    return has_run;
}

void Reactor::dispatch(const PollEvent& event) {
    if (event.tag == kWakeTag) {
        os_.clear_wake(wake_);
        deliver_messages();
        return;
    }
    if (event.tag == kTimerTag) {
        return;  // advance() follows
    }
    auto index = static_cast<uint32_t>(event.tag);
    IoSlot& ready = slot(index);
    auto generation = static_cast<uint32_t>(event.tag >> 32);
    if (ready.generation != generation) {
        return;  // of a descriptor closed earlier in this turn
    }
    ready.readiness |= event.readiness;
    if (ready.on_hangup != nullptr && (event.readiness & (kHangup | kFailed)) != 0) {
        ready.on_hangup->has_fired = true;
        ready.on_hangup->fiber.interrupt();
    }
    constexpr uint32_t kReadEnds = kReadable | kHangup | kFailed;
    if (ready.reader != nullptr && (event.readiness & kReadEnds) != 0) {
        IoWaiter* reader = ready.reader;
        if (reader->try_again()) {
            reader->finish_now(Outcome::ready);
        }
    }
    // The reader may have closed the descriptor.
    if (ready.generation == generation && ready.writer != nullptr &&
        (event.readiness & (kWritable | kFailed)) != 0) {
        IoWaiter* writer = ready.writer;
        if (writer->try_again()) {
            writer->finish_now(Outcome::ready);
        }
    }
}

bool Reactor::deliver_messages() {
    auto messages = mailbox_.take_all();
    for (auto& message : messages) {
        message->deliver();
    }
    return !messages.empty();
}

void Reactor::post_message(std::unique_ptr<Message> message) {
    if (mailbox_.put(std::move(message))) {
        os_.wake(wake_);
    }
}

void Reactor::schedule(Waiter& waiter) {
    waiter.next_ready_ = nullptr;
    (ready_last_ == nullptr ? ready_first_ : ready_last_->next_ready_) = &waiter;
    ready_last_ = &waiter;
}

// What was ready when it began: a task that yields again and again lets descriptors, timers and messages have
// their turn in between.
bool Reactor::resume_ready() {
    size_t resumed = 0;
    const Waiter* last = ready_last_;
    for (bool is_last = false; ready_first_ != nullptr && !is_last && resumed < kResumesPerTurn; ++resumed) {
        Waiter* waiter = ready_first_;
        is_last = waiter == last;
        ready_first_ = waiter->next_ready_;
        if (ready_first_ == nullptr) {
            ready_last_ = nullptr;
        }
        waiter->handle_.resume();
    }
    return resumed > 0;
}

int64_t Reactor::watch(int fd) {
    if (free_slot_ == kNoSlot) {
        auto chunk = std::make_unique<std::array<IoSlot, kChunkSlots>>();
        auto first = static_cast<uint32_t>(chunks_.size()) * kChunkSlots;
        for (uint32_t at = 0; at < kChunkSlots; ++at) {
            (*chunk)[at].index = first + at;
            (*chunk)[at].next_free = at + 1 < kChunkSlots ? first + at + 1 : kNoSlot;
        }
        chunks_.push_back(std::move(chunk));
        free_slot_ = first;
    }
    uint32_t index = free_slot_;
    IoSlot& taken = slot(index);
    if (int status = os_.watch(poll_, fd, tag_of(taken)); status < 0) {
        return status;
    }
    free_slot_ = taken.next_free;
    taken.fd = fd;
    taken.readiness = 0;
    taken.is_write_watched = false;
    return index;
}

void Reactor::watch_writing(IoSlot& slot) {
    if (!slot.is_write_watched) {
        int status = os_.watch_writing(poll_, slot.fd, tag_of(slot));
        ASSERT(status >= 0);  // it is watched, and nothing new is allocated for it
        slot.is_write_watched = true;
    }
}

void Reactor::unwatch(uint32_t index) {
    IoSlot& freed = slot(index);
    ASSERT(freed.reader == nullptr);
    ASSERT(freed.writer == nullptr);
    ASSERT(freed.on_hangup == nullptr);
    freed.fd = -1;
    freed.generation = (freed.generation + 1) & 0x7FFFFFFF;  // keeps every tag apart from kWakeTag
    freed.next_free = free_slot_;
    free_slot_ = index;
}

}  // namespace runtime
