#include "mysql/execution.h"

#include "core/panic.h"
#include "mysql/wire.h"

namespace mysql {

namespace {

constexpr size_t kFixed = 9;  // id, flags, iterations
constexpr size_t kFlagsAt = 4;
constexpr size_t kFixedBulk = 6;  // id, flags of two bytes
constexpr uint8_t kCursorFlags = 0x07;
constexpr uint8_t kBulkSendsTypes = 128;
constexpr size_t kTypeSize = 2;

// Where the types begin.
size_t types_place(Command command, uint16_t parameters) {
    if (command == Command::statement_bulk_execute) {
        return kFixedBulk;
    }
    return parameters == 0 ? kFixed : kFixed + (size_t{parameters} + 7) / 8 + 1;
}

}  // namespace

size_t execution_head_max(Command command, uint16_t parameters) {
    return types_place(command, parameters) + kTypeSize * parameters;
}

std::optional<ExecutionHead> read_execution(Command command, std::string_view payload, uint16_t parameters) {
    ExecutionHead head{.types_at = types_place(command, parameters)};
    if (payload.size() < head.types_at) {
        return std::nullopt;
    }
    if (command == Command::statement_bulk_execute) {
        head.sends_types = (byte_at(payload, kFlagsAt) & kBulkSendsTypes) != 0;
    } else {
        head.opens_cursor = (byte_at(payload, kFlagsAt) & kCursorFlags) != 0;
        head.sends_types = parameters > 0 && byte_at(payload, head.types_at - 1) != 0;
    }
    if (head.sends_types && payload.size() < head.types_at + kTypeSize * parameters) {
        return std::nullopt;
    }
    return head;
}

std::string with_types(
    Command command,
    std::string_view packet,
    const ExecutionHead& head,
    std::string_view types
) {
    PacketHeader header = read_packet_header(packet);
    ASSERT(header.length + types.size() < kPacketLengthMax);
    ASSERT(packet.size() > kPacketHeaderSize + head.types_at);  // with the command's byte
    std::string rewritten;
    PayloadWriter writer(rewritten);
    writer.packet_header({
        .length = static_cast<uint32_t>(header.length + types.size()),
        .sequence = header.sequence,
    });
    writer.bytes(packet.substr(kPacketHeaderSize, 1 + head.types_at));
    size_t payload = kPacketHeaderSize + 1;
    if (command == Command::statement_bulk_execute) {
        rewritten[payload + kFlagsAt] =
            static_cast<char>(byte_at(rewritten, payload + kFlagsAt) | kBulkSendsTypes);
    } else {
        rewritten[payload + head.types_at - 1] = 1;
    }
    writer.bytes(types);
    return rewritten;
}

}  // namespace mysql
