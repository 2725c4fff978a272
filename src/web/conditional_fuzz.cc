// Any bytes as a date, as a list of entity tags and as the fields of a conditional request.
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "core/panic.h"
#include "http/http_date.h"
#include "web/conditional.h"
#include "web/entity_tag.h"

namespace web {
namespace {

void check_date(std::string_view bytes) {
    const std::optional<int64_t> date = http::parse_http_date(bytes);
    if (!date) {
        return;
    }
    const std::string text = http::format_http_date(*date);
    ASSERT(text.size() == http::kHttpDateSize);
    ASSERT(http::parse_http_date(text) == *date || *date < -62'135'596'800);  // year 0 is read and not
                                                                              // written
}

void check_list(std::string_view bytes) {
    EntityTagList list(bytes);
    std::string again;
    while (const std::optional<EntityTag> tag = list.next()) {
        ASSERT(tag->opaque.size() >= 2 && tag->opaque.front() == '"' && tag->opaque.back() == '"');
        ASSERT(!tag->opaque.substr(1, tag->opaque.size() - 2).contains('"'));
        const std::string text = (tag->is_weak ? "W/" : "") + std::string(tag->opaque);
        std::string_view rest = text;
        ASSERT(take_entity_tag(rest) == *tag);
        ASSERT(rest.empty());
    }
}

void check_conditions(std::string_view bytes) {
    const Validators validators{.tag = {.opaque = "\"1\""}, .modified = 784'111'777};
    const Precondition if_match = check_preconditions({.if_match = bytes}, validators);
    const Precondition if_none_match = check_preconditions({.if_none_match = bytes}, validators);
    ASSERT(if_match != Precondition::not_modified);
    ASSERT(if_none_match != Precondition::failed);
    // What matches strongly matches weakly.
    ASSERT(if_match == Precondition::failed || if_none_match == Precondition::not_modified);
    if (is_range_wanted({.if_range = bytes}, validators)) {
        ASSERT(if_match == Precondition::proceed || http::parse_http_date(bytes) == validators.modified);
    }
}

}  // namespace
}  // namespace web

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, size_t size) {
    const std::vector<char> exact(data, data + size);
    const std::string_view bytes(exact.data(), exact.size());
    web::check_date(bytes);
    web::check_list(bytes);
    web::check_conditions(bytes);
    return 0;
}
