// Responses as MariaDB 10.11 sent them, to clients with DEPRECATE_EOF and without: what is told of them,
// however the bytes are split, and what a hostile server is refused for.
#include "mysql/response_reader.h"

#include <algorithm>
#include <format>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "mysql/test_bytes.h"

namespace mysql {
namespace {

using namespace std::string_view_literals;

constexpr Capabilities kModern = kProtocol41 | kSessionTrack | kDeprecateEof;
constexpr Capabilities kOld = kProtocol41;

constexpr std::string_view kColumn = "03646566017401610161016901690c3f000b000000030350000000";
constexpr std::string_view kParameter = "03646566000000013f000c3f0000000000068000000000";
constexpr std::string_view kOk = "00000002000000";

// The packets one after the other, numbered from `sequence` on.
std::string packets(unsigned sequence, const std::vector<std::string_view>& payloads) {
    std::string bytes;
    for (const std::string_view payload : payloads) {
        bytes += packet_of_hex(sequence, payload);
        ++sequence;
    }
    return bytes;
}

std::string line_of(const ResponseStep& step, size_t base) {
    const std::string at = std::format("@{}", base + step.packet);
    switch (step.event) {
        case ResponseEvent::more_bytes: return "more";
        case ResponseEvent::prepared:
            return std::format(
                "prepared {} {} {}{}",
                step.prepared.id,
                step.prepared.columns,
                step.prepared.parameters,
                at
            );
        case ResponseEvent::definitions_end: return "definitions_end" + at;
        case ResponseEvent::result_end: return std::format("end {:x}{}", step.ok.status, at);
        case ResponseEvent::error: return std::format("error {}{}", step.error.number, at);
        case ResponseEvent::file_request: return std::format("file {}{}", step.payload.substr(1), at);
        case ResponseEvent::auth_switch: return "switch" + at;
        case ResponseEvent::auth_more: return "auth_more" + at;
        case ResponseEvent::done: return "done" + at;
        case ResponseEvent::failed: return "failed: " + std::string(step.reason);
    }
    return "?";
}

struct Walked {
    std::vector<std::string> lines;  // the events, with the place of their packets
    size_t consumed = 0;
    bool is_complete = false;
    uint64_t rows = 0;
    uint32_t columns = 0;
};

// Gives `step` bytes more each time, in memory of exactly their size, and keeps what was not consumed.
Walked walk(std::string_view bytes, const ResponseOptions& options, size_t step) {
    ResponseReader reader(options);
    Walked all;
    size_t end = 0;
    while (!all.is_complete) {
        const std::string piece(bytes.substr(all.consumed, end - all.consumed));
        const ResponseStep read = reader.read(piece);
        if (read.event == ResponseEvent::more_bytes) {
            all.consumed += read.consumed;
            if (end == bytes.size()) {
                break;
            }
            end = std::min(end + step, bytes.size());
            continue;
        }
        all.lines.push_back(line_of(read, all.consumed));
        all.consumed += read.consumed;
        if (read.event == ResponseEvent::failed) {
            break;
        }
        if (read.event == ResponseEvent::file_request || read.event == ResponseEvent::auth_switch) {
            reader.resume(static_cast<uint8_t>(reader.next_sequence() + 2));
        }
        all.is_complete = read.is_complete;
    }
    all.rows = reader.row_count();
    all.columns = reader.column_count();
    return all;
}

// Checks that every split tells the same, and that bytes behind the response are left alone.
Walked walk_all_splits(std::string_view bytes, const ResponseOptions& options) {
    const Walked whole = walk(bytes, options, bytes.size());
    const std::string with_next = std::string(bytes) + packet(0, "next");
    for (size_t step = 1; step <= bytes.size() + 1; ++step) {
        CAPTURE(step);
        const Walked split = walk(with_next, options, step);
        CHECK(split.lines == whole.lines);
        CHECK(split.consumed == whole.consumed);
        CHECK(split.rows == whole.rows);
    }
    CHECK(whole.is_complete);
    CHECK(whole.consumed == bytes.size());
    return whole;
}

using Lines = std::vector<std::string>;

TEST_CASE("a select of two rows is one event to whoever forwards it") {
    const std::string modern = packets(1, {"01", kColumn, "0131", "fb", "fe000022000000"});
    const Walked walked = walk_all_splits(modern, {.form = ResponseForm::results, .capabilities = kModern});
    CHECK(walked.lines == Lines{"end 22@47"});
    CHECK(walked.rows == 2);
    CHECK(walked.columns == 1);
    const std::string old = packets(1, {"01", kColumn, "fe00002200", "0131", "fb", "fe00002200"});
    const Walked old_walked = walk_all_splits(old, {.form = ResponseForm::results, .capabilities = kOld});
    CHECK(old_walked.lines == Lines{"end 22@56"});
    CHECK(old_walked.rows == 2);
}

TEST_CASE("the place of the missing EOF is told where it is asked for") {
    const ResponseOptions boundaries = {
        .form = ResponseForm::results,
        .capabilities = kModern,
        .stops = ResponseStops::boundaries
    };
    const std::string rows = packets(1, {"01", kColumn, "0131", "fe000022000000"});
    CHECK(walk_all_splits(rows, boundaries).lines == Lines{"definitions_end@36", "end 22@42"});
    const std::string empty = packets(1, {"01", kColumn, "fe000002000000"});
    CHECK(walk_all_splits(empty, boundaries).lines == Lines{"definitions_end@36", "end 2@36"});
    const std::string error = packets(1, {"01", kColumn, "ff2505 23 3730313030 78"});
    CHECK(walk_all_splits(error, boundaries).lines == Lines{"definitions_end@36", "error 1317@36"});
    const std::string several = packets(
        1,
        {"01", kColumn, "0131", "fe00000b000000", "01", kColumn, "fe00000b000000", "00000003000000"}
    );
    CHECK(
        walk_all_splits(several, boundaries).lines ==
        Lines{"definitions_end@36", "end b@42", "definitions_end@89", "end b@89", "end 3@100"}
    );
}

TEST_CASE("an event without a packet of its own carries no payload") {
    const std::string bytes = packets(1, {"01", kColumn, "0131", "fe000022000000"});
    ResponseReader reader(
        {.form = ResponseForm::results, .capabilities = kModern, .stops = ResponseStops::boundaries}
    );
    const ResponseStep step = reader.read(bytes);
    CHECK(step.event == ResponseEvent::definitions_end);
    CHECK(step.payload.empty());
    CHECK(step.packet == step.consumed);
}

TEST_CASE("an opened cursor ends behind its definitions, with one EOF only") {
    const std::string modern = packets(1, {"01", kColumn, "fe000062000000"});
    const ResponseOptions boundaries = {
        .form = ResponseForm::results,
        .capabilities = kModern,
        .stops = ResponseStops::boundaries
    };
    CHECK(walk_all_splits(modern, boundaries).lines == Lines{"end 62@36"});
    const std::string old = packets(1, {"01", kColumn, "fe00006200"});
    CHECK(
        walk_all_splits(old, {.form = ResponseForm::results, .capabilities = kOld}).lines ==
        Lines{"end 62@36"}
    );
    const std::string fetch = packets(1, {"000001000000", "fe000042000000"});
    const Walked fetched = walk_all_splits(fetch, {.form = ResponseForm::rows, .capabilities = kModern});
    CHECK(fetched.lines == Lines{"end 42@10"});
    CHECK(fetched.rows == 1);
    const std::string none = packets(1, {"ff8d05 23 4859303030 78"});
    CHECK(
        walk_all_splits(none, {.form = ResponseForm::rows, .capabilities = kModern}).lines ==
        Lines{"error 1421@0"}
    );
}

TEST_CASE("results follow each other while the server says so") {
    const std::string_view count = "01";
    const std::string modern = packets(
        1,
        {count,
         kColumn,
         "0131",
         "fe00000b400000000b050908545f5f5f5f5f535f",
         count,
         kColumn,
         "fe00000b000000",
         "00000003000000"}
    );
    CHECK(
        walk_all_splits(modern, {.form = ResponseForm::results, .capabilities = kModern}).lines ==
        Lines{"end 400b@42", "end b@102", "end 3@113"}
    );
}

TEST_CASE("an OK carries what the session changed, and an ERR ends everything") {
    const std::string ok = packets(1, {"00000002400000000701020174020131"});
    ResponseReader reader({.form = ResponseForm::one_ok, .capabilities = kModern});
    const ResponseStep step = reader.read(ok);
    CHECK(step.event == ResponseEvent::result_end);
    CHECK(step.is_complete);
    CHECK(step.ok.session_track == from_hex("01020174020131"));
    const std::string error = packets(1, {"01", kColumn, "0131", "ff2505 23 3730313030 78"});
    CHECK(
        walk_all_splits(error, {.form = ResponseForm::results, .capabilities = kModern}).lines ==
        Lines{"error 1317@42"}
    );
    for (const ResponseForm form :
         {ResponseForm::one_ok,
          ResponseForm::results,
          ResponseForm::prepared,
          ResponseForm::rows,
          ResponseForm::definitions,
          ResponseForm::text,
          ResponseForm::authentication}) {
        const std::string alone = packets(1, {"ff1704 23 3038533031 78"});
        CHECK(walk_all_splits(alone, {.form = form, .capabilities = kModern}).lines == Lines{"error 1047@0"});
    }
}

TEST_CASE("a prepare tells its id before its definitions, which end without a packet or with EOFs") {
    const std::string_view answer = "000200000001000200000000";
    const std::string modern = packets(1, {answer, kParameter, kParameter, kColumn});
    const ResponseOptions plain = {.form = ResponseForm::prepared, .capabilities = kModern};
    CHECK(walk_all_splits(modern, plain).lines == Lines{"prepared 2 1 2@0", "done@101"});
    ResponseOptions boundaries = plain;
    boundaries.stops = ResponseStops::boundaries;
    CHECK(
        walk_all_splits(modern, boundaries).lines ==
        Lines{"prepared 2 1 2@0", "definitions_end@70", "definitions_end@101"}
    );
    const std::string old = packets(1, {answer, kParameter, kParameter, "fe00000200", kColumn, "fe00000200"});
    boundaries.capabilities = kOld;
    CHECK(
        walk_all_splits(old, boundaries).lines ==
        Lines{"prepared 2 1 2@0", "definitions_end@70", "definitions_end@110"}
    );
    const std::string only_parameters = packets(1, {"000300000000000100000000", kParameter});
    CHECK(walk_all_splits(only_parameters, plain).lines == Lines{"prepared 3 0 1@0", "done@43"});
    const std::string neither = packets(1, {"000300000000000000000000"});
    const Walked walked = walk_all_splits(neither, plain);
    CHECK(walked.lines == Lines{"prepared 3 0 0@0"});
}

TEST_CASE("field lists, statistics and commands without an answer end where they end") {
    const std::string list = packets(1, {kColumn, kColumn, "fe000002000000"});
    CHECK(
        walk_all_splits(list, {.form = ResponseForm::definitions, .capabilities = kModern}).lines ==
        Lines{"end 2@62"}
    );
    const std::string text = packet(1, "Uptime: 42  Threads: 2");
    CHECK(
        walk_all_splits(text, {.form = ResponseForm::text, .capabilities = kModern}).lines == Lines{"done@26"}
    );
    ResponseReader none({.form = ResponseForm::none});
    CHECK(none.read("").is_complete);
    const std::string option = packets(1, {"fe00000200"});
    CHECK(
        walk_all_splits(option, {.form = ResponseForm::one_ok, .capabilities = kOld}).lines ==
        Lines{"end 2@0"}
    );
}

TEST_CASE("the client's turn pauses the response, and the server may not go on by itself") {
    const std::string file = packet_of_hex(1, "fb2f78") + packet_of_hex(4, kOk);
    CHECK(
        walk_all_splits(file, {.form = ResponseForm::results, .capabilities = kModern}).lines ==
        Lines{"file /x@0", "end 2@7"}
    );
    const std::string user = packet_of_hex(1, "fe6d7973716c5f6e617469766500313233343500") +
                             packet_of_hex(4, "0104") + packet_of_hex(5, kOk);
    CHECK(
        walk_all_splits(user, {.form = ResponseForm::authentication, .capabilities = kModern}).lines ==
        Lines{"switch@0", "auth_more@24", "end 2@30"}
    );
    ResponseReader reader({.form = ResponseForm::results, .capabilities = kModern});
    CHECK(reader.read(packet_of_hex(1, "fb2f78")).event == ResponseEvent::file_request);
    CHECK(reader.read("").event == ResponseEvent::more_bytes);
    CHECK(reader.read(packet_of_hex(2, kOk)).event == ResponseEvent::failed);
}

TEST_CASE("a row of 2^24 - 1 bytes and more is one row, whatever its packets begin with") {
    const std::string full(kPacketLengthMax, '\xfe');
    const std::string begin = packets(1, {"01", kColumn});
    for (const std::string_view last : {"\xfe\0\0\2\0\0\0"sv, "\xff\0\0"sv, ""sv}) {
        const std::string bytes =
            begin + packet(3, full) + packet(4, full) + packet(5, last) + packet_of_hex(6, "fe000002000000");
        for (const size_t step : {size_t{1000003}, size_t{kPacketLengthMax + 1}, bytes.size()}) {
            const Walked walked = walk(bytes, {.form = ResponseForm::results, .capabilities = kModern}, step);
            CHECK(walked.rows == 1);
            CHECK(walked.is_complete);
            CHECK(walked.consumed == bytes.size());
        }
    }
}

TEST_CASE("a part of a row may go another way") {
    const std::string bytes = packets(1, {"01", kColumn}) + packet(3, std::string(1000, 'x')).substr(0, 14);
    ResponseReader reader({.form = ResponseForm::results, .capabilities = kModern});
    CHECK(reader.read(bytes).consumed == bytes.size());
    CHECK(reader.packet_remaining() == 990);
    reader.skipped(990);
    CHECK(reader.read(packet_of_hex(4, "fe000002000000")).is_complete);
    CHECK(reader.row_count() == 1);
}

TEST_CASE("sequence numbers go round at 256") {
    std::string bytes = packets(1, {"01", kColumn});
    for (unsigned row = 0; row < 600; ++row) {
        bytes += packet(3 + row, "\1x");
    }
    bytes += packet_of_hex(603, "fe000002000000");
    const Walked walked = walk(bytes, {.form = ResponseForm::results, .capabilities = kModern}, 7);
    CHECK(walked.rows == 600);
    CHECK(walked.is_complete);
}

TEST_CASE("the last word of a server that gives up may be numbered as it likes") {
    const std::string error = packet_of_hex(0, "ff8404 23 3038533031 78");
    CHECK(
        walk(error, {.form = ResponseForm::results, .capabilities = kModern}, 99).lines ==
        Lines{"error 1156@0"}
    );
    const std::string ok = packet_of_hex(0, kOk);
    CHECK(
        walk(ok, {.form = ResponseForm::results, .capabilities = kModern}, 99).lines ==
        Lines{"failed: the server's packets are out of order"}
    );
}

TEST_CASE("a server that breaks the protocol is told why") {
    struct Row {
        ResponseForm form;
        Capabilities capabilities;
        std::vector<std::string_view> payloads;
        std::string_view reason;
    };
    const Row rows[] = {
        {ResponseForm::results, kModern, {""}, "the server sends an empty packet"},
        {ResponseForm::results, kModern, {"01", kColumn, ""}, "the server sends an empty packet"},
        {ResponseForm::results, kModern, {"fc0110"}, "the server sends more columns than there can be"},
        {ResponseForm::results, kModern, {"fc0000"}, "the server's column count is malformed"},
        {ResponseForm::results, kModern, {"fc00"}, "the server's column count is malformed"},
        {ResponseForm::results, kModern, {"0100"}, "the server's column count is malformed"},
        {ResponseForm::results, kModern, {"fd000100"}, "the server's column count is malformed"},
        {ResponseForm::results,
         kModern,
         {"01", "fe000002000000"},
         "the server sends something else than a column definition"},
        {ResponseForm::results, kOld, {"01", kColumn, "0131"}, "the server sends no EOF behind definitions"},
        {ResponseForm::results,
         kOld,
         {"01", kColumn, "fe00000200", "fe000002000000"},
         "the server's OK or EOF is malformed"},
        {ResponseForm::results,
         kModern,
         {"01", kColumn, "fe0000020000"},
         "the server's OK or EOF is malformed"},
        {ResponseForm::results, kModern, {"0000000240000000ff"}, "the server's OK or EOF is malformed"},
        {ResponseForm::results, kModern, {"ff01"}, "the server's ERR is malformed"},
        {ResponseForm::results,
         kModern,
         {"ffffff 01 02 03"},
         "the server reports progress, which was not agreed on"},
        {ResponseForm::one_ok, kModern, {"01"}, "the server's response begins with an unknown packet"},
        {ResponseForm::prepared, kModern, {"fe"}, "the server's response begins with an unknown packet"},
        {ResponseForm::prepared, kModern, {kOk}, "the server's answer to a prepare has a wrong length"},
        {ResponseForm::prepared,
         kModern,
         {"000100000001100000000000"},
         "the server prepares more columns than there can be"},
        {ResponseForm::authentication,
         kModern,
         {"02"},
         "the server's response to the login begins with an unknown packet"},
        {ResponseForm::definitions,
         kModern,
         {"0131"},
         "the server sends something else than a column definition"},
    };
    for (const Row& row : rows) {
        const std::string bytes = packets(1, row.payloads);
        CAPTURE(row.reason);
        const Walked walked = walk(bytes, {.form = row.form, .capabilities = row.capabilities}, bytes.size());
        REQUIRE_FALSE(walked.lines.empty());
        CHECK(walked.lines.back() == "failed: " + std::string(row.reason));
    }
    const std::string large = packet(1, std::string(101, '\0'));
    CHECK(
        walk(large.substr(0, 5), {.form = ResponseForm::one_ok, .whole_packet_max = 100}, 5).lines ==
        Lines{"failed: the server's OK, ERR or request is too large"}
    );
}

TEST_CASE("commands have the response that the protocol gives them") {
    CHECK(response_form(Command::query) == ResponseForm::results);
    CHECK(response_form(Command::statement_close) == ResponseForm::none);
    CHECK(response_form(Command::ping) == ResponseForm::one_ok);
    CHECK(response_form(static_cast<Command>(99)) == ResponseForm::one_ok);
    CHECK_FALSE(response_form(Command::binlog_dump).has_value());
}

}  // namespace
}  // namespace mysql
