// Draws tiers of boxes with lines between them, for a terminal: what stands in the boxes is whoever's
// business.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "node/terminal/line_canvas.h"
#include "node/terminal/text_table.h"

namespace node {

// What arrives at a box from the tier above it.
enum class Flow : uint8_t {
    running,
    resting,  // nothing, on purpose: it stands by, or somebody took it out
    broken,   // nothing, though something should
};

struct BoxLine {
    std::string label;
    // The first stays longest where there is little room.
    std::vector<TextCell> facts;
};

struct Box {
    std::string title;
    TextCell state;
    std::vector<BoxLine> lines;
    Flow flow = Flow::running;
    std::string flow_label;  // stands at the arrow
};

using BoxTier = std::vector<Box>;

// An arrow below the last tier, from one of its boxes to others.
struct Copying {
    size_t from = 0;
    std::vector<std::pair<size_t, Flow>> to;
    std::string label;
};

struct BoxDrawing {
    std::string source;  // stands above the first tier
    std::vector<BoxTier> tiers;
    std::optional<Copying> copying;
};

struct DrawingLayout {
    size_t columns = 80;  // that a line may have
    Colour colour = Colour::none;
    Charset charset = Charset::unicode;
};

// Lines that end with "\n" and, without Colour::ansi, hold no escape sequence. Boxes show fewer facts where
// there is less room; a tier that has no room for its boxes side by side becomes one box with a line a box of
// it, and `copying` is left out there.
[[nodiscard]] std::string draw_boxes(const BoxDrawing& drawing, const DrawingLayout& layout);

// Whether `copying` is seen in that drawing.
[[nodiscard]] bool has_room_for_copying(const BoxDrawing& drawing, const DrawingLayout& layout);

}  // namespace node
