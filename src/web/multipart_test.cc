// The body of several ranges, put together as a client would get it.
#include "web/multipart.h"

#include <doctest/doctest.h>

namespace web {
namespace {

TEST_CASE("parts are described in order, and their length is that of what is sent") {
    constexpr ByteRange kRanges[] = {{.first = 8, .length = 2}, {.first = 0, .length = 3}};
    const std::string_view file = "0123456789";
    http::LocalAnswer answer;
    const uint64_t length = describe_multipart(
        {.ranges = kRanges, .size = file.size(), .content_type = "text/plain", .boundary = "b"},
        answer
    );
    std::string body;
    for (const http::BodyPart& part : answer.parts) {
        const std::string_view source =
            part.kind == http::BodyPart::Kind::made ? std::string_view(answer.made_body) : file;
        body += source.substr(part.offset, part.length);
    }
    CHECK(body.size() == length);
    CHECK(
        body ==
        "\r\n--b\r\nContent-Type: text/plain\r\nContent-Range: bytes 8-9/10\r\n\r\n89"
        "\r\n--b\r\nContent-Type: text/plain\r\nContent-Range: bytes 0-2/10\r\n\r\n012"
        "\r\n--b--\r\n"
    );
}

TEST_CASE("boundaries are long, and each is another") {
    core::Random random(7);
    const std::string first = make_boundary(random);
    const std::string second = make_boundary(random);
    CHECK(first.size() == 32);
    CHECK(first.find_first_not_of("0123456789abcdef") == std::string::npos);
    CHECK(first != second);
    core::Random again(7);
    CHECK(make_boundary(again) == first);
}

}  // namespace
}  // namespace web
