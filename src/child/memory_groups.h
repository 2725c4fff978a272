// One cgroup (v2) an instance, where the system lets us make them: the kernel then keeps its limits exactly.
//
// A process may make groups below its own where that directory is writable and has the memory controller
// (systemd: Delegate=yes). Controllers can be handed down only by a group that holds no process itself, so
// our own processes move into a leaf, kOwnLeaf, first; only where every process of the group runs our
// executable.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.h"
#include "runtime/account.h"

namespace child {

inline constexpr std::string_view kOwnLeaf = "trilith.serve";

// Where groups are made: below the one that holds every process of the system, or further down.
enum class GroupLevel : uint8_t { root, below };

// 0: no limit.
struct GroupLimits {
    uint64_t memory = 0;     // bytes of all processes together
    uint32_t processes = 0;  // with threads
};

class MemoryGroups {
public:
    // Below which directory groups can be made; the error says why none can, which is no failure.
    [[nodiscard]] static core::Result<MemoryGroups> find();

    // For tests and find(): groups below `base`, which hands down the controllers.
    explicit MemoryGroups(std::string base, GroupLevel level = GroupLevel::below)
        : base_(std::move(base)), level_(level) {}

    // Makes the group `name` with the limits (memory.max, no swap, pids.max): its directory. One that a
    // killed process left is emptied and removed first; an error while something in it is still dying.
    [[nodiscard]] core::Result<std::string> create(const std::string& name, const GroupLimits& limits) const;

    // `account`, whom this process becomes, may make groups there as we may (cgroups(7), delegation).
    // permission: that would give it every process of the system.
    [[nodiscard]] core::Result<void> hand_over(const runtime::Account& account) const;

private:
    std::string base_;
    GroupLevel level_;
};

// Kills all that is in the group, and removes it. Nothing happens without one (an empty directory).
void remove_group(const std::string& group);

// Bytes in use; 0 where it cannot be read.
[[nodiscard]] uint64_t group_memory(const std::string& group);

// The kernel has killed a process of the group for its memory limit.
[[nodiscard]] bool has_hit_memory_limit(const std::string& group);

// What the text of /proc/self/cgroup says of v2, "/system.slice/trilith.service"; none where there is none.
[[nodiscard]] std::optional<std::string> own_group_of(std::string_view text);

// Where /proc/self/mountinfo says that v2 is mounted; none where it is not.
[[nodiscard]] std::optional<std::string> group_mount_of(std::string_view text);

// Whether a list such as "cpu memory pids" has the word.
[[nodiscard]] bool lists_word(std::string_view text, std::string_view word);

// The value of `key` in a flat-keyed file such as memory.events.
[[nodiscard]] uint64_t keyed_value(std::string_view text, std::string_view key);

}  // namespace child
