// One table of the configuration while it is read: typed access with the type and range check of each key,
// and the refusal of keys that nobody asked for.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/units.h"
#include "node/config/error.h"
#include "node/config/toml.h"

namespace node {

template <class T>
struct Bounds {
    T least;
    T most;
};

// How messages call a table: its dotted name ("balancer.health", "" for the whole file), and its title
// ("[balancer.health]").
struct SectionName {
    std::string dotted;
    std::string title;
};

// What a text is read for: its full key, what was expected (for messages), its bound.
struct TextRule {
    std::string_view key;
    std::string_view expected;  // "a path such as \"/healthz\""
    size_t bytes_max = 4096;
    size_t bytes_min = 1;
};

// The text of `value` when it is a text of `bytes_min` to `bytes_max` bytes without control characters;
// otherwise reports what was expected and found, and gives none.
[[nodiscard]] std::optional<std::string_view> read_text(
    const TomlValue& value,
    const TextRule& rule,
    Problems& problems
);

// A path with an optional query that can be asked for as it stands, such as "/healthz"; 1 to 1024 bytes.
[[nodiscard]] bool is_request_path(std::string_view text);

// Refers to the tree and to the problems, which must outlive it. A key that is read is known; finish()
// refuses the others.
class Section {
public:
    // `table` must be of kind table.
    Section(const TomlValue& table, SectionName name, Problems& problems);

    // The value of `key`, or null. The key is known from now on.
    [[nodiscard]] const TomlValue* find(std::string_view key);

    // The table under `key` as a section named after this one; none where it is missing, or is not a table,
    // which is reported.
    [[nodiscard]] std::optional<Section> child(std::string_view key);

    // The same of a member whose key is a name that the file chose; it is not added to the known keys.
    [[nodiscard]] std::optional<Section> child(const TomlMember& member);

    // Each leaves the target as it is where the key is missing or wrong, and reports what is wrong.
    void read(std::string_view key, core::Duration& target, Bounds<core::Duration> bounds);
    void read(std::string_view key, uint32_t& target, Bounds<uint32_t> bounds);
    void read(std::string_view key, bool& target);
    void read_port(std::string_view key, uint16_t& target);
    void read_bytes(std::string_view key, uint32_t& target, Bounds<uint32_t> bounds);
    void read_bytes(std::string_view key, uint64_t& target, Bounds<uint64_t> bounds = {0, INT64_MAX});

    [[nodiscard]] std::optional<std::string_view> read_text(
        std::string_view key,
        std::string_view expected,
        size_t bytes_max = 4096
    );

    // A text that is_request_path().
    [[nodiscard]] std::optional<std::string_view> read_request_path(std::string_view key);

    // The path of a file or directory below `base`, which is absolute, made absolute: see path_from().
    [[nodiscard]] std::optional<std::string> read_file_path(
        std::string_view key,
        std::string_view expected,
        std::string_view base
    );

    // The place in `choices` of the text under `key`. A text that is among `later` is refused as not
    // supported by this version.
    [[nodiscard]] std::optional<size_t> read_choice(
        std::string_view key,
        std::span<const std::string_view> choices,
        std::span<const std::string_view> later = {}
    );

    // The items of the list under `key`, empty where it is missing or (reported) not a list. `expected` names
    // it for the message.
    [[nodiscard]] std::span<const TomlValue> read_list(std::string_view key, std::string_view expected);

    // Reports every key that was not asked for, with the nearest of those that were.
    void finish();

    // Reports `key: expected EXPECTED, found WHAT STANDS THERE` at the value.
    void refuse(std::string_view key, const TomlValue& value, std::string_view expected);

    // The same with a text that stands there, and what follows it: the cure.
    void refuse(const TomlValue& value, const TextRule& rule, std::string_view cure);

    // "balancer.health.interval".
    [[nodiscard]] std::string dotted(std::string_view key) const;

    [[nodiscard]] const SectionName& name() const { return name_; }

    [[nodiscard]] const TomlValue& table() const { return *table_; }

    [[nodiscard]] Problems& problems() const { return *problems_; }

private:
    [[nodiscard]] std::optional<Section> open(std::string_view key, const TomlValue& value);

    // The size under `key`, if it is one and is within the bounds.
    [[nodiscard]] std::optional<uint64_t> read_size(std::string_view key, Bounds<uint64_t> bounds);

    const TomlValue* table_;
    SectionName name_;
    Problems* problems_;
    std::vector<std::string_view> known_;
};

}  // namespace node
