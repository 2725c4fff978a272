// A program being served: its sockets and its threads.
#pragma once

#include <memory>
#include <vector>

#include "core/log.h"
#include "core/result.h"
#include "runtime/reactor.h"
#include "sdk/listening_socket.h"
#include "sdk/program.h"
#include "sdk/worker.h"

namespace trilith::sdk {

class Server {
public:
    // Everything that can fail is done here. All that is given must outlive it.
    [[nodiscard]] static core::Result<std::unique_ptr<Server>> open(
        runtime::Os& os,
        core::Log& log,
        const Program& program,
        std::vector<ListeningSocket> sockets
    );
    ~Server();

    // Serves on this thread and Options::threads - 1 further ones until stop().
    void run();
    // The same, and stops at SIGTERM or SIGINT.
    [[nodiscard]] core::Result<void> run_until_signal();

    // From any thread: see Worker::stop(), with Options::stop_time.
    void stop();

private:
    struct Thread {
        std::unique_ptr<runtime::Reactor> reactor;
        std::unique_ptr<Worker> worker;
        std::vector<Acceptor> acceptors;
    };

    Server(core::Log& log, const Program& program, std::vector<ListeningSocket> sockets);
    [[nodiscard]] core::Result<void> add_thread(runtime::Os& os);
    [[nodiscard]] runtime::Task<void> serve_until_signal(class StopSignals& signals);
    [[nodiscard]] runtime::Task<void> follow_signals(StopSignals& signals);
    void run_threads(runtime::Task<void> first);

    core::Log& log_;
    Shared shared_;
    std::vector<ListeningSocket> sockets_;
    std::vector<Thread> threads_;
};

}  // namespace trilith::sdk
