// The migrations of a site that `up` runs: `trilith migrate` as a process beside the servers, again until it
// is done.
#pragma once

#include <sys/types.h>

#include <csignal>
#include <string>
#include <vector>

#include "core/log.h"
#include "core/units.h"
#include "node/up/child.h"
#include "runtime/os.h"

namespace node {

class UpMigrations {
public:
    // `words`: the command line, "trilith", "migrate" and so on; none: there is nothing to run.
    UpMigrations(runtime::Os& os, core::Log& log, std::vector<std::string> words)
        : os_(os), log_(log), words_(std::move(words)), is_done_(words_.empty()) {}

    // To be called again and again once the servers serve. `unblocked`: signals that the process must hear;
    // `has_output`: what it prints is for output(), else it goes where ours goes.
    void start_if_due(const sigset_t& unblocked, bool has_output);
    [[nodiscard]] OutputLines& output() { return output_; }

    // A child has ended; true: it was ours.
    [[nodiscard]] bool reap(pid_t pid, int status);

    // Nothing more is started, and what runs is asked to end.
    void stop();

    // All migrations are done, or there are none.
    [[nodiscard]] bool is_done() const { return is_done_; }
    [[nodiscard]] bool is_running() const { return pid_ > 0; }

private:
    static constexpr core::Duration kFirst = std::chrono::seconds(1);

    runtime::Os& os_;
    core::Log& log_;
    std::vector<std::string> words_;
    OutputLines output_;
    pid_t pid_ = 0;
    core::Instant due_{};
    core::Duration pause_ = kFirst;
    bool is_done_;
    bool is_over_ = false;  // stopped, or wrong: another try would say the same
};

}  // namespace node
