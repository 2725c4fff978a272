#include "node/terminal/line_canvas.h"

#include <algorithm>
#include <array>

namespace node {

namespace {

// Directions in which a line leaves a character.
constexpr uint8_t kUp = 1;
constexpr uint8_t kRight = 2;
constexpr uint8_t kDown = 4;
constexpr uint8_t kLeft = 8;

// By the directions of the lines that meet in a character.
constexpr std::array<std::string_view, 16> kJoints{
    " ",
    "│",
    "─",
    "└",
    "│",
    "│",
    "┌",
    "├",
    "─",
    "┘",
    "─",
    "┴",
    "┐",
    "┤",
    "┬",
    "┼",
};
constexpr std::array<std::string_view, 16> kAsciiJoints{
    " ",
    "|",
    "-",
    "+",
    "|",
    "|",
    "+",
    "+",
    "-",
    "+",
    "-",
    "+",
    "+",
    "+",
    "+",
    "+",
};
// By Mark.
constexpr std::array<std::string_view, 4> kMarks{"▼", "▲", "○", "✗"};
constexpr std::array<std::string_view, 4> kAsciiMarks{"v", "^", "o", "x"};
constexpr std::array<Ink, 4> kMarkInks{Ink::plain, Ink::plain, Ink::yellow, Ink::red};

size_t bytes_of_character(std::string_view text) {
    size_t bytes = 1;
    while (bytes < text.size() && (static_cast<unsigned char>(text[bytes]) & 0xC0) == 0x80) {
        ++bytes;
    }
    return bytes;
}

}  // namespace

LineCanvas::Cell& LineCanvas::at(size_t column, size_t row) {
    if (column >= columns_) {
        beyond_ = {};
        return beyond_;
    }
    if (row >= rows_.size()) {
        rows_.resize(row + 1);
    }
    if (column >= rows_[row].size()) {
        rows_[row].resize(column + 1);
    }
    return rows_[row][column];
}

void LineCanvas::horizontal(size_t from, size_t to, size_t row) {
    for (size_t column = std::min(from, to); column < std::max(from, to); ++column) {
        at(column, row).ends |= kRight;
        at(column + 1, row).ends |= kLeft;
    }
}

void LineCanvas::vertical(size_t column, size_t from, size_t to) {
    for (size_t row = std::min(from, to); row < std::max(from, to); ++row) {
        at(column, row).ends |= kDown;
        at(column, row + 1).ends |= kUp;
    }
}

void LineCanvas::box(size_t left, size_t top, size_t width, size_t height) {
    size_t right = left + width - 1;
    size_t bottom = top + height - 1;
    horizontal(left, right, top);
    horizontal(left, right, bottom);
    vertical(left, top, bottom);
    vertical(right, top, bottom);
}

void LineCanvas::text(size_t column, size_t row, std::string_view text, Ink ink) {
    while (!text.empty()) {
        size_t bytes = bytes_of_character(text);
        Cell& cell = at(column++, row);
        bool is_foreign = charset_ == Charset::ascii && bytes > 1;
        cell.character = !is_foreign ? text.substr(0, bytes) : text.starts_with("→") ? ">" : "?";
        cell.ink = ink;
        text.remove_prefix(bytes);
    }
}

void LineCanvas::mark(size_t column, size_t row, Mark mark) {
    auto index = static_cast<size_t>(mark);
    Cell& cell = at(column, row);
    cell.mark = charset_ == Charset::ascii ? kAsciiMarks[index] : kMarks[index];
    cell.ink = kMarkInks[index];
}

std::string_view LineCanvas::glyph_of(const Cell& cell) const {
    if (!cell.character.empty()) {
        return cell.character;
    }
    if (!cell.mark.empty()) {
        return cell.mark;
    }
    return charset_ == Charset::ascii ? kAsciiJoints[cell.ends] : kJoints[cell.ends];
}

std::string LineCanvas::to_string(Colour colour) const {
    std::string text;
    for (const std::vector<Cell>& row : rows_) {
        std::string line;
        std::string spaces;
        Ink ink = Ink::plain;
        for (const Cell& cell : row) {
            std::string_view glyph = glyph_of(cell);
            if (glyph == " ") {
                spaces += ' ';
                continue;
            }
            if (cell.ink != ink && colour == Colour::ansi) {
                line += ink == Ink::plain ? "" : kInkEnd;
                line += spaces;
                line += escape_of(cell.ink);
            } else {
                line += spaces;
            }
            spaces.clear();
            ink = cell.ink;
            line += glyph;
        }
        line += ink != Ink::plain && colour == Colour::ansi ? kInkEnd : "";
        text += line + '\n';
    }
    return text;
}

}  // namespace node
