// A fiber is one chain of tasks that await each other. At most one of them, the innermost, waits for the
// outside world: its Waiter. Stopping a fiber completes that wait with `cancelled`, and the chain unwinds by
// its own returns.
#pragma once

namespace runtime {

class Waiter;

struct Fiber {
    Waiter* waiter = nullptr;  // what this fiber waits for; null while it runs
    bool is_stopped = false;

    // Asks the fiber to end. Its present wait, and each later one that cannot be met at once, completes as
    // cancelled; what needs no waiting still works, so that it can say goodbye to a peer. Resumes nothing
    // before the reactor's next turn.
    void request_stop();

    // Ends only the present wait, as cancelled, if there is one: a word to look at the world again. Resumes
    // nothing now.
    void interrupt();
};

}  // namespace runtime
