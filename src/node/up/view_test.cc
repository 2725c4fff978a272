// The block that `trilith up` shows on a terminal.
#include "node/up/view.h"

#include <algorithm>
#include <string>

#include <doctest/doctest.h>

namespace node {

namespace {

const UpPicture kPicture{
    .heading = "www.foobar.com is starting, 3.2s",
    .rows =
        {
            {.name = "lb1", .mark = UpMark::good, .text = "ready", .figure = "12.0/s"},
            {.name = "web1", .mark = UpMark::working, .text = "its mariadbd is preparing", .figure = "2.1s"},
            {.name = "web2", .mark = UpMark::bad, .text = "died", .figure = "0.1s"},
        },
    .footer = {"Ctrl-C stops all in order"},
};

}  // namespace

TEST_CASE("each server has a line with what it does, and for how long") {
    CHECK(
        up_picture_text(kPicture, {.columns = 80, .rows = 24}) ==
        "www.foobar.com is starting, 3.2s\n"
        "  ✓  lb1   12.0/s  ready\n"
        "  …  web1    2.1s  its mariadbd is preparing\n"
        "  ✗  web2    0.1s  died\n"
        "Ctrl-C stops all in order\n"
    );
    std::string plain = up_picture_text(kPicture, {.columns = 80, .rows = 24, .charset = Charset::ascii});
    CHECK(plain.contains("  +  lb1 "));
    CHECK_FALSE(plain.contains('\x1b'));
    std::string coloured = up_picture_text(kPicture, {.columns = 80, .rows = 24, .colour = Colour::ansi});
    CHECK(coloured.contains("\x1b[31m✗\x1b[0m"));
}

TEST_CASE("the block fits into the terminal, and a line never fills one") {
    for (size_t rows : {size_t{1}, size_t{2}, size_t{3}, size_t{4}, size_t{5}, size_t{24}}) {
        std::string text = up_picture_text(kPicture, {.columns = 20, .rows = rows});
        CAPTURE(rows);
        auto lines = static_cast<size_t>(std::ranges::count(text, '\n'));
        CHECK(lines <= std::max(rows, size_t{3}) - 1);
        while (!text.empty()) {
            size_t end = text.find('\n');
            CHECK(columns_of(std::string_view(text).substr(0, end)) <= 19);
            text.erase(0, end + 1);
        }
    }
}

}  // namespace node
