// The JSON of `trilith up`'s own socket, RUNTIME/up.sock: what it says of itself, and the deeds that it is
// asked for. Written and read here on both sides.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "core/units.h"

namespace node {

struct UpServerStatus {
    std::string server;
    int64_t pid = 0;  // 0: it does not run
    bool is_ready = false;

    friend bool operator==(const UpServerStatus&, const UpServerStatus&) = default;
};

// A process that is stopped by order.
struct FrozenStatus {
    std::string server;
    int64_t pid = 0;
    core::Duration left{};  // until it is let go on

    friend bool operator==(const FrozenStatus&, const FrozenStatus&) = default;
};

// GET /v1/status
struct UpStatus {
    std::string site;
    int64_t pid = 0;
    std::string file;       // its configuration; absolute
    std::string state_dir;  // of the site
    std::vector<UpServerStatus> servers;
    std::vector<FrozenStatus> frozen;

    friend bool operator==(const UpStatus&, const UpStatus&) = default;
};

// POST /v1/kill, /v1/freeze. Of /v1/thaw nothing is read: it lets all go on.
struct UpDeed {
    std::string server;
    int64_t pid = 0;           // a process that descends from the server's; 0: the server's own, of kill only
    core::Duration lasting{};  // freeze: until it goes on by itself, 1s to kFreezeMax

    friend bool operator==(const UpDeed&, const UpDeed&) = default;
};

inline constexpr core::Duration kFreezeMax = std::chrono::seconds(60);

[[nodiscard]] std::string format_up_status(const UpStatus& status);
[[nodiscard]] core::Result<UpStatus> parse_up_status(std::string_view body);

[[nodiscard]] std::string format_up_deed(const UpDeed& deed);
// invalid: not JSON, another key, or a value out of its bounds.
[[nodiscard]] core::Result<UpDeed> parse_up_deed(std::string_view body);

}  // namespace node
