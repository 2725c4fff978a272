#include "upstream/place_queue.h"

#include <algorithm>
#include <utility>

#include "core/panic.h"
#include "upstream/pool_state.h"

namespace upstream {

PlaceQueue::~PlaceQueue() { ASSERT(requests_.empty()); }

std::shared_ptr<WaitingRequest> PlaceQueue::enter(runtime::Reactor& reactor, const TriedBackends& tried) {
    auto request = std::make_shared<WaitingRequest>(reactor, tried);
    std::lock_guard lock(mutex_);
    request->position_ = requests_.insert(requests_.end(), request);
    return request;
}

std::shared_ptr<BackendRecord> PlaceQueue::take_handed(WaitingRequest& request) {
    std::lock_guard lock(mutex_);
    return std::exchange(request.handed_, nullptr);
}

std::shared_ptr<BackendRecord> PlaceQueue::leave(WaitingRequest& request) {
    std::lock_guard lock(mutex_);
    requests_.erase(request.position_);
    return std::exchange(request.handed_, nullptr);
}

bool PlaceQueue::pass_on(const std::shared_ptr<BackendRecord>& backend, runtime::Reactor& here) {
    std::shared_ptr<WaitingRequest> next;
    {
        std::lock_guard lock(mutex_);
        auto found = std::ranges::find_if(requests_, [&](const std::shared_ptr<WaitingRequest>& request) {
            return request->handed_ == nullptr && !request->tried.has(backend->id);
        });
        if (found == requests_.end()) {
            // Under the lock, so that who enters behind us finds the place when it looks for one.
            backend->connections.give_back();
            return false;
        }
        next = *found;
        next->handed_ = backend;
    }
    // It may have left meanwhile; then its core has passed the place on, and wakes nobody here.
    if (&next->reactor == &here) {
        next->news.set();
    } else {
        next->reactor.post([next] { next->news.set(); });
    }
    return true;
}

void PlaceQueue::notify(runtime::Reactor& here) {
    std::lock_guard lock(mutex_);
    for (const std::shared_ptr<WaitingRequest>& request : requests_) {
        if (&request->reactor == &here) {
            request->news.set();
        }
    }
}

}  // namespace upstream
