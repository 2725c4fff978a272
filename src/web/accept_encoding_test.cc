// Which encoding is chosen for what a client says, and when none is.
#include "web/accept_encoding.h"

#include <string>
#include <vector>

#include <doctest/doctest.h>

namespace web {
namespace {

// The name of the encoding, "identity", or "406".
std::string choose(std::string_view value, std::string_view available) {
    std::vector<Encoding> encodings;
    for (const char letter : available) {
        encodings.push_back(
            letter == 'b'   ? Encoding::brotli
            : letter == 'z' ? Encoding::zstandard
                            : Encoding::gzip
        );
    }
    const std::vector<char> exact(value.begin(), value.end());
    AcceptedEncodings accepted;
    accepted.add({exact.data(), exact.size()});
    const EncodingChoice choice = choose_encoding(accepted, encodings);
    if (!choice.is_acceptable) {
        return "406";
    }
    return choice.sibling ? std::string(encoding_name(encodings[*choice.sibling])) : "identity";
}

TEST_CASE("the greatest weight wins, then the configured order (RFC 9110 section 12.5.3)") {
    struct Row {
        std::string_view value;
        std::string_view available;
        std::string_view expected;
    };
    constexpr Row kRows[] = {
        {"gzip, deflate, br, zstd", "bzg", "br"},
        {"gzip, deflate, br, zstd", "zbg", "zstd"},
        {"gzip, deflate, br, zstd", "gbz", "gzip"},
        {"gzip, deflate, br", "zg", "gzip"},
        {"gzip", "b", "identity"},
        {"gzip", "", "identity"},
        {"", "bzg", "identity"},
        {"deflate", "bzg", "identity"},
        {"GZip", "g", "gzip"},
        {"x-gzip", "g", "gzip"},
        {"br;q=0.5, gzip;q=0.8", "bg", "gzip"},
        {"br;q=0.8, gzip;q=0.8", "bg", "br"},
        {"br ; q=0.001 , gzip\t;\tq=0.002", "bg", "gzip"},
        {"br;q=0, gzip", "bg", "gzip"},
        {"br;q=0", "b", "identity"},
        {"br;q=0.000", "b", "identity"},
        {"br;q=1.000", "b", "br"},
        {"br;Q=1", "b", "br"},
        {"*", "zg", "zstd"},
        {"*;q=0.5, gzip;q=0.6", "bg", "gzip"},
        {"*;q=0.5, br;q=0", "bg", "gzip"},
        {"identity, br;q=0.5", "b", "identity"},
        {"identity;q=0.5, br;q=0.5", "b", "br"},
        {"identity;q=0.5, br", "b", "br"},
        {"identity;q=0, br;q=0.1", "b", "br"},
        {"*;q=0.5, gzip;q=0.1", "g", "identity"},  // "*" is the file as it is, too
        {"identity;q=0", "", "406"},
        {"identity;q=0", "bzg", "406"},
        {"identity;q=0, gzip", "b", "406"},
        {"*;q=0", "b", "406"},
        {"*;q=0, identity", "b", "identity"},
        {"*;q=0, br", "b", "br"},
        {"*;q=0, identity;q=0.1, br;q=0.05", "b", "identity"},
        {"identity;q=0, *", "b", "br"},
        {"gzip, gzip;q=0", "g", "gzip"},  // the first counts
    };
    for (const Row& row : kRows) {
        CAPTURE(row.value);
        CAPTURE(row.available);
        CHECK(choose(row.value, row.available) == row.expected);
    }
}

TEST_CASE("elements that do not follow the grammar are passed over") {
    for (const std::string_view value : {
             "br;q=2",      "br;q=1.001",  "br;q=0.1234", "br;q=",    "br;q",       "br;",
             "br;q=-1",     "br;q=.5",     "br;q=a",      "br;q=1;x", "br;level=5", "br;q =1",
             "br;q= 1",     "br q=1",      "br=1",        "b",        "brotli",     "br;q=0.5;x",
             "identity;q=", "br;q=1.0001", "br;q=00.5",   "br;;q=1",  "\"br\"",
         }) {
        CAPTURE(value);
        CHECK(choose(value, "b") == "identity");
    }
    CHECK(choose("br;q=x, gzip", "bg") == "gzip");
    CHECK(choose(",, gzip ,,", "bg") == "gzip");
}

TEST_CASE("without the field a client is sent the file as it is") {
    constexpr Encoding kAvailable[] = {Encoding::brotli};
    const EncodingChoice choice = choose_encoding(AcceptedEncodings(), kAvailable);
    CHECK(choice.is_acceptable);
    CHECK_FALSE(choice.sibling);
}

}  // namespace
}  // namespace web
