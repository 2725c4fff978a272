// The program's own log: one event a line, `time level component event key=value…`, for changes of state,
// never per request.
#pragma once

#include <functional>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

#include "core/units.h"

namespace core {

enum class LogLevel : unsigned char { error, warn, info };

// One key=value of a line. Values with spaces, quotes or control characters are written as a JSON string.
struct LogField {
    std::string_view key;
    std::string value;
};

// A line before it is written as text. Views: of the call.
struct LogEvent {
    WallTime time;
    LogLevel level = LogLevel::info;
    std::string_view component;
    std::string_view event;
    std::span<const LogField> fields;
};

[[nodiscard]] std::string_view level_name(LogLevel level);

// The event as one line of JSON, its newline included: "time", then the members of `first` (as they are
// written, `"server":"web1",`), "tier" (the component), "level", "event" and its fields, each a text.
[[nodiscard]] std::string log_json(const LogEvent& event, std::string_view first);

// Passed by reference to whoever may log; safe to call from every thread when `write` is (one write(2) a line
// is).
class Log {
public:
    // `now` gives the time stamp; `write` receives one line with its newline; `keep`, where there is one, the
    // event itself.
    Log(std::function<WallTime()> now,
        std::function<void(std::string_view)> write,
        std::function<void(const LogEvent&)> keep = {})
        : now_(std::move(now)), write_(std::move(write)), keep_(std::move(keep)) {}

    // error: a human must act. `event` is a short sentence or verb phrase.
    void error(
        std::string_view component,
        std::string_view event,
        std::initializer_list<LogField> fields = {}
    ) {
        line(LogLevel::error, component, event, fields);
    }

    // warn: we run degraded.
    void warn(
        std::string_view component,
        std::string_view event,
        std::initializer_list<LogField> fields = {}
    ) {
        line(LogLevel::warn, component, event, fields);
    }

    // info: a state changed.
    void info(
        std::string_view component,
        std::string_view event,
        std::initializer_list<LogField> fields = {}
    ) {
        line(LogLevel::info, component, event, fields);
    }

private:
    void line(
        LogLevel level,
        std::string_view component,
        std::string_view event,
        std::initializer_list<LogField> fields
    );

    std::function<WallTime()> now_;
    std::function<void(std::string_view)> write_;
    std::function<void(const LogEvent&)> keep_;
};

}  // namespace core
