#include "node/verbs/who_runs.h"

#include <format>
#include <string_view>

#include "node/control/client.h"
#include "node/status/json.h"
#include "runtime/linux_os.h"
#include "runtime/process.h"

namespace node {

namespace {

constexpr core::Duration kAskTime = std::chrono::seconds(3);

bool is_up(pid_t pid) {
    std::string words = runtime::read_system_file(std::format("/proc/{}/cmdline", pid));
    size_t first = words.find('\0');
    return first != std::string::npos &&
           std::string_view(words).substr(first + 1).starts_with(std::string_view("up\0", 3));
}

// Of the server that listens there: "trilith up, process 4711".
std::string starter_of(runtime::Os& os, const std::string& socket) {
    auto answer = call(os, socket, {.method = http::Method::get, .path = "/v1/status", .body = {}}, kAskTime);
    if (!answer || answer->status != 200) {
        return "a process that does not answer";
    }
    auto status = parse_status_json(answer->body);
    if (!status) {
        return "a process of another version";
    }
    pid_t parent = runtime::parent_of(static_cast<pid_t>(status->pid));
    return is_up(parent) ? std::format("trilith up, process {}", parent)
                         : std::format("trilith serve, process {}", status->pid);
}

}  // namespace

std::string who_runs(const SitePaths& paths, const Config& config) {
    runtime::LinuxOs os;
    for (const ServerConfig& server : config.servers) {
        std::string socket = paths.socket(server.name);
        if (probe(os, socket)) {
            return std::format(
                "{} runs already: its server {} is run by {}; `trilith status` shows it",
                config.site,
                server.name,
                starter_of(os, socket)
            );
        }
    }
    return "";
}

}  // namespace node
