// Signed cookies: what a key of ours signed for this name and time is accepted, and nothing else.
#include "sdk/signed_cookie.h"

#include <doctest/doctest.h>

#include "sdk/base64url.h"

namespace trilith::sdk {
namespace {

using namespace std::string_view_literals;

constexpr int64_t kNow = 1'700'000'000;

CookieSigner signer_of(std::vector<std::string> keys) { return *CookieSigner::make(std::move(keys)); }

const std::string kOldKey(32, 'o');
const std::string kNewKey(32, 'n');

TEST_CASE("the value comes back, until it expires") {
    CookieSigner signer = signer_of({kNewKey});
    for (std::string_view value : {""sv, "7"sv, "a b;c\""sv, "\xC3\xA4"sv, "\0x"sv}) {
        std::string text = signer.sign("user", value, kNow + 60);
        CHECK(signer.verify("user", text, kNow) == value);
        CHECK(signer.verify("user", text, kNow + 59) == value);
        CHECK(signer.verify("user", text, kNow + 60) == std::nullopt);
        CHECK(signer.verify("admin", text, kNow) == std::nullopt);
    }
}

TEST_CASE("the format is as documented, for who verifies it elsewhere") {
    CHECK(
        signer_of({std::string(32, 'k')}).sign("user", "7", 1'700'000'060) ==
        "Nw.1700000060.ma_80L3CgO8m3gQUwPTzmGH0b4WqBa1EDOTHkDuPU14"
    );
}

TEST_CASE("no change of a single byte is accepted, nor a piece") {
    CookieSigner signer = signer_of({kNewKey});
    std::string text = signer.sign("user", "7", kNow + 60);
    for (size_t at = 0; at < text.size(); ++at) {
        CAPTURE(at);
        std::string changed = text;
        changed[at] = changed[at] == 'A' ? 'B' : 'A';
        CHECK(signer.verify("user", changed, kNow) == std::nullopt);
        CHECK(signer.verify("user", text.substr(0, at), kNow) == std::nullopt);
        CHECK(signer.verify("user", text.substr(at + 1), kNow) == std::nullopt);
    }
    CHECK(signer.verify("user", text + "A", kNow) == std::nullopt);
    CHECK(signer.verify("user", text + ".", kNow) == std::nullopt);
}

TEST_CASE("keys are rotated: an old one is accepted and signs no more") {
    std::string old = signer_of({kOldKey}).sign("user", "7", kNow + 60);
    CookieSigner both = signer_of({kNewKey, kOldKey});
    CHECK(both.verify("user", old, kNow) == "7");
    CHECK(signer_of({kNewKey}).verify("user", old, kNow) == std::nullopt);
    CHECK(signer_of({kNewKey}).verify("user", both.sign("user", "8", kNow + 60), kNow) == "8");
    CHECK(CookieSigner().verify("user", old, kNow) == std::nullopt);
}

TEST_CASE("short keys and too many are refused") {
    CHECK_FALSE(CookieSigner::make({std::string(31, 'k')}).has_value());
    CHECK_FALSE(CookieSigner::make(std::vector<std::string>(9, kNewKey)).has_value());
    CHECK(CookieSigner::make({}).has_value());
}

TEST_CASE("base64url has one text for each run of bytes") {
    CHECK(encode_base64url("") == "");
    CHECK(encode_base64url("f") == "Zg");
    CHECK(encode_base64url("foobar") == "Zm9vYmFy");
    CHECK(encode_base64url("\xFB\xFF") == "-_8");
    CHECK(decode_base64url("Zm9vYg") == "foob");
    for (std::string_view text : {"Zh", "Z", "Zg==", "Zg\n", "Z+", "Z/", "Z g"}) {
        CAPTURE(text);
        CHECK(decode_base64url(text) == std::nullopt);
    }
}

}  // namespace
}  // namespace trilith::sdk
