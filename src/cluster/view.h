// What the leader knows of each server when it decides: a value, made by looks at real servers or by a
// simulation.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cluster/extra.h"
#include "cluster/orders.h"
#include "core/units.h"
#include "mysql/gtid.h"

namespace cluster {

// A thread of replication, as SHOW ALL SLAVES STATUS tells it.
enum class Thread : uint8_t { running, connecting, stopped };

// What a server said of itself at one look.
struct Sight {
    bool is_read_only = true;
    mysql::GtidPosition written{};  // @@gtid_binlog_pos
    mysql::GtidPosition applied{};  // @@gtid_slave_pos
    uint32_t server_id = 0;
    GtidState state{};        // @@gtid_binlog_state
    bool has_source = false;  // it is set to replicate from somebody
    std::string source{};     // whom: the server's name, or "host:port" of a stranger
    Thread receiver = Thread::stopped;
    Thread applier = Thread::stopped;
    uint32_t receiver_error = 0;  // Last_IO_Errno
    uint32_t applier_error = 0;   // Last_SQL_Errno
    std::string error{};          // the text of one of them
    // Gtid_IO_Pos: what it has received; what it has applied, where it has received nothing since its start.
    mysql::GtidPosition received{};
    bool is_armed = false;      // as a primary it waits for an acknowledgement of each write
    bool acknowledges = false;  // as a replica it gives them
    uint32_t ackers = 0;        // replicas attached to it that acknowledge
    uint32_t parked = 0;        // sessions that wait for an acknowledgement

    [[nodiscard]] bool replicates() const {
        return has_source && receiver != Thread::stopped && applier != Thread::stopped;
    }
    // As a mariadbd that was started and not told anything: what its relay log holds is no longer counted.
    [[nodiscard]] bool is_idle() const { return receiver == Thread::stopped && applier == Thread::stopped; }
};

inline constexpr core::Duration kSteadyTime = std::chrono::milliseconds(400);

struct View {
    std::string server{};
    std::optional<Sight> sight{};    // of a good look that began after the last step there
    bool has_ended = false;          // proven: no mariadbd of this server runs
    bool is_fenced = false;          // and none can begin, until we let it
    core::Duration silent_for{};     // since it last answered us, or was last seen to have ended
    bool is_starting = false;        // it was seen to have ended, and has not answered since: it may recover
    core::Duration answering_for{};  // since it began to, if it does
    // Both of its threads have run from its source for kSteadyTime without an error, since it was told to
    // follow it: it is consistent with that source, which would have refused it.
    bool is_proven = false;
    core::Duration stopped_for{};  // its applier does not run; one that was started a moment ago may not yet
    core::Duration parked_for{};   // writes wait at it although a replica that acknowledges is attached
    std::vector<Extra> extra{};    // what it has written and the primary has not
    bool is_set_aside = false;     // and all of that is in files (set_aside.h)
    uint64_t renewal = 0;          // for which order its data were copied (data_origin.h); 0: none
    std::string why{};             // why there is no sight
};

struct Observation {
    std::vector<View> views{};        // one a server, in the order of the configuration
    core::Duration led_for{};         // since we became leader
    std::optional<Order> failover{};  // one that was ordered

    [[nodiscard]] const View* find(const std::string& server) const {
        for (const View& view : views) {
            if (view.server == server) {
                return &view;
            }
        }
        return nullptr;
    }
};

// The sentence for an order that names a server which is not there, with those that are.
[[nodiscard]] std::string unknown_server(const Observation& seen, const std::string& name);

}  // namespace cluster
