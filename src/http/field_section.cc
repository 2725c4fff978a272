// Field lines and the rules that hold for every header section.
#include "http/field_section.h"

#include <algorithm>

#include "http/text.h"

namespace http {
namespace {

constexpr size_t kNominatedMax = 16;

// Why no field name ends at `at` in the line that begins at `begin`.
[[gnu::cold]] HeadResult refuse_name(std::string_view bytes, size_t begin, size_t at) {
    const char byte = bytes[at];
    if (at == begin) {
        if (byte == ':') {
            return HeadResult::refused(400, "empty field name");
        }
        if (byte == ' ' || byte == '\t') {
            return HeadResult::refused(400, "white space before a field name, or a folded line");
        }
        if (byte == '\n') {
            return HeadResult::refused(400, "line feed without carriage return");
        }
        return HeadResult::refused(400, "field name is not a token");
    }
    if (byte == ' ' || byte == '\t') {
        return HeadResult::refused(400, "white space in or after a field name");
    }
    if (byte == '\r' || byte == '\n') {
        return HeadResult::refused(400, "field line without colon");
    }
    return HeadResult::refused(400, "field name is not a token");
}

[[gnu::cold]] HeadResult refuse_value(char byte) {
    if (byte == '\n') {
        return HeadResult::refused(400, "line feed without carriage return");
    }
    return HeadResult::refused(400, "control character in a field value");
}

uint32_t offset_of(size_t at) {
    return static_cast<uint32_t>(at);
}

// Sets the fate of the passing fields whose name is one of `names`.
void nominate(std::string_view bytes, FieldTable& fields, std::span<const std::string_view> names) {
    for (Field& field : fields.mutable_fields()) {
        const std::string_view name = field.name.in(bytes.data());
        const auto is_same = [name](std::string_view nominated) { return equals_ignoring_case(nominated, name); };
        if (field.fate == FieldFate::pass && std::ranges::any_of(names, is_same)) {
            field.fate = FieldFate::nominated;
        }
    }
}

// The options of one field value, of which those that name fields are collected.
class ConnectionReader {
public:
    explicit ConnectionReader(ConnectionOptions& options) : options_(options) {}

    // The reason for a refusal, "" if all is well.
    std::string_view read(std::string_view list) {
        while (!list.empty()) {
            const std::string_view option = take_list_element(list);
            if (option.empty()) {
                continue;  // RFC 9110 section 5.6.1.2: empty elements are no elements
            }
            if (!all_of(option, kTokenByte)) {
                return "Connection option is not a token";
            }
            if (const std::string_view reason = take(option); !reason.empty()) {
                return reason;
            }
        }
        return {};
    }

    [[nodiscard]] std::span<const std::string_view> nominated() const { return std::span(nominated_).first(count_); }

private:
    std::string_view take(std::string_view option) {
        if (equals_ignoring_case(option, "close")) {
            options_.has_close = true;
            return {};
        }
        const FieldId id = find_field_id(option);
        if (id == FieldId::keep_alive) {
            options_.has_keep_alive = true;
        } else if (id == FieldId::upgrade) {
            options_.has_upgrade = true;
        } else if (kNeverNominated.has(id)) {
            return "Connection names a field that frames or routes";
        } else if (!kNominationIgnored.has(id) && !kHopByHopFields.has(id)) {
            if (count_ == nominated_.size()) {
                return "Connection names too many fields";
            }
            nominated_[count_] = option;
            ++count_;
        }
        return {};
    }

    ConnectionOptions& options_;
    std::array<std::string_view, kNominatedMax> nominated_;
    size_t count_ = 0;
};

}  // namespace

HeadResult find_head_end(
    std::string_view bytes, const HeadLimits& limits, uint32_t first_line_max, HeadProgress& progress) {
    for (;;) {
        const size_t feed = bytes.find('\n', progress.scanned);
        if (feed == std::string_view::npos) {
            break;
        }
        if (feed == 0 || bytes[feed - 1] != '\r') {
            return HeadResult::refused(400, "line feed without carriage return");
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

HeadResult read_field_line(std::string_view bytes, size_t begin, Field& field) {
    const size_t size = bytes.size();
    size_t at = begin;
    while (at < size && is_of(bytes[at], kTokenByte)) {
        ++at;
    }
    if (at == size) {
        return HeadResult::need_more();
    }
    if (bytes[at] != ':' || at == begin) [[unlikely]] {
        return refuse_name(bytes, begin, at);
    }
    const size_t colon = at;
    ++at;
    while (at < size && (bytes[at] == ' ' || bytes[at] == '\t')) {
        ++at;
    }
    const size_t value = at;
    at = find_value_end(bytes, value);
    if (at == size) {
        return HeadResult::need_more();
    }
    if (bytes[at] != '\r') [[unlikely]] {
        return refuse_value(bytes[at]);
    }
    if (at + 1 == size) {
        return HeadResult::need_more();
    }
    if (bytes[at + 1] != '\n') [[unlikely]] {
        return HeadResult::refused(400, "carriage return without line feed");
    }
    const size_t line_end = at + 2;
    while (at > value && (bytes[at - 1] == ' ' || bytes[at - 1] == '\t')) {
        --at;
    }
    field.name = {.offset = offset_of(begin), .length = offset_of(colon - begin)};
    field.value = {.offset = offset_of(value), .length = offset_of(at - value)};
    field.line_end = offset_of(line_end);
    field.id = find_field_id(bytes.substr(begin, colon - begin));
    field.fate = FieldFate::pass;
    return HeadResult::complete(offset_of(line_end));
}

HeadResult read_fields(std::string_view bytes, size_t begin, uint32_t fields_max, FieldTable& fields) {
    const size_t size = bytes.size();
    size_t at = begin;
    for (uint32_t count = 0;; ++count) {
        if (at == size) {
            return HeadResult::need_more();
        }
        if (bytes[at] == '\r') {
            if (at + 1 == size) {
                return HeadResult::need_more();
            }
            if (bytes[at + 1] != '\n') {
                return HeadResult::refused(400, "carriage return without line feed");
            }
            return HeadResult::complete(offset_of(at + 2));
        }
        Field field;
        const HeadResult line = read_field_line(bytes, at, field);
        if (line.outcome != HeadOutcome::complete) [[unlikely]] {
            return line;
        }
        if (count == fields_max) [[unlikely]] {
            return HeadResult::refused(431, "too many fields");
        }
        if (kHopByHopFields.has(field.id)) {
            field.fate = FieldFate::hop_by_hop;
        }
        fields.add(field);
        at = field.line_end;
    }
}

std::string_view read_connection(std::string_view bytes, FieldTable& fields, ConnectionOptions& options) {
    ConnectionReader reader(options);
    for (const Field& field : fields.fields()) {
        if (field.id != FieldId::connection) {
            continue;
        }
        if (const std::string_view reason = reader.read(field.value.in(bytes.data())); !reason.empty()) {
            return reason;
        }
    }
    if (!reader.nominated().empty()) {
        nominate(bytes, fields, reader.nominated());
    }
    return {};
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
