// `trilith restart app`: one server after the other, each followed until its last instance is replaced.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/result.h"
#include "node/verbs/console.h"
#include "node/verbs/running_site.h"

namespace node {

// What one server's restart came to.
struct RestartReport {
    std::string server;
    std::vector<std::string> sentences;  // one an instance
};

// Restarts the application on every server of `site` that runs one, in the order of their names; `tell` is
// called as each ends. Fails at the first that fails, in the words of its server, and leaves those behind it
// alone; not_found where no server runs an application.
[[nodiscard]] core::Result<void> restart_app(
    const RunningSite& site,
    Console& console,
    const std::function<void(const RestartReport&)>& tell
);

}  // namespace node
