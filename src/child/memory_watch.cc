#include "child/memory_watch.h"

#include "runtime/process.h"

namespace child {

uint64_t memory_of(pid_t guard) {
    uint64_t bytes = 0;
    for (pid_t pid : runtime::descendants_of(guard)) {
        bytes += runtime::resident_bytes(pid);
    }
    return bytes;
}

std::optional<uint64_t> memory_above(pid_t guard, uint64_t limit) {
    if (memory_of(guard) <= limit) {
        return std::nullopt;  // the exact sum is never more, and costs the kernel a walk over all pages
    }
    uint64_t bytes = 0;
    for (pid_t pid : runtime::descendants_of(guard)) {
        bytes += runtime::proportional_bytes(pid);
    }
    return bytes > limit ? std::optional(bytes) : std::nullopt;
}

std::string describe_memory_limit(uint64_t limit) {
    return "over its memory limit of " + core::format_byte_count(limit);
}

}  // namespace child
