// Takes values out of JSON that another process wrote.
#pragma once

#include <cmath>
#include <concepts>
#include <cstdint>
#include <format>
#include <string>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

#include "core/units.h"

namespace node {

// Takes values out of one object; remembers the first that was of the wrong kind.
class JsonValues {
public:
    // null: nothing is there to take.
    JsonValues(const nlohmann::ordered_json* object, std::string& problem)
        : object_(object), problem_(problem) {
        if (object != nullptr && !object->is_object()) {
            refuse("an object");
            object_ = nullptr;
        }
    }

    void read(const char* key, std::string& target) {
        if (const nlohmann::ordered_json* value = find(key)) {
            value->is_string() ? void(target = value->get<std::string>()) : refuse(key);
        }
    }

    void read(const char* key, bool& target) {
        if (const nlohmann::ordered_json* value = find(key)) {
            value->is_boolean() ? void(target = value->get<bool>()) : refuse(key);
        }
    }

    void read(const char* key, double& target) {
        if (const nlohmann::ordered_json* value = find(key)) {
            value->is_number() ? void(target = value->get<double>()) : refuse(key);
        }
    }

    template <std::integral Number>
    void read(const char* key, Number& target) {
        if (const nlohmann::ordered_json* value = find(key)) {
            if (value->is_number_unsigned() && std::in_range<Number>(value->get<uint64_t>())) {
                target = static_cast<Number>(value->get<uint64_t>());
            } else if (value->is_number_integer() && std::in_range<Number>(value->get<int64_t>())) {
                target = static_cast<Number>(value->get<int64_t>());
            } else {
                refuse(key);
            }
        }
    }

    // As a number of seconds, at most 100 years.
    void read(const char* key, core::Duration& target) {
        constexpr double kMost = 100.0 * 365 * 24 * 3600;
        constexpr double kNanoseconds = 1e9;
        double value = std::chrono::duration<double>(target).count();
        read(key, value);
        if (std::abs(value) <= kMost) {
            target = core::Duration(std::llround(value * kNanoseconds));
        } else {
            refuse(key);
        }
    }

    // Calls `element(value)` for each of a list.
    void read_each(const char* key, auto element) {
        if (const nlohmann::ordered_json* value = find(key)) {
            if (!value->is_array()) {
                refuse(key);
                return;
            }
            for (const nlohmann::ordered_json& one : *value) {
                element(one);
            }
        }
    }

    // The object under the key; nothing can be taken from one that is missing or null.
    [[nodiscard]] JsonValues child(const char* key) const { return {find(key), problem_}; }

    [[nodiscard]] std::string& problem() { return problem_; }

    [[nodiscard]] bool is_there() const { return object_ != nullptr; }

private:
    [[nodiscard]] const nlohmann::ordered_json* find(const char* key) const {
        if (object_ == nullptr) {
            return nullptr;
        }
        auto found = object_->find(key);
        return found == object_->end() || found->is_null() ? nullptr : &*found;
    }

    void refuse(std::string_view key) {
        if (problem_.empty()) {
            problem_ = std::format("\"{}\" is not what was expected", key);
        }
    }

    const nlohmann::ordered_json* object_;
    std::string& problem_;
};

}  // namespace node
