// The bytes that a connection has received and not yet used. They lie in the core's one shared buffer, which
// stays hot in the cache, until someone else receives; only what is still unused then moves to memory of the
// connection's own.
#pragma once

#include <array>
#include <span>
#include <string_view>

#include "net/buffer_pool.h"

namespace net {

class ReadBuffer;

// One a core. Measured (docs/decisions/0002-shared-read-buffer.md): private buffers cost a quarter more CPU
// at 16 KiB bodies.
class SharedReadBuffer {
public:
    static constexpr size_t kSize = 64 << 10;

    explicit SharedReadBuffer(BufferPool& pool)
        : pool_(pool), bytes_(std::make_unique<std::array<char, kSize>>()) {}

    [[nodiscard]] BufferPool& pool() const { return pool_; }

private:
    friend class ReadBuffer;

    BufferPool& pool_;
    ReadBuffer* holder_ = nullptr;  // whose unused bytes are in there
    std::unique_ptr<std::array<char, kSize>> bytes_;
};

class ReadBuffer {
public:
    explicit ReadBuffer(SharedReadBuffer& shared) : shared_(shared) {}

    ~ReadBuffer() { clear(); }

    ReadBuffer(const ReadBuffer&) = delete;
    ReadBuffer& operator=(const ReadBuffer&) = delete;

    // What was received and not consumed. The view is valid until the task suspends or the buffer changes:
    // after either, the same bytes may lie elsewhere.
    [[nodiscard]] std::string_view bytes() const { return {begin_, end_}; }

    [[nodiscard]] std::span<char> mutable_bytes() { return {begin_, end_}; }

    [[nodiscard]] bool is_empty() const { return begin_ == end_; }

    // The first `count` bytes are used up.
    void consume(size_t count);

    // Where the next bytes are to be received: behind the unused ones, which must be fewer than the shared
    // buffer's size. Always at least one byte. Nothing may suspend between prepare() and commit().
    [[nodiscard]] std::span<char> prepare();
    // `count` bytes were received into what prepare() gave; 0 after a failed attempt.
    void commit(size_t count);

    void clear();

private:
    // Moves the unused bytes out of the shared buffer into memory with room for `size` bytes.
    void move_to_own(size_t size);

    SharedReadBuffer& shared_;
    char* begin_ = nullptr;
    char* end_ = nullptr;
    Buffer own_;
};

}  // namespace net
