// A client's bytes: where commands end, however they are split, and what is refused.
#include "mysql/request_reader.h"

#include <algorithm>
#include <string>

#include <doctest/doctest.h>

#include "mysql/test_bytes.h"

namespace mysql {
namespace {

// Reads in pieces of `step` bytes and keeps what was not consumed, as a relay does; gives the bytes consumed.
size_t walk(RequestReader& reader, std::string_view bytes, size_t step, RequestStep& last) {
    size_t consumed = 0;
    for (size_t end = std::min(step, bytes.size());; end = std::min(end + step, bytes.size())) {
        last = reader.read(bytes.substr(consumed, end - consumed));
        consumed += last.consumed;
        if (last.state != RequestState::more_bytes || end == bytes.size()) {
            return consumed;
        }
    }
}

TEST_CASE("a command is told from its first five bytes on, and its bytes only are consumed") {
    const std::string query = packet(0, "\3select 1");
    const std::string bytes = query + packet(0, "\1");
    for (size_t size = 0; size <= bytes.size(); ++size) {
        RequestReader reader;
        reader.begin(RequestForm::command, 0);
        const std::string_view given = std::string_view(bytes).substr(0, size);
        const RequestHead head = reader.head(given);
        CAPTURE(size);
        if (size < 5) {
            CHECK(head.state == RequestState::more_bytes);
            continue;
        }
        CHECK(head.state == RequestState::begun);
        CHECK(head.command == Command::query);
        CHECK(head.length == 9);
        CHECK(head.is_whole == (size >= query.size()));
        CHECK(head.payload == given.substr(4, 9));
        const RequestStep step = reader.read(given);
        CHECK(step.consumed == std::min(size, query.size()));
        CHECK((step.state == RequestState::complete) == (size >= query.size()));
    }
}

TEST_CASE("a payload of 2^24 - 1 bytes and more goes on in the next packet, at every split") {
    const std::string full(kPacketLengthMax, 'x');
    const std::string last_packets[] = {packet(1, "tail"), packet(1, "")};
    for (const std::string& last : last_packets) {
        const std::string bytes = packet(0, full) + last + packet(0, "\1");
        for (const size_t step : {size_t{1000003}, size_t{kPacketLengthMax + 3}, bytes.size()}) {
            RequestReader reader;
            reader.begin(RequestForm::command, 0);
            CHECK_FALSE(reader.head(bytes).is_whole);
            RequestStep end;
            CHECK(walk(reader, bytes, step, end) == bytes.size() - 5);
            CHECK(end.state == RequestState::complete);
            CHECK(reader.next_sequence() == 2);
        }
    }
}

TEST_CASE("packets out of order are refused") {
    RequestReader reader;
    reader.begin(RequestForm::command, 0);
    CHECK(reader.head(packet(1, "\1")).error == kErrorPacketsOutOfOrder);
    CHECK(reader.read(packet(1, "\1")).state == RequestState::refused);
    const std::string continued = packet(0, std::string(kPacketLengthMax, 'x')) + packet(2, "y");
    reader.begin(RequestForm::command, 0);
    const RequestStep step = reader.read(continued);
    CHECK(step.state == RequestState::refused);
    CHECK(step.error == kErrorPacketsOutOfOrder);
}

TEST_CASE("a command over its bound is refused at the header that exceeds it") {
    RequestReader reader({.payload_max = 10});
    reader.begin(RequestForm::command, 0);
    CHECK(reader.head(packet(0, "0123456789")).state == RequestState::begun);
    CHECK(reader.head(packet(0, "0123456789a")).error == kErrorPacketTooLarge);
    CHECK(reader.read(packet(0, "0123456789a").substr(0, 4)).error == kErrorPacketTooLarge);
    RequestReader sum({.payload_max = kPacketLengthMax + 3});
    sum.begin(RequestForm::command, 0);
    const std::string full = packet(0, std::string(kPacketLengthMax, 'x'));
    CHECK(sum.read(full + packet(1, "abc")).state == RequestState::complete);
    sum.begin(RequestForm::command, 0);
    CHECK(sum.read(full + packet(1, "abcd")).error == kErrorPacketTooLarge);
}

TEST_CASE("a command without a byte is one that servers answer, COM_SLEEP") {
    RequestReader reader;
    reader.begin(RequestForm::command, 0);
    const RequestHead head = reader.head(packet(0, ""));
    CHECK(head.state == RequestState::begun);
    CHECK(head.command == Command::sleep);
    CHECK(head.is_whole);
    CHECK(reader.read(packet(0, "")).state == RequestState::complete);
}

TEST_CASE("a file ends with an empty payload, not with the empty rest of a full packet") {
    const std::string full(kPacketLengthMax, 'x');
    const std::string bytes =
        packet(2, "some rows") + packet(3, full) + packet(4, "") + packet(5, "more") + packet(6, "");
    for (const size_t step : {size_t{4096}, bytes.size()}) {
        RequestReader reader;
        reader.begin(RequestForm::file, 2);
        RequestStep end;
        CHECK(walk(reader, bytes + packet(0, "\1"), step, end) == bytes.size());
        CHECK(end.state == RequestState::complete);
        CHECK(reader.next_sequence() == 7);
        CHECK(reader.payload_size() == 13 + kPacketLengthMax);
    }
    RequestReader bounded({.file_max = 8});
    bounded.begin(RequestForm::file, 2);
    CHECK(bounded.read(bytes).error == kErrorPacketTooLarge);
}

TEST_CASE("an answer is one payload with the number that the server asked for") {
    RequestReader reader;
    reader.begin(RequestForm::answer, 255);
    CHECK(reader.read(packet(255, "")).state == RequestState::complete);
    CHECK(reader.next_sequence() == 0);
}

}  // namespace
}  // namespace mysql
