// A program's output as lines: every split, what is too long, what is too much, and the last of it.
#include "child/output_lines.h"

#include <vector>

#include <doctest/doctest.h>

namespace child {
namespace {

using namespace std::chrono_literals;

struct Sink {
    LastLines last;
    std::vector<std::string> lines{};
    uint64_t dropped = 0;
    OutputLines output{last, [this](std::string_view line, uint64_t count) {
        if (count > 0) {
            dropped += count;
        } else {
            lines.emplace_back(line);
        }
    }};
};

TEST_CASE("lines come out the same however the bytes are split, and a last one without its newline too") {
    const std::string text = "one\n\ntwo three\r\nfour";
    const std::vector<std::string> expected{"one", "", "two three", "four"};
    for (size_t first = 0; first <= text.size(); ++first) {
        for (size_t second = first; second <= text.size(); ++second) {
            Sink sink;
            std::string_view view = text;
            sink.output.feed(view.substr(0, first), {});
            sink.output.feed(view.substr(first, second - first), {});
            sink.output.feed(view.substr(second), {});
            sink.output.finish();
            REQUIRE(sink.lines == expected);
        }
    }
}

TEST_CASE("a line that is too long is cut and says so, and the next one is whole") {
    Sink sink;
    sink.output.feed(std::string(kLineMax, 'a') + "\n", {});
    for (int piece = 0; piece < 100; ++piece) {
        sink.output.feed(std::string(1000, 'b'), {});
    }
    sink.output.feed("\nnext\n", {});
    REQUIRE(sink.lines.size() == 3);
    CHECK(sink.lines[0] == std::string(kLineMax, 'a'));
    CHECK(sink.lines[1] == std::string(kLineMax, 'b') + " [cut: a line of more than 8KiB]");
    CHECK(sink.lines[2] == "next");
}

TEST_CASE("more than a thousand lines in a second are left out, counted and told with the next one") {
    Sink sink;
    core::Instant now{10s};
    for (uint32_t line = 0; line < kLinesPerSecond + 500; ++line) {
        sink.output.feed("x\n", now);
    }
    CHECK(sink.lines.size() == kLinesPerSecond);
    CHECK(sink.dropped == 0);
    sink.output.feed("later\n", now + 1s);
    CHECK(sink.dropped == 500);
    CHECK(sink.lines.back() == "later");
    for (uint32_t line = 0; line < kLinesPerSecond + 7; ++line) {
        sink.output.feed("x\n", now + 1s);
    }
    sink.output.finish();
    CHECK(sink.dropped == 508);
}

TEST_CASE("the last twenty lines are kept, those that were left out too") {
    Sink sink;
    for (uint32_t line = 0; line < kLinesPerSecond + 30; ++line) {
        sink.output.feed(std::to_string(line) + "\n", {});
    }
    std::string expected;
    for (uint32_t line = kLinesPerSecond + 10; line < kLinesPerSecond + 30; ++line) {
        expected += (expected.empty() ? "" : "\n") + std::to_string(line);
    }
    CHECK(sink.last.text() == expected);
}

TEST_CASE("what is kept is bounded in bytes, and shows control characters as text") {
    LastLines last;
    for (int line = 0; line < 20; ++line) {
        last.add(std::string(1000, 'x'));
    }
    CHECK(last.text().size() == 4 * 1001 - 1);
    last.add(std::string(100'000, 'y'));
    CHECK(last.text() == std::string(kLastBytes, 'y'));
    last.add("\x1b[31mred\x7f\t");
    CHECK(last.text() == "\\x1b[31mred\\x7f\\x09");
}

}  // namespace
}  // namespace child
