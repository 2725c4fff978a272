#include "web/entity_tag.h"

#include "http/text.h"

namespace web {
namespace {

// etagc: "!", "#" to "~", obs-text. No white space and no escapes; a backslash stands for itself.
bool is_tag_byte(char byte) {
    const auto code = static_cast<unsigned char>(byte);
    return code == 0x21 || (code >= 0x23 && code <= 0x7E) || code >= 0x80;
}

}  // namespace

std::optional<EntityTag> take_entity_tag(std::string_view& text) {
    const bool is_weak = text.starts_with("W/");  // case-sensitive
    const std::string_view quoted = text.substr(is_weak ? 2 : 0);
    if (!quoted.starts_with('"')) {
        return std::nullopt;
    }
    size_t end = 1;
    while (end < quoted.size() && is_tag_byte(quoted[end])) {
        ++end;
    }
    if (end == quoted.size() || quoted[end] != '"') {
        return std::nullopt;
    }
    text = quoted.substr(end + 1);
    return EntityTag{.opaque = quoted.substr(0, end + 1), .is_weak = is_weak};
}

std::optional<EntityTag> EntityTagList::next() {
    rest_ = http::trim(rest_);
    while (rest_.starts_with(',')) {
        rest_ = http::trim(rest_.substr(1));
    }
    const std::optional<EntityTag> tag = take_entity_tag(rest_);
    rest_ = http::trim(rest_);
    if (!tag || (!rest_.empty() && rest_.front() != ',')) {
        rest_ = {};
        return std::nullopt;
    }
    return tag;
}

}  // namespace web
