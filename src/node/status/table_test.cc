// The table of `status`: what stands in it, how it fits a terminal, and the numbers that are computed for it.
#include "node/status/table.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "node/status/sample_status.h"

namespace node {

namespace {

using namespace std::chrono_literals;

std::vector<std::string> table_lines(std::string_view text) {
    std::vector<std::string> lines;
    while (!text.empty()) {
        size_t end = text.find('\n');
        REQUIRE(end != std::string_view::npos);
        lines.emplace_back(text.substr(0, end));
        text.remove_prefix(end + 1);
    }
    return lines;
}

// The words of the one line that begins with this name.
std::vector<std::string> row_of(const std::string& table, std::string_view name) {
    for (const std::string& line : table_lines(table)) {
        std::vector<std::string> words;
        for (size_t at = 0; at < line.size();) {
            size_t end = std::min(line.find("  ", at), line.size());
            if (end > at) {
                words.push_back(line.substr(at, end - at));
            }
            at = std::min(line.find_first_not_of(' ', end), line.size());
        }
        if (!words.empty() && words.front() == name) {
            return words;
        }
    }
    return {};
}

std::string table_of(const ServerStatus& status, TableOptions options = {}) {
    return status_table(std::span(&status, 1), options);
}

}  // namespace

TEST_CASE("the SQL router says how its connections are used, and what pins sessions") {
    std::string table = table_of(sample_status());
    CAPTURE(table);
    using Words = std::vector<std::string>;
    CHECK(
        row_of(table, "10.0.0.5:3306") ==
        Words{"10.0.0.5:3306", "primary", "100", "4", "3", "100", "1", "-", "-"}
    );
    CHECK(
        row_of(table, "10.0.0.6:3306") ==
        Words{"10.0.0.6:3306", "replica", "100→70", "2", "0", "100", "0", "250ms", "yes"}
    );
    ServerStatus status = sample_status();
    RouterNodeStatus& replica = status.router->nodes[1];
    replica.override = {.weight = {}, .admin = "drain"};
    CHECK(row_of(table_of(status), "10.0.0.6:3306").back() == "draining");
    replica.connections_idle = replica.connections;
    CHECK(row_of(table_of(status), "10.0.0.6:3306").back() == "drained");
    replica.waiting = 1;
    CHECK(row_of(table_of(status), "10.0.0.6:3306").back() == "draining");
    replica.override.admin = "disable";
    CHECK(row_of(table_of(status), "10.0.0.6:3306").back() == "disabled");
}

TEST_CASE("the table says what a person asks first") {
    std::string table = table_of(sample_status());
    CAPTURE(table);
    CHECK(
        row_of(table, "api.foobar.com") ==
        std::vector<std::string>{"api.foobar.com", "lb1", "up 1h 2m, pid 4711, 2 threads, version 0.1.0"}
    );
    CHECK(table.contains("listens on 127.0.0.1:8101, [::1]:8101\n"));
    CHECK(table.contains("12 of 20000 connections, 4000 requests, 7 running"));
    CHECK(table.contains("10 answered with 5xx"));
    CHECK(table.contains("active-active, round-robin, 2 of 1000 places in the queue taken"));
    CHECK(
        row_of(table, "b1") ==
        std::vector<std::string>{
            "b1",
            "127.0.0.1:9002",
            "up",
            "100",
            "25%",
            "3",
            "1000",
            "5",
            "37.5ms",
            ">10.0s",
            "1d 1h",
            "2 of 2 checks succeeded",
        }
    );
    CHECK(row_of(table, "b2")[3] == "100→300");
    CHECK(row_of(table, "b2")[4] == "75%");
    CHECK(row_of(table, "b3")[2] == "draining");
    CHECK(row_of(table, "b3")[4] == "-");
    CHECK(row_of(table, "b4")[2] == "down (backup)");
    CHECK(row_of(table, "BACKEND").size() == 12);
}

TEST_CASE("columns stand under their heads") {
    ServerStatus status = sample_status();
    status.router.reset();
    std::vector<std::string> lines = table_lines(table_of(status));
    auto head = std::ranges::find_if(lines, [](const std::string& line) { return line.contains("BACKEND"); });
    REQUIRE(head != lines.end());
    size_t state = head->find("STATE");
    size_t end_of_requests = head->find("REQUESTS") + 8;
    for (auto line = head + 1; line != lines.end(); ++line) {
        CAPTURE(*line);
        CHECK((*line)[state - 1] == ' ');
        CHECK((*line)[state] != ' ');
        size_t arrow_bytes = line->contains("→") ? 2 : 0;
        CHECK(line->substr(end_of_requests + arrow_bytes - 4, 4) == "1000");
    }
}

TEST_CASE("there is no escape sequence without colours, and none that comes from a name") {
    ServerStatus status = sample_status();
    status.pools[0].backends[0].reason = "\x1b[2J\x07\x7f";
    status.pools[0].name = "a\nb";
    std::string plain = table_of(status);
    CHECK_FALSE(plain.contains('\x1b'));
    CHECK_FALSE(plain.contains('\x07'));
    CHECK(plain.contains("a?b"));
    CHECK(plain.contains("?[2J??"));
    std::string coloured = table_of(status, {.columns = 0, .colour = Colour::ansi, .earlier = {}});
    CHECK(coloured.contains("\x1b[32mup\x1b[0m"));
    CHECK(coloured.contains("\x1b[31mdown (backup)\x1b[0m"));
    CHECK_FALSE(coloured.contains("\x1b[2J"));
}

TEST_CASE("no line is wider than the terminal, and none ends with a space") {
    for (size_t columns : {size_t{1}, size_t{20}, size_t{79}, size_t{80}, size_t{200}}) {
        for (Colour colour : {Colour::none, Colour::ansi}) {
            std::string table =
                table_of(sample_status(), {.columns = columns, .colour = colour, .earlier = {}});
            for (const std::string& line : table_lines(table)) {
                std::string visible;
                for (size_t at = 0; at < line.size(); ++at) {
                    if (line[at] == '\x1b') {
                        at = line.find('m', at);
                    } else {
                        visible += line[at];
                    }
                }
                CAPTURE(line);
                CHECK(columns_of(visible) <= columns);
                CHECK_FALSE(visible.ends_with(' '));
            }
        }
    }
}

TEST_CASE("between two looks there are rates, and latencies of that time alone") {
    ServerStatus before = sample_status();
    ServerStatus now = before;
    now.uptime += 2s;
    now.requests_total += 3000;
    now.pools[0].backends[0].requests_total += 5;
    now.pools[0].backends[0].response_time.buckets[0] += 100;
    now.pools[0].backends.erase(now.pools[0].backends.begin() + 1);
    std::string table =
        table_of(now, {.columns = 0, .colour = Colour::none, .earlier = std::span(&before, 1)});
    CAPTURE(table);
    CHECK(table.contains("7000 requests (1500/s)"));
    CHECK(row_of(table, "BACKEND")[7] == "REQ/S");
    CHECK(row_of(table, "b1")[7] == "2.5");
    CHECK(row_of(table, "b1")[9] == "125us");
    CHECK(row_of(table, "b3")[7] == "0.0");
    CHECK(row_of(table, "b3")[9] == "-");
    // Another process began to count anew.
    before.pid += 1;
    CHECK_FALSE(
        table_of(now, {.columns = 0, .colour = Colour::none, .earlier = std::span(&before, 1)}).contains("/s")
    );
}

TEST_CASE("several servers stand below each other") {
    std::vector<ServerStatus> servers{sample_status(), sample_status()};
    servers[1].server = "lb2";
    servers[1].is_draining = true;
    std::string table = status_table(servers, {});
    CHECK(table.find("lb1") < table.find("lb2"));
    CHECK(table.contains("draining to its end"));
    CHECK(status_table({}, {}) == "");
    CHECK(table_of({}).contains("listens on nothing"));
}

TEST_CASE("quantiles are interpolated in their bucket") {
    HistogramStatus histogram;
    CHECK(quantile(histogram, 0.5) == 0s);
    histogram.buckets[0] = 100;
    CHECK(quantile(histogram, 0.5) == 125us);
    CHECK(quantile(histogram, 1) == 250us);
    histogram.buckets[2] = 100;
    CHECK(quantile(histogram, 0.5) == 250us);
    CHECK(quantile(histogram, 0.75) == 750us);
    histogram.buckets.back() = 1000;
    CHECK(quantile(histogram, 0.99) == 10s);
}

}  // namespace node
