#include "net/read_buffer.h"

#include <algorithm>
#include <cstring>

#include "core/panic.h"

namespace net {

void ReadBuffer::consume(size_t count) {
    ASSERT(count <= static_cast<size_t>(end_ - begin_));
    begin_ += count;
    if (begin_ == end_) {
        clear();
    }
}

void ReadBuffer::clear() {
    begin_ = nullptr;
    end_ = nullptr;
    own_.release();
    if (shared_.holder_ == this) {
        shared_.holder_ = nullptr;
    }
}

void ReadBuffer::move_to_own(size_t size) {
    auto used = static_cast<size_t>(end_ - begin_);
    Buffer larger = shared_.pool().take(std::max(size, used));
    std::memcpy(larger.data(), begin_, used);
    own_ = std::move(larger);
    begin_ = own_.data();
    end_ = begin_ + used;
    if (shared_.holder_ == this) {
        shared_.holder_ = nullptr;
    }
}

std::span<char> ReadBuffer::prepare() {
    if (is_empty()) {
        if (shared_.holder_ != nullptr) {
            ReadBuffer& other = *shared_.holder_;
            other.move_to_own(static_cast<size_t>(other.end_ - other.begin_));
        }
        shared_.holder_ = this;
        begin_ = shared_.bytes_->data();
        end_ = begin_;
        return *shared_.bytes_;
    }
    auto used = static_cast<size_t>(end_ - begin_);
    ASSERT(used < SharedReadBuffer::kSize);
    bool is_full = shared_.holder_ == this || end_ == own_.data() + own_.size();
    if (is_full) {
        // Doubling, so that a head that trickles in is copied a few times at most, and never more than asked
        // for.
        size_t wanted = std::min(SharedReadBuffer::kSize, std::max(used * 2, BufferPool::kSmallest * 2));
        if (own_.data() != nullptr && begin_ != own_.data()) {
            std::memmove(own_.data(), begin_, used);
            begin_ = own_.data();
            end_ = begin_ + used;
        } else {
            move_to_own(wanted);
        }
    }
    return {end_, own_.data() + own_.size()};
}

void ReadBuffer::commit(size_t count) {
    end_ += count;
    if (is_empty()) {
        clear();
    }
}

}  // namespace net
