#include "sdk/server.h"

#include <unistd.h>

#include "runtime/cores.h"
#include "runtime/task_group.h"
#include "sdk/stop_signals.h"

namespace trilith::sdk {

namespace {

// A handler that computes, or a call that blocks, for longer than this beyond Options::stop_time holds up no
// restart: the kernel ends the process.
constexpr unsigned kSpareSeconds = 2;

}  // namespace

Server::Server(core::Log& log, const Program& program, std::vector<ListeningSocket> sockets)
    : log_(log),
      shared_{
          .program = program,
          .log = log,
          .connections = runtime::Quota(program.options.connections_max),
          .blocking = runtime::BlockingPool(
              {.threads = program.options.blocking_threads, .queue_max = program.options.blocking_queue}
          ),
      },
      sockets_(std::move(sockets)) {}

Server::~Server() = default;

core::Result<std::unique_ptr<Server>> Server::open(
    runtime::Os& os,
    core::Log& log,
    const Program& program,
    std::vector<ListeningSocket> sockets
) {
    std::unique_ptr<Server> server(new Server(log, program, std::move(sockets)));
    for (unsigned index = 0; index < program.options.threads; ++index) {
        TRY_VOID(server->add_thread(os));
    }
    return server;
}

core::Result<void> Server::add_thread(runtime::Os& os) {
    TRY(auto reactor, runtime::Reactor::open(os));
    std::vector<Acceptor> acceptors;
    for (const ListeningSocket& socket : sockets_) {
        TRY(int fd, socket.duplicate());
        acceptors.emplace_back(*reactor, fd, socket.origin());
    }
    auto worker = std::make_unique<Worker>(*reactor, shared_);
    if (threads_.empty()) {
        worker->take_chores();
    }
    threads_.push_back(
        {.reactor = std::move(reactor), .worker = std::move(worker), .acceptors = std::move(acceptors)}
    );
    return {};
}

void Server::run_threads(runtime::Task<void> first) {
    for (const ListeningSocket& socket : sockets_) {
        log_.info("app", "listening", {{.key = "address", .value = socket.address().to_string()}});
    }
    // From here on the threads' duplicates alone hold them: the last one to stop closes.
    sockets_.clear();
    runtime::Cores others("app", threads_.size() - 1, [this](size_t index) {
        Thread& thread = threads_[index + 1];
        thread.reactor->run(thread.worker->serve(std::move(thread.acceptors)));
    });
    threads_.front().reactor->run(std::move(first));
}

void Server::run() {
    Thread& thread = threads_.front();
    run_threads(thread.worker->serve(std::move(thread.acceptors)));
}

core::Result<void> Server::run_until_signal() {
    TRY(auto signals, StopSignals::install(*threads_.front().reactor));
    run_threads(serve_until_signal(*signals));
    ::alarm(0);
    return {};
}

runtime::Task<void> Server::serve_until_signal(StopSignals& signals) {
    Thread& thread = threads_.front();
    runtime::TaskGroup following(*thread.reactor, 1);
    following.spawn(follow_signals(signals));
    co_await thread.worker->serve(std::move(thread.acceptors));
    following.request_stop();
    co_await following.join();
}

runtime::Task<void> Server::follow_signals(StopSignals& signals) {
    bool is_first = true;
    while (co_await signals.next()) {
        if (std::exchange(is_first, false)) {
            log_.info("app", "stopping");
            auto seconds = std::chrono::ceil<std::chrono::seconds>(shared_.program.options.stop_time);
            ::alarm(static_cast<unsigned>(seconds.count()) + kSpareSeconds);
        }
        stop();
    }
}

void Server::stop() {
    for (Thread& thread : threads_) {
        Worker* worker = thread.worker.get();
        thread.reactor->post([worker] { worker->stop(worker->now() + worker->program().options.stop_time); });
    }
}

}  // namespace trilith::sdk
