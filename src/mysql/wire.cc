// Reading and writing of the protocol's numbers and strings.
#include "mysql/wire.h"

#include <algorithm>
#include <array>

namespace mysql {

uint64_t PayloadReader::number(size_t size) {
    if (rest_.size() < size) {
        spoil();
        return 0;
    }
    uint64_t value = 0;
    for (size_t at = 0; at < size; ++at) {
        value |= uint64_t{byte_at(rest_, at)} << (8 * at);
    }
    rest_.remove_prefix(size);
    return value;
}

void PayloadReader::spoil() {
    is_good_ = false;
    rest_ = {};
}

uint64_t PayloadReader::length_encoded() {
    const uint8_t first = u8();
    switch (first) {
        case 0xFB:
        case 0xFF: spoil(); return 0;
        case 0xFC: return number(2);
        case 0xFD: return number(3);
        case 0xFE: return number(8);
        default: return first;
    }
}

std::string_view PayloadReader::length_encoded_string() {
    const uint64_t length = length_encoded();
    if (length > rest_.size()) {
        spoil();
        return {};
    }
    return bytes(static_cast<size_t>(length));
}

std::string_view PayloadReader::terminated_string() {
    const size_t end = rest_.find('\0');
    if (end == std::string_view::npos) {
        spoil();
        return {};
    }
    const std::string_view text = rest_.substr(0, end);
    rest_.remove_prefix(end + 1);
    return text;
}

std::string_view PayloadReader::terminated_string_or_rest() {
    return rest_.find('\0') == std::string_view::npos ? rest() : terminated_string();
}

std::string_view PayloadReader::bytes(size_t count) {
    if (count > rest_.size()) {
        spoil();
        return {};
    }
    const std::string_view text = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return text;
}

std::string_view PayloadReader::rest() { return bytes(rest_.size()); }

void PayloadReader::skip(size_t count) {
    if (count > rest_.size()) {
        spoil();
        return;
    }
    rest_.remove_prefix(count);
}

void PayloadWriter::bytes(std::string_view text) {
    if (text_ != nullptr) {
        text_->append(text);
    } else {
        is_good_ = is_good_ && text.size() <= room_.size() - size_;
        if (!is_good_) {
            return;
        }
        std::ranges::copy(text, room_.subspan(size_).begin());
    }
    size_ += text.size();
}

void PayloadWriter::number(uint64_t value, size_t count) {
    std::array<char, 8> text{};
    for (size_t at = 0; at < count; ++at) {
        text[at] = static_cast<char>(value >> (8 * at) & 0xFF);
    }
    bytes({text.data(), count});
}

void PayloadWriter::length_encoded(uint64_t value) {
    if (value < 0xFB) {
        u8(static_cast<uint8_t>(value));
    } else if (value <= 0xFFFF) {
        u8(0xFC);
        number(value, 2);
    } else if (value <= 0xFFFFFF) {
        u8(0xFD);
        number(value, 3);
    } else {
        u8(0xFE);
        number(value, 8);
    }
}

void PayloadWriter::length_encoded_string(std::string_view text) {
    length_encoded(text.size());
    bytes(text);
}

void PayloadWriter::terminated_string(std::string_view text) {
    ASSERT(!text.contains('\0'));
    bytes(text);
    u8(0);
}

void PayloadWriter::zeros(size_t count) {
    for (size_t written = 0; written < count; ++written) {
        u8(0);
    }
}

void PayloadWriter::packet_header(PacketHeader header) {
    ASSERT(header.length <= kPacketLengthMax);
    u24(header.length);
    u8(header.sequence);
}

void PayloadWriter::begin_packet() {
    zeros(kPacketHeaderSize);
    packet_begin_ = size_;
}

uint8_t PayloadWriter::end_packet(uint8_t sequence) {
    const auto next = static_cast<uint8_t>(sequence + 1);
    if (!is_good_) {
        return next;
    }
    const size_t length = size_ - packet_begin_;
    ASSERT(length < kPacketLengthMax);
    char* header = text_ != nullptr ? text_->data() + text_->size() - length - kPacketHeaderSize
                                    : room_.subspan(packet_begin_ - kPacketHeaderSize).data();
    PayloadWriter(std::span(header, kPacketHeaderSize))
        .packet_header({.length = static_cast<uint32_t>(length), .sequence = sequence});
    return next;
}

}  // namespace mysql
