// What is printed of drills, and who has passed.
#include "node/drill/report.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

namespace node {

namespace {

using namespace std::chrono_literals;

DrillReport good_report() {
    DrillReport report;
    report.name = "web1";
    report.deed = "the server web1 (pid 7) was killed (SIGKILL)";
    report.tally[0] = {
        .total = 100,
        .failed = 1,
        .cut = 2,
        .failures = {{"502", 1}, {"cut", 2}},
        .longest_pause = 1500ms,
        .before = {.count = 50, .p50 = 1ms, .p99 = 2ms},
        .during = {},
    };
    report.findings = {
        .recovery = 2500ms,
        .ledger = drill::LedgerCheck{.acknowledged = 9},
        .ledger_problem = {}
    };
    report.has_statements = true;
    report.recoveries = {{"servers", 1s}, {"database", 2500ms}};
    report.judgements = {{"lost_writes", "at most 0", "0", true}};
    return report;
}

}  // namespace

TEST_CASE("a drill passes when it came to its end and met everything") {
    DrillReport report = good_report();
    CHECK(report.has_passed());
    report.judgements[0].is_met = false;
    CHECK_FALSE(report.has_passed());
    report = good_report();
    report.problem = "interrupted";
    CHECK_FALSE(report.has_passed());
    report = good_report();
    report.deed.clear();
    CHECK_FALSE(report.has_passed());
}

TEST_CASE("the text says what was done, seen, lost, and judged") {
    std::string text = drill_text(good_report());
    for (std::string_view part : {
             "drill web1: the server web1 (pid 7) was killed (SIGKILL)\n",
             "1.0ms / 2.0ms",
             "1.50s",
             "502: 1, cut: 2",
             "9 acknowledged writes: 0 lost, their sum is as it was",
             "everything as it was after 2.50s: servers 1.00s, database 2.50s",
             "met    lost_writes: 0, at most 0",
         }) {
        CHECK_MESSAGE(text.contains(part), text);
    }
    CHECK(text.ends_with("passed\n"));
    CHECK_FALSE(text.contains("forms"));  // there were none
}

TEST_CASE("the text of a drill that came to nothing says so") {
    DrillReport report;
    report.name = "app";
    report.problem = "it could not be done: web1 has no process 7";
    std::string text = drill_text(report);
    CHECK(text.starts_with("drill app: nothing was done\n  it could not be done"));
    CHECK(text.ends_with("FAILED\n"));
    report.has_statements = true;
    report.findings.ledger_problem = "it is gone";
    CHECK(drill_text(report).contains("whether writes were lost is not known: it is gone"));
}

TEST_CASE("lost, doubled and changed writes are told") {
    DrillReport report = good_report();
    report.findings.ledger->lost = 1;
    report.findings.ledger->doubled = 2;
    report.findings.ledger->sum_found = 5;
    CHECK(
        drill_text(report).contains("1 lost, 2 there twice, 0 changed, 0 of nobody, and their sum is another")
    );
}

TEST_CASE("the table has a line a drill, and names what was not met") {
    std::vector<DrillReport> reports{good_report(), good_report()};
    reports[1].name = "app";
    reports[1].judgements[0] = {"lost_writes", "at most 0", "3", false};
    std::string table = drills_table(reports);
    CHECK(std::ranges::count(table, '\n') == 4);
    CHECK(table.contains("app: FAILED lost_writes: 3, at most 0\n"));
}

TEST_CASE("the JSON has it all") {
    std::vector<DrillReport> reports{good_report()};
    auto document = nlohmann::json::parse(drills_json(reports));
    CHECK(document["passed"] == true);
    const auto& drill = document["drills"][0];
    CHECK(drill["requests"]["failures"]["502"] == 1);
    CHECK(drill["requests"]["longest_pause_seconds"] == 1.5);
    CHECK(drill["requests"]["during"].is_null());
    CHECK(drill["ledger"]["acknowledged"] == 9);
    CHECK(drill["recovery_seconds"] == 2.5);
    CHECK(drill["objectives"][0]["objective"] == "lost_writes");
    reports[0].findings = {};
    document = nlohmann::json::parse(drills_json(reports));
    CHECK(document["drills"][0]["ledger"].is_null());
    CHECK(document["drills"][0]["recovery_seconds"].is_null());
    CHECK(nlohmann::json::parse(drills_json({}))["passed"] == false);
}

}  // namespace node
