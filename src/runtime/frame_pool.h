// Memory for coroutine frames: size classes of 64 bytes, kept hot in per-thread free lists. A frame is freed
// by the thread that allocated it, since tasks never change threads. Larger frames go to the general
// allocator.
#pragma once

#include <cstddef>

namespace runtime {

[[nodiscard]] void* allocate_frame(size_t size);
void free_frame(void* frame, size_t size) noexcept;

// Gives this thread's free frames back. Called once at the end of a thread that ran a reactor.
void release_free_frames() noexcept;

}  // namespace runtime
