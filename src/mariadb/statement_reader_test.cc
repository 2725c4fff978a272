// Answers to executions of prepared statements, and what a hostile server may try.
#include "mariadb/statement_reader.h"

#include <doctest/doctest.h>

#include "mysql/test_bytes.h"

namespace mariadb {
namespace {

using mysql::from_hex;

constexpr mysql::Capabilities kPlain = mysql::kProtocol41 | mysql::kTransactions;
constexpr mysql::Capabilities kTracked = kPlain | mysql::kDeprecateEof | mysql::kSessionTrack;

std::string column(std::string_view name, std::string_view type, std::string_view flags = "00 00") {
    std::string text = from_hex("03") + "def" + from_hex("00 00 00");
    text += static_cast<char>(name.size());
    text += name;
    return text + from_hex("00 0c 2d 00 10 00 00 00") + from_hex(type) + from_hex(flags) +
           from_hex("00 00 00");
}

QueryProgress feed(StatementReader& reader, const std::vector<std::string>& packets) {
    QueryProgress progress = QueryProgress::more;
    for (const std::string& packet : packets) {
        REQUIRE(progress == QueryProgress::more);
        progress = reader.read(packet);
    }
    return progress;
}

const std::string kRow = from_hex("00 00 07 00 00 00 00 00 00 00 03") + "Ada";
const std::string kEnd = from_hex("fe 00 00 02 00 00 00");
const std::string kOldEnd = from_hex("fe 00 00 02 00");

TEST_CASE("rows are read in both forms") {
    for (mysql::Capabilities capabilities : {kPlain, kTracked}) {
        StatementReader reader(capabilities, {});
        std::vector<std::string> packets{from_hex("02"), column("id", "08"), column("name", "fd")};
        if (capabilities == kPlain) {
            packets.push_back(kOldEnd);
        }
        packets.insert(packets.end(), {kRow, kRow, capabilities == kPlain ? kOldEnd : kEnd});
        REQUIRE(feed(reader, packets) == QueryProgress::complete);
        auto result = reader.take_result();
        REQUIRE(result);
        CHECK(result->rows == 2);
        CHECK(result->columns == std::vector<std::string>{"id", "name"});
        CHECK(result->cell(1, 0).bits == 7);
        CHECK(result->text_of(result->cell(1, 1)) == "Ada");
        CHECK(result->last_gtid.empty());
    }
}

TEST_CASE("a write tells its position where the server does") {
    StatementReader reader(kTracked, {});
    std::string entry = from_hex("00 10 09") + "last_gtid" + from_hex("05") + "0-1-7";
    std::string ok = from_hex("00 01 05 02 40 00 00 00 12") + entry;
    REQUIRE(feed(reader, {ok}) == QueryProgress::complete);
    auto result = reader.take_result();
    REQUIRE(result);
    CHECK(result->affected_rows == 1);
    CHECK(result->last_insert_id == 5);
    CHECK(result->last_gtid == "0-1-7");
}

TEST_CASE("an error is the server's own, at the beginning or behind rows") {
    std::string error = from_hex("ff bd 04") + "#40001Deadlock found";
    for (bool is_late : {false, true}) {
        StatementReader reader(kTracked, {});
        std::vector<std::string> packets;
        if (is_late) {
            packets = {from_hex("02"), column("id", "08"), column("name", "fd"), kRow};
        }
        packets.push_back(error);
        REQUIRE(feed(reader, packets) == QueryProgress::complete);
        auto result = reader.take_result();
        REQUIRE_FALSE(result);
        CHECK(result.error().number == 1213);
        CHECK(result.error().sqlstate == "40001");
    }
}

TEST_CASE("more rows or bytes than are taken end it") {
    std::vector<std::string> begin{from_hex("02"), column("id", "08"), column("name", "fd"), kRow};
    StatementReader rows(kTracked, {.rows_max = 1});
    std::vector<std::string> packets = begin;
    packets.push_back(kRow);
    CHECK(feed(rows, packets) == QueryProgress::failed);
    CHECK(rows.failure().kind == core::ErrorKind::too_large);
    StatementReader bytes(kTracked, {.bytes_max = 40});
    CHECK(feed(bytes, {begin[0], begin[1], begin[2]}) == QueryProgress::failed);
    CHECK(bytes.failure().kind == core::ErrorKind::too_large);
}

TEST_CASE("what no server says ends it") {
    const std::vector<std::vector<std::string>> cases{
        {""},
        {from_hex("fb") + "/etc/passwd"},
        {from_hex("fc ff ff")},
        {from_hex("01"), "x"},
        {from_hex("01"), column("id", "08"), from_hex("01 00 01 00 00 00 00 00 00 00")},
        {from_hex("01"), column("id", "08"), from_hex("00 00 01 00")},
        {from_hex("00 00 00 0a 00 00 00")},
    };
    for (const auto& packets : cases) {
        StatementReader reader(kPlain | mysql::kDeprecateEof, {});
        CHECK(feed(reader, packets) == QueryProgress::failed);
        CHECK_FALSE(reader.failure().is_from_server());
    }
}

}  // namespace
}  // namespace mariadb
