// A running site as the verbs see it: its servers' control sockets, asked one after the other, and their
// answers side by side.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "node/control/client.h"
#include "node/verbs/command_line.h"
#include "node/verbs/console.h"

namespace node {

// What one server said.
struct ServerAnswer {
    std::string server;
    core::Result<std::string> body;  // of a 2xx answer; else why there is none, in the server's words where
                                     // it has any
    int status = 0;                  // of HTTP; 0: no answer
    std::string refusal;             // the body of another answer

    [[nodiscard]] bool is_good() const { return body.has_value(); }
};

class RunningSite {
public:
    // The servers that answer. Fails where none does (not_found: how to start one), where several sites run
    // and `options` names none (invalid: which), and where the sockets are another user's (permission).
    [[nodiscard]] static core::Result<RunningSite> find(const SiteOptions& options, const Console& console);

    // Asks every server, in the order of their names.
    [[nodiscard]] std::vector<ServerAnswer> ask(runtime::Os& os, const ControlCall& order) const;

    // The same, where some may not know what the order is about: those are left out of the answers if another
    // server does.
    [[nodiscard]] std::vector<ServerAnswer> ask_concerned(runtime::Os& os, const ControlCall& order) const;

    [[nodiscard]] const std::vector<ServerSocket>& servers() const { return servers_; }

    // Servers whose socket is there though their process is not: they were killed, and hear nothing of an
    // order.
    [[nodiscard]] const std::vector<ServerSocket>& dead() const { return dead_; }

    // Leaves only that server. ErrorKind::not_found names those there are.
    [[nodiscard]] core::Result<void> choose(std::string_view server);

private:
    std::vector<ServerSocket> servers_;
    std::vector<ServerSocket> dead_;
};

// The lines of some or all of the servers that were asked.
struct ServerLines {
    std::string server;
    std::vector<std::string> lines;
};

// Each line behind `lead`: once where all of the `asked` servers say the same, else each behind its server's
// name.
[[nodiscard]] std::string merge_lines(
    const std::vector<ServerLines>& answers,
    size_t asked,
    std::string_view lead = ""
);

}  // namespace node
