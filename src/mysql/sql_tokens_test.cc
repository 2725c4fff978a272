// Tokens as MariaDB 10.11.19 was seen to cut them.
#include "mysql/sql_tokens.h"

#include <span>
#include <string>
#include <vector>

#include <doctest/doctest.h>

namespace mysql {
namespace {

std::string kind_letter(const Token& token) {
    switch (token.kind) {
        case TokenKind::end: return "end";
        case TokenKind::word: return token.follows_dot ? "name" : "word";
        case TokenKind::quoted_name: return "quoted";
        case TokenKind::string: return "string";
        case TokenKind::number: return "number";
        case TokenKind::bit_literal: return "bits";
        case TokenKind::user_variable: return "user";
        case TokenKind::system_variable: return "system";
        case TokenKind::parameter: return "parameter";
        case TokenKind::assign: return "assign";
        case TokenKind::symbol: return "symbol";
        case TokenKind::unclear: break;
    }
    return "unclear";
}

// "word SELECT|number 1"; the text lies in memory of exactly its size.
std::string tokens_of(std::string_view text, const TokenSettings& settings = {}) {
    const std::vector<char> exact(text.begin(), text.end());
    TokenReader reader({exact.data(), exact.size()}, settings);
    std::string found;
    while (true) {
        const Token token = reader.next();
        if (token.kind == TokenKind::end) {
            CHECK(reader.next().kind == TokenKind::end);
            return found;
        }
        found += found.empty() ? "" : "|";
        found += kind_letter(token);
        if (token.kind == TokenKind::unclear) {
            CHECK(reader.next().kind == TokenKind::unclear);
            return found;
        }
        found += " " + std::string(token.text);
    }
}

struct Row {
    std::string_view text;
    std::string_view tokens;
};

void check_rows(std::span<const Row> rows, const TokenSettings& settings = {}) {
    for (const Row& row : rows) {
        CAPTURE(row.text);
        CHECK(tokens_of(row.text, settings) == row.tokens);
    }
}

TEST_CASE("comments are skipped where the server skips them") {
    constexpr Row kRows[] = {
        {"", ""},
        {" \t\r\n\v\f", ""},
        {"a#b\nc", "word a|word c"},
        {"a -- b\nc", "word a|word c"},
        {"a --\x01"
         "b\nc",
         "word a|word c"},
        {"a --", "word a"},
        {"1--1", "number 1|symbol -|symbol -|number 1"},
        {"a/**/b", "word a|word b"},
        {"/*/ 1 */ 2", "number 2"},
        {"/*+ hint */ 2", "number 2"},
        {"/* /* */ 2", "number 2"},
        {"/* # -- ' */ 2", "number 2"},
        {"2 /*", "number 2|unclear"},
        {"2 /* *", "number 2|unclear"},
        {"2 */", "number 2|symbol *|symbol /"},
        {"# \0 b\n c", ""},
    };
    check_rows(kRows);
}

TEST_CASE("executable comments count by the version of the server") {
    constexpr Row kRows[] = {
        {"1 /*!99999 2*/ 3", "number 1|number 3"},
        {"1 /*!50101 2*/ 3", "number 1|number 2|number 3"},
        {"1 /*!50699 2*/ 3", "number 1|number 2|number 3"},
        {"1 /*!50700 2*/ 3", "number 1|number 3"},
        {"1 /*!100000 2*/ 3", "number 1|number 2|number 3"},
        {"1 /*!101119 2*/ 3", "number 1|number 2|number 3"},
        {"1 /*!101120 2*/ 3", "number 1|number 3"},
        {"1 /*M! 2*/ 3", "number 1|number 2|number 3"},
        {"1 /*M!50701 2*/ 3", "number 1|number 2|number 3"},
        {"1 /*M!999999 2*/ 3", "number 1|number 3"},
        {"1 /*m! 2*/ 3", "number 1|number 3"},
        {"1 /*! 2*/ 3", "number 1|number 2|number 3"},
        {"1 /*!2*/ 3", "number 1|number 2|number 3"},
        {"1 /*!1234 2*/ 3", "number 1|number 1234|number 2|number 3"},
        {"1 /*!5010134*/ 3", "number 1|number 3"},
        {"1 /*!999999 /* x */ 2 */ 3", "number 1|number 3"},
        {"1 /*!999999 '*/ 3", "number 1|number 3"},
        {"1 /*!999999 /* x */", "number 1|unclear"},
        {"1 /*! 2 /* x */ 2 */ 3", "number 1|number 2|number 2|number 3"},
        {"1 /*! 2", "number 1|number 2|unclear"},
        {"1 /*! # */\n */ 2", "number 1|number 2"},
        {"1 /*! '*/' */", "number 1|string '*/'"},
    };
    check_rows(kRows, {.server_version = 101119});
}

TEST_CASE("quotes end where they end in each sql_mode") {
    constexpr Row kAlways[] = {
        {"'a''b'", "string 'a''b'"},
        {"'a' 'b'", "string 'a'|string 'b'"},
        {"`a``b`", "quoted `a``b`"},
        {"`a\\`", "quoted `a\\`"},
        {"N'x' n'y' n\"z\"", "string N'x'|string n'y'|word n|string \"z\""},
        {"x'41' B'01' _utf8'x'", "bits x'41'|bits B'01'|word _utf8|string 'x'"},
        {"'a", "unclear"},
        {"`a", "unclear"},
        {"'''", "unclear"},
        {"'12345678901234567890'", "string '12345678901234567890'"},
    };
    check_rows(kAlways);
    constexpr Row kEscapes[] = {
        {"'a\\'b'", "string 'a\\'b'"},
        {"'a\\\\'b", "string 'a\\\\'|word b"},
        {"\"a\\\"b\"", "string \"a\\\"b\""},
        {"'a\\", "unclear"},
        {"'a\\'", "unclear"},
    };
    check_rows(kEscapes);
    constexpr Row kNoEscapes[] = {{"'a\\'b", "string 'a\\'|word b"}, {"\"a\\\"b", "string \"a\\\"|word b"}};
    check_rows(kNoEscapes, {.has_backslash_escapes = false});
    constexpr Row kAnsi[] = {
        {"\"a\"\"b\"", "quoted \"a\"\"b\""},
        {"\"a\\\" b", "quoted \"a\\\"|word b"},
        {"'a\\'b'", "string 'a\\'b'"},
        {"@\"a\" @@\"b\"", "user @\"a\"|system @@\"b\""},
    };
    check_rows(kAnsi, {.has_ansi_quotes = true});
}

TEST_CASE("numbers and names part where the server parts them") {
    constexpr Row kRows[] = {
        {"1.5into", "number 1.5|word into"},
        {"1e5into", "number 1e5|word into"},
        {"1E+5into 1e-5", "number 1E+5|word into|number 1e-5"},
        {"1into", "word 1into"},
        {"1e into", "word 1e|word into"},
        {"1.into", "number 1.|word into"},
        {"1.e5 .5e1", "number 1.e5|number .5e1"},
        {"1.5e'", "unclear"},
        {"0x41 0b01", "bits 0x41|bits 0b01"},
        {"0x41into 0xG 0x 0X41 0b2", "word 0x41into|word 0xG|word 0x|word 0X41|word 0b2"},
        {"\\Ninto", "word \\N|word into"},
        {"t.into t . into", "word t|symbol .|name into|word t|symbol .|name into"},
        {"t.5 t .5", "word t|symbol .|name 5|word t|number .5"},
        {"t.1a", "word t|symbol .|name 1a"},
        {"`t`.5", "quoted `t`|number .5"},
        {"a$b $a _x", "word a$b|word $a|word _x"},
        {"\xC3\xA4 a\xC3\xA4", "word \xC3\xA4|word a\xC3\xA4"},
        {"a<=b", "word a|symbol <|symbol =|word b"},
    };
    check_rows(kRows);
}

TEST_CASE("variables and parameters are told apart") {
    constexpr Row kRows[] = {
        {"@a @a.b @$x @`a``b` @'a b' @\"c\"",
         "user @a|user @a.b|user @$x|user @`a``b`|user @'a b'|user @\"c\""},
        {"@ a", "user @|word a"},
        {"@a:=1", "user @a|assign :=|number 1"},
        {"@@x @@`x`", "system @@x|system @@`x`"},
        {"@@global.x", "system @@global|symbol .|name x"},
        {"@@ x", "unclear"},
        {"a=?", "word a|symbol =|parameter ?"},
        {"@'a", "unclear"},
        {"@`a", "unclear"},
    };
    check_rows(kRows);
    CHECK(unquoted(TokenReader("@`a b`", {}).next()).text == "a b");
    CHECK(unquoted(TokenReader("@ab", {}).next()).text == "ab");
    CHECK(unquoted(TokenReader("@@ab", {}).next()).text == "ab");
    CHECK(unquoted(TokenReader("N'ab'", {}).next()).text == "ab");
    CHECK_FALSE(unquoted(TokenReader("`a``b`", {}).next()).is_exact);
}

TEST_CASE("bytes that the encoding does not settle are unclear") {
    const TokenSettings latin1{.encoding = TextEncoding::other};
    CHECK(
        tokens_of(
            "a\xA0"
            "b",
            latin1
        ) == "word a|unclear"
    );
    CHECK(tokens_of("'\xA0' /* \xA0 */ `\xE4`", latin1) == "string '\xA0'|quoted `\xE4`");
    const TokenSettings gbk{.encoding = TextEncoding::overlapping};
    CHECK(tokens_of("a 'b' '\xBF\\'", gbk) == "word a|string 'b'|unclear");
    CHECK(tokens_of("`\xBF`", gbk) == "unclear");
    CHECK(tokens_of("@`\xBF`", gbk) == "unclear");
    CHECK(tokens_of(std::string_view("a \0 b", 5)) == "word a|unclear");
    CHECK(tokens_of(std::string_view("'\0'", 3)) == "string " + std::string("'\0'", 3));
    CHECK(tokens_of(std::string_view("# \0\n b", 6)) == "unclear");
}

TEST_CASE("character sets and collations have their encoding") {
    CHECK(text_encoding_of("UTF8MB4") == TextEncoding::utf8);
    CHECK(text_encoding_of("latin1") == TextEncoding::other);
    CHECK(text_encoding_of("gbk") == TextEncoding::overlapping);
    CHECK(text_encoding_of("nosuch") == TextEncoding::overlapping);
    for (const uint32_t id : {33U, 45U, 46U, 83U, 224U, 11U}) {
        CHECK(text_encoding_of_collation(id) == TextEncoding::utf8);
    }
    for (const uint32_t id : {8U, 47U, 63U, 19U}) {
        CHECK(text_encoding_of_collation(id) == TextEncoding::other);
    }
    for (const uint32_t id : {0U, 1U, 13U, 28U, 84U, 87U, 88U, 95U, 96U, 255U, 35U, 4000U}) {
        CHECK(text_encoding_of_collation(id) == TextEncoding::overlapping);
    }
}

TEST_CASE("the first marked comment is remembered") {
    TokenReader reader("/* x */ /*  mark: a b */ 1 /* mark: c */", {.comment_mark = "mark:"});
    CHECK(reader.next().kind == TokenKind::number);
    CHECK(reader.marked_comment() == "a b");
    CHECK(reader.next().kind == TokenKind::end);
    CHECK(reader.marked_comment() == "a b");
}

}  // namespace
}  // namespace mysql
