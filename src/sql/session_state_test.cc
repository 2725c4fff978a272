// What follows a session, and what keeps it where it is.
#include "sql/session_state.h"

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "mysql/wire.h"

namespace sql {
namespace {

constexpr mysql::Capabilities kAgreed = mysql::kSessionTrack | mysql::kProtocol41;
using Texts = std::vector<std::string>;

StatementEffects effects(std::string_view text, const mysql::TokenSettings& settings = {}) {
    return effects_of(text, classify(text, settings), settings);
}

// Session-track entries as a server writes them.
std::string tracked(std::string_view name, std::string_view value) {
    std::string inner;
    mysql::PayloadWriter inner_writer(inner);
    inner_writer.length_encoded_string(name);
    inner_writer.length_encoded_string(value);
    std::string entry;
    mysql::PayloadWriter writer(entry);
    writer.u8(0);
    writer.length_encoded_string(inner);
    return entry;
}

std::string tracked_schema(std::string_view name) {
    std::string inner;
    mysql::PayloadWriter(inner).length_encoded_string(name);
    std::string entry("\x01");
    mysql::PayloadWriter(entry).length_encoded_string(inner);
    return entry;
}

const std::string kStateChange(
    "\x02\x02\x01"
    "1"
);

// All that another connection has to be told.
Texts said(const SessionState& state) {
    return statements_between(
        {.database = state.database(), .is_autocommit = state.is_autocommit()},
        state.told()
    );
}

// A session after its login, as the router keeps it.
struct Session {
    SessionState state{};

    Session() { state.begin("shop", mysql::TextEncoding::utf8, ok()); }

    static mysql::OkPacket ok(std::string_view track = "", uint16_t status = mysql::kStatusAutocommit) {
        mysql::OkPacket packet{.status = status};
        if (!track.empty()) {
            packet.status |= mysql::kStatusSessionStateChanged;
            packet.session_track = track;
        }
        return packet;
    }

    // Runs the statement at the primary, which answers with an OK.
    void run(std::string_view text, const mysql::OkPacket& answer = ok()) {
        StatementEffects done = effects(text, state.token_settings());
        state.note_ok(answer, done, kAgreed);
        state.note_success(done);
    }
};

TEST_CASE("what SET says by literals can be said again, in its order, the last word alone") {
    Session session;
    session.run("SET time_zone = '+01:00', group_concat_max_len = 5");
    session.run("SET @a = 1, @`b c` = 'x'");
    session.run("SET NAMES latin1 COLLATE latin1_bin");
    session.run("SET time_zone = '+02:00'");
    session.run("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED");
    CHECK(
        said(session.state) ==
        Texts{
            "SET SESSION group_concat_max_len = 5",
            "SET @`a` = 1",
            "SET @`b c` = 'x'",
            "SET NAMES latin1 COLLATE latin1_bin",
            "SET SESSION time_zone = '+02:00'",
            "SET SESSION tx_isolation = 'READ-COMMITTED'",
        }
    );
    ToldState before = session.state.told();
    CHECK(statements_between(before, session.state.told()).empty());
    session.run("SET sql_mode = ''");
    CHECK(statements_between(before, session.state.told()) == Texts{"SET SESSION sql_mode = ''"});
}

TEST_CASE("what the server reports is carried, unless the statement said it") {
    Session session;
    session.run("SET time_zone = CONCAT('+0', '3:00')", Session::ok(tracked("time_zone", "+03:00")));
    CHECK(said(session.state) == Texts{"SET SESSION time_zone = '+03:00'"});
    session.run(
        "SET NAMES latin1 COLLATE latin1_bin",
        Session::ok(tracked("character_set_client", "latin1"))
    );
    CHECK(said(session.state).back() == "SET NAMES latin1 COLLATE latin1_bin");
    CHECK(said(session.state).size() == 2);
    CHECK(session.state.token_settings().encoding == mysql::TextEncoding::other);
    session.run("USE other", Session::ok(tracked_schema("other")));
    CHECK(session.state.database() == "other");
    CHECK(session.state.pins().is_empty());
    session.run("CALL p()", Session::ok(tracked("sql_mode", "a'b")));
    CHECK(session.state.pins().has(Pin::computed_variable));
}

TEST_CASE("what cannot follow pins") {
    struct Row {
        std::string_view text;
        std::string_view track;
        Pin pin;
    };
    const Row rows[] = {
        {"CREATE TEMPORARY TABLE t (a INT)", "", Pin::temporary_table},
        {"SELECT @a := 1", "", Pin::user_variable},
        {"SELECT GET_LOCK('a', 1)", "", Pin::named_lock},
        {"SET profiling = 1", "", Pin::unknown_variable},
        {"CALL p()", "", Pin::unclear_text},
        {"SELECT f()", "", Pin::unclear_text},
        {"INSERT INTO t VALUES (1)", kStateChange, Pin::temporary_table},  // by a trigger
    };
    for (const Row& row : rows) {
        CAPTURE(row.text);
        Session session;
        session.run(row.text, Session::ok(row.track));
        CHECK(session.state.pins().has(row.pin));
        session.state.reset(Session::ok());
        CHECK(session.state.pins().is_empty());
    }
    Session session;
    session.run("SET sql_mode = ''", Session::ok(kStateChange));
    session.run("SELECT SQL_CALC_FOUND_ROWS 1");
    CHECK(session.state.pins().is_empty());
    session.run("LOCK TABLES t READ");
    CHECK(session.state.pins().has(Pin::table_lock));
    session.run("UNLOCK TABLES");
    CHECK(session.state.pins().is_empty());
}

TEST_CASE("a text in a user variable does not survive a change of what texts mean") {
    for (const char* change :
         {"SET NAMES koi8r", "SET sql_mode = 'ANSI_QUOTES'", "SET CHARACTER SET koi8r"}) {
        CAPTURE(change);
        Session session;
        session.run("SET @a = 1");
        session.run("SET NAMES latin1");
        session.run("SET @a = 'x'");
        session.run("SET NAMES latin1");
        CHECK(session.state.pins().is_empty());
        session.run(change);
        CHECK(session.state.pins().has(Pin::user_variable));
    }
}

TEST_CASE("too many things to carry pin") {
    Session session;
    for (size_t number = 0; number <= SessionState::kEntriesMax; ++number) {
        CHECK(session.state.pins().is_empty());
        session.run("SET @v" + std::to_string(number) + " = 1");
    }
    CHECK(session.state.pins().has(Pin::user_variable));
    CHECK(said(session.state).size() == SessionState::kEntriesMax);
    Session other;
    other.run("SET @a = '" + std::string(SessionState::kEntryBytesMax, 'x') + "'");
    CHECK(other.state.pins().has(Pin::user_variable));
}

TEST_CASE("the transaction is what the server says") {
    Session session;
    session.run("BEGIN", Session::ok("", mysql::kStatusInTransaction | mysql::kStatusAutocommit));
    CHECK(session.state.is_in_transaction());
    session.run("COMMIT");
    CHECK_FALSE(session.state.is_in_transaction());
    session.run("SET autocommit = 0", Session::ok("", 0));
    CHECK_FALSE(session.state.is_autocommit());
    CHECK(said(session.state).empty());
    session.run("SET autocommit = 1");
    session.run("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE");
    CHECK(session.state.is_in_transaction());
    session.run("SET time_zone = '+00:00'");
    CHECK(session.state.is_in_transaction());
    session.run("SELECT 1");
    CHECK_FALSE(session.state.is_in_transaction());
    session.run("SELECT 1", Session::ok("", mysql::kStatusAutocommit | mysql::kStatusAnsiQuotes));
    CHECK(session.state.token_settings().has_ansi_quotes);
    session.run("SELECT 1", Session::ok("", mysql::kStatusNoBackslashEscapes));
    CHECK_FALSE(session.state.token_settings().has_backslash_escapes);
}

TEST_CASE("the token is the last GTID of each domain, and short where an answer does not tell") {
    Session session;
    session.run("INSERT INTO t VALUES (1)", Session::ok(tracked("last_gtid", "0-1-7")));
    session.run("INSERT INTO t VALUES (1)", Session::ok(tracked("last_gtid", "1-1-3")));
    session.run("SELECT 1", Session::ok(tracked("last_gtid", "")));
    std::string text;
    session.state.token().append_to(text);
    CHECK(text == "0-1-7,1-1-3");
    CHECK_FALSE(session.state.is_token_short());
    session.state.note_error(effects("SELECT 1 FROM nowhere"));
    CHECK_FALSE(session.state.is_token_short());
    session.state.note_error(effects("INSERT INTO t VALUES (1)"));
    CHECK(session.state.is_token_short());
    session.state.take_position(*mysql::GtidPosition::read("0-1-9"));
    CHECK_FALSE(session.state.is_token_short());
    CHECK(session.state.token().covers(*mysql::read_gtid("0-1-9")));
    // An EOF has the flag alone.
    session.run("SELECT 1", Session::ok("", mysql::kStatusSessionStateChanged));
    CHECK(session.state.is_token_short());
    session.state.reset(Session::ok());
    CHECK(session.state.is_token_short());
    session.run("INSERT INTO t VALUES (1)", Session::ok(tracked("last_gtid", "nonsense")));
    CHECK(session.state.is_token_short());
}

TEST_CASE("a malformed session track makes nothing sure") {
    Session session;
    session.run("SELECT 1", Session::ok("\x05\x7F"));
    CHECK(session.state.is_token_short());
    CHECK_FALSE(session.state.pins().is_empty());
}

TEST_CASE("a reset forgets what was set, and keeps the schema and the writes") {
    Session session;
    session.run("SET NAMES latin1", Session::ok(tracked("character_set_client", "latin1")));
    session.run("INSERT INTO t VALUES (1)", Session::ok(tracked("last_gtid", "0-1-7")));
    session.state.reset(Session::ok());
    CHECK(said(session.state).empty());
    CHECK(session.state.database() == "shop");
    CHECK(session.state.token_settings().encoding == mysql::TextEncoding::utf8);
    CHECK_FALSE(session.state.token().is_empty());
}

TEST_CASE("what a prepared SET does is not seen when it runs, so it pins") {
    StatementClass statement = classify("SET time_zone = '+00:00'", {});
    CHECK(prepared_effects_of(statement).pins.has(Pin::computed_variable));
    CHECK(prepared_effects_of(classify("SELECT 1", {})).pins.is_empty());
    CHECK(prepared_effects_of(classify("SELECT 1", {})).is_read);
}

TEST_CASE("a token comes by SET and is said to whoever reads it") {
    SessionState state;
    state.begin("", mysql::TextEncoding::utf8, {.status = mysql::kStatusAutocommit});
    auto said = [](std::string value) {
        return StateEntry{
            .kind = StateEntry::Kind::user_variable,
            .name = "trilith_token",
            .statement = "SET @trilith_token = " + std::move(value),
        };
    };
    state.note_success({.verb = Verb::set, .entries = {said("'0-1-22'")}});
    state.note_success({.verb = Verb::set, .entries = {said("'0-1-7,5-2-9'")}});
    std::string token;
    state.token().append_to(token);
    CHECK(token == "0-1-22,5-2-9");
    CHECK(state.told().carried == nullptr);
    state.publish_token();
    REQUIRE(state.told().carried != nullptr);
    CHECK(
        state.told().carried->entries.back().statement ==
        "SET @trilith_token = _latin1 0x302d312d32322c352d322d39"
    );
    CHECK_FALSE(token_of(said("'0-1'")).has_value());
    CHECK_FALSE(token_of(said("5")).has_value());
    CHECK(token_of(said("NULL"))->is_empty());
    CHECK(mentions_token("SELECT @Trilith_Token"));
    CHECK_FALSE(mentions_token("SELECT @trilith_toke"));
}

TEST_CASE("a SET that changes the session alone is known as one") {
    for (std::string_view text :
         {"SET @trilith_token = '0-1-5'", "SET NAMES utf8mb4", "SET @a = 1, SESSION sql_mode = ''"}) {
        CAPTURE(text);
        CHECK(effects(text).is_session_set);
        CHECK(is_token_alone(effects(text)) == text.contains("trilith_token"));
    }
    CHECK_FALSE(is_token_alone(effects("SET @trilith_token = '0-1-5', @a = 1")));
    for (std::string_view text :
         {"SET GLOBAL max_connections = 5",
          "SET @a = 1, GLOBAL max_connections = 5",
          "SET @a = (SELECT f())",
          "SET @a = 1, @b = (SELECT f())",
          "SET @a = GET_LOCK('a', 1)",
          "SET PASSWORD = 'x'",
          "SET STATEMENT max_statement_time = 1 FOR UPDATE t SET n = 1",
          "SET @a = 1; UPDATE t SET n = 1",
          "UPDATE t SET n = 1",
          "SELECT 1"}) {
        CAPTURE(text);
        CHECK_FALSE(effects(text).is_session_set);
    }
}

}  // namespace
}  // namespace sql
