// The walk over the tokens of a statement that classify() makes: it notes what each word means for where the
// statement may go. Internal to this folder.
#pragma once

#include <string_view>

#include "mysql/sql_tokens.h"
#include "sql/statement_class.h"
#include "sql/word_table.h"

namespace sql {

// Whether what stands in the way of a read may change something, or only has to be asked at the primary.
enum class Harm : uint8_t { none, may_change };

// What is read of an earlier statement.
enum class PreviousValue : uint8_t {
    insert_id,  // of the last insert: kept by the connection that wrote
    gtid,       // of the last write: the same
    row_count,
    found_rows,
    messages,     // warnings and errors
    of_sequence,  // LASTVAL(): whoever took a value is pinned to its connection
};

class StatementScan {
public:
    StatementScan(std::string_view text, const mysql::TokenSettings& settings)
        : text_(text), tokens_(text, settings) {
        advance();
        advance();
    }

    [[nodiscard]] const mysql::Token& token() const { return token_; }

    [[nodiscard]] const mysql::Token& following() const { return following_; }

    [[nodiscard]] std::string_view text() const { return text_; }

    // Reads on behind following().
    [[nodiscard]] const mysql::TokenReader& tokens() const { return tokens_; }

    [[nodiscard]] size_t offset() const { return static_cast<size_t>(token_.text.data() - text_.data()); }

    [[nodiscard]] std::string_view marked_comment() const { return tokens_.marked_comment(); }

    void advance() {
        token_ = following_;
        following_ = tokens_.next();
    }

    [[nodiscard]] bool is_word(std::string_view lower) const {
        return token_.kind == mysql::TokenKind::word && mysql::equals_ignoring_case(token_.text, lower);
    }

    // Passes the word if it stands here.
    bool skip_word(std::string_view lower) {
        const bool is_here = is_word(lower);
        if (is_here) {
            advance();
        }
        return is_here;
    }

    [[nodiscard]] bool is_at_end() const {
        return token_.kind == mysql::TokenKind::end || token_.kind == mysql::TokenKind::unclear ||
               token_.is_symbol(';');
    }

    // The first word has said what it is. Of several statements the first one gives the verb.
    void begin(Verb verb, Target target, Reason reason);

    // A read so far; anything that is not one demotes it.
    void promise_read();
    void promise(Target target, Reason reason);
    void demote(Reason reason, std::string_view detail, Harm harm);
    void note_previous(PreviousValue value);

    // Judges all tokens up to the end of the statement, or up to the ")" that closes the "(" before the
    // token.
    void scan_rest();
    void scan_parenthesised();

    // Past "name [(columns)] AS (…), …" behind WITH.
    void scan_with();

    // The statement ends here: its tables are those that were seen, and at least so many.
    void settle_tables(TableUse least);

    // All user variables from here on are written to: LOAD DATA, CALL, GET DIAGNOSTICS.
    void expect_assigned_variables() { has_assigned_variables_ = true; }

    StatementClass found{};
    PinSet captured{};  // what literals of SET would pin where nobody captures them: in a multi-statement

private:
    void judge();
    void judge_word();
    void judge_call(const WordEntry& entry);
    void judge_special_call(Word word);
    void judge_keyword(Word word);
    void judge_last_insert_id();
    void judge_user_variable();
    void judge_system_variable();
    void read_previous_result(PreviousValue value, std::string_view detail);
    [[nodiscard]] bool is_followed_by_word(std::string_view lower) const;

    std::string_view text_;
    mysql::TokenReader tokens_;
    mysql::Token token_{};
    mysql::Token following_{};
    bool has_assigned_variables_ = false;
    uint32_t froms_ = 0;  // of the statement
    uint32_t calls_with_from_ = 0;
    bool may_use_unseen_tables_ = false;  // a function that is stored, a sequence …
};

}  // namespace sql
