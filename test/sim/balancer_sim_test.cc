// The whole balancer on a seeded network. Each seed draws a topology, traffic and faults; what must hold is
// checked on what the clients got and the origins did. A failing seed is replayed with TRILITH_SIM_SEED=N.
#include <algorithm>
#include <cstdlib>
#include <format>
#include <numeric>

#include <doctest/doctest.h>

#include "sim/site.h"

namespace sim {

namespace {

uint64_t number_from_environment(const char* name, uint64_t otherwise) {
    const char* text = std::getenv(name);
    return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

// The seeds of this run: one that is replayed, or as many as asked for.
std::vector<uint64_t> seeds(uint64_t count) {
    if (uint64_t one = number_from_environment("TRILITH_SIM_SEED", 0); one != 0) {
        return {one};
    }
    std::vector<uint64_t> all(number_from_environment("TRILITH_SIM_SEEDS", count));
    std::iota(all.begin(), all.end(), 1);
    return all;
}

std::string describe(const Answer& answer) {
    constexpr std::array<std::string_view, 4> kMethods{"GET", "HEAD", "POST", "chunked POST"};
    return std::format(
        "{} {}: status {}{}{} from \"{}\" after {} us; ",
        kMethods[std::to_underlying(answer.kind)],
        answer.id,
        answer.status,
        answer.has_begun ? ", begun" : "",
        answer.status == 200 && !answer.is_body_right ? ", wrong body" : "",
        answer.origin,
        answer.took / std::chrono::microseconds(1)
    );
}

// A safe request is answered 200 while origin b0 is healthy, unless an origin that failed had begun to
// answer: what has had answer bytes is not sent again. Any 200 has the bytes of its own request.
std::string broken_answers(const Site& site) {
    std::string broken;
    for (const Answer& answer : site.answers()) {
        bool is_right = answer.status == 200 && answer.is_body_right;
        // Who asked in HTTP/1.0 cannot tell an answer that was cut from one that has ended.
        bool is_short = answer.is_open_ended && answer.is_old;
        bool is_cut = (answer.status == 0 && answer.has_begun) || answer.status == 502 || is_short;
        bool was_cut = is_cut && site.ledger().begun_by_failing.contains(answer.id);
        bool may_fail = answer.is_abandoned || (answer.is_post() && answer.status != 200);
        if (!is_right && !was_cut && !may_fail) {
            broken += describe(answer) + site.access_log_line(answer.id) + "\n";
        }
    }
    return broken;
}

// A POST is carried out at most once, and exactly once when its client was told 200.
std::string broken_posts(const Site& site) {
    std::string broken;
    for (const Answer& answer : site.answers()) {
        auto found = site.ledger().executed.find(answer.id);
        uint32_t executed = found == site.ledger().executed.end() ? 0 : found->second;
        if (answer.is_post() && (executed > 1 || (answer.status == 200 && executed == 0))) {
            broken += describe(answer) + std::format("carried out {} times; ", executed);
        }
    }
    return broken;
}

struct Verdict {
    std::string broken;  // "" when all holds
    uint64_t trace = 0;
};

// One run from the first packet to the last descriptor.
Verdict run(uint64_t seed, SitePlan plan) {
    Site site(seed, std::move(plan));
    Verdict verdict;
    auto expect = [&](bool holds, std::string_view what) {
        verdict.broken += holds ? "" : std::string(what) + "; ";
    };
    expect(site.begin(), "the origins are not all up at the start");
    expect(site.finish_clients(), "a client hangs");
    expect(site.shut_down(), "something does not end");
    verdict.broken += broken_answers(site) + broken_posts(site);
    expect(site.ledger().corrupt == 0, "an origin received a wrong body");
    expect(site.answers().size() == site.plan().clients * site.plan().requests, "answers are missing");
    std::string leaked = site.world().leaked();
    expect(leaked.empty(), "descriptors are left open:\n" + leaked);
    verdict.trace = site.world().os().trace_hash();
    if (!verdict.broken.empty()) {
        verdict.broken += "\nreplay: TRILITH_SIM_SEED=" + std::to_string(seed) + "\n" + site.log();
    }
    return verdict;
}

}  // namespace

TEST_CASE("whatever fails around a healthy origin, no safe request is lost and no POST is carried out twice"
) {
    for (uint64_t seed : seeds(100)) {
        Verdict verdict = run(seed, SitePlan::drawn(seed, Roughness::rough));
        CHECK_MESSAGE(verdict.broken.empty(), verdict.broken);
    }
}

TEST_CASE("without retries the same faults lose safe requests") {
    size_t broken = 0;
    for (uint64_t seed = 1; seed <= 10; ++seed) {
        SitePlan plan = SitePlan::drawn(seed, Roughness::rough);
        plan.retries = 0;
        broken += run(seed, std::move(plan)).broken.empty() ? 0 : 1;
    }
    CHECK(broken > 0);
}

TEST_CASE("two runs of one seed are the same run") {
    for (uint64_t seed : seeds(5)) {
        SitePlan plan = SitePlan::drawn(seed, Roughness::rough);
        CHECK(run(seed, plan).trace == run(seed, plan).trace);
    }
    CHECK(
        run(1, SitePlan::drawn(1, Roughness::rough)).trace !=
        run(2, SitePlan::drawn(2, Roughness::rough)).trace
    );
}

TEST_CASE("on an orderly site every request is carried out once and the weights are kept exactly") {
    for (uint64_t seed : seeds(30)) {
        SitePlan plan = SitePlan::drawn(seed, Roughness::orderly);
        plan.cores = 1;
        uint64_t cycle = std::accumulate(plan.weights.begin(), plan.weights.end(), uint64_t{0});
        plan.requests = cycle * 3;
        Site site(seed, plan);
        CAPTURE(seed);
        REQUIRE(site.begin());
        REQUIRE(site.finish_clients());
        REQUIRE(site.shut_down());
        for (const Answer& answer : site.answers()) {
            bool is_right = answer.status == 200 && answer.is_body_right;
            CHECK_MESSAGE(is_right, describe(answer));
            CHECK(site.ledger().executed.at(answer.id) == 1);
        }
        for (size_t index = 0; index < plan.weights.size(); ++index) {
            uint64_t share = plan.clients * 3 * plan.weights[index];
            CHECK(site.ledger().by_origin.at(site.origin(index).name()) == share);
        }
        CHECK(site.access_log_lines() == plan.clients * plan.requests);
        CHECK(site.world().leaked() == "");
    }
}

// Of one client a backend needs one connection at a time, so one core opens no more than one for each pair.
size_t connections_beyond_need(Site& site) {
    size_t opened = 0;
    for (size_t index = 0; index < site.plan().weights.size(); ++index) {
        opened += site.origin(index).connections();
    }
    size_t needed = site.plan().clients * site.plan().weights.size();
    return opened - std::min(opened, needed);
}

SitePlan plan_without_posts(uint64_t seed) {
    SitePlan plan = SitePlan::drawn(seed, Roughness::orderly);
    plan.cores = 1;
    plan.post_percent = 0;           // a POST may want a connection that is young
    plan.wire.spurious_percent = 0;  // an idle connection on which something seems to have happened is not
                                     // used
    plan.requests = 10 * plan.weights.size();
    return plan;
}

TEST_CASE("connections to origins are used again") {
    for (uint64_t seed : seeds(30)) {
        Site site(seed, plan_without_posts(seed));
        CAPTURE(seed);
        REQUIRE(site.begin());
        REQUIRE(site.finish_clients());
        REQUIRE(site.shut_down());
        CHECK(connections_beyond_need(site) == 0);
    }
}

TEST_CASE("where origins end each connection, more are opened than would be needed") {
    for (uint64_t seed = 1; seed <= 5; ++seed) {
        SitePlan plan = plan_without_posts(seed);
        plan.until_close_percent = 100;
        Site site(seed, plan);
        REQUIRE(site.begin());
        REQUIRE(site.finish_clients());
        REQUIRE(site.shut_down());
        CHECK(connections_beyond_need(site) == 9 * plan.clients * plan.weights.size());
    }
}

TEST_CASE("the traffic has requests in HTTP/1.0 and bodies that wait for a 100 Continue") {
    size_t old = 0;
    size_t open_ended = 0;
    size_t continued = 0;
    for (uint64_t seed = 1; seed <= 10; ++seed) {
        Site site(seed, SitePlan::drawn(seed, Roughness::orderly));
        REQUIRE(site.begin());
        REQUIRE(site.finish_clients());
        REQUIRE(site.shut_down());
        for (const Answer& answer : site.answers()) {
            bool is_right = answer.status == 200 && answer.is_body_right;
            CHECK_MESSAGE(is_right, describe(answer));
            CHECK((!answer.is_expecting || answer.was_continued));
            old += answer.is_old ? 1 : 0;
            open_ended += answer.is_old && answer.is_open_ended ? 1 : 0;
            continued += answer.was_continued ? 1 : 0;
        }
    }
    CHECK(old > 20);
    CHECK(open_ended > 5);
    CHECK(continued > 20);
}

// The queue is one for all cores: what is given back on one of them must not stay there.
TEST_CASE("requests that find all places taken wait for one") {
    for (uint64_t seed : seeds(30)) {
        SitePlan plan = SitePlan::drawn(seed, Roughness::orderly);
        plan.cores = 2 + seed % 3;
        plan.connections_max = 1;
        plan.clients = 8 + seed % 8;
        plan.weights.resize(2);
        Verdict verdict = run(seed, std::move(plan));
        CHECK_MESSAGE(verdict.broken.empty(), verdict.broken);
    }
}

TEST_CASE("a health check reads past interim answers") {
    SitePlan plan = SitePlan::drawn(1, Roughness::orderly);
    plan.interim_percent = 100;
    Verdict verdict = run(1, std::move(plan));
    CHECK_MESSAGE(verdict.broken.empty(), verdict.broken);
}

TEST_CASE("a drain in the middle of traffic loses no request that an origin has received") {
    size_t turned_away = 0;
    for (uint64_t seed : seeds(30)) {
        SitePlan plan = SitePlan::drawn(seed, Roughness::orderly);
        Site site(seed, plan);
        CAPTURE(seed);
        REQUIRE(site.begin());
        CHECK_FALSE(site.world().run_until([] { return false; }, std::chrono::milliseconds(5 + seed % 20)));
        REQUIRE(site.shut_down());
        for (const Answer& answer : site.answers()) {
            bool is_right = answer.status == 200 && answer.is_body_right;
            turned_away += is_right ? 0 : 1;
            CHECK_MESSAGE((is_right || !site.ledger().executed.contains(answer.id)), describe(answer));
        }
        CHECK(site.world().leaked() == "");
    }
    CHECK(turned_away > 0);
}

TEST_CASE("a drain without time cuts requests that run") {
    size_t cut = 0;
    for (uint64_t seed = 1; seed <= 10; ++seed) {
        SitePlan plan = SitePlan::drawn(seed, Roughness::orderly);
        plan.drain = core::Duration(0);
        Site site(seed, plan);
        REQUIRE(site.begin());
        CHECK_FALSE(site.world().run_until([] { return false; }, std::chrono::milliseconds(10)));
        REQUIRE(site.shut_down());
        for (const Answer& answer : site.answers()) {
            cut += answer.status != 200 && site.ledger().executed.contains(answer.id) ? 1 : 0;
        }
    }
    CHECK(cut > 0);
}

}  // namespace sim
