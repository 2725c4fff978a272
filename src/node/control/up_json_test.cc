// The JSON of up.sock.
#include "node/control/up_json.h"

#include <doctest/doctest.h>

namespace node {

using namespace std::chrono_literals;

TEST_CASE("what is written is read again") {
    UpStatus status{
        .site = "a.com",
        .pid = 7,
        .file = "/etc/\"a\".toml",
        .state_dir = "/var/lib/a",
        .servers = {{"web1", 8, true}, {"web2", 0, false}},
        .frozen = {{"web1", 9, 1500ms}},
    };
    auto read = parse_up_status(format_up_status(status));
    REQUIRE(read);
    CHECK(*read == status);
    for (const UpDeed& deed : {UpDeed{"web1", 0, {}}, UpDeed{"web1", 5, 20s}}) {
        auto again = parse_up_deed(format_up_deed(deed));
        REQUIRE(again);
        CHECK(*again == deed);
    }
}

TEST_CASE("an order that is wrong is refused") {
    for (std::string_view body : {
             "",
             "[]",
             "{}",
             "{\"server\":\"\"}",
             "{\"server\":1}",
             "{\"server\":\"a\",\"pid\":-1}",
             "{\"server\":\"a\",\"pid\":99999999999}",
             "{\"server\":\"a\",\"pid\":\"1\"}",
             "{\"server\":\"a\",\"seconds\":61}",
             "{\"server\":\"a\",\"seconds\":0.5}",
             "{\"server\":\"a\",\"seconds\":-5}",
             "{\"server\":\"a\",\"signal\":9}",
         }) {
        CHECK_MESSAGE(!parse_up_deed(body), body);
    }
    CHECK_FALSE(parse_up_deed("{\"server\":\"" + std::string(5000, 'a') + "\"}"));
    CHECK(parse_up_deed("{\"server\":\"a\"}"));
}

TEST_CASE("an answer of another kind is refused") {
    for (std::string_view body : {"", "1", "{\"servers\":1}", "{\"pid\":\"x\"}", "{\"frozen\":[1]}"}) {
        CHECK_MESSAGE(!parse_up_status(body), body);
    }
}

}  // namespace node
