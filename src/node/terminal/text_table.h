// Lays out text in columns for a terminal: pads, aligns, colours, and cuts what does not fit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace node {

enum class Align : uint8_t { left, right };
enum class Ink : uint8_t { plain, dim, bold, green, yellow, red };

// What begins a text in this ink on a terminal, "" for plain; and what ends any other.
[[nodiscard]] std::string_view escape_of(Ink ink);
inline constexpr std::string_view kInkEnd = "\x1b[0m";

struct TextCell {
    std::string text;
    Ink ink = Ink::plain;
};

// How many columns of a terminal UTF-8 text takes, one a character.
[[nodiscard]] size_t columns_of(std::string_view text);

// As much of it as fits into so many columns.
[[nodiscard]] std::string_view first_columns(std::string_view text, size_t columns);

// The text with its control characters replaced by "?": what comes from elsewhere must not steer the
// terminal.
[[nodiscard]] std::string printable(std::string_view text);

enum class Colour : uint8_t { none, ansi };

struct TextLayout {
    size_t indent = 0;
    size_t columns = 0;  // where a line is cut; 0: nowhere
    Colour colour = Colour::none;
};

class TextTable {
public:
    // Column by column; a column whose cells are all empty is left out.
    explicit TextTable(std::vector<Align> alignment) : alignment_(std::move(alignment)) {}

    // As many cells as columns.
    void add_row(std::vector<TextCell> cells);

    // Appends the lines to `target`.
    void append_to(std::string& target, const TextLayout& layout) const;

private:
    std::vector<Align> alignment_;
    std::vector<std::vector<TextCell>> rows_;
};

}  // namespace node
