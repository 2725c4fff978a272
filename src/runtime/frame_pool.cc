#include "runtime/frame_pool.h"

#include <array>
#include <new>

namespace runtime {

namespace {

constexpr size_t kClassBytes = 64;
constexpr size_t kClasses = 64;  // frames up to 4 KiB

struct FreeFrame {
    FreeFrame* next;
};

// Trivially constructed and destroyed, so that access needs no guard.
constinit thread_local std::array<FreeFrame*, kClasses> free_frames{};

// Under AddressSanitizer every frame comes from the allocator, so that a use after the end is seen.
#if __has_feature(address_sanitizer)
constexpr bool kIsPooling = false;
#else
constexpr bool kIsPooling = true;
#endif

constexpr size_t class_of(size_t size) { return (size + kClassBytes - 1) / kClassBytes - 1; }

}  // namespace

void* allocate_frame(size_t size) {
    size_t index = class_of(size);
    if (!kIsPooling || index >= kClasses) {
        return ::operator new(size);
    }
    if (FreeFrame* frame = free_frames[index]) {
        free_frames[index] = frame->next;
        return frame;
    }
    return ::operator new((index + 1) * kClassBytes);
}

void free_frame(void* frame, size_t size) noexcept {
    size_t index = class_of(size);
    if (!kIsPooling || index >= kClasses) {
        ::operator delete(frame);
        return;
    }
    free_frames[index] = ::new (frame) FreeFrame{free_frames[index]};
}

void release_free_frames() noexcept {
    for (FreeFrame*& list : free_frames) {
        while (list != nullptr) {
            FreeFrame* next = list->next;
            ::operator delete(list);
            list = next;
        }
    }
}

}  // namespace runtime
