// Walks what a client sends by its packet headers: commands, answers during authentication, and the file of
// LOAD DATA LOCAL. Nothing is copied, nothing allocated.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "mysql/capabilities.h"
#include "mysql/wire.h"

namespace mysql {

enum class RequestForm : uint8_t {
    command,  // one payload; its first packet has sequence number 0
    answer,   // one payload that answers the server
    file,     // payloads up to an empty one
};

struct RequestLimits {
    uint64_t payload_max = uint64_t{1} << 30;  // bytes of one command or answer; max_allowed_packet's maximum
    uint64_t file_max = UINT64_MAX;            // bytes of a file
};

enum class RequestState : uint8_t {
    more_bytes,  // what was not consumed must be given again with more behind it
    begun,       // head() only
    complete,    // the request has ended with the consumed bytes; what follows is the next one
    refused,     // `error` and `reason` are for the client; its connection must be closed
};

// What the beginning of a command tells. The view points into the bytes that were given.
struct RequestHead {
    RequestState state = RequestState::more_bytes;  // more_bytes, begun or refused
    Command command = Command::sleep;
    uint32_t length = 0;         // payload bytes of the first packet, with the command's byte
    bool is_whole = false;       // all of the command is there: bytes 0 to 4 + length
    std::string_view payload{};  // what is there of the first packet's payload, with the command's byte
    uint16_t error = 0;
    std::string_view reason{};
};

struct RequestStep {
    RequestState state = RequestState::more_bytes;
    size_t consumed = 0;  // bytes that belong to this request
    uint16_t error = 0;
    std::string_view reason{};
};

// One request after the other on a client's connection. A session that has nothing to say holds nothing.
class RequestReader {
public:
    explicit RequestReader(RequestLimits limits = {}) : limits_(limits) {}

    // The next request. `sequence` is the number that its first packet must have: 0 for commands.
    void begin(RequestForm form, uint8_t sequence);

    // Looks at the command that begins at `bytes`, and changes nothing. To be called after begin(command) and
    // before read(): asserted. The length is known here, long before the end of a big one has come. A command
    // whose first packet is of kPacketLengthMax goes on behind it: its whole length is not known.
    [[nodiscard]] RequestHead head(std::string_view bytes) const;

    // Consumes what is there of the request, in parts where it is not whole; never bytes of the next one.
    // Must not be called after complete or refused without begin() (asserted).
    [[nodiscard]] RequestStep read(std::string_view bytes);

    // Payload bytes of the packet that is being walked which have not come yet.
    [[nodiscard]] uint32_t packet_remaining() const { return skip_; }

    // Payload bytes so far, of all packets of the request; those that have not come of the last one included.
    [[nodiscard]] uint64_t payload_size() const { return size_; }

    // The number of the packet that must come next. After complete: that of the server's response.
    [[nodiscard]] uint8_t next_sequence() const { return sequence_; }

private:
    [[nodiscard]] bool take_header(PacketHeader header, RequestStep& step);

    RequestLimits limits_;
    uint64_t size_ = 0;
    uint32_t skip_ = 0;
    RequestForm form_ = RequestForm::command;
    RequestState state_ = RequestState::more_bytes;
    uint8_t sequence_ = 0;
    bool is_at_begin_ = true;    // no packet of the request was consumed
    bool is_continued_ = false;  // the last packet was of kPacketLengthMax
    bool is_last_ = false;       // file: the last packet was an empty payload
};

}  // namespace mysql
