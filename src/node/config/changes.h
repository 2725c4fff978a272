// How two settings or two lists of a configuration are compared: what came, went, moved, or has another
// value.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "node/config/compare.h"
#include "node/config/settings.h"

namespace node {

using Changes = std::vector<ConfigChange>;

struct SettingsPair {
    std::vector<Setting> before;
    std::vector<Setting> after;
};

// The settings of both have the same keys in the same order; `table` is put before them.
void compare_settings(const std::string& table, const SettingsPair& settings, Changes& changes);

// A list of entries with names of their own, for what came, went and moved.
struct Entry {
    std::string name;  // unique in the list
    std::string text;  // what is said when it comes or goes
};

struct EntryLists {
    std::string key;
    std::vector<Entry> before;
    std::vector<Entry> after;
    Applies applies = Applies::live;
};

// For each entry of `before` its place in `after`, if it is there.
using Places = std::vector<std::optional<size_t>>;

// Adds a change for each entry that is in one list only; those that went come first.
Places compare_entries(const EntryLists& lists, Changes& changes);

// Adds a change when entries that stayed are in another order, which decides in active-passive pools and
// among routes.
void compare_order(const EntryLists& lists, const Places& places, Changes& changes);

// A table whose keys the file chose, or a list of such pairs; each name is there once.
using Texts = std::vector<std::pair<std::string, std::string>>;

struct TextLists {
    std::string key;
    Texts before;
    Texts after;
    Applies applies = Applies::live;
};

// The same of names with values, and a change for each other value; gives the entries and their places.
std::pair<EntryLists, Places> compare_texts(const TextLists& texts, Changes& changes);

}  // namespace node
