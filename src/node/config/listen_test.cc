// Listening addresses, good and bad.
#include "node/config/listen.h"

#include <array>

#include <doctest/doctest.h>

namespace node {

namespace {

net::Address listen(std::string_view text) {
    auto address = parse_listen(text);
    REQUIRE(address.has_value());
    return *address;
}

}  // namespace

TEST_CASE("a listening address is read and written back") {
    for (std::string_view text :
         {"http://127.0.0.1:8080",
          "http://0.0.0.0:80",
          "http://*:65535",
          "http://[::1]:1",
          "http://127.0.0.1:0",
          "http://*:0",
          "http://[fd00::1]:0"}) {
        CHECK(listen_text(listen(text)) == text);
    }
    CHECK(listen("http://[::]:80") == listen("http://*:80"));
    CHECK(listen("http://*:80") == *net::Address::parse("*:80"));
}

TEST_CASE("what is not a listening address is refused with its cure") {
    struct Bad {
        std::string_view text;
        std::string_view message;
    };
    constexpr std::string_view form =
        "expected http://ADDRESS:PORT, such as \"http://127.0.0.1:8080\" or \"http://*:8080\", found ";
    for (const Bad& bad : std::initializer_list<Bad>{
             {"https://127.0.0.1:443", "https: TLS is not supported by this version; write http://"},
             {"127.0.0.1:80", form},
             {"http://", form},
             {"http://:80", form},
             {"http://127.0.0.1", form},
             {"http://[::1]", form},
             {"http://::1:80", "an IPv6 address is written in brackets: \"http://[::1]:PORT\""},
             {"http://foobar.com:80", "\"foobar.com\" is not an address, and names are not looked up"},
             {"http://[127.0.0.1]:80", "\"[127.0.0.1]\" is not an address"},
             {"http://[foo]:80", "\"[foo]\" is not an address"},
             {"http://127.0.0.1:80/", "nothing follows the port of http://ADDRESS:PORT"},
             {"http://127.0.0.1:x", "\"x\" is not a port (0 to 65535; 0 takes a free one)"},
             {"http://127.0.0.1:", "\"\" is not a port"},
             {"http://127.0.0.1:65536", "\"65536\" is not a port"},
             {"http://127.0.0.1:-1", "\"-1\" is not a port"},
             {"http://127.0.0.1:80x", "\"80x\" is not a port"},
         }) {
        CAPTURE(bad.text);
        auto address = parse_listen(bad.text);
        REQUIRE_FALSE(address.has_value());
        CAPTURE(address.error().context());
        CHECK(address.error().context().starts_with(bad.message));
    }
}

TEST_CASE("every address covers its family, and * covers both") {
    auto covers = [](std::string_view wide, std::string_view narrow) {
        return listen_covers(listen(wide), listen(narrow));
    };
    CHECK(covers("http://*:80", "http://127.0.0.1:80"));
    CHECK(covers("http://*:80", "http://0.0.0.0:80"));
    CHECK(covers("http://*:80", "http://[::1]:80"));
    CHECK(covers("http://0.0.0.0:80", "http://127.0.0.1:80"));
    CHECK_FALSE(covers("http://0.0.0.0:80", "http://[::1]:80"));
    CHECK_FALSE(covers("http://127.0.0.1:80", "http://*:80"));
    CHECK_FALSE(covers("http://*:80", "http://*:81"));
    CHECK_FALSE(covers("http://*:0", "http://127.0.0.1:0"));
    CHECK(covers("http://127.0.0.1:0", "http://127.0.0.1:0"));
}

}  // namespace node
