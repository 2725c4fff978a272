// The words of a SQL text, as MariaDB's own lexer would cut them: one pass, in place, nothing allocated.
// It decides nothing about grammar; what it cannot cut like the server would becomes `unclear`, and whoever
// reads tokens then proves nothing from the text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "mysql/text_encoding.h"

namespace mysql {

inline constexpr uint32_t kMariadb1011 = 101100;  // 10.11.0 as version comments write it

// What of a session, and of the servers, decides where tokens begin and end.
struct TokenSettings {
    TextEncoding encoding = TextEncoding::utf8;
    bool has_backslash_escapes = true;       // false with sql_mode NO_BACKSLASH_ESCAPES
    bool has_ansi_quotes = false;            // sql_mode ANSI_QUOTES: "…" is a name
    uint32_t server_version = kMariadb1011;  // comments like /*M!101102 … */ count up to this version
    std::string_view comment_mark{};  // a plain comment that begins with this (blanks aside) is remembered
};

enum class TokenKind : uint8_t {
    end,              // of the text; from then on always
    word,             // a keyword or a name without quotes; "\N" too
    quoted_name,      // `name`, or "name" with ANSI_QUOTES
    string,           // '…', "…", N'…'
    number,           // 1, 1.5, .5, 1e9
    bit_literal,      // x'4D', 0x4D, b'01', 0b01
    user_variable,    // @a, @'a', @`a`, and a lone @
    system_variable,  // @@a: its first part; "@@global.a" has ".", "a" following
    parameter,        // ?
    assign,           // :=
    symbol,           // any other single byte of punctuation: `text` is that byte
    unclear,  // unfinished quotes or comment, a NUL, bytes the encoding does not settle; always the last
};

struct Token {
    TokenKind kind = TokenKind::end;
    bool follows_dot = false;  // a word right behind a ".": a name, even if it reads like a keyword
    std::string_view text{};   // as written, with its quotes; borrowed from the text

    [[nodiscard]] bool is_symbol(char byte) const {
        return kind == TokenKind::symbol && text.front() == byte;
    }
};

// Reads the tokens of `text`, which must outlive it. Comments are skipped: "#", "-- ", "/* */" (which do not
// nest), "/*+ */". The content of "/*! */", "/*M! */" and "/*!VERSION */" counts as text where a server of
// the version would execute it: /*!50700 to /*!99999 never do in MariaDB, unless written /*M!.
class TokenReader {
public:
    TokenReader(std::string_view text, const TokenSettings& settings);

    [[nodiscard]] Token next();

    // The content of the first marked comment that was passed, behind the mark and without blanks around it;
    // empty if there was none.
    [[nodiscard]] std::string_view marked_comment() const { return marked_comment_; }

    // Where the next token is looked for, in bytes from the beginning of the text. Two tokens stand side by
    // side when the second begins where the first ended.
    [[nodiscard]] size_t position() const { return position_; }

private:
    enum class QuoteEscapes : uint8_t { none, backslash };

    [[nodiscard]] char byte_at(size_t position) const {
        return position < text_.size() ? text_[position] : '\0';
    }
    [[nodiscard]] Token take(TokenKind kind, size_t begin, size_t end);
    [[nodiscard]] Token unclear();
    [[nodiscard]] bool skip_blanks();
    [[nodiscard]] bool skip_comment();
    [[nodiscard]] bool skip_long_comment();
    [[nodiscard]] bool enter_versioned_comment(size_t after_mark, bool is_mariadb_mark);
    void skip_line();
    void remember_comment(size_t begin, size_t end);
    [[nodiscard]] size_t end_of_word(size_t begin) const;
    [[nodiscard]] size_t end_of_quotes(size_t begin, QuoteEscapes escapes) const;
    [[nodiscard]] Token read_word(size_t begin);
    [[nodiscard]] Token read_quoted(TokenKind kind, size_t begin, size_t quote);
    [[nodiscard]] Token take_quoted(TokenKind kind, size_t begin, size_t end);
    [[nodiscard]] Token read_number(size_t begin);
    [[nodiscard]] Token read_fraction(size_t begin, size_t after_dot);
    [[nodiscard]] Token read_variable(size_t begin);
    [[nodiscard]] Token read_symbol(size_t begin);

    std::string_view text_;
    std::string_view marked_comment_{};
    TokenSettings settings_;
    size_t position_ = 0;
    size_t word_end_ = std::string_view::npos;  // of the word that was read last
    bool is_unclear_ = false;
    bool is_in_executed_comment_ = false;  // "*/" then ends it
    bool is_behind_dot_ = false;
};

// What stands between the quotes of a name, a string or a variable, without "@"; of anything else its text.
struct Unquoted {
    std::string_view text{};
    bool is_exact = true;  // false: doubled quotes or a backslash stand in it, and `text` is empty
};
[[nodiscard]] Unquoted unquoted(const Token& token);

// ASCII only, as keywords are compared. `lower` is written in lower case.
[[nodiscard]] bool equals_ignoring_case(std::string_view text, std::string_view lower);

}  // namespace mysql
