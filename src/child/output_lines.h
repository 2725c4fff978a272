// What an instance writes to its standard output or error, as lines of the program's log: cut, bounded in
// rate, and the last of them kept for the report of a crash.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "core/units.h"

namespace child {

inline constexpr size_t kLineMax = 8 << 10;        // bytes; the rest of a longer one is left out
inline constexpr uint32_t kLinesPerSecond = 1000;  // of one stream; more are left out and counted
inline constexpr size_t kLastLines = 20;
inline constexpr size_t kLastBytes = 4 << 10;

// The newest lines of both streams of one run.
class LastLines {
public:
    void add(std::string_view line);

    // The lines with newlines between, oldest first; control characters as \xNN. At most kLastLines and
    // kLastBytes (before they are escaped).
    [[nodiscard]] std::string text() const;

    [[nodiscard]] bool is_empty() const { return lines_.empty(); }

private:
    std::deque<std::string> lines_;
    size_t bytes_ = 0;
};

// Called with one line without its newline, or, where `dropped` is not 0, with how many were left out.
using EmitLine = std::function<void(std::string_view line, uint64_t dropped)>;

class OutputLines {
public:
    // `last` outlives it.
    OutputLines(LastLines& last, EmitLine emit) : last_(last), emit_(std::move(emit)) {}

    // `bytes` came at `now`, in pieces as they like.
    void feed(std::string_view bytes, core::Instant now);

    // The stream has ended: a last line without its newline counts too.
    void finish();

private:
    void append(std::string_view piece);
    void end_line(core::Instant now);
    void emit(core::Instant now);
    void tell_dropped();

    LastLines& last_;
    EmitLine emit_;
    std::string line_;
    bool is_cut_ = false;                  // the rest of the present line is left out
    std::optional<core::Instant> second_;  // when the present second began
    uint32_t lines_in_second_ = 0;
    uint64_t dropped_ = 0;
};

}  // namespace child
