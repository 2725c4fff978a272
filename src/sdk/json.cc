// Json: the value, and how it is written. Its reader is in json_reader.cc.
#include <trilith/app.h>

#include <cmath>

#include "core/json_text.h"

namespace trilith {

namespace {

[[clang::no_destroy]] const Json kNull;  // what is not there

void append(std::string& target, const Json& value);

void append_items(std::string& target, std::span<const Json> items) {
    char separator = '[';
    for (const Json& item : items) {
        target += separator;
        append(target, item);
        separator = ',';
    }
    target += items.empty() ? "[]" : "]";
}

void append_members(std::string& target, std::span<const Json::Member> members) {
    char separator = '{';
    for (const Json::Member& member : members) {
        target += separator;
        core::append_json_string(target, member.name);
        target += ':';
        append(target, member.value);
        separator = ',';
    }
    target += members.empty() ? "{}" : "}";
}

void append_double(std::string& target, double value) {
    if (!std::isfinite(value)) {
        target += "null";
        return;
    }
    std::array<char, 32> text;
    auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), value);
    target.append(text.data(), end);
    if (value == 0.0 && std::signbit(value)) {
        target += ".0";  // "-0" would be read as the integer 0
    }
}

void append(std::string& target, const Json& value) {
    if (value.is_text()) {
        core::append_json_string(target, value.text());
    } else if (value.is_integer()) {
        std::array<char, 24> text;
        target.append(
            text.data(),
            std::to_chars(text.data(), text.data() + text.size(), value.integer()).ptr
        );
    } else if (value.is_number()) {
        append_double(target, value.number());
    } else if (value.is_boolean()) {
        target += value.boolean() ? "true" : "false";
    } else if (value.is_array()) {
        append_items(target, value.items());
    } else if (value.is_object()) {
        append_members(target, value.members());
    } else {
        target += "null";
    }
}

}  // namespace

Json::Json() noexcept = default;
Json::Json(bool value) noexcept : value_(value) {}
Json::Json(double value) noexcept : value_(value) {}
Json::Json(std::string value) noexcept : value_(std::move(value)) {}
Json::Json(std::initializer_list<Member> members) : value_(Object(members)) {}
Json::Json(bool is_whole, int64_t whole, double rounded) noexcept {
    if (is_whole) {
        value_ = whole;
    } else {
        value_ = rounded;
    }
}

Json::Json(const Json& other) = default;
Json::Json(Json&& other) noexcept = default;

Json& Json::operator=(Json other) noexcept {
    value_.swap(other.value_);
    return *this;
}

Json::~Json() = default;

Json Json::object() {
    Json value;
    value.value_.emplace<Object>();
    return value;
}

Json Json::array(std::initializer_list<Json> items) {
    Json value;
    value.value_.emplace<Array>(items);
    return value;
}

std::string Json::to_string() const {
    std::string text;
    append(text, *this);
    return text;
}

bool Json::boolean(bool fallback) const noexcept {
    const bool* value = std::get_if<bool>(&value_);
    return value == nullptr ? fallback : *value;
}

int64_t Json::integer(int64_t fallback) const noexcept {
    const int64_t* value = std::get_if<int64_t>(&value_);
    return value == nullptr ? fallback : *value;
}

double Json::number(double fallback) const noexcept {
    if (const int64_t* whole = std::get_if<int64_t>(&value_)) {
        return static_cast<double>(*whole);
    }
    const double* value = std::get_if<double>(&value_);
    return value == nullptr ? fallback : *value;
}

std::string_view Json::text(std::string_view fallback) const noexcept {
    const std::string* value = std::get_if<std::string>(&value_);
    return value == nullptr ? fallback : *value;
}

const Json& Json::operator[](std::string_view name) const noexcept {
    for (const Member& member : members()) {
        if (member.name == name) {
            return member.value;
        }
    }
    return kNull;
}

Json& Json::operator[](std::string_view name) {
    if (!is_object()) {
        value_.emplace<Object>();
    }
    auto& members = std::get<Object>(value_);
    for (Member& member : members) {
        if (member.name == name) {
            return member.value;
        }
    }
    return members.emplace_back(std::string(name), Json()).value;
}

const Json& Json::at(std::size_t index) const noexcept {
    std::span<const Json> all = items();
    return index < all.size() ? all[index] : kNull;
}

void Json::push_back(Json item) {
    if (!is_array()) {
        value_.emplace<Array>();
    }
    std::get<Array>(value_).push_back(std::move(item));
}

std::size_t Json::size() const noexcept { return items().size() + members().size(); }

std::span<const Json> Json::items() const noexcept {
    const Array* items = std::get_if<Array>(&value_);
    return items == nullptr ? std::span<const Json>() : std::span<const Json>(*items);
}

std::span<const Json::Member> Json::members() const noexcept {
    const Object* members = std::get_if<Object>(&value_);
    return members == nullptr ? std::span<const Member>() : std::span<const Member>(*members);
}

}  // namespace trilith
