#include "sql/assignment_reader.h"

namespace sql {

using mysql::Token;
using mysql::TokenKind;

namespace {

// What may stand alone as the value of a variable, beside bare words such as utf8mb4 and ANSI.
bool is_literal_kind(TokenKind kind) {
    return kind == TokenKind::number || kind == TokenKind::string || kind == TokenKind::bit_literal;
}

}  // namespace

AssignmentReader::AssignmentReader(std::string_view text, const mysql::TokenSettings& settings)
    : text_(text), tokens_(text, settings) {
    following_ = tokens_.next();
    advance();
    begin();
}

AssignmentReader::AssignmentReader(
    std::string_view text,
    const mysql::TokenReader& tokens,
    const Token& set,
    const Token& behind_set
)
    : text_(text), tokens_(tokens), token_(set), following_(behind_set) {
    begin();
}

void AssignmentReader::begin() {
    if (!is_word("set")) {
        stage_ = Stage::done;
        return;
    }
    advance();
    if (is_word("statement")) {
        is_for_one_statement_ = true;
        advance();
    }
}

void AssignmentReader::advance() {
    token_ = following_;
    following_ = tokens_.next();
    token_begin_ = static_cast<size_t>(token_.text.data() - text_.data());
}

bool AssignmentReader::is_word(std::string_view lower) const {
    return token_.kind == TokenKind::word && mysql::equals_ignoring_case(token_.text, lower);
}

bool AssignmentReader::is_at_end() const {
    return token_.kind == TokenKind::end || token_.is_symbol(';') ||
           (is_for_one_statement_ && is_word("for"));
}

bool AssignmentReader::is_expression_end() const { return is_at_end() || token_.is_symbol(','); }

Assignment AssignmentReader::unclear() {
    stage_ = Stage::done;
    return {};
}

std::optional<Assignment> AssignmentReader::next() {
    if (has_pending_) {
        has_pending_ = false;
        return pending_;
    }
    if (stage_ == Stage::done) {
        return std::nullopt;
    }
    if (stage_ == Stage::more) {
        if (is_at_end()) {
            stage_ = Stage::done;
            return std::nullopt;
        }
        if (!token_.is_symbol(',')) {
            return unclear();
        }
        advance();
    }
    stage_ = Stage::more;
    return read_one();
}

Assignment AssignmentReader::read_one() {
    switch (token_.kind) {
        case TokenKind::user_variable: return read_user_variable();
        case TokenKind::system_variable: return read_system_variable();
        case TokenKind::quoted_name: return read_named(AssignmentKind::system_variable);
        case TokenKind::word: break;
        default: return unclear();
    }
    if (is_word("names")) {
        return read_names();
    }
    if (is_word("character") || is_word("charset")) {
        return read_character_set();
    }
    if (is_word("transaction")) {
        return skip_as(AssignmentKind::other);
    }
    if (is_word("role") || is_word("default") || is_word("password")) {
        return skip_as(AssignmentKind::other);
    }
    const bool is_global = is_word("global");
    if (is_global || is_word("session") || is_word("local")) {
        const AssignmentKind kind =
            is_global ? AssignmentKind::global_variable : AssignmentKind::system_variable;
        advance();
        return is_word("transaction") ? read_transaction(kind) : read_named(kind);
    }
    return read_named(AssignmentKind::system_variable);
}

// The rest of what has no values that could be said again.
Assignment AssignmentReader::skip_as(AssignmentKind kind) {
    while (!is_at_end()) {
        if (token_.kind == TokenKind::unclear) {
            return unclear();
        }
        advance();
    }
    return {.kind = kind};
}

// SET SESSION TRANSACTION [ISOLATION LEVEL x] [,] [READ ONLY | READ WRITE].
Assignment AssignmentReader::read_transaction(AssignmentKind scope) {
    std::string_view level;
    std::string_view read_only;
    do {
        advance();
        if (is_word("isolation")) {
            advance();
            advance();
            if (is_word("serializable")) {
                level = "'SERIALIZABLE'";
            } else if (is_word("repeatable")) {
                advance();
                level = "'REPEATABLE-READ'";
            } else if (is_word("read")) {
                advance();
                level = is_word("committed") ? "'READ-COMMITTED'" : "'READ-UNCOMMITTED'";
            } else {
                return unclear();
            }
        } else if (is_word("read")) {
            advance();
            if (!is_word("only") && !is_word("write")) {
                return unclear();
            }
            read_only = is_word("only") ? "1" : "0";
        } else {
            return unclear();
        }
        advance();
    } while (token_.is_symbol(','));
    if (!is_at_end()) {
        return unclear();
    }
    const auto of = [scope](std::string_view name, std::string_view value) {
        const VariableCare care =
            scope == AssignmentKind::system_variable ? VariableCare::reported : VariableCare::unknown;
        return Assignment{.kind = scope, .care = care, .is_literal = true, .name = name, .value = value};
    };
    if (level.empty() || read_only.empty()) {
        return level.empty() ? of("tx_read_only", read_only) : of("tx_isolation", level);
    }
    pending_ = of("tx_read_only", read_only);
    has_pending_ = true;
    return of("tx_isolation", level);
}

Assignment AssignmentReader::read_names() {
    advance();
    if (token_.kind != TokenKind::word && token_.kind != TokenKind::string) {
        return unclear();
    }
    Assignment assignment{.kind = AssignmentKind::names, .is_literal = true, .value = token_.text};
    advance();
    if (is_word("collate")) {
        advance();
        if (token_.kind != TokenKind::word && token_.kind != TokenKind::string) {
            return unclear();
        }
        assignment.collation = token_.text;
        advance();
    }
    return is_expression_end() ? assignment : unclear();
}

Assignment AssignmentReader::read_character_set() {
    if (is_word("character")) {
        advance();
        if (!is_word("set")) {
            return unclear();
        }
    }
    advance();
    if (token_.kind != TokenKind::word && token_.kind != TokenKind::string) {
        return unclear();
    }
    const Assignment assignment{
        .kind = AssignmentKind::character_set,
        .is_literal = true,
        .value = token_.text,
    };
    advance();
    return is_expression_end() ? assignment : unclear();
}

Assignment AssignmentReader::read_user_variable() {
    const mysql::Unquoted name = unquoted(token_);
    Assignment assignment{.kind = AssignmentKind::user_variable, .name = name.text};
    advance();
    if (!name.is_exact || name.text.empty() || !skip_assignment_sign()) {
        return unclear();
    }
    read_value(assignment);
    return assignment;
}

Assignment AssignmentReader::read_system_variable() {
    const std::string_view first = unquoted(token_).text;
    AssignmentKind kind = AssignmentKind::system_variable;
    const bool is_global = mysql::equals_ignoring_case(first, "global");
    if (is_global || mysql::equals_ignoring_case(first, "session") ||
        mysql::equals_ignoring_case(first, "local")) {
        kind = is_global ? AssignmentKind::global_variable : AssignmentKind::system_variable;
        advance();
        if (!token_.is_symbol('.')) {
            return unclear();
        }
        advance();
    }
    return read_named(kind);
}

// At the name; "default.key_buffer_size" and other dotted names are nothing that a session has.
Assignment AssignmentReader::read_named(AssignmentKind kind) {
    const mysql::Unquoted name = unquoted(token_);
    const bool is_name = token_.kind == TokenKind::word || token_.kind == TokenKind::quoted_name ||
                         token_.kind == TokenKind::system_variable;
    advance();
    if (!is_name || !name.is_exact || name.text.empty() || !skip_assignment_sign()) {
        return unclear();
    }
    Assignment assignment{.kind = kind, .name = name.text};
    if (kind == AssignmentKind::system_variable) {
        assignment.care = variable_care(name.text);
    }
    read_value(assignment);
    return assignment;
}

bool AssignmentReader::skip_assignment_sign() {
    if (token_.kind != TokenKind::assign && !token_.is_symbol('=')) {
        return false;
    }
    advance();
    return true;
}

// A literal is one token, perhaps with a sign or a character set before it ("_utf8'x'"), up to the next ",".
// Bare words are values of system variables; of user variables only NULL, TRUE and FALSE are.
void AssignmentReader::read_value(Assignment& assignment) {
    const size_t begin = token_begin_;
    if (token_.is_symbol('-') || token_.is_symbol('+')) {
        advance();
        assignment.is_literal = token_.kind == TokenKind::number;
    } else if (token_.kind == TokenKind::word) {
        if (token_.text.starts_with('_')) {
            advance();
            assignment.is_literal = token_.kind == TokenKind::string || token_.kind == TokenKind::bit_literal;
        } else {
            assignment.is_literal = assignment.kind != AssignmentKind::user_variable || is_word("null") ||
                                    is_word("true") || is_word("false");
        }
    } else {
        assignment.is_literal = is_literal_kind(token_.kind);
    }
    const size_t end = token_begin_ + token_.text.size();
    if (assignment.is_literal) {
        advance();
        assignment.is_literal = is_expression_end();
    }
    if (assignment.is_literal) {
        assignment.value = text_.substr(begin, end - begin);
    }
    size_t depth = 0;
    while (!(is_at_end() || (depth == 0 && token_.is_symbol(','))) && token_.kind != TokenKind::unclear) {
        depth += token_.is_symbol('(') ? 1 : 0;
        depth -= depth > 0 && token_.is_symbol(')') ? 1 : 0;
        advance();
    }
}

}  // namespace sql
