// A simulated backend: answers HTTP/1.1 as its script says, counts what it has received, and fails on
// purpose.
#pragma once

#include <string>

#include "core/random.h"
#include "net/address.h"
#include "net/socket.h"
#include "runtime/task.h"
#include "runtime/task_group.h"
#include "sim/plain_http.h"
#include "sim/traffic.h"

namespace sim {

struct OriginScript {
    bool may_fail = false;                // it or its host fails in this scenario
    core::Duration think_max{2'000'000};  // before an answer
    uint32_t interim_percent = 0;         // answers with a 103 before them, health checks too
    uint32_t chunked_percent = 30;        // answers with chunked bodies
    uint32_t until_close_percent = 0;     // answers whose end is the end of the connection
    uint32_t close_after_percent = 0;     // closes after an answer without having announced it
    uint32_t close_before_percent = 0;    // closes without an answer, the request read
    uint32_t break_body_percent = 0;      // closes in the middle of an answer
    uint32_t stall_percent = 0;           // never answers
    uint16_t health_status = 200;         // of GET /healthz
};

class SimOrigin {
public:
    SimOrigin(
        runtime::Reactor& reactor,
        net::Address address,
        std::string name,
        uint64_t seed,
        Ledger& ledger
    );

    // Serves until it is asked to stop.
    [[nodiscard]] runtime::Task<void> serve();

    // From the next request on.
    [[nodiscard]] OriginScript& script() { return script_; }

    [[nodiscard]] const std::string& name() const { return name_; }

    [[nodiscard]] const net::Address& address() const { return address_; }

    // Connections on which requests came, without those of health checks.
    [[nodiscard]] uint64_t connections() const { return connections_; }

    [[nodiscard]] uint64_t health_checks() const { return health_checks_; }

private:
    enum class Next : uint8_t { keep, close };
    enum class Framing : uint8_t { length, chunked, until_close };

    [[nodiscard]] runtime::Task<void> serve_connection(net::Socket socket);
    [[nodiscard]] runtime::Task<Next> answer(net::Socket& socket, PlainMessage request);
    [[nodiscard]] bool draw(uint32_t percent) { return random_.below(100) < percent; }
    [[nodiscard]] std::string response_to(const PlainMessage& request, uint64_t id, Framing framing);
    [[nodiscard]] Framing draw_framing();
    [[nodiscard]] std::string interim();
    void note(const PlainMessage& request, uint64_t id);

    runtime::Reactor& reactor_;
    net::Address address_;
    std::string name_;
    core::Random random_;
    Ledger& ledger_;
    OriginScript script_;
    PeerMemory memory_;
    uint64_t connections_ = 0;
    uint64_t health_checks_ = 0;
};

}  // namespace sim
