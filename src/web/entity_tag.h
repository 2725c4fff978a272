// Entity tags (RFC 9110 section 8.8.3) and lists of them, as conditional requests have them.
#pragma once

#include <optional>
#include <string_view>

namespace web {

// Points into the text that was read.
struct EntityTag {
    std::string_view opaque{};  // with its quotes
    bool is_weak = false;

    friend bool operator==(const EntityTag&, const EntityTag&) = default;
};

// Section 8.8.3.2.
[[nodiscard]] constexpr bool matches_strongly(const EntityTag& a, const EntityTag& b) {
    return !a.is_weak && !b.is_weak && a.opaque == b.opaque;
}

[[nodiscard]] constexpr bool matches_weakly(const EntityTag& a, const EntityTag& b) {
    return a.opaque == b.opaque;
}

// Takes the tag that `text` begins with off it. None, and `text` is as it was, where it begins with none.
[[nodiscard]] std::optional<EntityTag> take_entity_tag(std::string_view& text);

// Reads `1#entity-tag` one by one. Empty elements are allowed (section 5.6.1.2). The list ends at its end or
// at the first thing that is no tag: what stands behind that cannot be told from it.
class EntityTagList {
public:
    // `text` is borrowed.
    explicit EntityTagList(std::string_view text) : rest_(text) {}

    [[nodiscard]] std::optional<EntityTag> next();

private:
    std::string_view rest_;
};

}  // namespace web
