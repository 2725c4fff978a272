#include "node/log/text.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <format>

#include <nlohmann/json.hpp>

#include "node/terminal/quantity_text.h"

namespace node {

namespace {

using LogJson = nlohmann::ordered_json;

std::string member_of(const LogJson& line, const char* key) {
    auto found = line.find(key);
    if (found == line.end() || found->is_null()) {
        return "";
    }
    return found->is_string() ? found->get<std::string>() : found->dump();
}

bool is_quoted(std::string_view value) {
    return value.empty() || value.find_first_of(" =\"") != std::string_view::npos;
}

// What stands in the sentence already.
constexpr std::array kTold{"time", "server", "tier", "level", "event", "instance", "line", "stream"};

// Every other member, key=value.
std::string rest_of(const LogJson& line) {
    std::string text;
    for (const auto& [key, value] : line.items()) {
        if (std::ranges::find(kTold, key) == kTold.end()) {
            std::string shown = value.is_string() ? value.get<std::string>() : value.dump();
            std::string_view quote = is_quoted(shown) ? "\"" : "";
            text += std::format(" {}={}{}{}", key, quote, shown, quote);
        }
    }
    return text;
}

// Of what the site's program or mariadbd wrote, its own words; else the event and its fields.
std::string event_text(const LogJson& line) {
    std::string event = member_of(line, "event");
    std::string instance = member_of(line, "instance");
    if (event == "output" && line.contains("line")) {
        return std::format("{}: {}", instance, member_of(line, "line"));
    }
    std::string level = member_of(line, "level");
    std::string text = level == "info" ? event : std::format("{}: {}", level, event);
    text += instance.empty() ? "" : " instance=" + instance;
    text += line.contains("line") ? " line=" + member_of(line, "line") : "";
    return text + rest_of(line);
}

std::string request_text(const LogJson& line) {
    auto total = line.find("total_us");
    std::string took = total != line.end() && total->is_number_integer()
                           ? latency_text(std::chrono::microseconds(total->get<int64_t>()))
                           : "-";
    std::string text = std::format(
        "{} {}{} {} {} {}B",
        member_of(line, "method"),
        member_of(line, "host"),
        member_of(line, "path"),
        member_of(line, "status"),
        took,
        member_of(line, "bytes_out")
    );
    auto add = [&](std::string_view key, const std::string& value) {
        text += value.empty() ? "" : std::format(" {}={}", key, value);
    };
    std::string ended = member_of(line, "ended");
    add("ended", ended == "complete" ? "" : ended);
    add("reason", member_of(line, "reason"));
    add("backend", member_of(line, "backend"));
    add("client", member_of(line, "client"));
    add("request", member_of(line, "request_id"));
    return text;
}

std::string_view ink_of(std::string_view level) {
    if (level == "error") {
        return "\x1b[31m";
    }
    return level == "warn" ? "\x1b[33m" : "";
}

}  // namespace

std::string log_text(std::string_view text, Colour colour) {
    LogJson line = LogJson::parse(text, nullptr, false);
    if (!line.is_object()) {
        return printable(text) + "\n";
    }
    bool is_request = line.contains("request_id") && line.contains("status");
    std::string shown = printable(std::format(
        "{} {} {} {}",
        member_of(line, "time"),
        member_of(line, "server"),
        member_of(line, "tier"),
        is_request ? request_text(line) : event_text(line)
    ));
    std::string_view ink = colour == Colour::ansi ? ink_of(member_of(line, "level")) : "";
    return ink.empty() ? shown + "\n" : std::format("{}{}\x1b[0m\n", ink, shown);
}

std::string named_line(std::string_view line, std::string_view server) {
    size_t space = line.find(' ');
    if (server.empty() || space == std::string_view::npos) {
        return std::string(line);
    }
    return std::format("{} {}{}", line.substr(0, space), server, line.substr(space));
}

}  // namespace node
