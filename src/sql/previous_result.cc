#include "sql/previous_result.h"

#include <format>

namespace sql {

using mysql::Token;
using mysql::TokenKind;

namespace {

bool is_word_of(const Token& token, std::string_view lower) {
    return token.kind == TokenKind::word && mysql::equals_ignoring_case(token.text, lower);
}

std::optional<PreviousQuestion::Kind> kind_of_function(const Token& token) {
    if (is_word_of(token, "row_count")) {
        return PreviousQuestion::Kind::row_count;
    }
    if (is_word_of(token, "found_rows")) {
        return PreviousQuestion::Kind::found_rows;
    }
    return std::nullopt;
}

}  // namespace

std::optional<PreviousQuestion> read_previous_question(
    std::string_view text,
    const mysql::TokenSettings& settings
) {
    mysql::TokenReader reader(text, settings);
    if (!is_word_of(reader.next(), "select")) {
        return std::nullopt;
    }
    Token function = reader.next();
    auto kind = kind_of_function(function);
    bool is_opened = kind && reader.next().is_symbol('(');
    Token closing = is_opened ? reader.next() : Token{};
    if (!closing.is_symbol(')')) {
        return std::nullopt;
    }
    const char* end = closing.text.data() + closing.text.size();
    PreviousQuestion question{
        .kind = *kind,
        .label = std::string(function.text.data(), end),
    };
    Token next = reader.next();
    if (is_word_of(next, "as")) {
        Token name = reader.next();
        bool is_quoted = name.kind == TokenKind::quoted_name && name.text.size() > 2;
        if (name.kind != TokenKind::word && !is_quoted) {
            return std::nullopt;
        }
        question.label = is_quoted ? name.text.substr(1, name.text.size() - 2) : name.text;
        next = reader.next();
    }
    if (next.is_symbol(';')) {
        next = reader.next();
    }
    if (next.kind != TokenKind::end || question.label.contains('`')) {
        return std::nullopt;
    }
    return question;
}

std::optional<std::string> answering_statement(
    const PreviousQuestion& question,
    const PreviousResult& result
) {
    if (question.kind == PreviousQuestion::Kind::row_count) {
        // The function gives the column its type.
        return std::format("SELECT IF(1, {}, ROW_COUNT()) AS `{}`", result.row_count, question.label);
    }
    if (!result.found_rows) {
        return std::nullopt;
    }
    return std::format("SELECT IF(1, {}, FOUND_ROWS()) AS `{}`", *result.found_rows, question.label);
}

}  // namespace sql
