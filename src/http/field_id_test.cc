// Known fields are found in any case, and nothing that only resembles them.
#include "http/field_id.h"

#include <string>

#include <doctest/doctest.h>

namespace http {
namespace {

TEST_CASE("every known field is found by its name in any case and by no name that differs in a byte") {
    for (uint8_t code = 1; code < kFieldIdCount; ++code) {
        const auto id = static_cast<FieldId>(code);
        const std::string name(field_name(id));
        CAPTURE(name);
        CHECK(find_field_id(name) == id);
        for (size_t i = 0; i < name.size(); ++i) {
            std::string upper = name;
            upper[i] = name[i] == '-' ? '-' : static_cast<char>(name[i] - 32);
            CHECK(find_field_id(upper) == id);
            std::string underscored = name;
            underscored[i] = '_';
            CHECK(find_field_id(underscored) == FieldId::other);
            std::string obs_text = name;
            obs_text[i] = static_cast<char>(name[i] | '\x80');
            CHECK(find_field_id(obs_text) == FieldId::other);
        }
        CHECK(find_field_id(name + "s") != id);
        CHECK(find_field_id(name.substr(1)) != id);
    }
    for (const std::string_view name :
         {"", "x", "to", "x-forwarded-forx", "content-lengtx", "xontent-length", "cookies"}) {
        CHECK(find_field_id(name) == FieldId::other);
    }
}

TEST_CASE("sets hold what was put in") {
    constexpr FieldSet set = {FieldId::host, FieldId::x_request_id};
    CHECK(set.has(FieldId::host));
    CHECK(set.has(FieldId::x_request_id));
    CHECK_FALSE(set.has(FieldId::other));
    CHECK(set.has_any_of({FieldId::host}));
    CHECK_FALSE(set.has_any_of({FieldId::te}));
}

}  // namespace
}  // namespace http
