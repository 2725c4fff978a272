// Answers to our own questions, and what a hostile server may try.
#include "mariadb/query_reader.h"

#include <doctest/doctest.h>

#include "mysql/test_bytes.h"

using mariadb::QueryAnswer;
using mariadb::QueryBounds;
using mariadb::QueryProgress;
using mariadb::QueryReader;
using mysql::from_hex;

namespace {

constexpr mysql::Capabilities kOld = mysql::kProtocol41 | mysql::kTransactions;
constexpr mysql::Capabilities kNew = kOld | mysql::kDeprecateEof;

const std::string kOk = from_hex("00 01 00 02 00 00 00");
const std::string kOkMore = from_hex("00 00 00 0a 00 00 00");
const std::string kEof = from_hex("fe 00 00 02 00");
const std::string kEofMore = from_hex("fe 00 00 0a 00");
const std::string kEndOk = from_hex("fe 00 00 02 00 00 00");
const std::string kError = from_hex("ff 19 04") + "#28000Access denied";

std::string definition(std::string_view name) {
    std::string text = from_hex("03") + "def" + from_hex("00 00 00");
    text += static_cast<char>(name.size());
    text += name;
    return text + from_hex("00 0c 2d 00 10 00 00 00 fd 00 00 00 00 00");
}

// What the last of the packets made of it.
QueryProgress read_all(QueryReader& reader, const std::vector<std::string>& packets) {
    QueryProgress progress = QueryProgress::more;
    for (const std::string& packet : packets) {
        REQUIRE(progress == QueryProgress::more);
        progress = reader.read(packet);
    }
    return progress;
}

}  // namespace

TEST_CASE("an answer of several results is read whole, in both forms") {
    for (mysql::Capabilities capabilities : {kOld, kNew}) {
        QueryReader reader(capabilities, {});
        bool is_old = capabilities == kOld;
        std::vector<std::string> packets{from_hex("02"), definition("a"), definition("b")};
        if (is_old) {
            packets.push_back(kEof);
        }
        packets.push_back(from_hex("01 31 fb"));
        packets.push_back(from_hex("00 02 78 79"));
        packets.push_back(is_old ? kEofMore : from_hex("fe 00 00 0a 00 00 00"));
        packets.push_back(kOk);
        REQUIRE(read_all(reader, packets) == QueryProgress::complete);
        QueryAnswer answer = reader.take_answer();
        REQUIRE(answer.results.size() == 2);
        CHECK(answer.results[0].columns == std::vector<std::string>{"a", "b"});
        REQUIRE(answer.results[0].rows.size() == 2);
        CHECK(*answer.results[0].value(0, "a") == "1");
        CHECK(answer.results[0].value(0, "b") == nullptr);
        CHECK(*answer.results[0].value(1, "a") == "");
        CHECK(*answer.results[0].value(1, "b") == "xy");
        CHECK(answer.results[0].value(2, "a") == nullptr);
        CHECK(answer.results[0].value(0, "c") == nullptr);
        CHECK(answer.results[1].affected_rows == 1);
        CHECK(answer.results[0].status == 0x0a);
        CHECK(answer.results[1].status == 0x02);
        CHECK(!answer.failure);
    }
}

TEST_CASE("the server's error keeps its number, SQLSTATE and message") {
    QueryReader reader(kNew, {});
    REQUIRE(read_all(reader, {kOkMore, kError}) == QueryProgress::complete);
    QueryAnswer answer = reader.take_answer();
    CHECK(answer.results.size() == 1);
    REQUIRE(answer.failure);
    CHECK(answer.failure->number == 1049);
    CHECK(answer.failure->sqlstate == "28000");
    CHECK(answer.failure->message == "Access denied");
}

TEST_CASE("an error within rows ends the answer") {
    QueryReader reader(kNew, {});
    CHECK(
        read_all(reader, {from_hex("01"), definition("a"), from_hex("01 31"), kError}) ==
        QueryProgress::complete
    );
    CHECK(reader.take_answer().failure);
}

TEST_CASE("a row that begins like an EOF is a row") {
    // 0xFE begins an 8 byte length; without kDeprecateEof only the size tells.
    QueryReader reader(kOld, {.bytes_max = 1 << 10});
    std::string row = from_hex("fe 10 00 00 00 00 00 00 00") + std::string(16, 'x');
    REQUIRE(read_all(reader, {from_hex("01"), definition("a"), kEof, row, kEof}) == QueryProgress::complete);
    CHECK(*reader.take_answer().results[0].value(0, "a") == std::string(16, 'x'));
}

TEST_CASE("what no server may send fails, with a sentence") {
    const std::vector<std::vector<std::string>> kHostile = {
        {""},
        {from_hex("fb") + "/etc/passwd"},
        {from_hex("fc")},
        {from_hex("01 01")},
        {from_hex("fc 01 10")},             // 4097 columns
        {from_hex("ff")},                   // an ERR without a number
        {from_hex("ff 00 00") + "#00000"},  // and with number 0
        {from_hex("00 01")},                // half an OK
        {from_hex("01"), from_hex("03") + "de"},
        {from_hex("01"), definition("a"), from_hex("05 31")},
        {from_hex("01"), definition("a"), from_hex("01 31 01 31")},
        {from_hex("01"), definition("a"), from_hex("fe 00")},
    };
    for (const auto& packets : kHostile) {
        QueryReader reader(kNew, {});
        CHECK(read_all(reader, packets) == QueryProgress::failed);
        CHECK(!reader.failure().message.empty());
    }
    QueryReader old(kOld, {});
    CHECK(read_all(old, {from_hex("01"), definition("a"), from_hex("01 31")}) == QueryProgress::failed);
}

TEST_CASE("rows, bytes and results are bounded") {
    QueryReader rows(kNew, {.rows_max = 2});
    CHECK(
        read_all(
            rows,
            {from_hex("01"), definition("a"), from_hex("01 31"), from_hex("01 32"), from_hex("01 33")}
        ) == QueryProgress::failed
    );
    CHECK(rows.failure().kind == core::ErrorKind::too_large);
    QueryReader bytes(kNew, {.bytes_max = 100});
    CHECK(
        read_all(bytes, {from_hex("01"), definition("a"), from_hex("50") + std::string(80, 'x')}) ==
        QueryProgress::failed
    );
    CHECK(bytes.failure().kind == core::ErrorKind::too_large);
    // NULLs and empty values are not free either.
    QueryReader empty(kNew, {.bytes_max = 100});
    CHECK(
        read_all(empty, {from_hex("02"), definition("a"), definition("b"), from_hex("fb fb")}) ==
        QueryProgress::failed
    );
    QueryReader results(kNew, {});
    QueryProgress progress = QueryProgress::more;
    int count = 0;
    while (progress == QueryProgress::more && count < 100) {
        progress = results.read(kOkMore);
        ++count;
    }
    CHECK(progress == QueryProgress::failed);
    CHECK(count == 33);
}

TEST_CASE("each answer cut short wants more, and never fails the process") {
    std::string whole = definition("abc");
    for (size_t size = 1; size < whole.size(); ++size) {
        QueryReader reader(kNew, {});
        CHECK(reader.read(from_hex("01")) == QueryProgress::more);
        [[maybe_unused]] QueryProgress progress = reader.read(whole.substr(0, size));
        CHECK(progress != QueryProgress::complete);
    }
    QueryReader reader(kNew, {});
    CHECK(reader.read(from_hex("01")) == QueryProgress::more);
    CHECK(reader.read(whole) == QueryProgress::more);
    CHECK(reader.read(kEndOk) == QueryProgress::complete);
}
