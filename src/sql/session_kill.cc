#include "sql/session_kill.h"

#include <format>
#include <memory>
#include <utility>
#include <vector>

#include "runtime/event.h"
#include "sql/client_session.h"
#include "sql/reply.h"
#include "sql/worker.h"

namespace sql {

namespace {

// Shared by two cores: the one that asks waits for `answered`, the other writes `result` before it is set
// there.
struct Errand final {
    Errand(Worker& asker, const Identity& by, KillOrder what)
        : home(asker.reactor()), answered(asker.reactor()), killer(by), order(what) {}

    runtime::Reactor& home;
    runtime::Event answered;
    const Identity killer;
    const KillOrder order;
    ServerResult<void> result{};
};

void answer(const std::shared_ptr<Errand>& errand, ServerResult<void> result) {
    errand->home.post([errand, result = std::move(result)]() mutable {
        errand->result = std::move(result);
        errand->answered.set();
    });
}

std::unexpected<ServerFailure> refused(uint16_t number, std::string message) {
    return std::unexpected(own_failure(number, std::move(message)));
}

// Over a connection of its own: the killer's may be needed, and is on another core.
runtime::Task<ServerResult<void>> kill_at_server(
    Worker& worker,
    std::shared_ptr<Errand> errand,
    net::Address server,
    uint32_t thread_id
) {
    auto connection = co_await log_in_as(worker, errand->killer, server, {});
    if (!connection) {
        co_return std::unexpected(std::move(connection).error());
    }
    core::Instant deadline = worker.now() + worker.config().timeouts.connect;
    std::string text = std::format("KILL {}QUERY {}", errand->order.is_soft ? "SOFT " : "", thread_id);
    auto said = co_await (*connection)->query(std::move(text), deadline);
    (*connection)->quit();
    if (!said) {
        co_return std::unexpected(std::move(said).error());
    }
    co_return ServerResult<void>{};
}

runtime::Task<void> run_kill(Worker& worker, std::shared_ptr<Errand> errand) {
    const uint32_t id = errand->order.id;
    ClientSession* session = worker.find_session(id);
    if (session == nullptr) {
        answer(errand, refused(mysql::kErrorNoSuchThread, std::format("Unknown thread id: {}", id)));
        co_return;
    }
    ServerLink* link = session->running_link();
    if (link == nullptr && session->user() != errand->killer.user) {
        answer(errand, refused(mysql::kErrorKillDenied, std::format("You are not owner of thread {}", id)));
        co_return;
    }
    if (link != nullptr) {
        // The order may arrive when the statement is over: nobody else's shall run there then.
        link->is_doomed = true;
        net::Address server = link->address;
        auto said = co_await kill_at_server(worker, errand, server, link->connection->thread_id());
        bool was_over = !said && said.error().number == mysql::kErrorNoSuchThread;
        if (!said && !was_over) {
            answer(errand, std::move(said));
            co_return;
        }
        session = worker.find_session(id);
    }
    if (session != nullptr && errand->order.ends_session) {
        session->end();
    }
    answer(errand, {});
}

}  // namespace

runtime::Task<ServerResult<void>> kill_session(Worker& worker, const Identity& killer, KillOrder order) {
    auto errand = std::make_shared<Errand>(worker, killer, order);
    const std::vector<CorePool>& cores = worker.shared().pools;
    const CorePool& target = cores[(order.id - kFirstSessionId) % cores.size()];
    target.reactor->post([errand, core = target.worker] {
        if (core->is_draining()) {  // it may have waited for its sessions already
            answer(
                errand,
                refused(mysql::kErrorServerShutdown, "trilith: the router is ending its sessions")
            );
            return;
        }
        core->spawn(run_kill(*core, errand));
    });
    core::Instant deadline = worker.now() + worker.config().timeouts.connect * 2;
    auto outcome = co_await errand->answered.wait(deadline);
    if (outcome != runtime::Outcome::ready) {
        co_return refused(mysql::kErrorServerLost, "trilith: KILL was not answered in time");
    }
    co_return errand->result;
}

}  // namespace sql
