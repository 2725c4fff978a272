// What `trilith up` itself says, kept beside the logs of its servers as up.log.
#pragma once

#include <optional>
#include <string>

#include "core/log.h"
#include "node/config/config.h"
#include "node/log/rotated_file.h"
#include "runtime/account.h"

namespace node {

class UpLog {
public:
    // `logs`: SitePaths::logs_dir(), which the first server to start makes; empty: nothing is kept.
    // `account`: as whom root writes there.
    UpLog(const LogConfig& config, const std::string& logs, std::optional<runtime::Account> account);

    // Blocks for as long as the disk does. What cannot be written yet waits, up to 64 KiB of it.
    void keep(const core::LogEvent& event);

private:
    std::optional<RotatedFile> file_;
    std::optional<runtime::Account> account_;
    std::string waiting_;
};

}  // namespace node
