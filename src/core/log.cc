#include "core/log.h"

#include <algorithm>

#include "core/json_text.h"

namespace core {

namespace {

bool needs_quotes(std::string_view value) {
    return value.empty() || std::ranges::any_of(value, [](char c) {
        return c <= ' ' || c == '"' || c == '\\' || c == '=' || static_cast<unsigned char>(c) >= 0x7F;
    });
}

}  // namespace

std::string_view level_name(LogLevel level) {
    switch (level) {
        case LogLevel::error: return "error";
        case LogLevel::warn: return "warn";
        case LogLevel::info: return "info";
    }
    return "?";
}

std::string log_json(const LogEvent& event, std::string_view first) {
    std::string text = "{\"time\":\"";
    text.resize(text.size() + 24);
    write_rfc3339(event.time, text.data() + text.size() - 24);
    text += "\",";
    text += first;
    text += "\"tier\":";
    append_json_string(text, event.component);
    text += ",\"level\":";
    append_json_string(text, level_name(event.level));
    text += ",\"event\":";
    append_json_string(text, event.event);
    for (const LogField& field : event.fields) {
        text += ',';
        append_json_string(text, field.key);
        text += ':';
        append_json_string(text, field.value);
    }
    return text + "}\n";
}

void Log::line(
    LogLevel level,
    std::string_view component,
    std::string_view event,
    std::initializer_list<LogField> fields
) {
    const WallTime now = now_();
    std::string text(24, ' ');
    write_rfc3339(now, text.data());
    text += ' ';
    text += level_name(level);
    text += ' ';
    text += component;
    text += ": ";
    text += event;
    for (const LogField& field : fields) {
        text += ' ';
        text += field.key;
        text += '=';
        if (needs_quotes(field.value)) {
            append_json_string(text, field.value);
        } else {
            text += field.value;
        }
    }
    // An event sentence may quote a peer; a line must stay one line.
    std::ranges::replace(text, '\n', ' ');
    text += '\n';
    write_(text);
    if (keep_) {
        keep_({.time = now, .level = level, .component = component, .event = event, .fields = fields});
    }
}

}  // namespace core
