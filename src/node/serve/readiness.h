// When a server is ready, that it goes on working, and how `trilith serve` tells `trilith up`, which started
// it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/units.h"
#include "node/config/config.h"
#include "node/status/status.h"
#include "runtime/descriptor.h"

namespace node {

// Why a server that listens does not do its work yet: an instance of the program has not passed its gate, or
// no check of a pool has found a backend up. Empty: it is ready.
[[nodiscard]] std::string missing_for_readiness(const ServerStatus& status);

// After how long a server of this file that starts is late: its program's gate, the checks of its slowest
// pool, and ten seconds.
[[nodiscard]] core::Duration ready_within(const Config& config);

// What a server that was ready once is and does, for who watches it: "2 of 2 instances up, primary"; what is
// missing now, if anything is.
struct ServerNote {
    std::string text;
    bool is_well = true;
};
[[nodiscard]] ServerNote note_of(const ServerStatus& status);

// A pipe with lines from serve to up: "waiting REASON", from the moment when it listens, and "ready"; and
// "beat REQUESTS NOTE" every kBeatInterval from then on, as long as its control reactor turns: how many
// requests it has had, and what it is, with a "!" before it where it is not well.
inline constexpr const char* kReadyVariable = "TRILITH_READY_FD";
inline constexpr core::Duration kBeatInterval = std::chrono::milliseconds(500);

// The end of serve.
class ReadyWriter {
public:
    // Takes the pipe that the variable names out of the environment; none: nobody wants to know.
    [[nodiscard]] static ReadyWriter take();

    [[nodiscard]] bool is_wanted() const { return pipe_.is_open(); }

    // Of a server that listens. True: it is ready, there is nothing more to tell but beat().
    [[nodiscard]] bool tell(const ServerStatus& status);
    void beat(const ServerStatus& status);

private:
    runtime::Descriptor pipe_;
    std::string told_;
};

enum class ReadyStage : uint8_t { starting, listening, ready };

// The end of up, for one process.
class ReadyReader {
public:
    ReadyReader() = default;
    // `pipe` does not block.
    explicit ReadyReader(runtime::Descriptor pipe) : pipe_(std::move(pipe)) {}

    // Reads what has come. True: a beat was in it.
    bool look();

    [[nodiscard]] ReadyStage stage() const { return stage_; }
    // Why it is not ready; empty: not told.
    [[nodiscard]] const std::string& reason() const { return reason_; }
    // Of the last beat.
    [[nodiscard]] uint64_t requests() const { return requests_; }
    [[nodiscard]] const ServerNote& note() const { return note_; }

private:
    void take_line(std::string_view line);
    void take_beat(std::string_view words);

    runtime::Descriptor pipe_;
    std::string unread_;
    bool has_beaten_ = false;
    ReadyStage stage_ = ReadyStage::starting;
    std::string reason_;
    uint64_t requests_ = 0;
    ServerNote note_;
};

}  // namespace node
