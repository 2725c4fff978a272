// Checks types and ranges of the keys of one table.
#include "node/config/section.h"

#include <algorithm>
#include <format>

#include "core/panic.h"
#include "node/config/names.h"
#include "node/config/paths.h"

namespace node {

namespace {

constexpr size_t kRequestPathBytesMax = 1024;

bool is_control(char character) { return static_cast<unsigned char>(character) < 0x20 || character == 0x7F; }

}  // namespace

bool is_request_path(std::string_view text) {
    return text.starts_with('/') && text.size() <= kRequestPathBytesMax &&
           std::ranges::all_of(text, [](char character) {
        return character > ' ' && character < 0x7F && character != '#';
    });
}

std::optional<std::string_view> read_text(const TomlValue& value, const TextRule& rule, Problems& problems) {
    auto refuse = [&](std::string_view found) {
        problems.add(
            value.position,
            std::format("{}: expected {}, found {}", rule.key, rule.expected, found)
        );
        return std::nullopt;
    };
    if (value.kind != TomlValue::Kind::text) {
        return refuse(value.description());
    }
    if (value.text.empty() && rule.bytes_min > 0) {
        return refuse("an empty text");
    }
    if (std::ranges::any_of(value.text, is_control)) {
        return refuse("a text with a control character: " + in_quotes(value.text));
    }
    if (value.text.size() > rule.bytes_max) {
        return refuse(std::format("{} bytes, more than {}", value.text.size(), rule.bytes_max));
    }
    return value.text;
}

Section::Section(const TomlValue& table, SectionName name, Problems& problems)
    : table_(&table), name_(std::move(name)), problems_(&problems) {
    ASSERT(table.kind == TomlValue::Kind::table);
}

const TomlValue* Section::find(std::string_view key) {
    if (std::ranges::find(known_, key) == known_.end()) {
        known_.push_back(key);
    }
    return table_->find(key);
}

std::optional<Section> Section::child(std::string_view key) {
    const TomlValue* value = find(key);
    return value == nullptr ? std::nullopt : open(key, *value);
}

std::optional<Section> Section::child(const TomlMember& member) { return open(member.key, member.value); }

std::optional<Section> Section::open(std::string_view key, const TomlValue& value) {
    if (value.kind != TomlValue::Kind::table) {
        refuse(key, value, "a table");
        return std::nullopt;
    }
    std::string full = dotted(key);
    std::string title = "[" + full + "]";
    return Section(value, {std::move(full), std::move(title)}, *problems_);
}

void Section::read(std::string_view key, core::Duration& target, Bounds<core::Duration> bounds) {
    const TomlValue* value = find(key);
    if (value == nullptr) {
        return;
    }
    auto duration = value->kind == TomlValue::Kind::text
                        ? core::parse_duration(value->text)
                        : core::Result<core::Duration>(core::fail(core::ErrorKind::invalid, ""));
    if (!duration) {
        refuse(key, *value, "a duration such as \"2s\"");
        return;
    }
    if (*duration < bounds.least || *duration > bounds.most) {
        refuse(
            key,
            *value,
            std::format("{} to {}", core::format_duration(bounds.least), core::format_duration(bounds.most))
        );
        return;
    }
    target = *duration;
}

void Section::read(std::string_view key, uint32_t& target, Bounds<uint32_t> bounds) {
    const TomlValue* value = find(key);
    if (value == nullptr) {
        return;
    }
    bool is_good = value->kind == TomlValue::Kind::integer && value->integer >= int64_t{bounds.least} &&
                   value->integer <= int64_t{bounds.most};
    if (!is_good) {
        refuse(key, *value, std::format("an integer from {} to {}", bounds.least, bounds.most));
        return;
    }
    target = static_cast<uint32_t>(value->integer);
}

void Section::read(std::string_view key, bool& target) {
    const TomlValue* value = find(key);
    if (value == nullptr) {
        return;
    }
    if (value->kind != TomlValue::Kind::boolean) {
        refuse(key, *value, "true or false");
        return;
    }
    target = value->integer != 0;
}

void Section::read_port(std::string_view key, uint16_t& target) {
    uint32_t port = target;
    read(key, port, {1, UINT16_MAX});
    target = static_cast<uint16_t>(port);
}

void Section::read_bytes(std::string_view key, uint32_t& target, Bounds<uint32_t> bounds) {
    if (auto size = read_size(key, {bounds.least, bounds.most})) {
        target = static_cast<uint32_t>(*size);
    }
}

void Section::read_bytes(std::string_view key, uint64_t& target, Bounds<uint64_t> bounds) {
    if (auto size = read_size(key, bounds)) {
        target = *size;
    }
}

std::optional<uint64_t> Section::read_size(std::string_view key, Bounds<uint64_t> bounds) {
    const TomlValue* value = find(key);
    if (value == nullptr) {
        return std::nullopt;
    }
    auto size = value->kind == TomlValue::Kind::text
                    ? core::parse_byte_count(value->text)
                    : core::Result<uint64_t>(core::fail(core::ErrorKind::invalid, ""));
    if (!size) {
        refuse(key, *value, "a size such as \"16KiB\"");
        return std::nullopt;
    }
    if (*size < bounds.least || *size > bounds.most) {
        refuse(
            key,
            *value,
            std::format(
                "{} to {}",
                core::format_byte_count(bounds.least),
                core::format_byte_count(bounds.most)
            )
        );
        return std::nullopt;
    }
    return *size;
}

std::optional<std::string_view> Section::read_text(
    std::string_view key,
    std::string_view expected,
    size_t bytes_max
) {
    const TomlValue* value = find(key);
    if (value == nullptr) {
        return std::nullopt;
    }
    return node::read_text(*value, {dotted(key), expected, bytes_max}, *problems_);
}

std::optional<std::string_view> Section::read_request_path(std::string_view key) {
    constexpr std::string_view expected = "a path such as \"/healthz\"";
    auto path = read_text(key, expected, kRequestPathBytesMax);
    bool is_sendable = path && is_request_path(*path);
    if (path && !is_sendable) {
        refuse(key, *find(key), expected);
    }
    return is_sendable ? path : std::nullopt;
}

std::optional<std::string> Section::read_file_path(
    std::string_view key,
    std::string_view expected,
    std::string_view base
) {
    auto text = read_text(key, expected);
    if (!text) {
        return std::nullopt;
    }
    std::string path = path_from(base, *text);
    if (path.size() > kPathBytesMax) {
        problems_->add(
            find(key)->position,
            std::format("{}: is a path of {} bytes, more than {}", dotted(key), path.size(), kPathBytesMax)
        );
        return std::nullopt;
    }
    return path;
}

std::optional<size_t> Section::read_choice(
    std::string_view key,
    std::span<const std::string_view> choices,
    std::span<const std::string_view> later
) {
    const TomlValue* value = find(key);
    if (value == nullptr) {
        return std::nullopt;
    }
    std::string expected;
    for (std::string_view choice : choices) {
        expected += (expected.empty() ? "" : " or ") + in_quotes(choice);
    }
    auto text = node::read_text(*value, {dotted(key), expected}, *problems_);
    if (!text) {
        return std::nullopt;
    }
    if (auto at = std::ranges::find(choices, *text); at != choices.end()) {
        return static_cast<size_t>(at - choices.begin());
    }
    if (std::ranges::find(later, *text) != later.end()) {
        problems_->add(
            value->position,
            std::format(
                "{}: {} is not supported by this version; expected {}",
                dotted(key),
                in_quotes(*text),
                expected
            )
        );
        return std::nullopt;
    }
    refuse(key, *value, expected);
    return std::nullopt;
}

std::span<const TomlValue> Section::read_list(std::string_view key, std::string_view expected) {
    const TomlValue* value = find(key);
    if (value == nullptr) {
        return {};
    }
    if (value->kind != TomlValue::Kind::list) {
        refuse(key, *value, expected);
        return {};
    }
    return value->items;
}

void Section::finish() {
    for (const TomlMember& member : table_->members) {
        if (std::ranges::find(known_, std::string_view(member.key)) != known_.end()) {
            continue;
        }
        std::string place = name_.title.empty() ? "" : " in " + name_.title;
        problems_->add(
            member.position,
            std::format(
                "unknown key {}{}{}",
                in_quotes(member.key),
                place,
                suggestion(member.key, known_, "known keys")
            )
        );
    }
}

void Section::refuse(std::string_view key, const TomlValue& value, std::string_view expected) {
    problems_->add(
        value.position,
        std::format("{}: expected {}, found {}", dotted(key), expected, value.description())
    );
}

void Section::refuse(const TomlValue& value, const TextRule& rule, std::string_view cure) {
    problems_->add(
        value.position,
        std::format("{}: expected {}, found {}{}", rule.key, rule.expected, in_quotes(value.text), cure)
    );
}

std::string Section::dotted(std::string_view key) const {
    return name_.dotted.empty() ? std::string(key) : name_.dotted + "." + std::string(key);
}

}  // namespace node
