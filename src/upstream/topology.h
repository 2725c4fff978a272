// Who is primary of the site's database cluster, in which epoch, and what is promised meanwhile: what the
// cluster's leader decides and every SQL router follows. A value, and its text as it is kept on the disk.
//
//   trilith-topology 1
//   version 12
//   epoch 3
//   primary db1
//   gate open
//   durability lossless
//   move db2
//   floor 0-1-270
//   member db1 primary
//   member db2 acker
//   member db3 renewing 11
//   end
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace upstream {

// Whether routers begin new work on the primary.
enum class Gate : uint8_t { open, held };

// What an acknowledged write is worth: lossless: a replica has it, too; async: perhaps the primary alone.
enum class Durability : uint8_t { lossless, async };

// What a server is in the present epoch.
enum class Standing : uint8_t {
    primary,
    acker,      // may acknowledge the primary's writes: an election must hear all of these
    bystander,  // may not: it has not been shown to have all, or was lost sight of
    former,     // was primary in an earlier epoch, and has not come back as a replica yet
    diverged,   // has what the primary has not, or lacks what nobody can send it; left alone
    renewing,   // its data are put aside, and the primary's copied in their place
};

struct Member {
    std::string server{};
    Standing standing = Standing::bystander;
    uint64_t renewal = 0;  // of one that is renewing: the version in which that was recorded; else 0

    friend bool operator==(const Member&, const Member&) = default;
};

struct Topology {
    uint64_t version = 0;  // grows by one with each change; 0: nothing was ever decided
    uint64_t epoch = 0;    // the number of the primary's reign; 0: nobody has been primary
    std::string primary{};
    Gate gate = Gate::open;
    Durability durability = Durability::lossless;
    std::string move{};  // the server that a switchover under way goes to; empty: none
    // A GTID position: nobody may be elected who has not at least this. What was acknowledged before the
    // present ackers were is below it, and they may still be receiving that.
    std::string floor{};
    std::vector<Member> members{};

    friend bool operator==(const Topology&, const Topology&) = default;

    // bystander for a server that is not among the members.
    [[nodiscard]] Standing standing_of(std::string_view server) const;
    // Adds the member where it is missing. `renewing` is set by renew().
    void set_standing(std::string_view server, Standing standing);
    // The server is renewing, by the record that follows this one.
    void renew(std::string_view server);
    // The number of its renewal; 0: it is not renewing.
    [[nodiscard]] uint64_t renewal_of(std::string_view server) const;
    [[nodiscard]] std::vector<std::string> with_standing(Standing standing) const;
};

inline constexpr size_t kTopologyTextMax = 256 << 10;
inline constexpr size_t kTopologyMembersMax = 1000;

// The names as they stand in the text, in logs and in status.
[[nodiscard]] std::string_view gate_name(Gate gate);
[[nodiscard]] std::string_view durability_name(Durability durability);
[[nodiscard]] std::string_view standing_name(Standing standing);

[[nodiscard]] std::string write_topology(const Topology& topology);
// invalid: names the line that write_topology() would not have written. A text that is cut anywhere is
// refused.
[[nodiscard]] core::Result<Topology> read_topology(std::string_view text);

}  // namespace upstream
