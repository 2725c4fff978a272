// What `trilith up` shows on a terminal: a block of lines, one a server, that is redrawn in place below what
// was said.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/units.h"
#include "node/log/standard_error.h"
#include "node/terminal/line_canvas.h"
#include "node/terminal/text_table.h"

namespace node {

enum class UpMark : uint8_t { working, good, bad };

struct UpRow {
    std::string name;  // a server, or "migrations"
    UpMark mark = UpMark::working;
    std::string text;    // what it does, or what it is
    std::string figure;  // a rate, or for how long it has been doing that
};

struct UpPicture {
    std::string heading;
    std::vector<UpRow> rows;
    std::vector<std::string> footer;
};

struct UpLayout {
    size_t columns = 80;
    size_t rows = 24;
    Colour colour = Colour::none;
    Charset charset = Charset::unicode;
};

// Lines that end with "\n", fewer than the terminal has rows, each narrower than it has columns.
[[nodiscard]] std::string up_picture_text(const UpPicture& picture, const UpLayout& layout);

// The terminal at standard error. Never waits for it: what it does not take is shown with the next picture.
class UpView {
public:
    UpView();

    // Whether there is one to show something on.
    [[nodiscard]] bool is_shown() const { return is_shown_; }
    // Shows nothing from here on, and leaves what stands there.
    void end();

    // A line above the picture; without a terminal, the line alone.
    void say(std::string_view line);
    void show(const UpPicture& picture);

private:
    [[nodiscard]] std::string erased() const;

    StandardError standard_error_;
    bool is_shown_;
    std::string shown_;  // the picture that stands there
};

}  // namespace node
