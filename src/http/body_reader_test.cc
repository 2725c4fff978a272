// What a body reader says of the body that is still to come.
#include "http/body_reader.h"

#include <algorithm>
#include <string>
#include <string_view>

#include <doctest/doctest.h>

namespace http {
namespace {

struct Reader {
    explicit Reader(Framing framing) : body(framing) {}

    // Reads a piece that arrives with these bytes; its data.
    std::string read(std::string_view bytes) {
        std::ranges::copy(bytes, buffer.prepare().begin());
        buffer.commit(bytes.size());
        BodyPiece piece = body.next(buffer);
        CHECK(piece.refused.empty());
        std::string data(piece.data);
        buffer.consume(piece.consumed);
        return data;
    }

    net::BufferPool pool;
    net::SharedReadBuffer shared{pool};
    net::ReadBuffer buffer{shared};
    BodyReader body;
};

TEST_CASE("a body of known length announces all that is to come") {
    Reader reader({.kind = FramingKind::length, .length = 10});
    CHECK(reader.body.announced() == 10);
    CHECK(reader.read("abc") == "abc");
    CHECK(reader.body.announced() == 7);
    CHECK(reader.read("defghijNEXT") == "defghij");
    CHECK(reader.body.announced() == 0);
    CHECK(reader.body.is_done());
}

TEST_CASE("a chunked body announces the rest of its chunk, as soon as its size line has ended") {
    Reader reader({.kind = FramingKind::chunked});
    CHECK(reader.body.announced() == 0);
    CHECK(reader.read("1") == "");
    CHECK(reader.body.announced() == 0);
    CHECK(reader.read("00") == "");
    CHECK(reader.body.announced() == 0);
    CHECK(reader.read(";a=b\r\n") == "");
    CHECK(reader.body.announced() == 0x100);
    CHECK(reader.read("abc") == "abc");
    CHECK(reader.body.announced() == 0x100 - 3);
    CHECK(reader.read(std::string(0x100 - 3, 'x')).size() == 0x100 - 3);
    CHECK(reader.body.announced() == 0);
    CHECK(reader.read("\r\n0\r\n\r\n") == "");
    CHECK(reader.body.announced() == 0);
    CHECK(reader.body.is_done());
}

TEST_CASE("a body without an end of its own announces nothing") {
    CHECK(BodyReader({.kind = FramingKind::none}).announced() == 0);
    CHECK(BodyReader({.kind = FramingKind::until_close}).announced() == 0);
}

}  // namespace
}  // namespace http
