// TOML text as a tree of values with their places, in the order of the file. The TOML library is known to
// this reader alone.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "node/config/error.h"

namespace node {

struct TomlMember;

struct TomlValue {
    enum class Kind : uint8_t { text, integer, number, boolean, time, list, table };

    Kind kind = Kind::table;
    Position position;                // of its first character; of a table that no header names: of its key
    std::string text;                 // kind text
    int64_t integer = 0;              // kind integer; kind boolean: 0 or 1
    double number = 0;                // kind number
    std::vector<TomlValue> items;     // kind list
    std::vector<TomlMember> members;  // kind table, by the position of the keys

    // The member's value, or null.
    [[nodiscard]] const TomlValue* find(std::string_view key) const;

    // What stands there, to follow "found": `the text "2"`, `the integer 2`, `a list`.
    [[nodiscard]] std::string description() const;
};

struct TomlMember {
    std::string key;
    Position position;
    TomlValue value;
};

struct TomlProblem {
    Position position;
    std::string message;
};

// The whole file as a table. Depth is bounded (names of 32 parts, 32 values in one another), so that the tree
// can be walked by recursion. TOML 1.0.
[[nodiscard]] std::expected<TomlValue, TomlProblem> parse_toml(std::string_view text);

// `text` for a message: in double quotes, escaped, cut after 80 bytes.
[[nodiscard]] std::string in_quotes(std::string_view text);

}  // namespace node
