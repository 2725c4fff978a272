// Compares settings and lists by name.
#include "node/config/changes.h"

#include <algorithm>
#include <span>
#include <string_view>
#include <unordered_map>

#include "core/panic.h"

namespace node {

namespace {

constexpr size_t kNamesShownMax = 20;

std::string without_quotes(const std::string& literal) {
    bool is_text = literal.size() >= 2 && literal.front() == '"';
    return is_text ? literal.substr(1, literal.size() - 2) : literal;
}

std::string joined_names(std::span<const Entry> entries) {
    std::string text;
    for (const Entry& entry : entries.first(std::min(entries.size(), kNamesShownMax))) {
        text += (text.empty() ? "" : ", ") + entry.name;
    }
    return text + (entries.size() > kNamesShownMax ? ", …" : "");
}

}  // namespace

void compare_settings(const std::string& table, const SettingsPair& settings, Changes& changes) {
    ASSERT(settings.before.size() == settings.after.size());
    auto shown = [](const std::string& value) { return value.empty() ? "none" : without_quotes(value); };
    for (size_t at = 0; at < settings.before.size(); ++at) {
        const Setting& before = settings.before[at];
        const Setting& after = settings.after[at];
        if (before.value != after.value) {
            changes.push_back(
                {.key = table + "." + std::string(before.key),
                 .from = shown(before.value),
                 .to = shown(after.value),
                 .needs_restart = before.applies == Applies::after_restart}
            );
        }
    }
}

Places compare_entries(const EntryLists& lists, Changes& changes) {
    std::unordered_map<std::string_view, size_t> unmatched;
    for (size_t at = 0; at < lists.after.size(); ++at) {
        unmatched.emplace(lists.after[at].name, at);
    }
    bool needs_restart = lists.applies == Applies::after_restart;
    Places places;
    for (const Entry& entry : lists.before) {
        auto place = unmatched.find(entry.name);
        if (place == unmatched.end()) {
            changes.push_back({lists.key, entry.text, "", needs_restart});
            places.emplace_back();
        } else {
            places.emplace_back(place->second);
            unmatched.erase(place);
        }
    }
    for (const Entry& entry : lists.after) {
        if (unmatched.contains(entry.name)) {
            changes.push_back({lists.key, "", entry.text, needs_restart});
        }
    }
    return places;
}

void compare_order(const EntryLists& lists, const Places& places, Changes& changes) {
    size_t last = 0;
    for (const auto& place : places) {
        if (place && *place < last) {
            changes.push_back({lists.key + " in order", joined_names(lists.before), joined_names(lists.after)}
            );
            return;
        }
        last = place.value_or(last);
    }
}

std::pair<EntryLists, Places> compare_texts(const TextLists& texts, Changes& changes) {
    auto entries = [](const Texts& pairs) {
        std::vector<Entry> result;
        for (const auto& [name, value] : pairs) {
            result.push_back({name, name + " (" + value + ")"});
        }
        return result;
    };
    EntryLists lists{texts.key, entries(texts.before), entries(texts.after), texts.applies};
    Places places = compare_entries(lists, changes);
    for (size_t at = 0; at < places.size(); ++at) {
        const auto& [name, before] = texts.before[at];
        if (places[at] && texts.after[*places[at]].second != before) {
            changes.push_back(
                {texts.key + "." + name,
                 before,
                 texts.after[*places[at]].second,
                 texts.applies == Applies::after_restart}
            );
        }
    }
    return {std::move(lists), std::move(places)};
}

}  // namespace node
