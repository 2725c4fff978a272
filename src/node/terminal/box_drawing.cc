#include "node/terminal/box_drawing.h"

#include <algorithm>
#include <format>
#include <ranges>

namespace node {

namespace {

// A border and a space at each side.
constexpr size_t kFrame = 4;
constexpr size_t kBoxMin = 22;
constexpr size_t kFactGap = 2;
constexpr size_t kBoxGap = 4;  // even, as all widths are: what stands in the middle stands exactly there
constexpr size_t kGroupedMax = 16;

size_t label_width(const BoxTier& tier) {
    size_t width = 0;
    for (const Box& box : tier) {
        for (const BoxLine& line : box.lines) {
            width = std::max(width, columns_of(line.label));
        }
    }
    return width;
}

size_t width_of_facts(const std::vector<TextCell>& facts) {
    size_t width = 0;
    for (const TextCell& fact : facts) {
        width += (width == 0 ? 0 : kFactGap) + columns_of(fact.text);
    }
    return width;
}

// That everything in it is seen.
size_t natural_width(const Box& box, size_t label) {
    size_t inner = columns_of(box.title) + kFactGap + columns_of(box.state.text);
    for (const BoxLine& line : box.lines) {
        inner = std::max(inner, label + kFactGap + width_of_facts(line.facts));
    }
    return inner + kFrame;
}

size_t even_below(size_t number) { return number / 2 * 2; }
size_t even_above(size_t number) { return (number + 1) / 2 * 2; }

// Of each box of the tier; 0: they have no room side by side.
size_t width_of_boxes(const BoxTier& tier, size_t columns) {
    size_t gaps = kBoxGap * (tier.size() - 1);
    size_t room = columns > gaps ? even_below((columns - gaps) / tier.size()) : 0;
    if (room < kBoxMin) {
        return tier.size() == 1 ? std::max(room, kFrame + 2) : 0;  // what has no room is not drawn
    }
    size_t label = label_width(tier);
    size_t width = kBoxMin;
    for (const Box& box : tier) {
        width = std::max(width, natural_width(box, label));
    }
    return std::min(even_above(width), room);
}

// One box with a line a box of the tier: its name, what arrives there, and the first fact of each line.
Box group(const BoxTier& tier) {
    Box grouped{.title = std::format("{} servers", tier.size()), .state = {}, .lines = {}, .flow_label = {}};
    bool is_running = false;
    for (const Box& box : tier) {
        is_running = is_running || box.flow == Flow::running;
        if (&box - tier.data() >= static_cast<ptrdiff_t>(kGroupedMax)) {
            continue;
        }
        BoxLine line{.label = box.title, .facts = {box.state}};
        if (!box.flow_label.empty()) {
            line.facts.push_back({box.flow_label, box.flow == Flow::broken ? Ink::red : Ink::plain});
        }
        // From the database up: what differs most between servers stays longest.
        for (const BoxLine& part : std::views::reverse(box.lines)) {
            if (!part.facts.empty()) {
                line.facts.push_back({part.label + " " + part.facts.front().text, part.facts.front().ink});
            }
        }
        grouped.lines.push_back(std::move(line));
    }
    if (tier.size() > kGroupedMax) {
        grouped.lines.push_back({std::format("and {} more", tier.size() - kGroupedMax), {}});
    }
    grouped.flow = is_running ? Flow::running : tier.front().flow;
    return grouped;
}

Mark mark_of(Flow flow, Mark running) {
    switch (flow) {
        case Flow::running: return running;
        case Flow::resting: return Mark::resting;
        case Flow::broken: return Mark::broken;
    }
    return running;
}

// Where the boxes of a tier stand.
struct Row {
    BoxTier boxes;
    size_t width = 0;  // of each
    size_t left = 0;   // of the first

    [[nodiscard]] size_t total() const { return boxes.size() * width + (boxes.size() - 1) * kBoxGap; }
    [[nodiscard]] size_t left_of(size_t box) const { return left + box * (width + kBoxGap); }
    [[nodiscard]] size_t middle_of(size_t box) const { return left_of(box) + width / 2; }
    [[nodiscard]] size_t height() const {
        size_t lines = 0;
        for (const Box& box : boxes) {
            lines = std::max(lines, box.lines.size());
        }
        return lines + 3;  // the title and the borders
    }
};

class Drafter {
public:
    Drafter(const BoxDrawing& drawing, const DrawingLayout& layout)
        : layout_(layout),
          drawing_(drawing),
          source_(first_columns(drawing.source, even_below(layout.columns))),
          canvas_(layout.columns, layout.charset) {
        size_t widest = even_above(columns_of(source_));
        for (const BoxTier& tier : drawing.tiers) {
            Row row{.boxes = tier};
            row.width = width_of_boxes(tier, layout.columns);
            if (row.width == 0) {
                row.boxes = {group(tier)};
                row.width = width_of_boxes(row.boxes, layout.columns);
            }
            widest = std::max(widest, row.total());
            rows_.push_back(std::move(row));
        }
        for (Row& row : rows_) {
            row.left = (widest - row.total()) / 2;
        }
        source_left_ = (widest - columns_of(source_)) / 2;
    }

    std::string draw() {
        canvas_.text(source_left_, y_, source_);
        std::vector<size_t> above{source_left_ + columns_of(source_) / 2};
        if (!rows_.empty() && rows_.front().boxes.size() == 1) {
            above.front() = rows_.front().middle_of(0);
        }
        for (const Row& row : rows_) {
            connect(above, row);
            draw_row(row);
            above.clear();
            for (size_t box = 0; box < row.boxes.size(); ++box) {
                above.push_back(row.middle_of(box));
            }
        }
        if (drawing_.copying && has_room_for_copying(drawing_, layout_)) {
            draw_copying(rows_.back());
        }
        return canvas_.to_string(layout_.colour);
    }

private:
    // From the boxes above, or the text at the top, which ends in row y_, to the boxes of this row.
    void connect(const std::vector<size_t>& above, const Row& row) {
        size_t bus = y_ + 1;
        for (size_t from : above) {
            canvas_.vertical(from, y_, bus);
        }
        size_t first = std::min(above.front(), row.middle_of(0));
        size_t last = std::max(above.back(), row.middle_of(row.boxes.size() - 1));
        canvas_.horizontal(first, last, bus);
        for (size_t box = 0; box < row.boxes.size(); ++box) {
            const Box& to = row.boxes[box];
            canvas_.vertical(row.middle_of(box), bus, bus + 1);
            canvas_.mark(row.middle_of(box), bus + 1, mark_of(to.flow, Mark::down));
            size_t room = row.width - row.width / 2 + kBoxGap - 3;
            Ink ink = to.flow == Flow::running   ? Ink::plain
                      : to.flow == Flow::resting ? Ink::yellow
                                                 : Ink::red;
            canvas_.text(row.middle_of(box) + 2, bus + 1, first_columns(to.flow_label, room), ink);
        }
        y_ = bus + 2;
    }

    void draw_row(const Row& row) {
        size_t label = label_width(row.boxes);
        for (size_t box = 0; box < row.boxes.size(); ++box) {
            size_t left = row.left_of(box);
            canvas_.box(left, y_, row.width, row.height());
            draw_content(row.boxes[box], {left + 2, y_ + 1, row.width - kFrame}, label);
        }
        y_ += row.height() - 1;
    }

    struct Place {
        size_t left;
        size_t top;
        size_t width;
    };

    void draw_content(const Box& box, Place place, size_t label) {
        size_t state = std::min(columns_of(box.state.text), place.width);
        size_t room = place.width - state;
        canvas_.text(place.left, place.top, first_columns(box.title, room == 0 ? 0 : room - 1), Ink::bold);
        canvas_.text(place.left + room, place.top, first_columns(box.state.text, state), box.state.ink);
        size_t row = place.top;
        for (const BoxLine& line : box.lines) {
            ++row;
            canvas_.text(place.left, row, first_columns(line.label, place.width));
            size_t at = label + kFactGap;
            for (const TextCell& fact : line.facts) {
                bool is_first = &fact == line.facts.data();
                size_t width = columns_of(fact.text);
                if (at >= place.width || (!is_first && at + width > place.width)) {
                    break;
                }
                canvas_.text(place.left + at, row, first_columns(fact.text, place.width - at), fact.ink);
                at += width + (width == 0 ? 0 : kFactGap);
            }
        }
    }

    void draw_copying(const Row& row) {
        const Copying& copying = *drawing_.copying;
        size_t from = row.middle_of(copying.from);
        size_t first = from;
        size_t last = from;
        canvas_.vertical(from, y_, y_ + 2);
        for (const auto& [box, flow] : copying.to) {
            size_t to = row.middle_of(box);
            canvas_.vertical(to, y_ + 1, y_ + 2);
            canvas_.mark(to, y_ + 1, mark_of(flow, Mark::up));
            first = std::min(first, to);
            last = std::max(last, to);
        }
        y_ += 2;
        canvas_.horizontal(first, last, y_);
        // Between the primary and its neighbour, where no line meets the text.
        size_t begin = first + 2;
        size_t room = row.width + kBoxGap - 3;
        std::string label = " " + copying.label + " ";
        if (columns_of(label) <= room) {
            canvas_.text(begin + (room - columns_of(label)) / 2, y_, label);
        }
    }

    const DrawingLayout& layout_;
    const BoxDrawing& drawing_;
    std::string_view source_;
    LineCanvas canvas_;
    std::vector<Row> rows_;
    size_t source_left_ = 0;
    size_t y_ = 0;  // the last row that was drawn
};

}  // namespace

std::string draw_boxes(const BoxDrawing& drawing, const DrawingLayout& layout) {
    return Drafter(drawing, layout).draw();
}

bool has_room_for_copying(const BoxDrawing& drawing, const DrawingLayout& layout) {
    return !drawing.tiers.empty() && width_of_boxes(drawing.tiers.back(), layout.columns) > 0;
}

}  // namespace node
