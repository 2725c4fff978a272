// Reads JSON (RFC 8259) with nlohmann's parser, which calls for each thing it meets: no second document is
// built, and depth and number of values are bounded while they come.
#include <trilith/app.h>

#include <algorithm>

#include <nlohmann/json.hpp>

#include "sdk/public_access.h"

namespace trilith {

namespace {

constexpr size_t kDepthMax = 64;
constexpr size_t kValuesMax = 100'000;

// Two readers could take another one of two members of one name. Sorted, since a body may have 100,000.
bool has_unique_names(std::span<const Json::Member> members) {
    std::vector<std::string_view> names;
    names.reserve(members.size());
    for (const Json::Member& member : members) {
        names.push_back(member.name);
    }
    std::ranges::sort(names);
    return std::ranges::adjacent_find(names) == names.end();
}

// Its names and signatures are nlohmann's (json_sax); false ends the parse.
class Builder {
public:
    using Foreign = nlohmann::json;

    bool null() { return add({}); }
    bool boolean(bool value) { return add(value); }
    bool number_integer(Foreign::number_integer_t value) { return add(value); }
    bool number_unsigned(Foreign::number_unsigned_t value) { return add(value); }
    bool number_float(Foreign::number_float_t value, const std::string&) { return add(value); }
    bool string(std::string& value) { return add(std::move(value)); }
    static bool binary(Foreign::binary_t&) { return false; }
    bool start_object(size_t) { return open({}); }
    bool start_array(size_t) { return open(Json::array()); }
    bool end_array() { return close(std::move(open_.back().array)); }

    bool end_object() {
        std::vector<Json::Member>& members = open_.back().members;
        return has_unique_names(members) && close(sdk::PublicAccess::object_of(std::move(members)));
    }

    bool key(std::string& name) {
        open_.back().name = std::move(name);
        return true;
    }

    static bool parse_error(size_t, const std::string&, const nlohmann::detail::exception&) { return false; }

    [[nodiscard]] Json take() { return std::move(root_); }

private:
    // A container that has not ended.
    struct Open {
        Json array;                         // used where it is one
        std::vector<Json::Member> members;  // of an object
        std::string name;                   // of the next member
    };

    bool add(Json value) {
        if (++count_ > kValuesMax) {
            return false;
        }
        if (open_.empty()) {
            root_ = std::move(value);
        } else if (open_.back().array.is_array()) {
            open_.back().array.push_back(std::move(value));
        } else {
            open_.back().members.emplace_back(std::move(open_.back().name), std::move(value));
        }
        return true;
    }

    bool open(Json array) {
        open_.push_back({.array = std::move(array), .members = {}, .name = {}});
        return open_.size() <= kDepthMax;
    }

    bool close(Json container) {
        open_.pop_back();
        return add(std::move(container));
    }

    std::vector<Open> open_;
    Json root_;
    size_t count_ = 0;
};

}  // namespace

std::optional<Json> Json::parse(std::string_view text) {
    Builder builder;
    if (!nlohmann::json::sax_parse(text.begin(), text.end(), &builder)) {
        return std::nullopt;
    }
    return builder.take();
}

}  // namespace trilith
