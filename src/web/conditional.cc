#include "web/conditional.h"

#include "http/http_date.h"
#include "http/text.h"

namespace web {
namespace {

using Comparison = bool (*)(const EntityTag&, const EntityTag&);

// Whether the field is "*" or lists the tag.
bool lists(std::string_view value, const EntityTag& tag, Comparison matches) {
    if (http::trim(value) == "*") {
        return true;
    }
    EntityTagList list(value);
    while (const std::optional<EntityTag> listed = list.next()) {
        if (matches(*listed, tag)) {
            return true;
        }
    }
    return false;
}

std::optional<int64_t> date_of(const std::optional<std::string_view>& value) {
    return value ? http::parse_http_date(*value) : std::nullopt;
}

}  // namespace

Precondition check_preconditions(const Conditions& conditions, const Validators& validators) {
    if (conditions.if_match) {
        if (!lists(*conditions.if_match, validators.tag, matches_strongly)) {
            return Precondition::failed;
        }
    } else if (const std::optional<int64_t> since = date_of(conditions.if_unmodified_since)) {
        if (validators.modified > *since) {
            return Precondition::failed;
        }
    }
    if (conditions.if_none_match) {
        const bool is_listed = lists(*conditions.if_none_match, validators.tag, matches_weakly);
        return is_listed ? Precondition::not_modified : Precondition::proceed;
    }
    if (const std::optional<int64_t> since = date_of(conditions.if_modified_since)) {
        return validators.modified <= *since ? Precondition::not_modified : Precondition::proceed;
    }
    return Precondition::proceed;
}

bool is_range_wanted(const Conditions& conditions, const Validators& validators) {
    if (!conditions.if_range) {
        return true;
    }
    std::string_view rest = *conditions.if_range;
    if (const std::optional<EntityTag> tag = take_entity_tag(rest)) {
        return rest.empty() && matches_strongly(*tag, validators.tag);
    }
    return date_of(conditions.if_range) == validators.modified;
}

}  // namespace web
