// Work that falls due at a steady rate, whether or not the work before it is done: what is late waits for a
// free worker, and that wait is part of what it took.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>

#include "core/units.h"
#include "runtime/event.h"
#include "runtime/task.h"
#include "runtime/task_group.h"

namespace drill {

// One piece of work.
struct Turn {
    uint64_t number = 0;  // from 0
    core::Instant due;
};

// Who does it.
class Work {
public:
    virtual ~Work() = default;
    // One at a time for each `worker`. It is to be over at turn.due + the pacer's timeout.
    [[nodiscard]] virtual runtime::Task<void> work(size_t worker, Turn turn) = 0;
    // No worker was free in time.
    virtual void give_up(Turn turn) = 0;
};

class Pacer {
public:
    struct Options {
        core::Duration step{};  // between one turn and the next; more than 0
        size_t workers = 1;
        core::Duration timeout{};
    };

    // `work` outlives it.
    Pacer(runtime::Reactor& reactor, Work& work, Options options);

    // Until finish(): then what was due is still done, or given up. Stopping the fiber cuts what runs.
    [[nodiscard]] runtime::Task<void> run();
    void finish();

private:
    void hand_out();
    runtime::Task<void> serve(size_t worker);

    runtime::Reactor& reactor_;
    Work& work_;
    Options options_;
    runtime::Event ending_;
    bool is_ending_ = false;
    std::deque<Turn> due_;     // nobody does it yet
    std::deque<size_t> idle_;  // workers, that idle longest first, so that all are used
    runtime::TaskGroup group_;
};

}  // namespace drill
