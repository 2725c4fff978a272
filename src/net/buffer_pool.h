// Memory for bytes that must wait: blocks in power-of-two classes, kept hot in the free lists of one core.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace net {

class BufferPool;

// Bytes borrowed from a pool, given back at the end of its life. Movable; empty when default-made or moved
// from.
class Buffer {
public:
    Buffer() = default;

    Buffer(Buffer&& other) noexcept
        : pool_(std::exchange(other.pool_, nullptr)), bytes_(std::exchange(other.bytes_, {})) {}

    Buffer& operator=(Buffer&& other) noexcept {
        std::swap(pool_, other.pool_);
        std::swap(bytes_, other.bytes_);
        return *this;
    }

    ~Buffer() { release(); }

    void release() noexcept;

    [[nodiscard]] char* data() const { return bytes_.data(); }

    [[nodiscard]] size_t size() const { return bytes_.size(); }

    [[nodiscard]] std::span<char> span() const { return bytes_; }

private:
    friend class BufferPool;

    Buffer(BufferPool& pool, std::span<char> bytes) : pool_(&pool), bytes_(bytes) {}

    BufferPool* pool_ = nullptr;
    std::span<char> bytes_;
};

class BufferPool {
public:
    static constexpr size_t kSmallest = 1024;
    static constexpr size_t kLargest = 128 << 10;

    BufferPool() = default;
    ~BufferPool();
    BufferPool(const BufferPool&) = delete;
    BufferPool& operator=(const BufferPool&) = delete;

    // At least `size` bytes, at most kLargest (asserted); contents undefined. The pool must outlive it.
    [[nodiscard]] Buffer take(size_t size);

    // Bytes lent out just now.
    [[nodiscard]] size_t lent() const { return lent_; }

private:
    friend class Buffer;

    static constexpr size_t kClasses = 8;
    // Free bytes kept a class; what comes back above that is freed, so that a burst does not hold its memory
    // for ever.
    static constexpr size_t kKeptBytesPerClass = 4 << 20;

    void give_back(std::span<char> bytes) noexcept;

    std::array<std::vector<char*>, kClasses> free_;
    size_t lent_ = 0;
};

}  // namespace net
