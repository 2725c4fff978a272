// Signals as events of the control reactor.
#pragma once

#include <memory>

#include "core/result.h"
#include "net/socket.h"
#include "runtime/reactor.h"
#include "runtime/task.h"

namespace node {

enum class Signal : uint8_t { reload, terminate };

// Takes over SIGHUP (reload), SIGTERM and SIGINT (terminate) and ignores SIGPIPE. One a process.
class Signals {
public:
    [[nodiscard]] static core::Result<std::unique_ptr<Signals>> install(runtime::Reactor& reactor);
    ~Signals();
    Signals(const Signals&) = delete;
    Signals& operator=(const Signals&) = delete;

    // Awaits the next signal; nullopt when the fiber is stopped.
    [[nodiscard]] runtime::Task<std::optional<Signal>> next();

private:
    Signals(net::Socket reader, int writer) : reader_(std::move(reader)), writer_(writer) {}

    net::Socket reader_;
    int writer_;
};

}  // namespace node
