// The memory of an instance where the system gives us no cgroup: looked at once a second, with RLIMIT_DATA of
// each process as the wall between two looks.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

#include "core/units.h"

namespace child {

inline constexpr core::Duration kMemoryLook = std::chrono::seconds(1);

// RLIMIT_DATA for a limit of `memory` bytes. It counts what is reserved, with the whole stack of every thread
// (8 MiB by default), so it has to be well above what may be resident: twice that and 256 MiB. Never
// RLIMIT_AS, which counts the address space that Go, Java and V8 only reserve.
[[nodiscard]] constexpr uint64_t data_limit(uint64_t memory) { return memory * 2 + (256ULL << 20); }

// Bytes that all descendants of `guard` have in memory; what several of them share counts for each. Cheap.
[[nodiscard]] uint64_t memory_of(pid_t guard);

// How much the descendants of `guard` have in memory, if that is more than `limit`. Shared pages count once:
// what processes forked of one share (workers of a preforking server) is not theirs many times over.
[[nodiscard]] std::optional<uint64_t> memory_above(pid_t guard, uint64_t limit);

// "over its memory limit of 64MiB".
[[nodiscard]] std::string describe_memory_limit(uint64_t limit);

}  // namespace child
