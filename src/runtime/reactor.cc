#include "runtime/reactor.h"

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

        RootTask get_return_object() {
            return {std::coroutine_handle<promise_type>::from_promise(*this)};
        }

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
    int poll = os.open_poll();
    if (poll < 0) {
        return core::fail(core::Error::of_errno(-poll, "opening a readiness set"));
    }
    int wake = os.open_wake();
    if (wake < 0) {
        os.close(poll);
        return core::fail(core::Error::of_errno(-wake, "opening a wake descriptor"));
    }
    if (int status = os.watch(poll, wake, kWakeTag); status < 0) {
        os.close(wake);
        os.close(poll);
        return core::fail(core::Error::of_errno(-status, "watching a wake descriptor"));
    }
    return std::unique_ptr<Reactor>(new Reactor(os, poll, wake));
}

Reactor::Reactor(Os& os, int poll, int wake)
    : os_(os), poll_(poll), wake_(wake), now_(os.now()), timers_(now_) {}

Reactor::~Reactor() {
    ASSERT(root_ == nullptr);
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

bool Reactor::turn(core::Duration wait_max) {
    core::Duration wait = wait_max;
    if (ready_first_ != nullptr) {
        wait = core::Duration::zero();
    } else if (core::Instant due = timers_.next_due(); !due.is_never()) {
        wait = std::min(wait, std::max(core::Duration::zero(), due - os_.now()));
    }
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
    auto index = static_cast<uint32_t>(event.tag);
    IoSlot& ready = slot(index);
    auto generation = static_cast<uint32_t>(event.tag >> 32);
    if (ready.generation != generation) {
        return;  // of a descriptor closed earlier in this turn
    }
    ready.readiness |= event.readiness;
    if (ready.on_hangup != nullptr && (event.readiness & (kHangup | kFailed)) != 0) {
        ready.on_hangup->interrupt();
    }
    constexpr uint32_t kReadEnds = kReadable | kHangup | kFailed;
    if (ready.reader != nullptr && (event.readiness & kReadEnds) != 0) {
        IoWaiter* reader = ready.reader;
        if (reader->try_again()) {
            reader->finish_now(Outcome::ready);
        }
    }
    // The reader may have closed the descriptor.
    if (ready.generation == generation && ready.writer != nullptr && (event.readiness & (kWritable | kFailed)) != 0) {
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

bool Reactor::resume_ready() {
    size_t resumed = 0;
    for (; ready_first_ != nullptr && resumed < kResumesPerTurn; ++resumed) {
        Waiter* waiter = ready_first_;
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
            (*chunk)[at].next_free = at + 1 < kChunkSlots ? first + at + 1 : kNoSlot;
        }
        chunks_.push_back(std::move(chunk));
        free_slot_ = first;
    }
    uint32_t index = free_slot_;
    IoSlot& taken = slot(index);
    uint64_t tag = (static_cast<uint64_t>(taken.generation) << 32) | index;
    if (int status = os_.watch(poll_, fd, tag); status < 0) {
        return status;
    }
    free_slot_ = taken.next_free;
    taken.fd = fd;
    taken.readiness = 0;
    return index;
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
