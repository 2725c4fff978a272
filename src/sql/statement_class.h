// Where one SQL statement has to go, and what it does to the session: decided from its text alone, by one
// pass, without allocation. What is not provably a read goes to the primary.
//
// The text cannot tell all: a view may call a stored function, a table may have triggers, a procedure may do
// anything. For transactions and temporary tables believe what the server reports (status flags, session
// tracking); for what no server reports (named locks, @a := …, HANDLER; see Pin) believe this.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/units.h"
#include "mysql/sql_tokens.h"

namespace sql {

// Where a statement goes while its session is neither pinned nor in a transaction; else it goes to the
// connection that the session holds.
enum class Target : uint8_t {
    read,                       // any replica that is fit, or the primary
    primary,                    // the primary
    same_connection_as_before,  // what it reads is kept by the connection of the previous statement:
                                // FOUND_ROWS(), SHOW WARNINGS, @@identity …
    session,  // no server needs to see it now: it changes only what the router carries from server to server
              // (USE, SET of known variables by literals). A value that no server has judged yet may be wrong
};

enum class Verb : uint8_t {
    other,  // not known, or no statement at all
    select,
    insert,
    update,
    delete_,
    replace,
    load,
    call,
    do_,
    begin,  // BEGIN, START TRANSACTION
    commit,
    rollback,
    savepoint,  // SAVEPOINT, RELEASE SAVEPOINT
    xa,
    set,
    use,
    show,
    describe,  // DESCRIBE, EXPLAIN, HELP
    analyze,   // ANALYZE of a statement
    create,
    alter,
    drop,
    truncate,
    rename,
    grant,    // GRANT, REVOKE
    lock,     // LOCK TABLES, UNLOCK TABLES, BACKUP
    flush,    // FLUSH, RESET
    prepare,  // PREPARE, EXECUTE, DEALLOCATE as text
    handler,
    kill,
    maintain,  // ANALYZE, CHECK, CHECKSUM, OPTIMIZE, REPAIR TABLE
    diagnose,  // GET DIAGNOSTICS, SIGNAL, RESIGNAL
    admin,     // CHANGE MASTER, START SLAVE, PURGE, INSTALL, SHUTDOWN, BINLOG …
    compound,  // BEGIN NOT ATOMIC, IF, LOOP … outside of a procedure
};

// "select", "delete": for metrics and `trilith explain`.
[[nodiscard]] std::string_view verb_name(Verb verb);

[[nodiscard]] std::string_view target_name(Target target);

// What it means for the transaction of the session, as far as its text tells.
enum class TransactionEffect : uint8_t {
    none,
    begin,            // BEGIN, START TRANSACTION [READ WRITE]
    begin_read_only,  // START TRANSACTION … READ ONLY: the target is `read`
    end,              // COMMIT, ROLLBACK; not ROLLBACK TO
    end_and_chain,    // … AND CHAIN: the next one begins at once, with the same characteristics
    end_and_release,  // … RELEASE: the server closes the connection
    next_read_only,   // SET TRANSACTION … READ ONLY: of the next transaction only
    next_other,       // SET TRANSACTION ISOLATION LEVEL …, READ WRITE: of the next transaction only
    autocommit_off,
    autocommit_on,  // commits what is open
};

[[nodiscard]] std::string_view transaction_effect_name(TransactionEffect effect);

// Why a session cannot leave its connection after the statement.
enum class Pin : uint8_t {
    temporary_table,
    user_variable,      // assigned something else than a literal
    named_lock,         // GET_LOCK and its family; IS_FREE_LOCK and IS_USED_LOCK only ask
    table_lock,         // LOCK TABLES
    global_read_lock,   // FLUSH TABLES … WITH READ LOCK, FOR EXPORT
    backup_lock,        // BACKUP STAGE, BACKUP LOCK
    handler,            // HANDLER … OPEN
    prepared_text,      // PREPARE, and EXECUTE IMMEDIATE, whose text is not seen
    xa,                 // from XA START on
    sequence,           // NEXTVAL: LASTVAL answers for the connection that asked for it
    computed_variable,  // a system variable got an expression, and no server reports its value
    unknown_variable,   // a system variable that the router does not carry
    session_tracking,   // session_track_…: what the router itself listens to
    role,               // SET ROLE
    found_rows,         // SQL_CALC_FOUND_ROWS: over the next statement only
    last_insert_id,     // LAST_INSERT_ID(n) in something that is no INSERT, REPLACE or UPDATE
    connection_id,      // CONNECTION_ID(): what it was told must stay true
    unclear_text,       // the text cannot be read to its end, and may hide one of the above
};
inline constexpr size_t kPinCount = 18;

// "temporary_table".
[[nodiscard]] std::string_view pin_name(Pin pin);

// A set of pins.
class PinSet {
public:
    constexpr PinSet() = default;

    [[nodiscard]] static constexpr PinSet of(Pin pin) {
        PinSet pins;
        pins.add(pin);
        return pins;
    }

    constexpr void add(Pin pin) { bits_ |= bit(pin); }
    constexpr void add(PinSet pins) { bits_ |= pins.bits_; }
    constexpr void remove(PinSet pins) { bits_ &= ~pins.bits_; }
    [[nodiscard]] constexpr bool has(Pin pin) const { return (bits_ & bit(pin)) != 0; }
    [[nodiscard]] constexpr bool is_empty() const { return bits_ == 0; }
    constexpr bool operator==(const PinSet&) const = default;

private:
    static constexpr uint32_t bit(Pin pin) { return uint32_t{1} << static_cast<uint32_t>(pin); }
    uint32_t bits_ = 0;
};

// The wish in a comment: /* trilith:replica maxlag=500ms noryw */, its words in any order, apart by blanks or
// commas; words that are not known are ignored. It never makes a read of what is none.
struct Hint {
    enum class Wish : uint8_t { none, primary, replica };
    Wish wish = Wish::none;        // `primary` has been applied to the target
    bool reads_own_writes = true;  // false: noryw
    bool has_max_lag = false;
    core::Duration max_lag{};  // meaningless without has_max_lag
    constexpr bool operator==(const Hint&) const = default;
};

// KILL [HARD | SOFT] [CONNECTION | QUERY [ID]] n. Its id is the router's and has to be translated.
struct Kill {
    enum class Kind : uint8_t {
        none,
        connection,
        query,
        query_id,
        user,        // KILL … USER name
        expression,  // the id is no number: a server would compute it
    };
    Kind kind = Kind::none;
    bool is_soft = false;
    uint64_t id = 0;
    constexpr bool operator==(const Kill&) const = default;
};

// Why the target is what it is; reason_sentence() says it in words. Of several, the first in the text.
enum class Reason : uint8_t {
    pure_read,
    read_only_transaction,
    changes_session_only,
    write,  // its verb changes something, or may
    empty,  // no statement
    unknown_statement,
    unclear_text,    // cannot be cut into tokens as a server would
    only_beginning,  // TextExtent::beginning
    multi_statement,
    hint_primary,
    unknown_function,   // not on the list of pure functions
    stored_function,    // db.f(…)
    blank_before_call,  // NOW (…): a stored function of that name may be meant
    locks_rows,         // FOR UPDATE, FOR SHARE, LOCK IN SHARE MODE
    into,               // INTO OUTFILE, DUMPFILE, @a
    procedure,          // PROCEDURE ANALYSE
    uses_user_variable,
    assigns,  // :=
    uses_sequence,
    named_lock,
    previous_result,
    server_function,  // its value differs from server to server: USER(), VERSION()
    server_variable,  // a system variable that does not follow the session
    server_schema,    // information_schema …
    server_list,      // SHOW of what belongs to one server
    transaction,
    sets_variable,  // one that is not known, or not by a literal
    explains_write,
};

// Whether a statement reads or writes a table, a view, or what a server shows like one. The server forgets
// the warnings of earlier statements at one that does, and lists them on behind all others.
enum class TableUse : uint8_t { none, unclear, some };

struct StatementClass {
    Target target = Target::primary;
    Verb verb = Verb::other;
    TransactionEffect transaction = TransactionEffect::none;
    Reason reason = Reason::empty;
    bool is_multi_statement = false;    // a ";" with more behind it: all parts are united in here, the target
                                        // is the primary; then believe the server's status only
    bool is_repeatable = false;         // changes nothing: may run again elsewhere while no row was given
    bool reads_user_variables = false;  // @a: the session's must be there before it runs
    bool reads_previous_result = false;  // LAST_INSERT_ID(), ROW_COUNT() …, also where the target is the
                                         // primary (INSERT … VALUES (LAST_INSERT_ID())): the connection of
                                         // the previous statement, or its values, are needed
    bool reads_insert_id = false;        // among them the id of the last insert, which the connection of that
                                         // insert keeps, whatever ran elsewhere since
    bool sets_insert_id = false;         // LAST_INSERT_ID(n), also where the statement fails behind it
    bool reads_last_gtid = false;        // @@last_gtid, of the connection that wrote last
    bool has_select = false;             // SELECT stands in it, first or anywhere
    TableUse tables = TableUse::none;    // of all parts
    bool reads_row_count = false;        // ROW_COUNT()
    bool reads_found_rows = false;       // FOUND_ROWS()
    bool reads_messages = false;         // SHOW WARNINGS, @@warning_count …
    bool limits_rows = false;            // LIMIT or FETCH stands in it
    PinSet pins{};                       // what the statement, if it succeeds, pins
    PinSet releases{};                   // what it, if it succeeds, certainly ends: UNLOCK TABLES …
    Hint hint{};
    Kill kill{};
    std::string_view schema{};  // USE: the name without its quotes
    std::string_view detail{};  // the word of the text that `reason` is about
};

// The whole text is there, or only its beginning, because it is too long to be held: that is never a read.
enum class TextExtent : uint8_t { whole, beginning };

// Pure. `text` is one COM_QUERY or COM_STMT_PREPARE; views in the result borrow from it. Settings'
// comment_mark is not needed: it is Trilith's own. Values of SET are read by `sql::AssignmentReader`.
[[nodiscard]] StatementClass classify(
    std::string_view text,
    const mysql::TokenSettings& settings,
    TextExtent extent = TextExtent::whole
);

// One sentence without a full stop: "SLEEP is not known to be a pure function".
[[nodiscard]] std::string reason_sentence(const StatementClass& statement);

// information_schema, performance_schema, mysql and sys: while one of them is the session's schema, reads go
// to the primary, because unqualified names then mean what differs from server to server.
[[nodiscard]] bool is_server_schema(std::string_view name);

}  // namespace sql
