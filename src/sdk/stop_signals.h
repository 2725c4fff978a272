// SIGTERM and SIGINT as events of a reactor.
#pragma once

#include <memory>

#include "core/result.h"
#include "net/socket.h"
#include "runtime/reactor.h"
#include "runtime/task.h"

namespace trilith::sdk {

// Takes over SIGTERM and SIGINT and ignores SIGPIPE, until its end. One a process.
class StopSignals {
public:
    [[nodiscard]] static core::Result<std::unique_ptr<StopSignals>> install(runtime::Reactor& reactor);
    ~StopSignals();
    StopSignals(const StopSignals&) = delete;
    StopSignals& operator=(const StopSignals&) = delete;

    // Awaits the next one; false when the fiber is stopped.
    [[nodiscard]] runtime::Task<bool> next();

private:
    StopSignals(net::Socket reader, int writer) : reader_(std::move(reader)), writer_(writer) {}

    net::Socket reader_;
    int writer_;
};

}  // namespace trilith::sdk
