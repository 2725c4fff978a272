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

struct Runner {
    std::string site;     // of the server; empty: not known
    std::string starter;  // "trilith up, process 4711"
};

// Of the server that listens there.
Runner runner_of(runtime::Os& os, const std::string& socket) {
    auto answer = call(os, socket, {.method = http::Method::get, .path = "/v1/status", .body = {}}, kAskTime);
    if (!answer || answer->status != 200) {
        return {.site = "", .starter = "a process that does not answer"};
    }
    auto status = parse_status_json(answer->body);
    if (!status) {
        return {.site = "", .starter = "a process of another version"};
    }
    pid_t parent = runtime::parent_of(static_cast<pid_t>(status->pid));
    return {
        .site = status->site,
        .starter = is_up(parent) ? std::format("trilith up, process {}", parent)
                                 : std::format("trilith serve, process {}", status->pid),
    };
}

}  // namespace

std::string who_runs(const SitePaths& paths, const Config& config) {
    runtime::LinuxOs os;
    for (const ServerConfig& server : config.servers) {
        std::string socket = paths.socket(server.name);
        if (!probe(os, socket)) {
            continue;
        }
        Runner runner = runner_of(os, socket);
        std::string_view site = runner.site.empty() ? config.site : runner.site;
        std::string text =
            std::format("{} runs already: its server {} is run by {}; ", site, server.name, runner.starter);
        bool is_other = site != config.site;
        return text +
               (is_other
                    ? std::format("{} needs directories of its own: --state-dir, --runtime-dir", config.site)
                    : "`trilith status` shows it");
    }
    return "";
}

}  // namespace node
