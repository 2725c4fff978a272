// Any bytes as an execution: its head lies within them, and types that are said again are read again.
#include <string>

#include "core/panic.h"
#include "mysql/execution.h"
#include "mysql/wire.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, size_t size) {
    if (size < 4) {
        return 0;
    }
    using mysql::Command;
    Command command = (data[0] & 1) != 0 ? Command::statement_bulk_execute : Command::statement_execute;
    auto parameters = static_cast<uint16_t>(data[1] | (data[2] & 3) << 8);
    std::string_view payload(reinterpret_cast<const char*>(data) + 3, size - 3);
    auto head = mysql::read_execution(command, payload, parameters);
    if (!head) {
        return 0;
    }
    ASSERT(head->types_at <= payload.size());
    std::string types(size_t{parameters} * 2, 'x');
    ASSERT(!head->sends_types || head->types_at + types.size() <= payload.size());
    ASSERT(head->types_at + types.size() == mysql::execution_head_max(command, parameters));
    if (head->sends_types || parameters == 0) {
        return 0;
    }
    std::string packet;
    mysql::PayloadWriter writer(packet);
    writer.begin_packet();
    writer.u8(static_cast<uint8_t>(command));
    writer.bytes(payload);
    static_cast<void>(writer.end_packet(0));
    std::string rewritten = mysql::with_types(command, packet, *head, types);
    rewritten += payload.substr(head->types_at);
    ASSERT(mysql::read_packet_header(rewritten).length == rewritten.size() - mysql::kPacketHeaderSize);
    auto again = mysql::read_execution(command, std::string_view(rewritten).substr(5), parameters);
    ASSERT(again && again->sends_types && again->types_at == head->types_at);
    return 0;
}
