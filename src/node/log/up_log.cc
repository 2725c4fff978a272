#include "node/log/up_log.h"

#include "node/log/files.h"
#include "runtime/privileges.h"

namespace node {

namespace {

constexpr size_t kWaitingBytesMax = 64 << 10;
constexpr std::string_view kUpServer = "up";

}  // namespace

UpLog::UpLog(const LogConfig& config, const std::string& logs, std::optional<runtime::Account> account)
    : account_(std::move(account)) {
    std::string directory = config.directory.empty() ? logs : config.directory;
    if (!config.is_enabled || logs.empty()) {
        return;
    }
    runtime::FileRights rights(account_.value_or(runtime::Account{}));
    if (!config.directory.empty()) {
        link_log_file(logs, directory, std::string(kUpServer));
    }
    file_.emplace(
        LogFiles::path_of(directory, kUpServer),
        RotationRule{.size_max = config.size_max, .kept = config.kept}
    );
}

void UpLog::keep(const core::LogEvent& event) {
    if (!file_) {
        return;
    }
    waiting_ += core::log_json(event, "\"server\":\"up\",");
    runtime::FileRights rights(account_.value_or(runtime::Account{}));
    if (file_->append(waiting_)) {
        waiting_.clear();
    }
    while (waiting_.size() > kWaitingBytesMax) {
        waiting_.erase(0, waiting_.find('\n') + 1);
    }
}

}  // namespace node
