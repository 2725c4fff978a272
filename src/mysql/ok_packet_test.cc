// OK, ERR and EOF as MariaDB 10.11 sent them, what is refused, and what is written.
#include "mysql/ok_packet.h"

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "mysql/test_bytes.h"

namespace mysql {
namespace {

constexpr Capabilities kModern = kProtocol41 | kSessionTrack | kDeprecateEof;

// UPDATE with last_gtid tracked.
constexpr std::string_view kUpdate =
    "0001000240000028 526f7773206d6174636865643a203120204368616e6765643a203120205761726e696e67733a2030"
    "12 00 10 09 6c6173745f67746964 05 302d312d36";
// The same without CLIENT_SESSION_TRACK.
constexpr std::string_view kUpdateUntracked =
    "0001000200000028 526f7773206d6174636865643a203120204368616e6765643a203120205761726e696e67733a2030";
constexpr std::string_view kBegin =
    "00000003400000002005 09 08 545f5f5f5f5f5f5f 04 13 12 5354415254205452414e53414354494f4e3b";
constexpr std::string_view kAutocommitOff =
    "000000004000000014 00 0f 0a 6175746f636f6d6d6974 03 4f4646 02 01 31";

std::vector<std::string> entries_of(std::string_view session_track) {
    std::vector<std::string> all;
    SessionTrackReader reader(session_track);
    SessionTrackEntry entry;
    while (reader.next(entry)) {
        all.push_back(
            std::to_string(static_cast<int>(entry.type)) + ":" + std::string(entry.name) + "=" +
            std::string(entry.value)
        );
    }
    if (!reader.is_good()) {
        all.emplace_back("malformed");
    }
    return all;
}

TEST_CASE("an OK tells what the server did and what of the session it changed") {
    const std::string payload = from_hex(kUpdate);
    OkPacket ok;
    REQUIRE(read_ok(payload, kModern, ok));
    CHECK(ok.affected_rows == 1);
    CHECK(ok.last_insert_id == 0);
    CHECK(ok.status == (kStatusAutocommit | kStatusSessionStateChanged));
    CHECK(ok.warnings == 0);
    CHECK(ok.message == "Rows matched: 1  Changed: 1  Warnings: 0");
    CHECK(entries_of(ok.session_track) == std::vector<std::string>{"0:last_gtid=0-1-6"});
}

TEST_CASE("an old client's OK has its message length-encoded, too") {
    const std::string payload = from_hex(kUpdateUntracked);
    OkPacket ok;
    REQUIRE(read_ok(payload, kProtocol41, ok));
    CHECK(ok.message == "Rows matched: 1  Changed: 1  Warnings: 0");
}

TEST_CASE("entries of all kinds are told, those of a kind that is not known are passed over") {
    OkPacket ok;
    const std::string begin = from_hex(kBegin);
    REQUIRE(read_ok(begin, kModern, ok));
    CHECK(entries_of(ok.session_track) == std::vector<std::string>{"5:=T_______", "4:=START TRANSACTION;"});
    const std::string off = from_hex(kAutocommitOff);
    REQUIRE(read_ok(off, kModern, ok));
    CHECK(entries_of(ok.session_track) == std::vector<std::string>{"0:autocommit=OFF", "2:=1"});
    const std::string made =
        from_hex("03 03 00 01 41  2a 02 ffff  01 02 01 74  00 08 01 61 01 62 01 63 01 64");
    CHECK(entries_of(made) == std::vector<std::string>{"1:=t", "0:a=b", "0:c=d"});
}

TEST_CASE("entries that lie about their length are malformed") {
    for (const std::string_view hex :
         {"01",
          "01 05 01 74",
          "01 02 02 74",
          "01 03 01 74 00",
          "00 02 01 61",
          "00 03 01 61 05",
          "01 fb",
          "01 ff"}) {
        const std::string bytes = from_hex(hex);
        CAPTURE(hex);
        REQUIRE_FALSE(entries_of(bytes).empty());
        CHECK(entries_of(bytes).back() == "malformed");
    }
}

TEST_CASE("a truncated OK, EOF or ERR is refused, never read in part") {
    OkPacket ok;
    const std::string update = from_hex(kUpdate);
    // Behind the warnings an OK may end, and behind the message, where the server left out the rest.
    for (size_t size = 0; size < update.size(); ++size) {
        const bool may_end = size == 7 || size == 48;
        CAPTURE(size);
        CHECK(read_ok(std::string_view(update).substr(0, size), kModern, ok) == may_end);
    }
    CHECK_FALSE(read_ok(update + "x", kModern, ok));
    CHECK_FALSE(read_ok("\x01" + update.substr(1), kModern, ok));
    const std::string eof = from_hex("fe01002200");
    REQUIRE(read_eof(eof, ok));
    CHECK(ok.warnings == 1);
    CHECK(ok.status == 0x22);
    CHECK_FALSE(read_eof(eof.substr(0, 4), ok));
    CHECK_FALSE(read_eof(eof + "x", ok));
    ErrorPacket error;
    CHECK_FALSE(read_error("\xff\x28", error));
    CHECK_FALSE(read_error("", error));
    CHECK_FALSE(read_error(from_hex("fe2804"), error));
}

TEST_CASE("an ERR is read with SQLSTATE and without") {
    const std::string with = from_hex("ff1704 23 3038533031") + "Unknown command";
    ErrorPacket error;
    REQUIRE(read_error(with, error));
    CHECK(error.number == kErrorUnknownCommand);
    CHECK(error.sqlstate == "08S01");
    CHECK(error.message == "Unknown command");
    const std::string without = from_hex("ff1004") + "Too many connections";
    REQUIRE(read_error(without, error));
    CHECK(error.number == kErrorTooManyConnections);
    CHECK(error.sqlstate == "");
    CHECK(error.message == "Too many connections");
}

std::string written(const OkPacket& ok, Capabilities capabilities) {
    std::string text;
    PayloadWriter writer(text);
    CHECK(write_ok(writer, 7, ok, capabilities) == 8);
    return text;
}

TEST_CASE("an OK is written as the server would have sent it to this client") {
    const std::string payload = from_hex(kUpdate);
    OkPacket ok;
    REQUIRE(read_ok(payload, kModern, ok));
    CHECK(written(ok, kModern) == packet(7, payload));
    CHECK(written(ok, kProtocol41) == packet_of_hex(7, kUpdateUntracked));
    CHECK(written({.status = 2}, kModern) == packet_of_hex(7, "00000002000000"));
}

TEST_CASE("the end of rows is an OK or an EOF, as the client expects") {
    const OkPacket ok{
        .status = kStatusAutocommit | kStatusSessionStateChanged,
        .warnings = 3,
        .session_track = "\1\2\1t"
    };
    std::string text;
    PayloadWriter writer(text);
    CHECK(write_end_of_rows(writer, 4, ok, kModern) == 5);
    CHECK(text == packet_of_hex(4, "fe00000240030000 04 01020174"));
    text.clear();
    CHECK(write_end_of_rows(writer, 4, ok, kProtocol41 | kSessionTrack) == 5);
    CHECK(text == packet_of_hex(4, "fe03000240"));
}

TEST_CASE("an ERR is written with the number's SQLSTATE and a message that fits") {
    std::string text;
    PayloadWriter writer(text);
    write_error(writer, 1, {.number = kErrorTooManyConnections, .message = "full"});
    CHECK(text == packet_of_hex(1, "ff1004 23 3038303034 66756c6c"));
    text.clear();
    write_error(writer, 0, {.number = 1040, .message = "full"}, ErrorForm::without_sqlstate);
    CHECK(text == packet_of_hex(0, "ff1004 66756c6c"));
    text.clear();
    const std::string message = std::string(511, 'x') + "\xc3\xa4";
    write_error(writer, 0, {.number = 1, .sqlstate = "HY000", .message = message});
    CHECK(text.size() == kPacketHeaderSize + 9 + 511);
}

}  // namespace
}  // namespace mysql
