#include "sdk/route_pattern.h"

#include <algorithm>

#include "http/text.h"
#include "http/uri.h"

namespace trilith::sdk {

namespace {

constexpr size_t kBytesMax = 1024;
constexpr size_t kSegmentsMax = 64;

std::unexpected<core::Error> refuse(std::string_view pattern, std::string_view sentence) {
    return core::fail(
        core::ErrorKind::invalid,
        "pattern \"" + std::string(pattern) + "\": " + std::string(sentence)
    );
}

bool is_identifier(std::string_view name) {
    return !name.empty() && std::ranges::all_of(name, [](char byte) {
        return byte == '_' ||
               (http::is_of(byte, http::kUnreservedByte) && byte != '-' && byte != '.' && byte != '~');
    });
}

core::Result<PatternSegment> read_parameter(std::string_view pattern, std::string_view inner) {
    PatternSegment segment{.kind = PatternSegment::Kind::parameter, .text = {}};
    if (inner.ends_with('*')) {
        segment.kind = PatternSegment::Kind::rest;
        inner.remove_suffix(1);
    } else if (size_t colon = inner.find(':'); colon != std::string_view::npos) {
        if (inner.substr(colon) != ":int") {
            return refuse(pattern, "the only type is int, as in {id:int}");
        }
        segment.is_integer = true;
        inner = inner.substr(0, colon);
    }
    if (!is_identifier(inner)) {
        return refuse(pattern, "a parameter's name is letters, digits and _, as in {user_id}");
    }
    segment.text = inner;
    return segment;
}

core::Result<PatternSegment> read_segment(std::string_view pattern, std::string_view text) {
    if (text.starts_with('{') && text.ends_with('}')) {
        return read_parameter(pattern, text.substr(1, text.size() - 2));
    }
    if (text.find_first_of("{}") != std::string_view::npos) {
        return refuse(pattern, "a parameter is a whole segment, as in /users/{id}");
    }
    std::string path = "/" + std::string(text);
    std::string target(path.size(), '\0');
    http::PathResult normal = http::normalize_path(path, target);
    if (normal.outcome == http::PathOutcome::refused || normal.path != path) {
        return refuse(
            pattern,
            "a segment is not written as paths are matched: percent-encoded, upper case, no dots"
        );
    }
    return PatternSegment{.text = std::string(text)};
}

}  // namespace

core::Result<std::vector<PatternSegment>> read_pattern(std::string_view pattern) {
    if (!pattern.starts_with('/')) {
        return refuse(pattern.substr(0, kBytesMax), "a pattern begins with /");
    }
    if (pattern.size() > kBytesMax) {
        return refuse(pattern.substr(0, kBytesMax), "a pattern of more than 1024 bytes");
    }
    std::vector<PatternSegment> segments;
    size_t parameters = 0;
    for (std::string_view rest = pattern; !rest.empty();) {
        rest.remove_prefix(1);
        std::string_view text = rest.substr(0, rest.find('/'));
        rest.remove_prefix(text.size());
        TRY(PatternSegment segment, read_segment(pattern, text));
        bool is_literal = segment.kind == PatternSegment::Kind::literal;
        if (segment.kind == PatternSegment::Kind::rest && !rest.empty()) {
            return refuse(pattern, "{rest*} takes all that follows: it must be last");
        }
        bool is_named_twice = !is_literal && std::ranges::any_of(segments, [&](const PatternSegment& other) {
            return other.kind != PatternSegment::Kind::literal && other.text == segment.text;
        });
        if (is_named_twice) {
            return refuse(pattern, "two parameters have one name");
        }
        parameters += is_literal ? 0 : 1;
        if (parameters > detail::kParametersMax || segments.size() == kSegmentsMax) {
            return refuse(pattern, "more than 8 parameters or 64 segments");
        }
        segments.push_back(std::move(segment));
    }
    return segments;
}

}  // namespace trilith::sdk
