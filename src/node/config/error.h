// What is wrong with a configuration file, and where: one problem, and the bounded list of all that were
// found.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace node {

// Counted from 1; line 0 stands for the file as a whole.
struct Position {
    uint32_t line = 0;
    uint32_t column = 0;

    friend auto operator<=>(const Position&, const Position&) = default;
};

struct ConfigError {
    std::string file;
    uint32_t line = 0;  // 0: the file as a whole, for example a missing one
    uint32_t column = 0;
    std::string message;  // one sentence: what was expected, what was found, the nearest known key

    // "FILE:LINE:COLUMN: message", or "FILE: message" where line is 0.
    [[nodiscard]] std::string to_string() const;

    friend bool operator==(const ConfigError&, const ConfigError&) = default;
};

// The first kMax problems by position, in whatever order they are found.
class Problems {
public:
    static constexpr size_t kMax = 20;

    explicit Problems(std::string_view file) : file_(file) {}

    void add(Position position, std::string message);

    [[nodiscard]] bool is_empty() const { return errors_.empty(); }

    // Ordered by position; problems of one position in the order they were found.
    [[nodiscard]] std::vector<ConfigError> take() && { return std::move(errors_); }

private:
    std::string file_;
    std::vector<ConfigError> errors_;
};

}  // namespace node
