// A server's log as files, beside standard output and standard error: every event, what its programs write,
// and its access log. Written on a thread of its own, so that a slow or full disk holds up nothing.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <string_view>

#include "core/log.h"
#include "core/metrics.h"
#include "core/result.h"
#include "node/config/config.h"
#include "node/log/rotated_file.h"
#include "runtime/cores.h"
#include "runtime/event.h"
#include "runtime/reactor.h"

namespace node {

// Makes SERVER.log in `logs` (a directory, made where it is missing) a link to the one in `directory`, so
// that who reads looks in one place. What was written there before, in its own file, is renamed as a full
// one. A failure is of no account: the log itself does not need it.
void link_log_file(const std::string& logs, const std::string& directory, const std::string& server);

class LogFiles {
public:
    // Bytes that wait to be written; what comes above this is dropped and counted.
    static constexpr size_t kPendingBytesMax = 8 << 20;

    // `directory` is made where it is missing. `log` is told once when writing fails and once when it works
    // again. What comes before start() waits.
    [[nodiscard]] static core::Result<std::unique_ptr<LogFiles>> create(
        runtime::Os& os,
        core::Log& log,
        const std::string& server,
        const LogConfig& config
    );
    // Starts the thread; once.
    void start();
    // Writes what is pending and ends the thread.
    ~LogFiles();

    // From any thread; never block.
    void keep(const core::LogEvent& event);
    // Lines of an access log, whole.
    void keep_requests(std::string lines);

    // Lines that could not be written.
    [[nodiscard]] uint64_t lines_lost() const { return lines_lost_.value(); }

    // "DIRECTORY/SERVER.log"
    [[nodiscard]] static std::string path_of(const std::string& directory, std::string_view server);

private:
    LogFiles(
        std::unique_ptr<runtime::Reactor> reactor,
        core::Log& log,
        const std::string& server,
        const LogConfig& config
    );

    runtime::Task<void> serve();
    template <class Write>
    void hand_over(std::string lines, Write write);
    [[nodiscard]] std::string with_server(std::string_view lines) const;
    void write_now(const std::string& lines);

    std::unique_ptr<runtime::Reactor> reactor_;
    core::Log& log_;
    std::string lead_;  // "server":"web1",
    RotatedFile file_;
    std::atomic<size_t> pending_bytes_{0};
    std::atomic<uint64_t> lines_dropped_{0};  // for want of room in the queue
    runtime::Event stopped_;
    bool has_failed_ = false;
    core::Counter lines_lost_;
    std::unique_ptr<runtime::Cores> thread_;
};

}  // namespace node
