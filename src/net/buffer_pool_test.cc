// Buffers: at least as large as asked for, never shared, used again, and always counted.
#include "net/buffer_pool.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <vector>

#include <doctest/doctest.h>

#include "core/random.h"

namespace net {
namespace {

TEST_CASE("a buffer has the smallest power of two that holds what was asked for") {
    BufferPool pool;
    for (size_t size :
         {size_t{0},
          size_t{1},
          size_t{1023},
          size_t{1024},
          size_t{1025},
          size_t{4096},
          size_t{4097},
          BufferPool::kLargest - 1,
          BufferPool::kLargest}) {
        CAPTURE(size);
        Buffer buffer = pool.take(size);
        CHECK(buffer.size() >= size);
        CHECK(buffer.size() == std::max(std::bit_ceil(size), BufferPool::kSmallest));
        CHECK(buffer.span().data() == buffer.data());
        std::memset(buffer.data(), 'x', buffer.size());
        CHECK(pool.lent() == buffer.size());
    }
    CHECK(pool.lent() == 0);
}

TEST_CASE("a buffer that came back serves the next of its class") {
    BufferPool pool;
    char* first = pool.take(3000).data();
    CHECK(pool.take(4096).data() == first);
    CHECK(pool.take(2048).data() != first);
    Buffer held = pool.take(2049);
    CHECK(held.data() == first);
    Buffer second = pool.take(2049);
    CHECK(second.data() != first);
}

TEST_CASE("moving hands the memory on and leaves nothing behind") {
    BufferPool pool;
    Buffer first = pool.take(1024);
    char* block = first.data();
    Buffer second = std::move(first);
    CHECK(first.data() == nullptr);
    CHECK(first.size() == 0);
    CHECK(second.data() == block);
    CHECK(pool.lent() == 1024);
    second = pool.take(2048);
    CHECK(second.size() == 2048);
    CHECK(pool.lent() == 2048);
    second.release();
    CHECK(second.data() == nullptr);
    CHECK(pool.lent() == 0);
    second.release();
    CHECK(pool.lent() == 0);
    Buffer empty;
    CHECK(empty.size() == 0);
}

TEST_CASE("buffers that are out at the same time never overlap") {
    BufferPool pool;
    core::Random random(11);
    struct Held {
        Buffer buffer;
        char mark;
    };
    std::vector<Held> held;
    size_t lent = 0;
    for (int round = 0; round < 4000; ++round) {
        if (held.size() < 30 && random.below(2) == 0) {
            Buffer buffer = pool.take(random.below(20000));
            auto mark = static_cast<char>(round);
            std::memset(buffer.data(), mark, buffer.size());
            lent += buffer.size();
            held.push_back({std::move(buffer), mark});
        } else if (!held.empty()) {
            size_t at = random.below(held.size());
            std::span<char> bytes = held[at].buffer.span();
            CHECK(
                std::count(bytes.begin(), bytes.end(), held[at].mark) == static_cast<ptrdiff_t>(bytes.size())
            );
            lent -= bytes.size();
            std::swap(held[at], held.back());
            held.pop_back();
        }
        CHECK(pool.lent() == lent);
    }
}

}  // namespace
}  // namespace net
