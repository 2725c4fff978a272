// `trilith drain SERVER`: what follows when every server of the site has heard the order. The database
// primary moves away, then the last request and the last statement are waited for.
#pragma once

#include <string>
#include <vector>

#include "core/result.h"
#include "node/verbs/console.h"
#include "node/verbs/drain_watch.h"
#include "node/verbs/running_site.h"

namespace node {

// The server that an order was about, by what the servers said to it; empty: it was about a backend.
[[nodiscard]] std::string ordered_server(const std::vector<ServerAnswer>& answers);

// What an order about a server changed: a line a backend, web and app first, databases last; where servers
// say different things of one, each behind its name.
[[nodiscard]] std::string server_changes_text(const std::vector<ServerAnswer>& answers);

// What reaches that server by other ways than orders are about, a sentence each.
[[nodiscard]] std::vector<std::string> server_remarks(const std::vector<ServerAnswer>& answers);

struct ServerDrainOptions {
    bool is_waiting = true;  // for what runs; a move of the primary is always followed to its end
    DrainWatchOptions watch;
};

struct ServerDrained {
    std::string moved{};  // how the primary moved; empty: it was elsewhere
};

// `answers`: to the order. Prints tier by tier what was reached, and in the end whether the server can be
// switched off. Fails where nothing is sent to that server (not_found), where the primary cannot move, and as
// wait_until_drained(); the error says what stays draining.
[[nodiscard]] core::Result<ServerDrained> end_server_drain(
    const RunningSite& site,
    const std::vector<ServerAnswer>& answers,
    const ServerDrainOptions& options,
    Console& console
);

}  // namespace node
