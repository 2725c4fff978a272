// The requests of all cores that wait for a place at a backend of one pool, in the order in which they came.
// Who gives a place back hands it to the first of them that can use it, on whichever core: no core's requests
// starve, none that comes later takes it before them, and one that waits for another backend holds nobody up.
#pragma once

#include <list>
#include <memory>
#include <mutex>

#include "runtime/event.h"
#include "runtime/reactor.h"
#include "upstream/tried_backends.h"

namespace upstream {

struct BackendRecord;

// A request in the queue. Shared with whoever is about to wake it, because it may leave before the message
// comes.
class WaitingRequest {
public:
    WaitingRequest(runtime::Reactor& own, const TriedBackends& tried_before)
        : reactor(own), tried(tried_before), news(own) {}

    runtime::Reactor& reactor;
    const TriedBackends tried;
    runtime::Event news;  // it was handed a place, or its pool has changed; its own reactor sets it

private:
    friend class PlaceQueue;

    std::list<std::shared_ptr<WaitingRequest>>::iterator position_;
    std::shared_ptr<BackendRecord> handed_;  // under the queue's lock: a place here is its own
};

// Of any thread. Locked only while requests wait: `PoolRecord::queue` tells, without the lock, whether any
// do.
class PlaceQueue {
public:
    PlaceQueue() = default;
    ~PlaceQueue();
    PlaceQueue(const PlaceQueue&) = delete;
    PlaceQueue& operator=(const PlaceQueue&) = delete;

    // At the end of the queue, until leave(). On the reactor on which it waits. A place that came back before
    // is nobody's: look for one after this.
    [[nodiscard]] std::shared_ptr<WaitingRequest> enter(
        runtime::Reactor& reactor,
        const TriedBackends& tried
    );

    // Where the request was handed a place, or null: from now on the place is the caller's to use or give
    // back. The request stays where it is.
    [[nodiscard]] std::shared_ptr<BackendRecord> take_handed(WaitingRequest& request);
    // The same at the end of the wait.
    [[nodiscard]] std::shared_ptr<BackendRecord> leave(WaitingRequest& request);

    // Hands a place at `backend`, which the caller holds, to the first request that has not tried it, and
    // wakes that. False: there is none, and the place was given back. `here` is the reactor that runs the
    // caller. Looks at all that wait only where all of them have tried this backend.
    bool pass_on(const std::shared_ptr<BackendRecord>& backend, runtime::Reactor& here);

    // Wakes all that wait on `here`, the reactor that runs the caller.
    void notify(runtime::Reactor& here);

private:
    std::mutex mutex_;
    std::list<std::shared_ptr<WaitingRequest>> requests_;
};

}  // namespace upstream
