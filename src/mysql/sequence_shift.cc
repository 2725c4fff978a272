// Finds the headers among the bytes that pass.
#include "mysql/sequence_shift.h"

#include <algorithm>

#include "mysql/wire.h"

namespace mysql {

void SequenceShift::apply(std::span<char> bytes) {
    size_t at = 0;
    while (at < bytes.size()) {
        if (skip_ > 0) {
            const size_t count = std::min<size_t>(skip_, bytes.size() - at);
            skip_ -= static_cast<uint32_t>(count);
            at += count;
            continue;
        }
        const auto byte = static_cast<uint8_t>(bytes[at]);
        if (header_bytes_ == kPacketHeaderSize - 1) {
            bytes[at] = static_cast<char>(byte + shift_);
            skip_ = length_;
            length_ = 0;
            header_bytes_ = 0;
        } else {
            length_ |= uint32_t{byte} << (8 * header_bytes_);
            ++header_bytes_;
        }
        ++at;
    }
}

}  // namespace mysql
