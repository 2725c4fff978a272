// Field lines and the rules that hold for every header section.
#include "http/field_section.h"

#include <algorithm>

#include "http/text.h"

namespace http {
namespace {

constexpr size_t kNominatedMax = 16;
constexpr std::string_view kBareFeed = "line feed without carriage return";
constexpr std::string_view kBareReturn = "carriage return without line feed";

// Whether the name is a token; sets the fate of names with an underscore, which no known field has.
bool judge_unknown_name(std::string_view name, FieldFate& fate) {
    uint8_t common = kTokenByte;
    for (const char byte : name) {
        common &= kByteClass[static_cast<unsigned char>(byte)];
        fate = byte == '_' ? FieldFate::underscored : fate;
    }
    return common != 0;
}

// Why the line that begins with `line` does not begin with a name and a colon.
[[gnu::cold]] std::string_view reason_against_name(std::string_view line) {
    const auto end = std::ranges::find_if(line, [](char byte) { return !is_of(byte, kTokenByte); });
    const bool is_blank = *end == ' ' || *end == '\t';
    if (end == line.begin()) {
        return *end == ':'    ? "empty field name"
               : *end == '\n' ? kBareFeed
               : is_blank     ? "white space before a field name, or a folded line"
                              : "field name is not a token";
    }
    return is_blank                       ? "white space in or after a field name"
           : *end == '\r' || *end == '\n' ? "field line without colon"
                                          : "field name is not a token";
}

// Why a value is not followed by CRLF but by `next`, two bytes or what is there of them; "" if more bytes may
// tell.
[[gnu::cold]] std::string_view reason_against_line_end(std::string_view next) {
    if (next.empty() || next == "\r") {
        return {};
    }
    return next.front() == '\n'   ? kBareFeed
           : next.front() == '\r' ? kBareReturn
                                  : "control character in a field value";
}

uint32_t offset_of(size_t at) { return static_cast<uint32_t>(at); }

// Sets the fate of the passing fields of this name.
void nominate(std::string_view bytes, FieldTable& fields, std::string_view name) {
    for (Field& field : fields.mutable_fields()) {
        if (field.fate == FieldFate::pass && equals_ignoring_case(field.name.in(bytes.data()), name)) {
            field.fate = FieldFate::nominated;
        }
    }
}

// Reads the Connection lines of one head.
class ConnectionReader {
public:
    ConnectionReader(std::string_view bytes, FieldTable& fields, ConnectionOptions& options)
        : bytes_(bytes), fields_(fields), options_(options) {}

    // The reason for a refusal, "" if all is well.
    std::string_view read() {
        for (const Field& field : fields_.fields()) {
            if (field.id != FieldId::connection) {
                continue;
            }
            std::string_view list = field.value.in(bytes_.data());
            while (!list.empty()) {
                // RFC 9110 section 5.6.1.2: empty elements are no elements.
                const std::string_view option = take_list_element(list);
                if (const std::string_view reason = take(option); !reason.empty()) {
                    return reason;
                }
            }
        }
        return {};
    }

private:
    std::string_view take(std::string_view option) {
        if (equals_ignoring_case(option, "close")) {
            options_.has_close = true;
            return {};
        }
        if (!all_of(option, kTokenByte)) {
            return "Connection option is not a token";
        }
        const FieldId id = find_field_id(option);
        if (id == FieldId::keep_alive) {
            options_.has_keep_alive = true;
        } else if (id == FieldId::upgrade) {
            options_.has_upgrade = true;
        } else if (kNeverNominated.has(id)) {
            return "Connection names a field that frames or routes";
        } else if (!option.empty() && !kNominationIgnored.has(id) && !kHopByHopFields.has(id)) {
            ++nominated_;
            if (nominated_ > kNominatedMax) {
                return "Connection names too many fields";
            }
            nominate(bytes_, fields_, option);
        }
        return {};
    }

    std::string_view bytes_;
    FieldTable& fields_;
    ConnectionOptions& options_;
    size_t nominated_ = 0;
};

}  // namespace

HeadResult find_head_end(
    std::string_view bytes,
    const HeadLimits& limits,
    uint32_t first_line_max,
    HeadProgress& progress
) {
    for (;;) {
        const size_t feed = bytes.find('\n', progress.scanned);
        if (feed == std::string_view::npos) {
            break;
        }
        if (feed == 0 || bytes[feed - 1] != '\r') {
            return HeadResult::refused(400, kBareFeed);
        }
        const bool is_empty = feed - 1 == progress.line_begin;
        const bool is_before_first_line = progress.lines == 0 && progress.line_begin == 0;
        if (is_empty && !is_before_first_line) {
            return HeadResult::complete(offset_of(feed + 1));
        }
        progress.lines += is_empty ? 0 : 1;
        progress.scanned = offset_of(feed + 1);
        progress.line_begin = progress.scanned;
        if (progress.lines > limits.fields_max + 1) {
            return HeadResult::refused(431, "too many fields");
        }
    }
    progress.scanned = offset_of(bytes.size());
    if (progress.lines == 0 && bytes.size() - progress.line_begin > first_line_max) {
        return HeadResult::refused(414, "request target too long");
    }
    if (bytes.size() >= limits.head_max) {
        return progress.lines == 0 ? HeadResult::refused(414, "request line too long")
                                   : HeadResult::refused(431, "head too large");
    }
    return HeadResult::need_more();
}

HeadOutcome read_field_line(std::string_view bytes, size_t begin, Field& field, std::string_view& reason) {
    const size_t size = bytes.size();
    const size_t colon = find_name_end(bytes, begin);
    const std::string_view name = bytes.substr(begin, colon - begin);
    field.id = find_field_id(name);
    field.fate = FieldFate::pass;
    const bool is_name = field.id != FieldId::other || judge_unknown_name(name, field.fate);
    if (!is_name || (colon < size && (bytes[colon] != ':' || colon == begin))) [[unlikely]] {
        reason = reason_against_name(bytes.substr(begin));
        return HeadOutcome::refused;
    }
    if (colon == size) {
        return HeadOutcome::need_more;
    }
    size_t at = colon + 1;
    while (at < size && (bytes[at] == ' ' || bytes[at] == '\t')) {
        ++at;
    }
    const size_t value = at;
    at = find_value_end(bytes, value);
    if (!has_crlf(bytes, at)) [[unlikely]] {
        reason = reason_against_line_end(bytes.substr(at, 2));
        return reason.empty() ? HeadOutcome::need_more : HeadOutcome::refused;
    }
    field.line_end = offset_of(at + 2);
    while (at > value && (bytes[at - 1] == ' ' || bytes[at - 1] == '\t')) {
        --at;
    }
    field.name = {.offset = offset_of(begin), .length = offset_of(colon - begin)};
    field.value = {.offset = offset_of(value), .length = offset_of(at - value)};
    return HeadOutcome::complete;
}

HeadResult read_fields(
    std::string_view bytes,
    size_t begin,
    uint32_t fields_max,
    UnderscoredNames underscored,
    FieldTable& fields
) {
    size_t at = begin;
    for (uint32_t count = 0;; ++count) {
        if (at == bytes.size()) {
            return HeadResult::need_more();
        }
        if (bytes[at] == '\r') {
            if (has_crlf(bytes, at)) {
                return HeadResult::complete(offset_of(at + 2));
            }
            return at + 1 == bytes.size() ? HeadResult::need_more() : HeadResult::refused(400, kBareReturn);
        }
        if (count == fields_max) [[unlikely]] {
            return HeadResult::refused(431, "too many fields");
        }
        Field& field = fields.next();
        std::string_view reason;
        const HeadOutcome outcome = read_field_line(bytes, at, field, reason);
        if (outcome != HeadOutcome::complete) [[unlikely]] {
            return outcome == HeadOutcome::refused ? HeadResult::refused(400, reason)
                                                   : HeadResult::need_more();
        }
        if (kHopByHopFields.has(field.id)) {
            field.fate = FieldFate::hop_by_hop;
        } else if (underscored == UnderscoredNames::pass) {
            field.fate = FieldFate::pass;
        }
        fields.add_next();
        at = field.line_end;
    }
}

std::string_view read_connection(std::string_view bytes, FieldTable& fields, ConnectionOptions& options) {
    return ConnectionReader(bytes, fields, options).read();
}

CodingVerdict judge_transfer_encoding(std::string_view value) {
    if (equals_ignoring_case(value, "chunked")) {
        return CodingVerdict::chunked;
    }
    if (value.empty() || value.ends_with(',')) {
        return CodingVerdict::invalid;
    }
    while (!value.empty()) {
        const std::string_view coding = take_list_element(value);
        if (coding.empty() || !all_of(coding, kTokenByte)) {
            return CodingVerdict::invalid;
        }
        if (equals_ignoring_case(coding, "chunked") && !value.empty()) {
            return CodingVerdict::invalid;
        }
    }
    return CodingVerdict::unknown;
}

}  // namespace http
