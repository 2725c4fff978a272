// Chooses by the first word what a statement is, and lets the scan judge the rest.
#include "sql/statement_class.h"

#include "sql/routing_hint.h"
#include "sql/session_statements.h"
#include "sql/statement_scan.h"
#include "sql/word_table.h"

namespace sql {

using mysql::TokenKind;

namespace {

constexpr std::string_view kCommentMark = "trilith:";

struct WriteVerb {
    Word word;
    Verb verb;
};

// What goes to the primary whatever it says.
constexpr WriteVerb kWriteVerbs[] = {
    {Word::insert, Verb::insert},
    {Word::replace, Verb::replace},
    {Word::update, Verb::update},
    {Word::delete_, Verb::delete_},
    {Word::do_, Verb::do_},
    {Word::alter, Verb::alter},
    {Word::drop, Verb::drop},
    {Word::truncate, Verb::truncate},
    {Word::rename, Verb::rename},
    {Word::grant, Verb::grant},
    {Word::revoke, Verb::grant},
    {Word::reset, Verb::flush},
    {Word::check, Verb::maintain},
    {Word::admin, Verb::admin},
    {Word::savepoint, Verb::savepoint},
    {Word::release, Verb::savepoint},
};

TableUse tables_of(Word word) {
    switch (word) {
        case Word::insert:
        case Word::replace:
        case Word::update:
        case Word::delete_:
        case Word::truncate:
        case Word::load: return TableUse::some;
        case Word::do_:
        case Word::savepoint:
        case Word::release:
        case Word::use:
        case Word::unlock:
        case Word::kill:
        case Word::get: return TableUse::none;
        default: return TableUse::unclear;
    }
}

class Classifier {
public:
    explicit Classifier(StatementScan& scan) : scan_(scan) {}

    void run() {
        classify_next();
        while (scan_.token().is_symbol(';')) {
            scan_.advance();
            if (scan_.token().kind == TokenKind::end || scan_.token().is_symbol(';')) {
                continue;
            }
            scan_.found.is_multi_statement = true;
            classify_next();
        }
    }

private:
    void classify_next() {
        least_tables_ = TableUse::none;
        classify_one();
        scan_.settle_tables(least_tables_);
    }

    void classify_one() {
        if (scan_.token().is_symbol('(')) {
            classify_parenthesised();
            return;
        }
        const Word word =
            scan_.token().kind == TokenKind::word ? find_word(scan_.token().text).word : Word::none;
        switch (word) {
            case Word::select: scan_.found.has_select = true; [[fallthrough]];
            case Word::values:
                scan_.begin(Verb::select, Target::read, Reason::pure_read);
                scan_.promise_read();
                scan_.scan_rest();
                return;
            case Word::with: classify_with(); return;
            case Word::set: classify_set(); return;
            case Word::show: classify_show(); return;
            case Word::describe:
            case Word::explain: classify_explain(); return;
            case Word::analyze: classify_analyze(); return;
            case Word::begin:
            case Word::start:
            case Word::commit:
            case Word::rollback: classify_transaction(word); return;
            default: break;
        }
        least_tables_ = tables_of(word);
        for (const WriteVerb& write : kWriteVerbs) {
            if (write.word == word) {
                scan_.begin(write.verb, Target::primary, Reason::write);
                scan_.scan_rest();
                return;
            }
        }
        if (!classify_session_statement(scan_, word)) {
            classify_unknown();
        }
    }

    // A compound statement, or what no server of ours knows: its ";" may not be what ends it.
    void classify_unknown() {
        const bool is_empty = scan_.token().kind == TokenKind::end;
        const Verb verb = scan_.is_word("if") || scan_.is_word("case") || scan_.is_word("loop") ||
                                  scan_.is_word("while") || scan_.is_word("repeat") || scan_.is_word("for")
                              ? Verb::compound
                              : Verb::other;
        if (!scan_.found.is_multi_statement) {
            scan_.found.verb = verb;
            scan_.found.detail = scan_.token().text;
        }
        least_tables_ = is_empty ? TableUse::none : TableUse::unclear;
        scan_.promise(Target::primary, is_empty ? Reason::empty : Reason::unknown_statement);
        scan_.found.is_repeatable = false;
        scan_whole_text(scan_);
    }

    void classify_parenthesised() {
        while (scan_.token().is_symbol('(')) {
            scan_.advance();
        }
        if (scan_.is_word("select") || scan_.is_word("values") || scan_.is_word("with")) {
            classify_one();
        } else {
            classify_unknown();
        }
    }

    void classify_with() {
        scan_.begin(Verb::select, Target::read, Reason::pure_read);
        scan_.promise_read();
        scan_.scan_with();
        if (!(scan_.token().is_symbol('(') || scan_.is_word("select") || scan_.is_word("values"))) {
            scan_.demote(Reason::write, scan_.token().text, Harm::may_change);
            if (!scan_.found.is_multi_statement) {
                scan_.found.verb = scan_.is_word("update")   ? Verb::update
                                   : scan_.is_word("delete") ? Verb::delete_
                                                             : Verb::other;
            }
        }
        scan_.scan_rest();
    }

    void classify_set() {
        const SetOutcome outcome = classify_set_statement(scan_, is_for_one_statement_);
        if (outcome == SetOutcome::done) {
            return;
        }
        is_for_one_statement_ = true;
        classify_one();
        is_for_one_statement_ = false;
        if (outcome == SetOutcome::statement_follows_unproven) {
            scan_.demote(Reason::sets_variable, {}, Harm::may_change);
        }
    }

    void classify_show() {
        scan_.begin(Verb::show, Target::read, Reason::pure_read);
        scan_.promise_read();
        least_tables_ = classify_show_kind(scan_);
        scan_.scan_rest();
    }

    // EXPLAIN, DESCRIBE and DESC are one word to the server: of a table, of a statement, of a connection.
    void classify_explain() {
        scan_.begin(Verb::describe, Target::read, Reason::pure_read);
        scan_.promise_read();
        skip_explain_options();
        if (scan_.is_word("for")) {
            scan_.demote(Reason::server_list, scan_.token().text, Harm::none);
            least_tables_ = TableUse::unclear;
        }
        judge_explained(Reason::explains_write, Harm::none);
    }

    void classify_analyze() {
        scan_.begin(Verb::analyze, Target::read, Reason::pure_read);
        scan_.promise_read();
        skip_explain_options();
        if (scan_.is_word("table") || scan_.is_word("tables") || scan_.is_word("local") ||
            scan_.is_word("no_write_to_binlog")) {
            scan_.demote(Reason::write, scan_.token().text, Harm::may_change);
            if (!scan_.found.is_multi_statement) {
                scan_.found.verb = Verb::maintain;
            }
        }
        judge_explained(Reason::write, Harm::may_change);  // ANALYZE runs what it explains
    }

    void skip_explain_options() {
        scan_.skip_word("extended");
        scan_.skip_word("partitions");
        if (scan_.is_word("format") && scan_.following().is_symbol('=')) {
            scan_.advance();
            scan_.advance();
            scan_.advance();
        }
    }

    void judge_explained(Reason reason, Harm harm) {
        const Word word =
            scan_.token().kind == TokenKind::word ? find_word(scan_.token().text).word : Word::none;
        if (word == Word::insert || word == Word::replace || word == Word::update || word == Word::delete_) {
            scan_.demote(reason, scan_.token().text, harm);
        } else if (word == Word::with) {
            scan_.advance();
            scan_.scan_with();
            judge_explained(reason, harm);
            return;
        }
        const bool is_query = word == Word::select || word == Word::values || scan_.token().is_symbol('(');
        if (!is_query && least_tables_ == TableUse::none) {
            least_tables_ = TableUse::some;  // a write, or DESCRIBE t
        }
        scan_.scan_rest();
    }

    void classify_transaction(Word word) {
        if (word == Word::begin && scan_.following().kind == TokenKind::word &&
            mysql::equals_ignoring_case(scan_.following().text, "not")) {
            scan_.begin(Verb::compound, Target::primary, Reason::write);
            least_tables_ = TableUse::unclear;
            scan_whole_text(scan_);
            return;
        }
        if (word == Word::start && !(scan_.following().kind == TokenKind::word &&
                                     mysql::equals_ignoring_case(scan_.following().text, "transaction"))) {
            scan_.begin(Verb::admin, Target::primary, Reason::write);  // START SLAVE
            least_tables_ = TableUse::unclear;
            scan_.scan_rest();
            return;
        }
        const Verb verb = word == Word::commit     ? Verb::commit
                          : word == Word::rollback ? Verb::rollback
                                                   : Verb::begin;
        scan_.begin(verb, Target::primary, Reason::transaction);
        classify_transaction_words(scan_, verb);
    }

    StatementScan& scan_;
    TableUse least_tables_ = TableUse::none;  // of the statement, whatever its words show
    bool is_for_one_statement_ = false;       // inside SET STATEMENT … FOR
};

// The first of these that is true of a text keeps it from being a read, whatever the scan found.
void apply_limits(StatementScan& scan, TextExtent extent) {
    StatementClass& found = scan.found;
    const auto refuse = [&found](Reason reason) {
        found.target = Target::primary;
        found.reason = reason;
        found.detail = {};
        found.is_repeatable = false;
    };
    if (scan.token().kind == TokenKind::unclear) {
        refuse(Reason::unclear_text);
        found.tables = TableUse::unclear;
        if (may_hide_effects(scan.text())) {
            found.pins.add(Pin::unclear_text);
        }
    } else if (extent == TextExtent::beginning) {
        refuse(Reason::only_beginning);
        found.tables = TableUse::unclear;
        found.pins.add(scan.text().contains('@') ? PinSet::of(Pin::unclear_text) : PinSet{});
    } else if (found.is_multi_statement) {
        refuse(Reason::multi_statement);
        found.pins.add(scan.captured);
    }
}

}  // namespace

StatementClass classify(std::string_view text, const mysql::TokenSettings& settings, TextExtent extent) {
    mysql::TokenSettings marked = settings;
    marked.comment_mark = kCommentMark;
    StatementScan scan(text, marked);
    Classifier(scan).run();
    apply_limits(scan, extent);
    StatementClass& found = scan.found;
    if (!scan.marked_comment().empty()) {
        found.hint = read_hint(scan.marked_comment());
        if (found.hint.wish == Hint::Wish::primary && found.target == Target::read) {
            found.target = Target::primary;
            found.reason = Reason::hint_primary;
        }
    }
    return found;
}

}  // namespace sql
