#include "web/try_files.h"

#include <algorithm>

#include "http/text.h"

namespace web {
namespace {

constexpr std::string_view kPath = "{path}";
constexpr std::string_view kForms =
    R"(expected "{path}", "{path}.html", "{path}/", "/file.html", "=404" or "@app")";

std::unexpected<core::Error> refuse(std::string_view text, std::string_view why) {
    return core::fail(
        core::ErrorKind::invalid,
        "try entry \"" + std::string(text) + "\": " + std::string(why)
    );
}

bool is_control(char byte) { return static_cast<unsigned char>(byte) < 0x20 || byte == 0x7F; }

core::Result<TryStep> parse_status(std::string_view text) {
    uint64_t status = 0;
    if (!http::parse_decimal(text.substr(1), status) || text.size() != 4 || status < 400 || status > 599) {
        return refuse(text, "a status is = and a number from 400 to 599");
    }
    return TryStep{.kind = TryStep::Kind::status, .status = static_cast<uint16_t>(status)};
}

core::Result<TryStep> parse_path(std::string_view text) {
    const std::string_view behind = text.substr(kPath.size());
    if (behind == "/") {
        return TryStep{.kind = TryStep::Kind::directory};
    }
    if (behind.contains('/') || behind.contains('{') || std::ranges::any_of(behind, is_control)) {
        return refuse(text, "behind {path} may stand / or an ending such as .html");
    }
    return TryStep{.kind = TryStep::Kind::path, .text = std::string(behind)};
}

}  // namespace

bool is_file_path(std::string_view text) {
    if (!text.starts_with('/') || text.size() == 1 || std::ranges::any_of(text, is_control)) {
        return false;
    }
    std::string_view rest = text.substr(1);
    while (true) {
        const size_t slash = rest.find('/');
        const std::string_view segment = rest.substr(0, slash);
        if (segment.empty() || segment == "." || segment == "..") {
            return false;
        }
        if (slash == std::string_view::npos) {
            return true;
        }
        rest.remove_prefix(slash + 1);
    }
}

core::Result<TryStep> parse_try_step(std::string_view text) {
    if (text == "@app") {
        return TryStep{.kind = TryStep::Kind::app};
    }
    if (text.starts_with('@')) {
        return refuse(text, "the only name behind @ is @app");
    }
    if (text.starts_with('=')) {
        return parse_status(text);
    }
    if (text.starts_with(kPath)) {
        return parse_path(text);
    }
    if (!text.starts_with('/')) {
        return refuse(text, kForms);
    }
    if (text.contains('{') || !is_file_path(text)) {
        return refuse(
            text,
            "a file is /NAME or /FOLDER/NAME below the root, without empty, . and .. segments"
        );
    }
    return TryStep{.kind = TryStep::Kind::file, .text = std::string(text)};
}

std::string format_try_step(const TryStep& step) {
    switch (step.kind) {
        case TryStep::Kind::path: return std::string(kPath) + step.text;
        case TryStep::Kind::directory: return std::string(kPath) + "/";
        case TryStep::Kind::file: return step.text;
        case TryStep::Kind::status: return "=" + std::to_string(step.status);
        case TryStep::Kind::app: return "@app";
    }
    return {};
}

std::vector<TryStep> default_try_files(Fallback fallback) {
    std::vector<TryStep> steps{{.kind = TryStep::Kind::path}, {.kind = TryStep::Kind::directory}};
    if (fallback == Fallback::app) {
        steps.push_back({.kind = TryStep::Kind::app});
    } else {
        steps.push_back({.kind = TryStep::Kind::status, .status = 404});
    }
    return steps;
}

core::Result<void> check_try_files(const std::vector<TryStep>& steps) {
    if (steps.empty()) {
        return core::fail(core::ErrorKind::invalid, "try is empty: " + std::string(kForms));
    }
    for (size_t i = 0; i + 1 < steps.size(); ++i) {
        if (steps[i].kind == TryStep::Kind::status || steps[i].kind == TryStep::Kind::app) {
            return refuse(
                format_try_step(steps[i]),
                "nothing behind it is ever tried, so it must be the last"
            );
        }
    }
    return {};
}

}  // namespace web
