// What makes a session what it is, on whichever server its next statement runs: schema, variables set by
// literals, transaction, position of its last write; and what keeps it on its connection. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mysql/gtid.h"
#include "mysql/ok_packet.h"
#include "mysql/sql_tokens.h"
#include "sql/carried_state.h"
#include "sql/statement_effects.h"
#include "sql/token_variable.h"

namespace sql {

class SessionState {
public:
    // Beyond these a session is no longer carried: it is pinned instead.
    static constexpr size_t kEntriesMax = 256;
    static constexpr size_t kEntryBytesMax = 64 << 10;

    SessionState() = default;

    // As it is after a login, or a change of user: status and session track are those of the server's OK.
    void begin(std::string database, mysql::TextEncoding encoding, const mysql::OkPacket& login);

    // COM_RESET_CONNECTION succeeded: what was set is as at the login again; the schema stays.
    void reset(const mysql::OkPacket& ok);

    // An OK, or the end of rows, of the primary.
    void note_ok(const mysql::OkPacket& ok, const StatementEffects& effects, mysql::Capabilities agreed);
    // An ERR of the primary: what the statement wrote before is not told by it.
    void note_error(const StatementEffects& effects);
    // The whole response is there, and its last packet was no ERR.
    void note_success(const StatementEffects& effects);
    // The flags that the primary gave when it was asked for them alone.
    void take_status(uint16_t status) { note_status(status); }
    // COM_INIT_DB succeeded.
    void select_database(std::string_view name);
    // The connection to the primary is gone, with nothing that only it had.
    void note_primary_lost();

    [[nodiscard]] const mysql::TokenSettings& token_settings() const { return settings_; }

    [[nodiscard]] bool is_in_transaction() const {
        return (status_ & mysql::kStatusInTransaction) != 0 || has_next_characteristics_;
    }

    [[nodiscard]] bool is_autocommit() const { return told_.is_autocommit; }

    // The flags that outlast a statement: of an OK to a command that changes nothing.
    [[nodiscard]] uint16_t status() const { return status_ & mysql::kStatusLasting; }

    [[nodiscard]] PinSet pins() const { return pins_; }

    [[nodiscard]] const std::string& database() const { return told_.database; }

    // All that follows the session: a connection that is to run its statements must have been told this.
    [[nodiscard]] const ToldState& told() const { return told_; }
    // A connection has been told what means the same: from now on both share it.
    void share(const SharedState& same) { told_.carried = same; }

    // The last writes of the session.
    [[nodiscard]] const mysql::GtidPosition& token() const { return token_; }

    // Of its last write; nothing: it has not written.
    [[nodiscard]] const std::optional<mysql::Gtid>& last_gtid() const { return last_gtid_; }

    // A statement that reads @trilith_token finds the token there: said to its connection as all that is
    // carried. NULL: the session has not written. What SET says of it is taken into the token.
    void publish_token();

    // It may have written more than token() says: the primary's own position has to be asked for.
    [[nodiscard]] bool is_token_short() const { return is_token_short_; }

    // The primary's position, which covers whatever the session wrote.
    void take_position(const mysql::GtidPosition& position);

private:
    void put(StateEntry entry);
    void note_track(std::string_view entries, const StatementEffects& effects);
    void note_variable(const mysql::SessionTrackEntry& entry, const StatementEffects& effects);
    void note_status(uint16_t status);
    void note_entries(const std::vector<StateEntry>& said);

    mysql::TokenSettings settings_{};
    mysql::TextEncoding login_encoding_ = mysql::TextEncoding::overlapping;
    ToldState told_;
    PinSet pins_{};
    mysql::GtidPosition token_{};
    std::optional<mysql::Gtid> last_gtid_{};
    uint16_t status_ = mysql::kStatusAutocommit;
    bool has_next_characteristics_ = false;  // SET TRANSACTION: the next one is to be special
    bool is_token_short_ = false;
};

}  // namespace sql
