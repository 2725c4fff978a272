#include "node/up/view.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <format>

#include "node/verbs/console.h"

namespace node {

namespace {

constexpr size_t kUsualRows = 24;
constexpr size_t kUsualWidth = 80;

TextCell mark_cell(UpMark mark, Charset charset) {
    bool is_ascii = charset == Charset::ascii;
    switch (mark) {
        case UpMark::working: return {is_ascii ? "." : "…", Ink::yellow};
        case UpMark::good: return {is_ascii ? "+" : "✓", Ink::green};
        case UpMark::bad: return {is_ascii ? "x" : "✗", Ink::red};
    }
    return {};
}

bool can_take_text() {
    pollfd looked{.fd = STDERR_FILENO, .events = POLLOUT, .revents = 0};
    return ::poll(&looked, 1, 0) == 1 && (looked.revents & POLLOUT) != 0;
}

}  // namespace

std::string up_picture_text(const UpPicture& picture, const UpLayout& layout) {
    // One column less: a full line would make some terminals begin another.
    const TextLayout whole{.columns = layout.columns - 1, .colour = layout.colour};
    size_t others = 1 + picture.footer.size();
    size_t room = layout.rows > others + 1 ? layout.rows - others - 1 : 0;
    std::string text;
    TextTable heading({Align::left});
    heading.add_row({{printable(picture.heading), Ink::bold}});
    heading.append_to(text, whole);
    TextTable table({Align::left, Align::left, Align::right, Align::left});
    for (const UpRow& row : picture.rows) {
        if (static_cast<size_t>(&row - picture.rows.data()) >= room) {
            break;
        }
        table.add_row(
            {mark_cell(row.mark, layout.charset),
             {printable(row.name)},
             {printable(row.figure), Ink::dim},
             {printable(row.text)}}
        );
    }
    table.append_to(text, {.indent = 2, .columns = whole.columns, .colour = layout.colour});
    TextTable footer({Align::left});
    for (const std::string& line : picture.footer) {
        footer.add_row({{printable(line)}});
    }
    footer.append_to(text, whole);
    return text;
}

UpView::UpView() : is_shown_(is_capable_terminal(STDERR_FILENO)) {}

void UpView::end() {
    is_shown_ = false;
    shown_.clear();
}

std::string UpView::erased() const {
    auto lines = std::ranges::count(shown_, '\n');
    return lines == 0 ? "" : std::format("\x1b[{}A\r\x1b[J", lines);
}

void UpView::say(std::string_view line) {
    if (!is_shown_) {
        standard_error_.write(line);
        return;
    }
    std::string text = erased();
    text += line;
    text += shown_;
    if (can_take_text()) {
        [[maybe_unused]] ssize_t written = ::write(STDERR_FILENO, text.data(), text.size());
    }
}

void UpView::show(const UpPicture& picture) {
    if (!is_shown_ || !can_take_text()) {
        return;
    }
    TerminalSize size = size_of_terminal(STDERR_FILENO);
    std::string text = up_picture_text(
        picture,
        {
            .columns = size.columns == 0 ? kUsualWidth : size.columns,
            .rows = size.rows == 0 ? kUsualRows : size.rows,
            .colour = has_colours(STDERR_FILENO) ? Colour::ansi : Colour::none,
            .charset = is_utf8_locale() ? Charset::unicode : Charset::ascii,
        }
    );
    if (text == shown_) {
        return;
    }
    std::string frame = erased() + text;
    shown_ = std::move(text);
    [[maybe_unused]] ssize_t written = ::write(STDERR_FILENO, frame.data(), frame.size());
}

}  // namespace node
