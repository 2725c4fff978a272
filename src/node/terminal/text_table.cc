#include "node/terminal/text_table.h"

#include <algorithm>
#include <utility>

#include "core/panic.h"

namespace node {

namespace {

constexpr size_t kGap = 2;

bool begins_character(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) != 0x80; }

// One line that knows how many columns are left in it.
class Line {
public:
    Line(std::string& target, const TextLayout& layout)
        : target_(target), layout_(layout), left_(layout.columns == 0 ? SIZE_MAX : layout.columns) {}

    // Spaces are written only when something follows them: no line ends with one.
    void space(size_t count) { spaces_ += count; }

    void write(const TextCell& cell) {
        if (cell.text.empty()) {
            return;
        }
        size_t spaces = std::min(spaces_, left_);
        std::string_view text = first_columns(cell.text, left_ - spaces);
        spaces_ = 0;
        bool is_cut = text.size() < cell.text.size();
        text = text.substr(0, text.find_last_not_of(' ') + 1);
        if (text.empty()) {
            left_ = 0;
            return;
        }
        target_.append(spaces, ' ');
        std::string_view escape = layout_.colour == Colour::ansi ? escape_of(cell.ink) : "";
        target_.append(escape).append(text).append(escape.empty() ? "" : kInkEnd);
        left_ = is_cut ? 0 : left_ - spaces - columns_of(text);
    }

private:
    std::string& target_;
    const TextLayout& layout_;
    size_t left_;
    size_t spaces_ = 0;
};

}  // namespace

std::string_view escape_of(Ink ink) {
    switch (ink) {
        case Ink::plain: return "";
        case Ink::dim: return "\x1b[2m";
        case Ink::bold: return "\x1b[1m";
        case Ink::green: return "\x1b[32m";
        case Ink::yellow: return "\x1b[33m";
        case Ink::red: return "\x1b[31m";
    }
    return "";
}

size_t columns_of(std::string_view text) {
    return static_cast<size_t>(std::ranges::count_if(text, begins_character));
}

std::string_view first_columns(std::string_view text, size_t columns) {
    size_t seen = 0;
    for (size_t at = 0; at < text.size(); ++at) {
        seen += begins_character(text[at]) ? 1 : 0;
        if (seen > columns) {
            return text.substr(0, at);
        }
    }
    return text;
}

std::string printable(std::string_view text) {
    std::string clean(text);
    std::ranges::replace_if(clean, [](unsigned char byte) { return byte < ' ' || byte == 0x7F; }, '?');
    return clean;
}

void TextTable::add_row(std::vector<TextCell> cells) {
    ASSERT(cells.size() == alignment_.size());
    rows_.push_back(std::move(cells));
}

void TextTable::append_to(std::string& target, const TextLayout& layout) const {
    std::vector<size_t> widths(alignment_.size());
    for (const auto& row : rows_) {
        for (size_t column = 0; column < row.size(); ++column) {
            widths[column] = std::max(widths[column], columns_of(row[column].text));
        }
    }
    for (const auto& row : rows_) {
        Line line(target, layout);
        line.space(layout.indent);
        for (size_t column = 0; column < row.size(); ++column) {
            size_t padding = widths[column] - columns_of(row[column].text);
            bool is_right = alignment_[column] == Align::right;
            line.space(is_right ? padding : 0);
            line.write(row[column]);
            line.space((is_right ? 0 : padding) + (widths[column] == 0 ? 0 : kGap));
        }
        target += '\n';
    }
}

}  // namespace node
