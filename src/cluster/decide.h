// What the leader does next, and the sentence why: a pure function of what is recorded and what is seen. It
// is asked again and again; each answer is one step towards the state that is wanted, so a leader that died
// between two steps is followed by one that goes on where it was. No clock, no I/O.
//
//   nobody was ever primary            ──► the first one, when all that answer are empty
//   the primary is well                ──► replicas follow; those proven to be consistent acknowledge;
//                                          one that fails is taken off the list before it may be missed
//   no acknowledging replica           ──► `alone`: recorded as async, then relaxed; or writes wait
//   the primary has ended, or is mute  ──► fence it; stop the ackers' receivers; wait until the one that
//                                          received most has applied it; record the new epoch; promote
//   it waits for lost acknowledgements ──► the same, where no write gets past those that wait
//   the same, and not provably safe    ──► nothing: it is started again in its place by its own server
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cluster/config.h"
#include "cluster/election.h"
#include "cluster/view.h"
#include "upstream/topology.h"

namespace cluster {

struct Policy {
    upstream::Durability durability = upstream::Durability::lossless;
    Alone alone = Alone::async;
    Rejoin rejoin = Rejoin::ordered;
    std::string first_primary{};
    core::Duration silence_max = std::chrono::milliseconds(2500);  // a server that is mute for longer hangs
    core::Duration start_max = std::chrono::minutes(30);  // one that starts and is mute for longer hangs
    // A starting cluster waits so long for a first replica before it goes on alone.
    core::Duration company_within = std::chrono::seconds(5);
    // An applier that was told to run and does not for so long has stopped.
    core::Duration stopped_max = std::chrono::milliseconds(300);
    // Writes that wait for so long, with an acker attached, wait for an acknowledgement that was lost.
    core::Duration parked_max = std::chrono::milliseconds(300);
    // After so long the write that would bring another one waits behind them (see is_jammed() in decide.cc).
    core::Duration jammed_max = std::chrono::milliseconds(1500);
    uint64_t backlog_max = 500;  // transactions that a replica may lack when it begins to acknowledge
};

enum class Action : uint8_t {
    commit,           // record `next`
    fence,            // end the server's mariadbd, and keep it ended until another order
    promote,          // it replicates from nobody any more, and is armed as `next` says; still read-only
    open,             // it takes writes
    arm,              // it waits for acknowledgements
    disarm,           // it does not
    start_receiver,   // START SLAVE IO_THREAD, with the applier running
    stop_receiver,    // STOP SLAVE IO_THREAD, with the applier running
    follow,           // it replicates from `other`, without acknowledging
    follow_as_acker,  // the same, acknowledging: it was an acker, and `other` has all that it received
    attach,           // it replicates already, and acknowledges from now on
    drop,             // prove that `other` has all that the primary has written, then record `next`
    regain,           // arm, prove that `other` has all that was written before, then record `next`
    nudge,            // write something, so that waiting writes are acknowledged with it
};

[[nodiscard]] std::string_view action_name(Action action);

// All steps are idempotent, and carry the epoch in which they were decided.
struct Step {
    Action action = Action::commit;
    std::string server{};
    std::string other{};
    uint64_t epoch = 0;
    std::optional<upstream::Topology> next{};
};

struct Decision {
    std::vector<Step> steps{};  // at different servers: may be done at the same time
    std::string sentence{};     // what is done or awaited, and why
    std::string no_failover{};  // why the primary would not be replaced if it failed now; empty: it would
    bool keeps_fence = false;   // the primary's server stays fenced
};

[[nodiscard]] Decision decide(
    const Policy& policy,
    const upstream::Topology& topology,
    const Observation& seen
);

// How a server's mariadbd is started (rule R1 of MariaDB's semi-synchronous replication since MDEV-33465): a
// recorded primary keeps at its start all that it ever sent; one in whose place another was put takes back
// what was not acknowledged.
enum class StartRole : uint8_t { keeps_all, takes_back };

[[nodiscard]] StartRole start_role(const upstream::Topology& topology, std::string_view server);

// How long a server's mariadbd that has ended by itself waits until it is started again; `ends`: how many in
// a row it has had. A primary that can be replaced leaves the leader time for that.
[[nodiscard]] core::Duration restart_pause(
    const upstream::Topology& topology,
    std::string_view server,
    uint32_t ends
);

}  // namespace cluster
