// JSON strings: whatever bytes go in, one valid JSON string comes out, and it says the same.
#include "core/json_text.h"

#include <cstdint>
#include <string>
#include <string_view>

#include <doctest/doctest.h>

#include "core/random.h"

namespace core {
namespace {

using namespace std::string_view_literals;

std::string quoted(std::string_view text) {
    std::string target = "before ";
    append_json_string(target, text);
    REQUIRE(target.starts_with("before "));
    return target.substr(7);
}

// Decodes what append_json_string() may write, as RFC 8259 reads it; a byte that was escaped comes back as
// its code point. Empty, and `is_valid` false, for anything that is no JSON string.
struct Decoded {
    bool is_valid = false;
    std::u32string text;
};

// The code point that begins at `at`, which is moved behind it; 0xFFFFFFFF where the bytes are no UTF-8 (RFC
// 3629).
char32_t take_utf8(std::string_view text, size_t& at) {
    constexpr char32_t kBad = 0xFFFFFFFF;
    auto lead = static_cast<uint8_t>(text[at++]);
    if (lead < 0x80) {
        return lead;
    }
    int more = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : 1;
    if (lead < 0xC0 || lead > 0xF7) {
        return kBad;
    }
    auto code = static_cast<char32_t>(lead & (0x3F >> more));
    for (int index = 0; index < more; ++index) {
        if (at >= text.size() || (static_cast<uint8_t>(text[at]) & 0xC0) != 0x80) {
            return kBad;
        }
        code = code << 6 | (static_cast<uint8_t>(text[at++]) & 0x3FU);
    }
    constexpr char32_t kSmallest[] = {0, 0x80, 0x800, 0x10000};
    bool is_surrogate = code >= 0xD800 && code <= 0xDFFF;
    return code < kSmallest[more] || code > 0x10FFFF || is_surrogate ? kBad : code;
}

Decoded decode(std::string_view json) {
    Decoded decoded;
    if (json.size() < 2 || json.front() != '"' || json.back() != '"') {
        return decoded;
    }
    json = json.substr(1, json.size() - 2);
    for (size_t at = 0; at < json.size();) {
        if (json[at] == '"' || static_cast<uint8_t>(json[at]) < 0x20) {
            return decoded;
        }
        if (json[at] != '\\') {
            char32_t code = take_utf8(json, at);
            if (code == 0xFFFFFFFF) {
                return decoded;
            }
            decoded.text += code;
            continue;
        }
        std::string_view escape = json.substr(at + 1);
        constexpr std::string_view kShort = "\"\\/bfnrt";
        constexpr std::string_view kMeant = "\"\\/\b\f\n\r\t";
        if (escape.starts_with("u00") && escape.size() >= 5) {
            decoded.text += static_cast<char32_t>(std::stoul(std::string(escape.substr(1, 4)), nullptr, 16));
            at += 6;
        } else if (!escape.empty() && kShort.contains(escape.front())) {
            decoded.text += static_cast<char32_t>(kMeant[kShort.find(escape.front())]);
            at += 2;
        } else {
            return decoded;
        }
    }
    decoded.is_valid = true;
    return decoded;
}

TEST_CASE("texts become the JSON strings that stand for them") {
    CHECK(quoted("") == R"("")");
    CHECK(quoted("plain /text?") == R"("plain /text?")");
    CHECK(quoted("say \"hi\" \\") == R"("say \"hi\" \\")");
    CHECK(quoted("a\nb\rc\td") == R"("a\nb\rc\td")");
    CHECK(quoted("\0\x01\x1f\x7f"sv) == R"("\u0000\u0001\u001f\u007f")");
    CHECK(quoted("gr\xC3\xBC\xC3\x9F") == "\"gr\xC3\xBC\xC3\x9F\"");
    CHECK(quoted("\xE2\x82\xAC \xF0\x9F\x98\x80") == "\"\xE2\x82\xAC \xF0\x9F\x98\x80\"");
}

TEST_CASE("bytes that are no UTF-8 are escaped one by one") {
    CHECK(quoted("\xFF") == R"("\u00ff")");
    CHECK(quoted("\x80\xBF") == R"("\u0080\u00bf")");
    CHECK(quoted("\xC3") == R"("\u00c3")");  // cut short
    CHECK(
        quoted("\xC3"
               "A") == R"("\u00c3A")"
    );
    CHECK(quoted("\xC3\"") == R"("\u00c3\"")");                  // the quote is not swallowed
    CHECK(quoted("\xC0\xAF") == R"("\u00c0\u00af")");            // overlong "/"
    CHECK(quoted("\xE0\x80\xAF") == R"("\u00e0\u0080\u00af")");  // overlong in three
    CHECK(quoted("\xED\xA0\x80") == R"("\u00ed\u00a0\u0080")");  // a surrogate
    CHECK(quoted("\xF0\x8F\xBF\xBF") == R"("\u00f0\u008f\u00bf\u00bf")");
    CHECK(quoted("\xF4\x90\x80\x80") == R"("\u00f4\u0090\u0080\u0080")");  // above U+10FFFF
    CHECK(quoted("\xF4\x8F\xBF\xBF") == "\"\xF4\x8F\xBF\xBF\"");
    CHECK(quoted("\xE2\x82") == R"("\u00e2\u0082")");
}

TEST_CASE("every sequence of bytes becomes a valid JSON string that says the same") {
    Random random(7);
    constexpr std::string_view kRare = "\"\\\n\x7F\x80\xBF\xC2\xC3\xE0\xED\xEF\xF0\xF4\xF5\xFF\xA0\x90\x9F";
    for (int round = 0; round < 50000; ++round) {
        std::string bytes;
        for (uint64_t left = random.below(12); left > 0; --left) {
            bytes += random.below(2) == 0 ? kRare[random.below(kRare.size())]
                                          : static_cast<char>(random.below(256));
        }
        std::u32string meant;
        for (size_t at = 0; at < bytes.size();) {
            size_t behind = at;
            char32_t code = take_utf8(bytes, behind);
            bool is_valid = code != 0xFFFFFFFF;
            meant += is_valid ? code : static_cast<uint8_t>(bytes[at]);
            at = is_valid ? behind : at + 1;
        }
        Decoded decoded = decode(quoted(bytes));
        REQUIRE(decoded.is_valid);
        REQUIRE(decoded.text == meant);
    }
}

}  // namespace
}  // namespace core
