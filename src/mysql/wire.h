// The grains of the protocol: integers, strings, and the header before each packet's payload.
//
//   packet   length (3 bytes), sequence (1 byte), payload (length bytes)
//
// A payload of 2^24 - 1 bytes and more is cut: a packet of length 0xFFFFFF is continued by the next one, and
// the last one is shorter, perhaps empty. Sequence numbers count packets modulo 256, in both directions
// together; they begin at 0 with each command (MariaDB KB: 0-packet).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "core/panic.h"

namespace mysql {

constexpr size_t kPacketHeaderSize = 4;
constexpr uint32_t kPacketLengthMax = 0xFFFFFF;  // of a packet that is continued

struct PacketHeader {
    uint32_t length = 0;  // bytes of payload behind the header, at most kPacketLengthMax
    uint8_t sequence = 0;
};

// The bytes of a number, lowest first. The caller has checked that they are there.
[[nodiscard]] inline uint8_t byte_at(std::string_view bytes, size_t at) {
    return static_cast<uint8_t>(bytes[at]);
}

[[nodiscard]] inline uint32_t u24_at(std::string_view bytes, size_t at) {
    return static_cast<uint32_t>(
        byte_at(bytes, at) | byte_at(bytes, at + 1) << 8 | byte_at(bytes, at + 2) << 16
    );
}

// `bytes` must hold at least kPacketHeaderSize bytes (asserted).
[[nodiscard]] inline PacketHeader read_packet_header(std::string_view bytes) {
    ASSERT(bytes.size() >= kPacketHeaderSize);
    return {.length = u24_at(bytes, 0), .sequence = byte_at(bytes, 3)};
}

// Reads a payload from its beginning. A read that the payload is too short for, or a length that is none,
// makes the reader bad: that read and all later ones give 0 or "", and is_good() tells it at the end. Views
// point into the payload.
class PayloadReader {
public:
    explicit PayloadReader(std::string_view payload) : rest_(payload) {}

    [[nodiscard]] bool is_good() const { return is_good_; }

    // Nothing was read too much and nothing is left.
    [[nodiscard]] bool is_at_good_end() const { return is_good_ && rest_.empty(); }

    [[nodiscard]] size_t left() const { return rest_.size(); }

    // The next byte without taking it; the payload must not be at its end (asserted).
    [[nodiscard]] uint8_t peek() const {
        ASSERT(!rest_.empty());
        return byte_at(rest_, 0);
    }

    [[nodiscard]] uint8_t u8() { return static_cast<uint8_t>(number(1)); }
    [[nodiscard]] uint16_t u16() { return static_cast<uint16_t>(number(2)); }
    [[nodiscard]] uint32_t u24() { return static_cast<uint32_t>(number(3)); }
    [[nodiscard]] uint32_t u32() { return static_cast<uint32_t>(number(4)); }
    [[nodiscard]] uint64_t u64() { return number(8); }

    // A length-encoded integer. 0xFB (NULL in a row) and 0xFF (ERR) begin none.
    [[nodiscard]] uint64_t length_encoded();

    // A length-encoded integer and so many bytes.
    [[nodiscard]] std::string_view length_encoded_string();

    // What stands before the next NUL, which is taken too. Without a NUL the reader is bad.
    [[nodiscard]] std::string_view terminated_string();

    // The same, but the payload's end serves as the NUL: old clients leave out the last one.
    [[nodiscard]] std::string_view terminated_string_or_rest();

    [[nodiscard]] std::string_view bytes(size_t count);
    [[nodiscard]] std::string_view rest();

    void skip(size_t count);

private:
    [[nodiscard]] uint64_t number(size_t size);
    void spoil();

    std::string_view rest_;
    bool is_good_ = true;
};

// Appends to a string, or fills a span. What does not fit into the span is not written, nor is anything after
// it, and is_good() tells it.
class PayloadWriter {
public:
    explicit PayloadWriter(std::string& text) : text_(&text) {}

    explicit PayloadWriter(std::span<char> room) : room_(room) {}

    [[nodiscard]] bool is_good() const { return is_good_; }

    // Bytes that this writer has written.
    [[nodiscard]] size_t size() const { return size_; }

    void u8(uint8_t value) { number(value, 1); }
    void u16(uint16_t value) { number(value, 2); }
    void u24(uint32_t value) { number(value, 3); }
    void u32(uint32_t value) { number(value, 4); }
    void u64(uint64_t value) { number(value, 8); }
    void length_encoded(uint64_t value);
    void length_encoded_string(std::string_view text);
    // `text` must hold no NUL (asserted).
    void terminated_string(std::string_view text);
    void bytes(std::string_view text);
    void zeros(size_t count);
    void packet_header(PacketHeader header);

    // begin_packet() leaves room for a header, end_packet() writes it with the length of what came between.
    // One packet at a time; its payload must be shorter than kPacketLengthMax (asserted). Returns the
    // sequence number for the packet after it.
    void begin_packet();
    uint8_t end_packet(uint8_t sequence);

private:
    void number(uint64_t value, size_t count);

    std::string* text_ = nullptr;
    std::span<char> room_{};
    size_t size_ = 0;
    size_t packet_begin_ = 0;  // of size_, where the payload of the packet begins
    bool is_good_ = true;
};

}  // namespace mysql
