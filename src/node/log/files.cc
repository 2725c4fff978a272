#include "node/log/files.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <format>
#include <utility>

#include "core/json_text.h"

namespace node {

namespace {

std::string lead_of(std::string_view server) {
    std::string text = "\"server\":";
    core::append_json_string(text, server);
    return text + ",";
}

uint64_t lines_in(std::string_view lines) { return static_cast<uint64_t>(std::ranges::count(lines, '\n')); }

}  // namespace

void link_log_file(const std::string& logs, const std::string& directory, const std::string& server) {
    const std::string link = LogFiles::path_of(logs, server);
    ::mkdir(logs.c_str(), 0700);
    struct stat status{};
    if (::lstat(link.c_str(), &status) == 0 && S_ISREG(status.st_mode)) {
        std::rename(link.c_str(), (link + ".1").c_str());
    }
    ::unlink(link.c_str());
    [[maybe_unused]] int made = ::symlink(LogFiles::path_of(directory, server).c_str(), link.c_str());
}

std::string LogFiles::path_of(const std::string& directory, std::string_view server) {
    return std::format("{}/{}.log", directory, server);
}

core::Result<std::unique_ptr<LogFiles>> LogFiles::create(
    runtime::Os& os,
    core::Log& log,
    const std::string& server,
    const LogConfig& config
) {
    TRY(auto reactor, runtime::Reactor::open(os));
    return std::unique_ptr<LogFiles>(new LogFiles(std::move(reactor), log, server, config));
}

LogFiles::LogFiles(
    std::unique_ptr<runtime::Reactor> reactor,
    core::Log& log,
    const std::string& server,
    const LogConfig& config
)
    : reactor_(std::move(reactor)),
      log_(log),
      lead_(lead_of(server)),
      file_(path_of(config.directory, server), {.size_max = config.size_max, .kept = config.kept}),
      stopped_(*reactor_) {}

void LogFiles::start() {
    thread_ = std::make_unique<runtime::Cores>("logfile", 1, [this](size_t) { reactor_->run(serve()); });
}

LogFiles::~LogFiles() {
    reactor_->post([this] { stopped_.set(); });
    thread_.reset();
}

runtime::Task<void> LogFiles::serve() { co_await stopped_.wait(); }

template <class Write>
void LogFiles::hand_over(std::string lines, Write write) {
    size_t size = lines.size();
    if (pending_bytes_.fetch_add(size, std::memory_order_relaxed) + size > kPendingBytesMax) {
        pending_bytes_.fetch_sub(size, std::memory_order_relaxed);
        lines_dropped_.fetch_add(lines_in(lines), std::memory_order_relaxed);
        return;
    }
    reactor_->post([this, block = std::move(lines), write] {
        write(block);
        pending_bytes_.fetch_sub(block.size(), std::memory_order_relaxed);
    });
}

void LogFiles::keep(const core::LogEvent& event) {
    hand_over(core::log_json(event, lead_), [this](const std::string& line) { write_now(line); });
}

// Not on the caller's thread, which has requests to serve: each line is an object, whose first member is from
// now on the server.
void LogFiles::keep_requests(std::string lines) {
    hand_over(std::move(lines), [this](const std::string& block) { write_now(with_server(block)); });
}

std::string LogFiles::with_server(std::string_view lines) const {
    std::string block;
    block.reserve(lines.size() + lines_in(lines) * lead_.size());
    while (!lines.empty()) {
        size_t size = std::min(lines.find('\n'), lines.size() - 1) + 1;
        if (lines.front() == '{') {
            block += '{';
            block += lead_;
            block += lines.substr(1, size - 1);
        }
        lines.remove_prefix(size);
    }
    return block;
}

// One line when it breaks, one when it works again.
void LogFiles::write_now(const std::string& lines) {
    auto written = file_.append(lines);
    lines_lost_.add(lines_dropped_.exchange(0, std::memory_order_relaxed) + (written ? 0 : lines_in(lines)));
    bool had_failed = std::exchange(has_failed_, !written);
    if (!written && !had_failed) {
        log_.error(
            "log",
            "the log file cannot be written: lines are lost",
            {{"reason", written.error().context()}}
        );
    } else if (written && had_failed) {
        log_.info(
            "log",
            "the log file is written again",
            {{"file", file_.path()}, {"lost", std::to_string(lines_lost())}}
        );
    }
}

}  // namespace node
