// Turns what toml++ parsed into our own tree.
#include "node/config_toml.h"

#define TOML_EXCEPTIONS 0
#define TOML_HEADER_ONLY 1
#define TOML_MAX_NESTED_VALUES 32
#include <algorithm>
#include <format>
#include <optional>

#include <toml++/toml.h>

#include "core/json_text.h"

namespace node {

namespace {

constexpr uint32_t kNamePartsMax = 32;
constexpr size_t kQuotedBytesMax = 80;

bool is_key_character(char character) {
    return (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z') ||
           (character >= '0' && character <= '9') || character == '_' || character == '-' ||
           character == '"' || character == '\'';
}

// The place of a dotted name with too many parts. The library would build one table a part and take them down
// by recursion; its own bound covers values only. Words of text and comments are counted too, which have as
// many dots only by intent.
std::optional<Position> find_long_name(std::string_view text) {
    Position position{1, 0};
    uint32_t dots = 0;
    char last = '\n';             // the last character that is not blank
    bool is_after_blank = false;  // between it and this one
    for (char character : text) {
        ++position.column;
        if (character == ' ' || character == '\t') {
            is_after_blank = true;
            continue;
        }
        bool is_new_word = is_after_blank && is_key_character(character) && last != '.';
        if (character == '.') {
            dots = last == '.' ? 0 : dots + 1;
        } else if (!is_key_character(character) || is_new_word) {
            dots = 0;
        }
        if (dots >= kNamePartsMax) {
            return position;
        }
        if (character == '\n') {
            position = {position.line + 1, 0};
        }
        last = character;
        is_after_blank = false;
    }
    return std::nullopt;
}

Position position_of(const toml::source_region& region) { return {region.begin.line, region.begin.column}; }

TomlValue convert(const toml::node& node, Position key_position);

std::vector<TomlMember> members_of(const toml::table& table) {
    std::vector<TomlMember> members;
    members.reserve(table.size());
    for (const auto& [key, value] : table) {
        Position position = position_of(key.source());
        members.push_back({std::string(key.str()), position, convert(value, position)});
    }
    std::stable_sort(members.begin(), members.end(), [](const TomlMember& a, const TomlMember& b) {
        return a.position < b.position;
    });
    return members;
}

TomlValue convert(const toml::node& node, Position key_position) {
    TomlValue value;
    value.position = position_of(node.source());
    if (value.position.line == 0) {
        value.position = key_position;
    }
    if (const toml::table* table = node.as_table()) {
        value.kind = TomlValue::Kind::table;
        value.members = members_of(*table);
    } else if (const toml::array* list = node.as_array()) {
        value.kind = TomlValue::Kind::list;
        for (const toml::node& item : *list) {
            value.items.push_back(convert(item, value.position));
        }
    } else if (const auto* text = node.as_string()) {
        value.kind = TomlValue::Kind::text;
        value.text = text->get();
    } else if (const auto* integer = node.as_integer()) {
        value.kind = TomlValue::Kind::integer;
        value.integer = integer->get();
    } else if (const auto* number = node.as_floating_point()) {
        value.kind = TomlValue::Kind::number;
        value.number = number->get();
    } else if (const auto* boolean = node.as_boolean()) {
        value.kind = TomlValue::Kind::boolean;
        value.integer = boolean->get() ? 1 : 0;
    } else {
        value.kind = TomlValue::Kind::time;
    }
    return value;
}

}  // namespace

const TomlValue* TomlValue::find(std::string_view key) const {
    auto at = std::ranges::find(members, key, &TomlMember::key);
    return at == members.end() ? nullptr : &at->value;
}

std::string TomlValue::description() const {
    switch (kind) {
        case Kind::text: return "the text " + in_quotes(text);
        case Kind::integer: return "the integer " + std::to_string(integer);
        case Kind::number: return std::format("the number {}", number);
        case Kind::boolean: return integer != 0 ? "true" : "false";
        case Kind::time: return "a date or time";
        case Kind::list: return "a list";
        case Kind::table: return "a table";
    }
    std::unreachable();
}

std::expected<TomlValue, TomlProblem> parse_toml(std::string_view text) {
    if (auto place = find_long_name(text)) {
        return std::unexpected(
            TomlProblem{*place, std::format("a name has more than {} parts", kNamePartsMax)}
        );
    }
    toml::parse_result parsed = toml::parse(text);
    if (!parsed) {
        const toml::parse_error& error = parsed.error();
        return std::unexpected(
            TomlProblem{position_of(error.source()), "not TOML: " + std::string(error.description())}
        );
    }
    return convert(parsed.table(), {1, 1});
}

std::string in_quotes(std::string_view text) {
    std::string result;
    core::append_json_string(result, text.substr(0, kQuotedBytesMax));
    if (text.size() > kQuotedBytesMax) {
        result.insert(result.size() - 1, "…");
    }
    return result;
}

}  // namespace node
