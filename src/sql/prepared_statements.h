// Prepared statements of the binary protocol. A session's are known to the router, under ids of its own; each
// server connection keeps some of those that were executed on it, for whichever session comes with the same
// text. So an execution runs where any statement of its kind would, prepared there when it is not yet.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sql/session_state.h"
#include "sql/statement_class.h"

namespace sql {

// What was prepared. Never changes once it is made, so that sessions and connections share it.
struct PreparedText {
    std::string text;   // "": not kept, and the statement stays with the connection that prepared it
    ToldState context;  // what the session had been told, in which names and quotes were read
    StatementClass statement{};
    StatementEffects effects{};  // of an execution
    bool asks_token = false;     // it may read @trilith_token
    uint64_t digest = 0;         // of those that mean the same it is the same

    // Text, schema, and all on which the meaning of a text depends.
    [[nodiscard]] bool means_same(const PreparedText& other) const;
    // It would mean the same if it were prepared by a session that has been told this.
    [[nodiscard]] bool is_read_alike(const ToldState& told) const;
};

[[nodiscard]] std::shared_ptr<const PreparedText> make_prepared_text(
    std::string_view text,
    const ToldState& context,
    const StatementClass& statement
);

// A statement of a session.
struct SessionStatement {
    std::shared_ptr<const PreparedText> prepared;
    uint16_t parameters = 0;
    std::string types{};  // of the parameters, as the client said them last; "": it never has
    // The connection to the primary knows it by this, and the session keeps that connection: it has a cursor,
    // or parameters that came in pieces, or its text is not kept.
    std::optional<uint32_t> held{};
    std::string held_types{};  // that the server knows for it
};

// A statement on a server connection.
struct LinkStatement {
    std::shared_ptr<const PreparedText> prepared;
    uint32_t id = 0;  // the server's
    // The types that the server knows for its parameters; nothing: nobody knows.
    std::optional<std::string> types = std::string();
    uint64_t used_at = 0;
};

// Those on one connection, which any session may execute.
class LinkStatements {
public:
    // Null if it is not there. The pointer is valid until the next call of add(), take() or clear().
    [[nodiscard]] LinkStatement* find(const PreparedText& wanted);

    // In place of one that means the same, or of the one that was not used for the longest time where there
    // are `max` (at least 1): those will have to be closed.
    LinkStatement& add(LinkStatement added, size_t max);

    // It is not there any more, and its server's id is the caller's.
    [[nodiscard]] std::optional<LinkStatement> take(const PreparedText& wanted);

    // To be closed before the next PREPARE.
    void close(uint32_t id) { closing_.push_back(id); }

    // The commands that close what has to be closed, to be sent: nothing answers them.
    [[nodiscard]] std::string take_closing();

    // The server has forgotten all of them.
    void clear();

    [[nodiscard]] size_t size() const { return statements_.size(); }

private:
    std::vector<LinkStatement> statements_;
    std::vector<uint32_t> closing_;
    uint64_t now_ = 0;  // counts uses
};

}  // namespace sql
