// A sheet of characters on which lines cross and join, and text stands over them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "node/terminal/text_table.h"

namespace node {

// What lines and arrows are made of.
enum class Charset : uint8_t { unicode, ascii };

// Which mark a line ends with.
enum class Mark : uint8_t { down, up, resting, broken };

class LineCanvas {
public:
    LineCanvas(size_t columns, Charset charset) : columns_(columns), charset_(charset) {}

    // Lines from character to character; the ends may be in either order.
    void horizontal(size_t from, size_t to, size_t row);
    void vertical(size_t column, size_t from, size_t to);
    void box(size_t left, size_t top, size_t width, size_t height);

    // Over what is there; what is beyond the last column is left out.
    void text(size_t column, size_t row, std::string_view text, Ink ink = Ink::plain);
    void mark(size_t column, size_t row, Mark mark);

    // Lines that end with "\n", without spaces at their ends.
    [[nodiscard]] std::string to_string(Colour colour) const;

private:
    struct Cell {
        uint8_t ends = 0;  // of lines, in the four directions
        Ink ink = Ink::plain;
        std::string_view mark;
        std::string character;  // UTF-8; empty: lines alone
    };

    [[nodiscard]] Cell& at(size_t column, size_t row);
    [[nodiscard]] std::string_view glyph_of(const Cell& cell) const;

    size_t columns_;
    Charset charset_;
    std::vector<std::vector<Cell>> rows_;
    Cell beyond_;
};

}  // namespace node
