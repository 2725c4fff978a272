// Writes the access log on a thread of its own, so that a slow disk or a full pipe holds up neither requests
// nor health checks.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <string_view>

#include "core/log.h"
#include "core/metrics.h"
#include "core/result.h"
#include "node/log/files.h"
#include "node/log/sink.h"
#include "runtime/account.h"
#include "runtime/cores.h"
#include "runtime/event.h"
#include "runtime/reactor.h"

namespace node {

class LogWriter final : public LogSink {
public:
    // Blocks that wait to be written; what comes above this is dropped and counted.
    static constexpr size_t kPendingBytesMax = 16 << 20;

    // `log` gets one line when writing fails and one when it works again. What comes before start() waits.
    // `files` (null: there are none) takes what is to be kept, and outlives the writer.
    [[nodiscard]] static core::Result<std::unique_ptr<LogWriter>> create(
        runtime::Os& os,
        core::Log& log,
        LogFiles* files
    );
    // Starts the thread; once.
    void start();
    // Writes what is pending, as far as the reader still takes it, and ends the thread.
    ~LogWriter() override;

    [[nodiscard]] bool write(std::string lines) override;
    void reopen(LogPlace place) override;
    [[nodiscard]] uint64_t lines_lost() const override { return lines_lost_.value(); }

    // Tries to open `path` for appending, without keeping it: for an early, clear error.
    [[nodiscard]] static core::Result<void> check_writable(const std::string& path);

    // The same as root for `account`, which is to write it: a log that it may not open is given to it.
    [[nodiscard]] static core::Result<void> hand_over(
        const std::string& path,
        const runtime::Account& account
    );

private:
    LogWriter(std::unique_ptr<runtime::Reactor> reactor, core::Log& log, LogFiles* files);

    runtime::Task<void> serve();
    void write_now(const std::string& lines);
    [[nodiscard]] size_t write_bytes(std::string_view bytes, int& error);
    void open_now(const std::string& path);
    [[nodiscard]] bool await_room();
    void note(int error);

    std::unique_ptr<runtime::Reactor> reactor_;
    core::Log& log_;
    LogFiles* files_;
    std::atomic<bool> is_kept_{false};
    std::atomic<bool> is_printed_{true};
    std::atomic<size_t> pending_bytes_{0};
    std::atomic<bool> is_ending_{false};
    runtime::Event stopped_;
    int fd_ = 1;
    bool has_failed_ = false;
    bool has_torn_line_ = false;  // the last write broke off within a line
    core::Counter lines_lost_;
    std::string path_;
    std::unique_ptr<runtime::Cores> thread_;
};

}  // namespace node
