// Renumbers packets on their way, in place: what follows a packet that was put into a response, or left out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace mysql {

// Adds a number to the sequence number of each packet that passes. Bytes may be split anywhere; a header
// whose sequence number has not come yet is renumbered when it comes.
class SequenceShift {
public:
    // From the next packet that begins on, so much (modulo 256) is added.
    void add(uint8_t count) { shift_ = static_cast<uint8_t>(shift_ + count); }

    [[nodiscard]] uint8_t shift() const { return shift_; }

    void apply(std::span<char> bytes);

private:
    uint32_t length_ = 0;       // of the packet, as far as its header has come
    uint32_t skip_ = 0;         // payload bytes still to pass
    uint8_t header_bytes_ = 0;  // of the header, that have passed
    uint8_t shift_ = 0;
};

}  // namespace mysql
