#include "sql/node_places.h"

#include <algorithm>
#include <utility>

#include "core/panic.h"

namespace sql {

NodePlaces::~NodePlaces() { ASSERT(requests_.empty()); }

bool NodePlaces::is_unserved(const std::shared_ptr<PlaceRequest>& request) {
    return request->handed_.link == nullptr && !request->handed_.has_place;
}

std::shared_ptr<PlaceRequest> NodePlaces::enter(
    runtime::Reactor& reactor,
    const PoolClass& wanted,
    core::Duration patience
) {
    auto request = std::make_shared<PlaceRequest>(reactor, wanted, patience);
    std::lock_guard lock(mutex_);
    request->position_ = requests_.insert(requests_.end(), request);
    unserved_.fetch_add(1);
    return request;
}

Handed NodePlaces::take_handed(PlaceRequest& request) {
    std::lock_guard lock(mutex_);
    Handed handed = std::exchange(request.handed_, {});
    if (handed.link != nullptr || handed.has_place) {
        unserved_.fetch_add(1);
    }
    return handed;
}

Handed NodePlaces::leave(PlaceRequest& request) {
    std::lock_guard lock(mutex_);
    if (is_unserved(*request.position_)) {
        unserved_.fetch_sub(1);
    }
    Handed handed = std::exchange(request.handed_, {});
    requests_.erase(request.position_);
    return handed;
}

void NodePlaces::serve(PlaceRequest& request, Handed handed) {
    request.handed_ = handed;
    unserved_.fetch_sub(1);
}

void NodePlaces::wake(const std::shared_ptr<PlaceRequest>& request, runtime::Reactor& here) {
    if (&request->reactor == &here) {
        request->news.set();
    } else {
        request->reactor.post([request] { request->news.set(); });
    }
}

bool NodePlaces::pass_on(runtime::Reactor& here) {
    std::shared_ptr<PlaceRequest> next;
    {
        std::lock_guard lock(mutex_);
        auto found = std::ranges::find_if(requests_, is_unserved);
        bool is_over = connections.used() > connections.limit();  // the bound was lowered
        if (found == requests_.end() || is_over) {
            // Under the lock, so that who enters behind us finds the place when it looks for one.
            connections.give_back();
            return false;
        }
        next = *found;
        serve(*next, {.has_place = true});
    }
    wake(next, here);
    return true;
}

void NodePlaces::give_back(runtime::Reactor& here) {
    if (is_waited_for()) {
        static_cast<void>(pass_on(here));
        return;
    }
    connections.give_back();
    // One that began to wait meanwhile may have looked before.
    if (is_waited_for() && connections.try_take()) {
        static_cast<void>(pass_on(here));
    }
}

bool NodePlaces::is_place_wanted(core::Instant now) {
    if (!is_waited_for()) {
        return false;
    }
    std::lock_guard lock(mutex_);
    return std::ranges::any_of(requests_, [&](const std::shared_ptr<PlaceRequest>& request) {
        return is_unserved(request) && now - request->since >= request->patience;
    });
}

bool NodePlaces::hand_over(ServerLink& link, const PoolClass& pool_class, runtime::Reactor& here) {
    std::shared_ptr<PlaceRequest> next;
    {
        std::lock_guard lock(mutex_);
        auto first = std::ranges::find_if(requests_, is_unserved);
        auto own = std::find_if(first, requests_.end(), [&](const std::shared_ptr<PlaceRequest>& request) {
            return is_unserved(request) && &request->reactor == &here && request->pool_class == &pool_class;
        });
        if (own == requests_.end() || (*own)->since - (*first)->since > kPatience) {
            return false;
        }
        next = *own;
        serve(*next, {.link = &link});
    }
    wake(next, here);
    return true;
}

}  // namespace sql
