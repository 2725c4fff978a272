// How a client of the router logs in: the greeting, its answer, and the check against the primary's own
// accounts. No guess ever reaches a server.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>

#include "runtime/event.h"
#include "runtime/task.h"
#include "sql/relay.h"
#include "sql/server_link.h"

namespace sql {

class Worker;

// What is offered to clients: what a MariaDB 10.11 offers, without what cannot be translated, and TLS.
[[nodiscard]] mysql::Capabilities offered_capabilities();

struct LoggedIn {
    Identity identity{};
    std::string database{};
    uint8_t sequence = 0;  // of the packet that answers it
    mysql::Nonce nonce{};  // what the client's answer was made with, and what that of a change of user is
};

enum class LoginEnd : uint8_t {
    session,  // the client is gone, or was told why the session ends
    attempt,  // the client was told why it may not become this user; it remains who it was
};

// Greets the client and checks its login, all until the login's time is over. Nothing: the client is gone, or
// was told why it may not come in. `routing_changed` is set when the worker has new routing.
[[nodiscard]] runtime::Task<std::optional<LoggedIn>> log_in(
    Worker& worker,
    Client& client,
    runtime::Event& routing_changed,
    uint32_t session_id
);

// Checks a COM_CHANGE_USER whose payload this is; its packet is used up. `nonce`: that of the login before.
// Like a server, without asking for another answer where the client's plugin is mysql_native_password:
// Connector/C gives its first answer again, whatever nonce it is asked with.
[[nodiscard]] runtime::Task<std::expected<LoggedIn, LoginEnd>> change_user(
    Worker& worker,
    Client& client,
    runtime::Event& routing_changed,
    std::string payload,
    mysql::Nonce nonce
);

}  // namespace sql
