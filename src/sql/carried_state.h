// What SET has said in a session and can be said again to another server; and what a server connection has to
// be told to be as a session is. Pure.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace sql {

// One thing that SET has said, to be said again to another server.
struct StateEntry {
    enum class Kind : uint8_t { system_variable, user_variable, names, character_set };

    Kind kind = Kind::system_variable;
    std::string name{};       // in lower case; of names and character_set ""
    std::string statement{};  // "SET SESSION sql_mode = 'ANSI'"
    // Of a user variable: what else its statement's meaning hangs on, which is what was said of characters
    // and quotes before it. Set by CarriedState.
    uint64_t context = 0;

    friend bool operator==(const StateEntry&, const StateEntry&) = default;

    // It is about the same thing, so the later of the two is what holds.
    [[nodiscard]] bool replaces(const StateEntry& other) const {
        return kind == other.kind && name == other.name;
    }
};

// What the meaning of a text between quotes depends on.
[[nodiscard]] bool changes_literals(const StateEntry& entry);
// Whether the meaning of its statement depends on that. Of a system variable it does not where the value is
// plain.
[[nodiscard]] bool depends_on_literals(const StateEntry& entry);

// All that was said, each thing once. Never changes once it is made, so that sessions and connections share
// it.
struct CarriedState {
    // With contexts.
    explicit CarriedState(std::vector<StateEntry> said);

    std::vector<StateEntry> entries;  // in the order in which they hold
    size_t bytes = 0;                 // of their statements
    uint64_t digest = 0;              // of states that mean the same it is the same

    // Both mean the same: user variables may have been said in another order.
    [[nodiscard]] bool is_same_as(const CarriedState& other) const;
};

// Null where nothing was said.
using SharedState = std::shared_ptr<const CarriedState>;

// The schema, autocommit, and what SET has said: of a session, or of a server connection.
struct ToldState {
    SharedState carried{};
    std::string database{};
    bool is_autocommit = true;
};

// How far a connection is from a session.
enum class Likeness : uint8_t {
    same,        // nothing to be said
    addable,     // what is missing can be said
    resettable,  // it has what the session has not: COM_RESET_CONNECTION, then all is said
    unusable,    // it has a schema and the session none: nothing takes that back
};

[[nodiscard]] Likeness likeness(const ToldState& connection, const ToldState& session);

// The statements that make `connection` as `session` is; their likeness must be same or addable (asserted),
// or the connection must have been reset: then it is as after its login, but for the schema.
[[nodiscard]] std::vector<std::string> statements_between(
    const ToldState& connection,
    const ToldState& session
);

// "USE `name`"
[[nodiscard]] std::string use_statement(std::string_view database);

// What was said on which the meaning of a text depends, in the order in which it holds.
[[nodiscard]] std::vector<const StateEntry*> literal_entries(const SharedState& carried);

// The statements after which a connection that is as `from` reads a text as one that is as `to`: schema,
// sql_mode and characters. What `to` lacks is as after the login, with that collation. A schema is not left
// for none.
[[nodiscard]] std::vector<std::string> literal_statements(
    const ToldState& from,
    const ToldState& to,
    uint16_t login_collation
);

}  // namespace sql
