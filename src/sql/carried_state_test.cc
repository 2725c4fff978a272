// When a connection is as a session is, and what makes it so.
#include "sql/carried_state.h"

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "sql/session_state.h"

namespace sql {
namespace {

using Statements = std::vector<std::string>;

// As a session is that has run these.
ToldState after(const std::vector<std::string_view>& texts, std::string database = "shop") {
    SessionState state;
    state.begin(std::move(database), mysql::TextEncoding::utf8, {.status = mysql::kStatusAutocommit});
    for (std::string_view text : texts) {
        const mysql::TokenSettings& settings = state.token_settings();
        state.note_success(effects_of(text, classify(text, settings), settings));
    }
    return state.told();
}

}  // namespace

TEST_CASE("how far a connection is from a session") {
    struct Row {
        std::vector<std::string_view> connection;
        std::vector<std::string_view> session;
        Likeness likeness;
        Statements said;
    };
    const Row rows[] = {
        {{}, {}, Likeness::same, {}},
        {{"SET NAMES latin1"}, {"SET NAMES latin1"}, Likeness::same, {}},
        {{"SET @a = 1", "SET @b = 'x'"}, {"SET @b = 'x'", "SET @a = 1"}, Likeness::same, {}},
        {{"SET time_zone = '+01:00'", "SET time_zone = '+02:00'"},
         {"SET time_zone = '+02:00'"},
         Likeness::same,
         {}},
        // Said again in the same words.
        {{"SET NAMES latin1", "SET time_zone = '+01:00'", "SET time_zone = '+01:00'"},
         {"SET NAMES latin1", "SET time_zone = '+01:00'"},
         Likeness::same,
         {}},
        {{}, {"SET NAMES latin1", "SET @a = 1"}, Likeness::addable, {"SET NAMES latin1", "SET @`a` = 1"}},
        {{"SET NAMES latin1"},
         {"SET NAMES latin1", "SET time_zone = '+01:00'"},
         Likeness::addable,
         {"SET SESSION time_zone = '+01:00'"}},
        // What the connection has besides is said anew.
        {{"SET time_zone = '+01:00'", "SET @a = 1"},
         {"SET time_zone = '+02:00'", "SET @a = 2"},
         Likeness::addable,
         {"SET SESSION time_zone = '+02:00'", "SET @`a` = 2"}},
        {{"SET NAMES latin1"}, {}, Likeness::resettable, {}},
        {{"SET @a = 1"}, {"SET @b = 1"}, Likeness::resettable, {}},
        {{"SET NAMES latin1", "SET character_set_results = 'utf8'"},
         {"SET NAMES latin1"},
         Likeness::resettable,
         {}},
        // Both say the same, and the last word is another.
        {{"SET NAMES latin1", "SET character_set_results = 'utf8'"},
         {"SET character_set_results = 'utf8'", "SET NAMES latin1"},
         Likeness::addable,
         {"SET SESSION character_set_results = 'utf8'", "SET NAMES latin1"}},
        // The same words under other rules.
        {{"SET @a = 'x'"},
         {"SET sql_mode = 'NO_BACKSLASH_ESCAPES'", "SET @a = 'x'"},
         Likeness::addable,
         {"SET SESSION sql_mode = 'NO_BACKSLASH_ESCAPES'", "SET @`a` = 'x'"}},
        {{"SET @a = 1"},
         {"SET sql_mode = 'NO_BACKSLASH_ESCAPES'", "SET @a = 1"},
         Likeness::addable,
         {"SET SESSION sql_mode = 'NO_BACKSLASH_ESCAPES'"}},
    };
    for (const Row& row : rows) {
        CAPTURE(row.connection.size());
        CAPTURE(row.session.size());
        ToldState connection = after(row.connection);
        ToldState session = after(row.session);
        CHECK(likeness(connection, session) == row.likeness);
        if (row.likeness != Likeness::resettable) {
            CHECK(statements_between(connection, session) == row.said);
        }
        CHECK(statements_between({.database = "shop"}, session) == statements_between(after({}), session));
    }
}

TEST_CASE("a schema can be changed, and not taken back") {
    CHECK(likeness(after({}, "shop"), after({}, "shop")) == Likeness::same);
    CHECK(likeness(after({}, "shop"), after({}, "")) == Likeness::unusable);
    CHECK(likeness(after({}, ""), after({}, "a`b")) == Likeness::addable);
    CHECK(statements_between(after({}, ""), after({}, "a`b")) == Statements{"USE `a``b`"});
    // Whose characters are its session's.
    CHECK(
        statements_between(after({}, ""), after({"SET NAMES utf8mb4"}, "\xC3\xA4")) ==
        Statements{"SET NAMES utf8mb4", "USE `\xC3\xA4`"}
    );
}

TEST_CASE("autocommit is part of it") {
    ToldState off = after({});
    off.is_autocommit = false;
    CHECK(likeness(after({}), off) == Likeness::addable);
    CHECK(statements_between(after({}), off) == Statements{"SET autocommit = 0"});
    CHECK(statements_between(off, after({})) == Statements{"SET autocommit = 1"});
}

TEST_CASE("a text that would be read by another rule of the same SET pins") {
    SessionState state;
    state.begin("shop", mysql::TextEncoding::utf8, {.status = mysql::kStatusAutocommit});
    std::string_view text = "SET sql_mode = 'NO_BACKSLASH_ESCAPES', @a = 'x'";
    state.note_success(effects_of(text, classify(text, {}), {}));
    CHECK(state.pins().has(Pin::computed_variable));
}

}  // namespace sql
