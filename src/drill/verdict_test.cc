// What objectives say to a tally.
#include "drill/verdict.h"

#include <algorithm>

#include <doctest/doctest.h>

namespace drill {

namespace {

using namespace std::chrono_literals;

Tally good_tally() {
    Tally tally;
    for (KindTally& kind : tally) {
        kind = {
            .total = 100,
            .longest_pause = 1s,
            .before = {.count = 50, .p50 = 1ms, .p99 = 2ms},
            .during = {.count = 50, .p50 = 3ms, .p99 = 4ms},
        };
    }
    return tally;
}

KindTally& part(Tally& tally, Kind kind) { return tally[static_cast<size_t>(kind)]; }

const Findings kGood{.recovery = 2s, .ledger = LedgerCheck{.acknowledged = 10}, .ledger_problem = {}};

// The keys of those that are not met, in their order.
std::vector<std::string_view> unmet(
    const Tally& tally,
    const Findings& findings,
    const Objectives& objectives = {}
) {
    std::vector<std::string_view> keys;
    for (const Judgement& judgement : judge(tally, findings, objectives)) {
        if (!judgement.is_met) {
            keys.push_back(judgement.objective);
        }
    }
    return keys;
}

using Keys = std::vector<std::string_view>;

}  // namespace

TEST_CASE("a good drill meets the default objectives, of which those that are not set are not judged") {
    CHECK(unmet(good_tally(), kGood).empty());
    Keys keys;
    for (const Judgement& judgement : judge(good_tally(), kGood, {})) {
        keys.push_back(judgement.objective);
    }
    CHECK(
        keys ==
        Keys{"failed_requests", "lost_writes", "failed_reads", "request_pause", "write_pause", "read_pause"}
    );
}

TEST_CASE("each objective fails by its own figure alone, and is met at its bound") {
    Tally tally = good_tally();
    part(tally, Kind::request).failed = 1;
    part(tally, Kind::request).cut = 2;
    part(tally, Kind::form).cut = 1;
    part(tally, Kind::form).failed = 4;
    CHECK(unmet(tally, kGood) == Keys{"failed_requests"});
    Objectives all{
        .failed_requests = 0,
        .cut_answers = 2,
        .failed_forms = 3,
        .lost_writes = 0,
        .failed_reads = 0,
        .request_pause = 1s,
        .write_pause = 1s,
        .read_pause = 1s,
        .p99 = 4ms,
        .recovery = 2s,
    };
    CHECK(unmet(tally, kGood, all) == Keys{"failed_requests", "cut_answers", "failed_forms"});
    all.failed_requests = 1;
    all.cut_answers = 3;
    all.failed_forms = 4;
    CHECK(unmet(tally, kGood, all).empty());
    all.request_pause = all.write_pause = all.read_pause = 999ms;
    all.p99 = 3ms;
    all.recovery = 1999ms;
    CHECK(unmet(tally, kGood, all) == Keys{"request_pause", "write_pause", "read_pause", "p99", "recovery"});
    part(tally, Kind::read).failed = 1;
    CHECK(unmet(tally, kGood) == Keys{"failed_requests", "failed_reads"});
}

TEST_CASE("a cut answer is no failed request") {
    Tally tally = good_tally();
    part(tally, Kind::request).cut = 5;
    CHECK(unmet(tally, kGood).empty());
}

TEST_CASE("a lost write fails, and so does a table that could not be looked at") {
    Findings findings = kGood;
    findings.ledger->lost = 1;
    CHECK(unmet(good_tally(), findings) == Keys{"lost_writes"});
    CHECK(
        unmet(good_tally(), {.recovery = 2s, .ledger = {}, .ledger_problem = "it is gone"}) ==
        Keys{"lost_writes"}
    );
    findings.ledger->lost = 0;
    findings.ledger->doubled = 1;
    CHECK(unmet(good_tally(), findings) == Keys{"lost_writes"});
}

TEST_CASE("without a recovery a drill fails, whatever is written") {
    CHECK(
        unmet(good_tally(), {.recovery = {}, .ledger = LedgerCheck(), .ledger_problem = {}}) ==
        Keys{"recovery"}
    );
}

TEST_CASE("what there was none of is not judged") {
    Tally tally = good_tally();
    for (Kind kind : {Kind::form, Kind::write, Kind::read}) {
        part(tally, kind) = {};
    }
    Keys keys;
    for (const Judgement& judgement :
         judge(tally, {.recovery = 2s, .ledger = {}, .ledger_problem = {}}, {})) {
        keys.push_back(judgement.objective);
    }
    CHECK(keys == Keys{"failed_requests", "request_pause"});
}

TEST_CASE("durations are told as precisely as is of use") {
    CHECK(brief_duration(812us) == "0.8ms");
    CHECK(brief_duration(9949us) == "9.9ms");
    CHECK(brief_duration(123456us) == "123ms");
    CHECK(brief_duration(1234ms) == "1.23s");
}

}  // namespace drill
