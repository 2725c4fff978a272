#include "net/buffer_pool.h"

#include <algorithm>
#include <bit>
#include <new>

#include "core/panic.h"

namespace net {

namespace {

size_t class_of(size_t size) {
    size_t rounded = std::bit_ceil(std::max(size, BufferPool::kSmallest));
    return static_cast<size_t>(std::countr_zero(rounded) - std::countr_zero(BufferPool::kSmallest));
}

}  // namespace

void Buffer::release() noexcept {
    if (pool_ != nullptr) {
        std::exchange(pool_, nullptr)->give_back(std::exchange(bytes_, {}));
    }
}

BufferPool::~BufferPool() {
    ASSERT(lent_ == 0);
    for (auto& list : free_) {
        for (char* block : list) {
            ::operator delete(block);
        }
    }
}

Buffer BufferPool::take(size_t size) {
    ASSERT(size <= kLargest);
    size_t index = class_of(size);
    size_t granted = kSmallest << index;
    lent_ += granted;
    if (free_[index].empty()) {
        return {*this, {static_cast<char*>(::operator new(granted)), granted}};
    }
    char* block = free_[index].back();
    free_[index].pop_back();
    return {*this, {block, granted}};
}

void BufferPool::give_back(std::span<char> bytes) noexcept {
    lent_ -= bytes.size();
    auto& list = free_[class_of(bytes.size())];
    if ((list.size() + 1) * bytes.size() > kKeptBytesPerClass) {
        ::operator delete(bytes.data());
    } else {
        list.push_back(bytes.data());
    }
}

}  // namespace net
