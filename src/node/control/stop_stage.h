// The steps in which a server ends, from its visitors inward: each ends when what it stops has ended, so that
// nothing is taken away from what still uses it. `trilith up` orders them of all its servers, one after the
// other (up/stop.h); a SIGTERM is the order of all of them to one server.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace node {

enum class StopStage : uint8_t {
    none,
    balancer,  // takes no connection any more, running requests have ended
    web,       // the same of the web tier, and of the app tier's own port
    app,       // the site's program has ended
    router,    // the SQL router has no session any more
    leader,    // the server decides nothing about the databases any more
    primary,   // mariadbd has ended where it is the primary, when every replica has all
    all,       // everything, and the process
};

inline constexpr std::array<std::string_view, 8> kStopStageNames{
    "none",
    "balancer",
    "web",
    "app",
    "router",
    "leader",
    "primary",
    "all",
};

[[nodiscard]] constexpr std::string_view stop_stage_name(StopStage stage) {
    return kStopStageNames[static_cast<size_t>(stage)];
}

}  // namespace node
