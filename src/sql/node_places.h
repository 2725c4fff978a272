// The places for connections at one database server, of all cores together: a bound, and the sessions that
// wait for one in the order in which they came, on whichever core.
#pragma once

#include <atomic>
#include <list>
#include <memory>
#include <mutex>

#include "runtime/event.h"
#include "runtime/quota.h"
#include "runtime/reactor.h"

namespace sql {

struct PoolClass;
struct ServerLink;

// What a session that waited was given. Both false: nothing.
struct Handed {
    ServerLink* link = nullptr;  // of its own core and class
    bool has_place = false;      // to open a connection
};

// A session in the queue. Shared with whoever is about to wake it, because it may leave before the message
// comes.
class PlaceRequest {
public:
    PlaceRequest(runtime::Reactor& own, const PoolClass& wanted, core::Duration for_its_own)
        : reactor(own), pool_class(&wanted), since(own.now()), patience(for_its_own), news(own) {}

    runtime::Reactor& reactor;
    const PoolClass* const pool_class;  // means something on its own core only
    const core::Instant since;
    const core::Duration patience;  // so long it waits for a connection of its own core and class
    runtime::Event news;            // it was given something; its own reactor sets it

private:
    friend class NodePlaces;

    std::list<std::shared_ptr<PlaceRequest>>::iterator position_;
    Handed handed_;  // under the lock
};

class NodePlaces {
public:
    explicit NodePlaces(uint32_t connections_max) : connections(connections_max) {}

    ~NodePlaces();
    NodePlaces(const NodePlaces&) = delete;
    NodePlaces& operator=(const NodePlaces&) = delete;

    runtime::Quota connections;  // places that are taken

    // Whether anybody waits who was given nothing yet. Of any thread, without the lock.
    [[nodiscard]] bool is_waited_for() const { return unserved_.load() != 0; }

    // At the end of the queue, until leave(). On the reactor on which it waits. A place that came back before
    // is nobody's: look for one after this.
    [[nodiscard]] std::shared_ptr<PlaceRequest> enter(
        runtime::Reactor& reactor,
        const PoolClass& wanted,
        core::Duration patience
    );
    // What it was given is the caller's from now on.
    [[nodiscard]] Handed take_handed(PlaceRequest& request);
    // The same at the end of the wait.
    [[nodiscard]] Handed leave(PlaceRequest& request);

    // Gives back a place that the caller holds: to the first that waits, or to nobody. `here` is the reactor
    // that runs the caller.
    void give_back(runtime::Reactor& here);

    // Gives `link`, a connection of this class that nobody uses, to the first session that waits for such a
    // one on this core, unless a session that can use but its place has waited longer by more than
    // kPatience. False: the link stays the caller's.
    [[nodiscard]] bool hand_over(ServerLink& link, const PoolClass& pool_class, runtime::Reactor& here);

    // A session that was given nothing yet has waited for a connection of its own core for long enough: a
    // place is wanted.
    [[nodiscard]] bool is_place_wanted(core::Instant now);

    // So much longer a session waits for a place of another core, or class, than one that can use the
    // connection as it is: to move a place costs a login.
    static constexpr core::Duration kPatience = std::chrono::milliseconds(20);

private:
    using Requests = std::list<std::shared_ptr<PlaceRequest>>;

    [[nodiscard]] bool pass_on(runtime::Reactor& here);
    [[nodiscard]] static bool is_unserved(const std::shared_ptr<PlaceRequest>& request);
    void serve(PlaceRequest& request, Handed handed);
    static void wake(const std::shared_ptr<PlaceRequest>& request, runtime::Reactor& here);

    std::mutex mutex_;
    Requests requests_;
    std::atomic<uint32_t> unserved_{0};
};

}  // namespace sql
