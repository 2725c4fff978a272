// Keeps the problems of a configuration file in the order of their places.
#include "node/config/error.h"

#include <algorithm>
#include <tuple>

namespace node {

std::string ConfigError::to_string() const {
    std::string text = file;
    if (line != 0) {
        text += ":" + std::to_string(line) + ":" + std::to_string(column);
    }
    return text + ": " + message;
}

void Problems::add(Position position, std::string message) {
    auto is_before = [](const Position& where, const ConfigError& error) {
        return std::tie(where.line, where.column) < std::tie(error.line, error.column);
    };
    auto at = std::upper_bound(errors_.begin(), errors_.end(), position, is_before);
    errors_.insert(at, {file_, position.line, position.column, std::move(message)});
    if (errors_.size() > kMax) {
        errors_.pop_back();
    }
}

}  // namespace node
