// The form of a log line: one line an event, whatever peers put into its values.
#include "core/log.h"

#include <string>
#include <vector>

#include <doctest/doctest.h>

namespace core {
namespace {

using namespace std::chrono_literals;

struct Lines {
    std::vector<std::string> written;
    Log log{[] { return WallTime{1795234114123ms}; }, [this](std::string_view line) {
        written.emplace_back(line);
    }};
};

TEST_CASE("a line is time, level, component, event and fields") {
    Lines lines;
    lines.log.error("net", "cannot listen");
    lines.log.warn("node", "few descriptors", {{"limit", "1024"}});
    lines.log.info("node", "serving", {{"server", "lb1"}, {"listen", "127.0.0.1:8101"}});
    REQUIRE(lines.written.size() == 3);
    CHECK(lines.written[0] == "2026-11-21T04:08:34.123Z error net: cannot listen\n");
    CHECK(lines.written[1] == "2026-11-21T04:08:34.123Z warn node: few descriptors limit=1024\n");
    CHECK(
        lines.written[2] == "2026-11-21T04:08:34.123Z info node: serving server=lb1 listen=127.0.0.1:8101\n"
    );
}

TEST_CASE("a value that could be misread is quoted") {
    struct Case {
        std::string value;
        std::string_view written;
    };
    const Case cases[] = {
        {"plain-1.2:3/x", "plain-1.2:3/x"},
        {"", R"("")"},
        {"two words", R"("two words")"},
        {"a=b", R"("a=b")"},
        {"a\"b", R"("a\"b")"},
        {"a\\b", R"("a\\b")"},
        {"a\nforged line", R"("a\nforged line")"},
        {"\x1b[31m", R"("\u001b[31m")"},
        {"\x7f", R"("\u007f")"},
        {"\xFF", R"("\u00ff")"},
        {"gr\xC3\xBC\xC3\x9F", "\"gr\xC3\xBC\xC3\x9F\""},
    };
    for (const Case& row : cases) {
        Lines lines;
        lines.log.info("c", "e", {{"key", row.value}, {"last", "1"}});
        REQUIRE(lines.written.size() == 1);
        CHECK(
            lines.written[0] ==
            "2026-11-21T04:08:34.123Z info c: e key=" + std::string(row.written) + " last=1\n"
        );
    }
}

TEST_CASE("an event with a line feed stays one line") {
    Lines lines;
    lines.log.warn("c", "peer said\n2026 error forged: line");
    REQUIRE(lines.written.size() == 1);
    CHECK(lines.written[0] == "2026-11-21T04:08:34.123Z warn c: peer said 2026 error forged: line\n");
}

}  // namespace
}  // namespace core
