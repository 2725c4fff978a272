// What the control side knows of the database servers, as the cores use it: immutable, replaced as a whole.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/units.h"
#include "mysql/gtid.h"
#include "net/address.h"
#include "sql/account_list.h"
#include "upstream/health.h"

namespace sql {

enum class NodeState : uint8_t {
    checking,     // not asked yet
    unreachable,  // no answer: `why`
    primary,      // writable, no replica, and the only one
    replica,      // of the primary, or of a primary that is gone
    unfit,        // answers, and is neither: a second writable node, a replica of someone else …: `why`
    removed,      // from the configuration: what runs there ends, nothing new comes
};

// The state's name as it stands in logs and `status`.
[[nodiscard]] std::string_view node_state_name(NodeState state);

// What an operator changed at run time.
struct NodeOverride {
    std::optional<uint32_t> weight{};             // 0 to upstream::kWeightMax
    std::optional<upstream::AdminState> admin{};  // draining or disabled

    friend bool operator==(const NodeOverride&, const NodeOverride&) = default;
};

struct Node {
    net::Address address{};
    std::string name{};                // see NodeConfig
    uint32_t configured_weight = 100;  // of reads, relative to the others'; 0: none
    NodeOverride override{};
    NodeState state = NodeState::checking;
    // May serve reads as a replica: it applies what the primary writes and lags no more than max_lag. Never
    // true of a primary: whether that serves reads is the configuration's matter.
    bool is_fit = false;
    std::string why{};                    // why it is in this state, or not fit; "" for a fit node
    std::optional<core::Duration> lag{};  // of a replica: measured, an upper bound; nothing: not known
    // What a replica has applied (@@gtid_slave_pos). As of the last look, so it may have more by now, and
    // never less: a replica that restarted begins at "" again (it may have lost what it had applied last).
    mysql::GtidPosition applied{};
    // Grows whenever what was known of connections to it no longer holds: it became primary, ceased to be, or
    // restarted. A connection opened under another generation must not run a statement of a session.
    uint32_t generation = 0;
    std::string version{};  // "10.11.19-MariaDB…", without the "5.5.5-" in front; "" before the first answer
    uint32_t server_id = 0;

    [[nodiscard]] uint32_t weight() const { return override.weight.value_or(configured_weight); }
    // Its weight among those that take reads: nothing for one that is drained or disabled.
    [[nodiscard]] uint32_t share() const { return override.admin ? 0 : weight(); }
    // Its connections are closed as soon as nobody needs them. A disabled primary's are for writes, too.
    [[nodiscard]] bool is_closed() const {
        bool is_disabled = override.admin == upstream::AdminState::disabled;
        return state == NodeState::removed || (is_disabled && state != NodeState::primary);
    }

    friend bool operator==(const Node&, const Node&) = default;
};

// A node has one slot for as long as anything is left of it, whatever is added to the configuration or
// removed from it: its place in Routing::nodes, Shared::places and CoreCounters::nodes. So many there are at
// most: twice what a configuration may list.
inline constexpr size_t kNodeSlotsMax = 128;

struct Routing {
    uint64_t number = 0;  // of this snapshot, ascending by one
    uint64_t shares = 0;  // grows with each change of a share: sessions choose their replica anew
    // Empty until the first import: nobody can log in then, and `accounts_why` says why.
    std::shared_ptr<const AccountList> accounts = std::make_shared<const AccountList>();
    std::string accounts_why{};
    std::vector<Node> nodes{};        // by slot (kNodeSlotsMax), those that were removed too
    std::optional<size_t> primary{};  // place in `nodes`
    std::string primary_why{};        // without a primary: the sentence why, fit for a client's error
    core::Instant made_at{};

    [[nodiscard]] const Node* primary_node() const { return primary ? &nodes[*primary] : nullptr; }
};

}  // namespace sql
