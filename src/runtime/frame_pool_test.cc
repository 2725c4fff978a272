// Frame memory: distinct, writable to its whole size, aligned, and used again.
#include "runtime/frame_pool.h"

#include <cstdint>
#include <cstring>
#include <set>
#include <vector>

#include <doctest/doctest.h>

#include "core/random.h"

namespace runtime {
namespace {

struct Held {
    unsigned char* frame;
    size_t size;
    unsigned char mark;
};

bool has_only(const Held& held) {
    for (size_t at = 0; at < held.size; ++at) {
        if (held.frame[at] != held.mark) {
            return false;
        }
    }
    return true;
}

TEST_CASE("frames of all sizes never overlap and keep what is written to them") {
    core::Random random(5);
    std::vector<Held> held;
    unsigned char mark = 0;
    for (int round = 0; round < 20000; ++round) {
        if (held.size() < 200 && random.below(2) == 0) {
            size_t size = 1 + random.below(random.below(10) == 0 ? 9000 : 700);
            auto* frame = static_cast<unsigned char*>(allocate_frame(size));
            CHECK(reinterpret_cast<uintptr_t>(frame) % alignof(std::max_align_t) == 0);
            std::memset(frame, ++mark, size);
            held.push_back({frame, size, mark});
        } else if (!held.empty()) {
            size_t at = random.below(held.size());
            CHECK(has_only(held[at]));
            free_frame(held[at].frame, held[at].size);
            held[at] = held.back();
            held.pop_back();
        }
    }
    for (const Held& last : held) {
        CHECK(has_only(last));
        free_frame(last.frame, last.size);
    }
    release_free_frames();
}

// Under AddressSanitizer frames are not pooled, so that a use after the end is seen.
#if !__has_feature(address_sanitizer)
TEST_CASE("a freed frame serves the next one of its size class") {
    release_free_frames();
    std::set<void*> freed;
    std::vector<void*> frames;
    for (int number = 0; number < 100; ++number) {
        frames.push_back(allocate_frame(300));
    }
    for (void* frame : frames) {
        free_frame(frame, 300);
        freed.insert(frame);
    }
    frames.clear();
    for (size_t size = 257; size <= 320; ++size) {
        frames.push_back(allocate_frame(size));
        CHECK(freed.contains(frames.back()));
    }
    void* other_class = allocate_frame(321);
    CHECK_FALSE(freed.contains(other_class));
    free_frame(other_class, 321);
    for (size_t at = 0; at < frames.size(); ++at) {
        free_frame(frames[at], 257 + at);
    }
    release_free_frames();
}
#endif

}  // namespace
}  // namespace runtime
