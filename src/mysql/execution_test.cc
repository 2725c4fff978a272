// Heads of executions: where the types stand, and saying them again.
#include "mysql/execution.h"

#include <doctest/doctest.h>

#include "mysql/wire.h"

namespace mysql {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view kTypes = "\x08\x00\xfe\x00"sv;  // BIGINT, STRING

// COM_STMT_EXECUTE of two parameters, with its header.
std::string execution(uint8_t flags, std::string_view types, std::string_view values) {
    std::string packet;
    PayloadWriter writer(packet);
    writer.begin_packet();
    writer.u8(static_cast<uint8_t>(Command::statement_execute));
    writer.u32(7);
    writer.u8(flags);
    writer.u32(1);
    writer.u8(0);  // no NULLs
    writer.u8(types.empty() ? 0 : 1);
    writer.bytes(types);
    writer.bytes(values);
    static_cast<void>(writer.end_packet(0));
    return packet;
}

std::string bulk(uint16_t flags, std::string_view types, std::string_view values) {
    std::string packet;
    PayloadWriter writer(packet);
    writer.begin_packet();
    writer.u8(static_cast<uint8_t>(Command::statement_bulk_execute));
    writer.u32(7);
    writer.u16(flags);
    writer.bytes(types);
    writer.bytes(values);
    static_cast<void>(writer.end_packet(0));
    return packet;
}

std::string_view payload_of(std::string_view packet) { return packet.substr(kPacketHeaderSize + 1); }

TEST_CASE("the types of an execution are found where they stand") {
    std::string packet = execution(0, kTypes, "values");
    auto head = read_execution(Command::statement_execute, payload_of(packet), 2);
    REQUIRE(head);
    CHECK(head->sends_types);
    CHECK_FALSE(head->opens_cursor);
    CHECK(payload_of(packet).substr(head->types_at, 4) == kTypes);
    CHECK(execution_head_max(Command::statement_execute, 2) == head->types_at + 4);
}

TEST_CASE("a cursor is told, and a statement without parameters has neither NULLs nor types") {
    std::string packet = execution(1, "", "");
    auto head = read_execution(Command::statement_execute, payload_of(packet), 0);
    REQUIRE(head);
    CHECK(head->opens_cursor);
    CHECK_FALSE(head->sends_types);
    CHECK(head->types_at == 9);
}

TEST_CASE("what ends within the head is none") {
    std::string packet = execution(0, kTypes, "");
    std::string_view payload = payload_of(packet);
    for (size_t size = 0; size < payload.size(); ++size) {
        CAPTURE(size);
        CHECK_FALSE(read_execution(Command::statement_execute, payload.substr(0, size), 2));
    }
    CHECK(read_execution(Command::statement_execute, payload, 2));
}

TEST_CASE("types that are said again make the execution that says them") {
    std::string silent = execution(0, "", "values");
    auto head = read_execution(Command::statement_execute, payload_of(silent), 2);
    REQUIRE(head);
    CHECK_FALSE(head->sends_types);
    std::string rewritten = with_types(Command::statement_execute, silent, *head, kTypes);
    CHECK(rewritten + "values" == execution(0, kTypes, "values"));
}

TEST_CASE("of a bulk execution, too") {
    std::string silent = bulk(0, "", "values");
    auto head = read_execution(Command::statement_bulk_execute, payload_of(silent), 2);
    REQUIRE(head);
    CHECK_FALSE(head->sends_types);
    std::string rewritten = with_types(Command::statement_bulk_execute, silent, *head, kTypes);
    CHECK(rewritten + "values" == bulk(128, kTypes, "values"));
    auto told = read_execution(Command::statement_bulk_execute, payload_of(rewritten), 2);
    REQUIRE(told);
    CHECK(told->sends_types);
    CHECK(payload_of(rewritten).substr(told->types_at, 4) == kTypes);
}

}  // namespace
}  // namespace mysql
