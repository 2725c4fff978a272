// The walk over a client's packets.
#include "mysql/request_reader.h"

#include <algorithm>

#include "core/panic.h"

namespace mysql {
namespace {

constexpr std::string_view kOutOfOrder = "Got packets out of order";  // MariaDB's own sentences
constexpr std::string_view kTooLarge = "Got a packet bigger than 'max_allowed_packet' bytes";

}  // namespace

void RequestReader::begin(RequestForm form, uint8_t sequence) {
    form_ = form;
    sequence_ = sequence;
    state_ = RequestState::more_bytes;
    size_ = 0;
    skip_ = 0;
    is_at_begin_ = true;
    is_continued_ = false;
}

RequestHead RequestReader::head(std::string_view bytes) const {
    ASSERT(form_ == RequestForm::command);
    ASSERT(is_at_begin_);
    RequestHead head;
    if (bytes.size() < kPacketHeaderSize) {
        return head;
    }
    const PacketHeader header = read_packet_header(bytes);
    if (header.sequence != sequence_) {
        head.state = RequestState::refused;
        head.error = kErrorPacketsOutOfOrder;
        head.reason = kOutOfOrder;
        return head;
    }
    if (header.length > limits_.payload_max) {
        head.state = RequestState::refused;
        head.error = kErrorPacketTooLarge;
        head.reason = kTooLarge;
        return head;
    }
    if (header.length > 0 && bytes.size() == kPacketHeaderSize) {
        return head;
    }
    head.state = RequestState::begun;
    head.length = header.length;
    head.payload = bytes.substr(kPacketHeaderSize, header.length);
    head.is_whole = header.length < kPacketLengthMax && head.payload.size() == header.length;
    // Without even a command's byte: servers take it for COM_SLEEP, and answer that they know no such
    // command.
    head.command = header.length == 0 ? Command::sleep : static_cast<Command>(byte_at(head.payload, 0));
    return head;
}

RequestStep RequestReader::read(std::string_view bytes) {
    ASSERT(state_ == RequestState::more_bytes);
    RequestStep step;
    while (state_ == RequestState::more_bytes) {
        if (skip_ > 0) {
            const size_t count = std::min<size_t>(skip_, bytes.size() - step.consumed);
            skip_ -= static_cast<uint32_t>(count);
            step.consumed += count;
            if (skip_ > 0) {
                break;
            }
        } else {
            const std::string_view rest = bytes.substr(step.consumed);
            if (rest.size() < kPacketHeaderSize) {
                break;
            }
            if (!take_header(read_packet_header(rest), step)) {
                break;
            }
            step.consumed += kPacketHeaderSize;
        }
        const bool has_payload_ended = skip_ == 0 && !is_continued_;
        if (has_payload_ended && (form_ != RequestForm::file || is_last_)) {
            state_ = RequestState::complete;
        }
    }
    step.state = state_;
    return step;
}

// Counts the packet and makes its payload the one to be skipped; false if it is refused.
bool RequestReader::take_header(PacketHeader header, RequestStep& step) {
    const uint64_t size_max = form_ == RequestForm::file ? limits_.file_max : limits_.payload_max;
    if (header.sequence != sequence_) {
        step.error = kErrorPacketsOutOfOrder;
        step.reason = kOutOfOrder;
    } else if (header.length > size_max - size_) {
        step.error = kErrorPacketTooLarge;
        step.reason = kTooLarge;
    } else {
        ++sequence_;
        size_ += header.length;
        skip_ = header.length;
        is_last_ = header.length == 0 && !is_continued_;
        is_continued_ = header.length == kPacketLengthMax;
        is_at_begin_ = false;
        return true;
    }
    state_ = RequestState::refused;
    return false;
}

}  // namespace mysql
