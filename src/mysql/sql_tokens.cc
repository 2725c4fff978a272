// Cuts tokens the way of MariaDB's sql/sql_lex.cc: its states are named where a rule is not obvious. Seen
// with a real server is what the tests state.
#include "mysql/sql_tokens.h"

#include <algorithm>

#include "mysql/sql_bytes.h"

namespace mysql {

TokenReader::TokenReader(std::string_view text, const TokenSettings& settings)
    : text_(text), settings_(settings) {}

Token TokenReader::next() {
    if (is_unclear_ || !skip_blanks()) {
        return unclear();
    }
    const size_t begin = position_;
    if (begin == text_.size()) {
        return is_in_executed_comment_ ? unclear()
                                       : Token{.kind = TokenKind::end, .text = text_.substr(begin)};
    }
    switch (class_of(text_[begin])) {
        case ByteClass::high:
            if (settings_.encoding != TextEncoding::utf8) {
                return unclear();
            }
            return read_word(begin);
        case ByteClass::letter: return read_word(begin);
        case ByteClass::digit: return is_behind_dot_ ? read_word(begin) : read_number(begin);
        case ByteClass::blank:
        case ByteClass::punctuation: break;
    }
    return read_symbol(begin);
}

Token TokenReader::take(TokenKind kind, size_t begin, size_t end) {
    const bool follows_dot = is_behind_dot_;
    is_behind_dot_ = false;
    position_ = end;
    return {.kind = kind, .follows_dot = follows_dot, .text = text_.substr(begin, end - begin)};
}

Token TokenReader::unclear() {
    is_unclear_ = true;
    position_ = text_.size();
    return {.kind = TokenKind::unclear, .text = text_.substr(position_)};
}

size_t TokenReader::end_of_word(size_t begin) const {
    size_t end = begin;
    while (end < text_.size() && is_word_byte(text_[end])) {
        if (class_of(text_[end]) == ByteClass::high && settings_.encoding != TextEncoding::utf8) {
            break;  // perhaps a blank: the next token tells that it is unclear
        }
        ++end;
    }
    return end;
}

// Behind the closing quote of what opens at `begin`; npos if there is none.
size_t TokenReader::end_of_quotes(size_t begin, QuoteEscapes escapes) const {
    const char quote = text_[begin];
    const char escape = escapes == QuoteEscapes::backslash ? '\\' : quote;
    size_t place = begin + 1;
    while (true) {
        place = find_either(text_, place, quote, escape);
        if (place >= text_.size()) {
            return std::string_view::npos;
        }
        if (text_[place] != quote) {
            place += 2;
        } else if (byte_at(place + 1) == quote) {
            place += 2;
        } else {
            return place + 1;
        }
    }
}

Token TokenReader::read_word(size_t begin) {
    const size_t end = end_of_word(begin);
    if (byte_at(end) == '\'' && end == begin + 1 && !is_behind_dot_) {
        const char prefix = to_lower(text_[begin]);
        if (prefix == 'n') {
            return read_quoted(TokenKind::string, begin, end);
        }
        if (prefix == 'x' || prefix == 'b') {
            return read_quoted(TokenKind::bit_literal, begin, end);
        }
    }
    Token token = take(TokenKind::word, begin, end);
    word_end_ = end;
    return token;
}

Token TokenReader::read_quoted(TokenKind kind, size_t begin, size_t quote) {
    const bool has_escapes = kind == TokenKind::string && settings_.has_backslash_escapes;
    const size_t end = end_of_quotes(quote, has_escapes ? QuoteEscapes::backslash : QuoteEscapes::none);
    return take_quoted(kind, begin, end);
}

// Up to its first byte from 0x80 on, quoted text is read right in every encoding.
Token TokenReader::take_quoted(TokenKind kind, size_t begin, size_t end) {
    if (end == std::string_view::npos) {
        return unclear();
    }
    if (settings_.encoding == TextEncoding::overlapping &&
        std::ranges::any_of(text_.substr(begin, end - begin), [](char byte) {
        return class_of(byte) == ByteClass::high;
    })) {
        return unclear();
    }
    return take(kind, begin, end);
}

// MY_LEX_NUMBER_IDENT: digits may begin a name.
Token TokenReader::read_number(size_t begin) {
    const char mark = byte_at(begin + 1);
    if (text_[begin] == '0' && (mark == 'x' || mark == 'b')) {
        size_t end = begin + 2;
        while (mark == 'x' ? is_hex_digit(byte_at(end)) : byte_at(end) == '0' || byte_at(end) == '1') {
            ++end;
        }
        const bool is_literal = end > begin + 2 && end_of_word(end) == end;
        return is_literal ? take(TokenKind::bit_literal, begin, end) : read_word(begin);
    }
    size_t end = begin;
    while (is_digit(byte_at(end))) {
        ++end;
    }
    if (byte_at(end) == '.') {
        return read_fraction(begin, end + 1);
    }
    if (end_of_word(end) == end) {
        return take(TokenKind::number, begin, end);
    }
    if (to_lower(text_[end]) == 'e') {
        const char sign = byte_at(end + 1);
        size_t exponent = end + (sign == '+' || sign == '-' ? 2 : 1);
        if (is_digit(byte_at(exponent))) {
            while (is_digit(byte_at(exponent))) {
                ++exponent;
            }
            return take(TokenKind::number, begin, exponent);
        }
    }
    return read_word(begin);
}

// MY_LEX_REAL: behind a fraction, an "e" must begin an exponent.
Token TokenReader::read_fraction(size_t begin, size_t after_dot) {
    size_t end = after_dot;
    while (is_digit(byte_at(end))) {
        ++end;
    }
    if (to_lower(byte_at(end)) == 'e') {
        const char sign = byte_at(end + 1);
        end += sign == '+' || sign == '-' ? 2 : 1;
        if (!is_digit(byte_at(end))) {
            return unclear();
        }
        while (is_digit(byte_at(end))) {
            ++end;
        }
    }
    return take(TokenKind::number, begin, end);
}

Token TokenReader::read_variable(size_t begin) {
    const bool is_system = byte_at(begin + 1) == '@';
    const TokenKind kind = is_system ? TokenKind::system_variable : TokenKind::user_variable;
    const size_t name = begin + (is_system ? 2 : 1);
    const char first = byte_at(name);
    if (first == '`' || (first == '"' && settings_.has_ansi_quotes)) {
        const size_t end = end_of_quotes(name, QuoteEscapes::none);
        return take_quoted(kind, begin, end);
    }
    if (is_system) {
        const size_t end = end_of_word(name);
        return end == name ? unclear() : take(kind, begin, end);
    }
    if (first == '\'' || first == '"') {
        const QuoteEscapes escapes =
            settings_.has_backslash_escapes ? QuoteEscapes::backslash : QuoteEscapes::none;
        const size_t end = end_of_quotes(name, escapes);
        return take_quoted(kind, begin, end);
    }
    size_t end = name;
    while (class_of(byte_at(end)) == ByteClass::letter || is_digit(byte_at(end)) || byte_at(end) == '.') {
        ++end;
    }
    return take(kind, begin, end);
}

Token TokenReader::read_symbol(size_t begin) {
    const char byte = text_[begin];
    const char second = byte_at(begin + 1);
    switch (byte) {
        case '\0': return unclear();
        case '\'': return read_quoted(TokenKind::string, begin, begin);
        case '`': return read_quoted(TokenKind::quoted_name, begin, begin);
        case '"':
            return read_quoted(
                settings_.has_ansi_quotes ? TokenKind::quoted_name : TokenKind::string,
                begin,
                begin
            );
        case '@': return read_variable(begin);
        case '?': return take(TokenKind::parameter, begin, begin + 1);
        case ':':
            if (second == '=') {
                return take(TokenKind::assign, begin, begin + 2);
            }
            break;
        case '\\':
            if (second == 'N') {
                return take(TokenKind::word, begin, begin + 2);
            }
            break;
        case '.': {
            // MY_LEX_IDENT_SEP right behind a word, else MY_LEX_REAL_OR_POINT.
            const bool is_separator = word_end_ == begin && is_word_byte(second);
            if (is_digit(second) && !is_separator) {
                return read_fraction(begin, begin + 1);
            }
            Token token = take(TokenKind::symbol, begin, begin + 1);
            is_behind_dot_ = true;
            return token;
        }
        default: break;
    }
    return take(TokenKind::symbol, begin, begin + 1);
}

Unquoted unquoted(const Token& token) {
    std::string_view text = token.text;
    const size_t quote = text.find_first_of("'\"`");
    const bool is_quoted =
        token.kind == TokenKind::quoted_name || token.kind == TokenKind::string ||
        ((token.kind == TokenKind::user_variable || token.kind == TokenKind::system_variable) &&
         quote != std::string_view::npos);
    if (!is_quoted) {
        text.remove_prefix(std::min(text.find_first_not_of('@'), text.size()));
        return {.text = text};
    }
    const char mark = text[quote];
    text = text.substr(quote + 1, text.size() - quote - 2);
    if (text.contains(mark) || text.contains('\\')) {
        return {.is_exact = false};
    }
    return {.text = text};
}

bool equals_ignoring_case(std::string_view text, std::string_view lower) {
    return text.size() == lower.size() &&
           std::ranges::equal(text, lower, [](char left, char right) { return to_lower(left) == right; });
}

}  // namespace mysql
