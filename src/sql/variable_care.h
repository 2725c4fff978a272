// Which system variables follow a session from server to server.
#pragma once

#include <cstdint>
#include <string_view>

namespace sql {

// What the router knows of a system variable.
enum class VariableCare : uint8_t {
    unknown,           // not carried: the statement goes to the primary and pins
    carried,           // follows the session: said again to the next server
    reported,          // carried, and servers report its value by session tracking: may also be computed
    autocommit,        // a transaction effect
    session_tracking,  // session_track_…: never passed on as it is
    previous_result,   // last_insert_id, insert_id, identity, …: of the connection
};

// In any case; only of the session's value: a global one is `unknown` to a session.
[[nodiscard]] VariableCare variable_care(std::string_view name);

}  // namespace sql
