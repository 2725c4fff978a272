// What a SET statement assigns, one by one, without allocation: literals are captured as they are written, so
// that the router can say them again to another server.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "mysql/sql_tokens.h"
#include "sql/variable_care.h"

namespace sql {

enum class AssignmentKind : uint8_t {
    system_variable,  // of the session: SET x =, SET SESSION x =, SET @@x =, SET LOCAL x =
    global_variable,  // SET GLOBAL x =, SET @@global.x =: no state of the session
    user_variable,    // SET @a =
    names,            // SET NAMES value [COLLATE collation]
    character_set,    // SET CHARACTER SET value, SET CHARSET value
    other,    // SET ROLE, SET PASSWORD, SET DEFAULT ROLE, one-shot SET TRANSACTION: nothing to capture
    unclear,  // not understood; always the last
};

struct Assignment {
    AssignmentKind kind = AssignmentKind::unclear;
    VariableCare care = VariableCare::unknown;  // of system_variable
    bool is_literal = false;   // `value` can be said again anywhere; else it is computed, `value` is empty
    std::string_view name{};   // without @, @@, scope and quotes; "" for names and character_set
    std::string_view value{};  // as written, with quotes and sign: "'a,b'", "-1", "ON", "DEFAULT"
    std::string_view collation{};  // of names; "" if there was none
};

// Reads the assignments of a statement that begins with SET. `SET SESSION TRANSACTION …` reads as
// tx_isolation
// ("'READ-COMMITTED'", quoted as it may be said) and tx_read_only ("0", "1").
class AssignmentReader {
public:
    // `text` is the whole statement, from SET on (comments before it are passed); borrowed.
    AssignmentReader(std::string_view text, const mysql::TokenSettings& settings);

    // The same from amidst a text: `set` and `behind_set` have been read, `tokens` gives what follows them.
    AssignmentReader(
        std::string_view text,
        const mysql::TokenReader& tokens,
        const mysql::Token& set,
        const mysql::Token& behind_set
    );

    // The next one, or nothing at the end: of the text, at a ";", or, for SET STATEMENT, at its FOR.
    [[nodiscard]] std::optional<Assignment> next();

    // Where the token stands that reading has stopped at, in bytes of the text: a ";", the end, or, for SET
    // STATEMENT, its FOR.
    [[nodiscard]] size_t position() const { return token_begin_; }

    // SET STATEMENT … FOR: the assignments hold for the statement behind it only.
    [[nodiscard]] bool is_for_one_statement() const { return is_for_one_statement_; }

private:
    enum class Stage : uint8_t { first, more, done };

    void begin();
    void advance();
    [[nodiscard]] bool is_word(std::string_view lower) const;
    [[nodiscard]] bool is_at_end() const;
    [[nodiscard]] bool is_expression_end() const;
    [[nodiscard]] Assignment unclear();
    [[nodiscard]] Assignment read_one();
    [[nodiscard]] Assignment read_transaction(AssignmentKind scope);
    [[nodiscard]] Assignment read_names();
    [[nodiscard]] Assignment read_character_set();
    [[nodiscard]] Assignment read_user_variable();
    [[nodiscard]] Assignment read_system_variable();
    [[nodiscard]] Assignment read_named(AssignmentKind kind);
    [[nodiscard]] Assignment skip_as(AssignmentKind kind);
    [[nodiscard]] bool skip_assignment_sign();
    void read_value(Assignment& assignment);

    std::string_view text_;
    mysql::TokenReader tokens_;
    mysql::Token token_{};
    mysql::Token following_{};
    size_t token_begin_ = 0;
    Stage stage_ = Stage::first;
    bool is_for_one_statement_ = false;
    Assignment pending_{};  // SET SESSION TRANSACTION may say two things at once
    bool has_pending_ = false;
};

}  // namespace sql
