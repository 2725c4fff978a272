#include "node/serve/readiness.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <format>

#include "node/terminal/quantity_text.h"
#include "runtime/process.h"

namespace node {

namespace {

constexpr core::Duration kStartWithin = std::chrono::seconds(10);
// A line is one write that a pipe takes whole or not at all.
constexpr size_t kReasonBytesMax = 1000;
constexpr std::string_view kWaiting = "waiting ";
constexpr std::string_view kReady = "ready";
constexpr std::string_view kBeat = "beat";

core::Duration checks_of(const upstream::HealthConfig& health) {
    return (health.interval + health.timeout) * health.rise;
}

std::string missing_of_database(const ServerStatus& status) {
    if (!status.database) {
        return "";
    }
    const std::optional<DatabaseAgentStatus>& agent = status.database->agent;
    if (agent && agent->state != "running") {
        std::string_view separator = agent->reason.empty() ? "" : ": ";
        return std::format("its mariadbd is {}{}{}", agent->state, separator, agent->reason);
    }
    if (status.database->epoch == 0) {
        return "the database cluster has no primary yet";
    }
    bool has_primary = !status.router || std::ranges::any_of(status.router->nodes, [](const auto& node) {
        return node.state == "primary";
    });
    return has_primary ? "" : "the SQL router sees no primary that takes writes";
}

}  // namespace

std::string missing_for_readiness(const ServerStatus& status) {
    if (status.app) {
        for (const InstanceStatus& instance : status.app->instances) {
            if (instance.state != "up") {
                return std::format("the program's instance {} is {}", instance.name, instance.state);
            }
        }
    }
    if (std::string missing = missing_of_database(status); !missing.empty()) {
        return missing;
    }
    for (const PoolStatus& pool : status.pools) {
        bool is_up = std::ranges::any_of(pool.backends, [](const BackendStatus& backend) {
            return backend.state == "up";
        });
        if (!is_up) {
            std::string first =
                pool.backends.empty()
                    ? "it has none"
                    : std::format("{} is {}", pool.backends.front().name, pool.backends.front().state);
            return std::format("no backend of pool {} is up: {}", pool.name, first);
        }
    }
    return "";
}

ServerNote note_of(const ServerStatus& status) {
    if (std::string missing = missing_for_readiness(status); !missing.empty()) {
        return {.text = std::move(missing), .is_well = false};
    }
    std::string text;
    if (status.app) {
        text = std::format("{} up", counted(std::ssize(status.app->instances), "instance"));
    }
    for (const RouterNodeStatus& node : status.router.value_or(RouterStatus{}).nodes) {
        bool is_own = status.database && status.database->agent && node.name == status.server;
        if (is_own) {
            text += (text.empty() ? "" : ", ") + node.state;
            text += node.lag ? ", lag " + latency_text(*node.lag) : "";
        }
    }
    return {.text = text.empty() ? "ready" : text};
}

core::Duration ready_within(const Config& config) {
    core::Duration within = kStartWithin;
    if (config.app) {
        within += config.app->program.health.within;
    }
    core::Duration slowest{};
    for (const upstream::PoolConfig& pool : config.balancer.pools) {
        slowest = std::max(slowest, checks_of(pool.health));
    }
    return within + slowest;
}

ReadyWriter ReadyWriter::take() {
    ReadyWriter writer;
    const char* text = std::getenv(kReadyVariable);
    if (text == nullptr) {
        return writer;
    }
    std::string_view number = text;
    int fd = -1;
    std::from_chars(number.data(), number.data() + number.size(), fd);
    struct stat status{};
    if (fd > STDERR_FILENO && ::fstat(fd, &status) == 0 && S_ISFIFO(status.st_mode) &&
        ::fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 && ::fcntl(fd, F_SETFL, O_NONBLOCK) == 0) {
        writer.pipe_ = runtime::Descriptor(fd);
    }
    ::unsetenv(kReadyVariable);
    return writer;
}

bool ReadyWriter::tell(const ServerStatus& status) {
    std::string missing = missing_for_readiness(status);
    bool is_ready = missing.empty();
    missing.resize(std::min(missing.size(), kReasonBytesMax));
    std::string line = is_ready ? std::format("{}\n", kReady) : std::format("{}{}\n", kWaiting, missing);
    if (line != told_) {
        told_ = line;
        // Who does not read any more has ended, and we shall.
        [[maybe_unused]] ssize_t written = runtime::write_some(pipe_.get(), line);
    }
    return is_ready;
}

void ReadyWriter::beat(const ServerStatus& status) {
    ServerNote note = note_of(status);
    note.text.resize(std::min(note.text.size(), kReasonBytesMax));
    std::ranges::replace(note.text, '\n', ' ');
    // A full pipe: who does not read cannot miss it.
    [[maybe_unused]] ssize_t written = runtime::write_some(
        pipe_.get(),
        std::format("{} {} {}{}\n", kBeat, status.requests_total, note.is_well ? "" : "!", note.text)
    );
}

void ReadyReader::take_line(std::string_view line) {
    if (line.starts_with(kBeat)) {
        has_beaten_ = true;
        take_beat(line.substr(kBeat.size()));
    } else if (line == kReady) {
        stage_ = ReadyStage::ready;
        reason_.clear();
        note_ = {};  // of a moment when it was not
    } else if (line.starts_with(kWaiting)) {
        stage_ = std::max(stage_, ReadyStage::listening);
        reason_ = line.substr(kWaiting.size());
    }
}

// " REQUESTS NOTE".
void ReadyReader::take_beat(std::string_view words) {
    words.remove_prefix(std::min<size_t>(words.size(), 1));
    auto [end, status] = std::from_chars(words.data(), words.data() + words.size(), requests_);
    words.remove_prefix(static_cast<size_t>(end - words.data()));
    words.remove_prefix(std::min<size_t>(words.size(), 1));
    note_.is_well = !words.starts_with('!');
    note_.text = words.substr(note_.is_well ? 0 : 1);
}

bool ReadyReader::look() {
    has_beaten_ = false;
    std::array<char, 4096> bytes;
    ssize_t count = 0;
    while (pipe_.is_open() && (count = runtime::read_some(pipe_.get(), bytes)) > 0) {
        unread_.append(bytes.data(), static_cast<size_t>(count));
        for (size_t end = unread_.find('\n'); end != std::string::npos; end = unread_.find('\n')) {
            take_line(std::string_view(unread_).substr(0, end));
            unread_.erase(0, end + 1);
        }
    }
    if (count == 0) {
        pipe_.close();
    }
    return has_beaten_;
}

}  // namespace node
