// Phrases for known and for unknown codes.
#include "http/status.h"

#include <doctest/doctest.h>

namespace http {
namespace {

TEST_CASE("a code has its phrase, or that of its class") {
    CHECK(reason_phrase(200) == "OK");
    CHECK(reason_phrase(414) == "URI Too Long");
    CHECK(reason_phrase(505) == "HTTP Version Not Supported");
    CHECK(reason_phrase(299) == "Success");
    CHECK(reason_phrase(499) == "Client Error");
    CHECK(reason_phrase(999) == "Unknown");
}

}  // namespace
}  // namespace http
