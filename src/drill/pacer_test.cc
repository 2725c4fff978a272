// Work that falls due at a rate.
#include "drill/pacer.h"

#include <algorithm>
#include <memory>
#include <vector>

#include <doctest/doctest.h>

#include "runtime/linux_os.h"

namespace drill {

namespace {

using namespace std::chrono_literals;

// Does each turn at once, until `last`; turn `slow`, if there is one, lasts until the last has been done or
// given up.
class CountedWork final : public Work {
public:
    CountedWork(runtime::Reactor& reactor, uint64_t last) : last_(last), over_(reactor) {}

    runtime::Task<void> work(size_t worker, Turn turn) override {
        done.push_back(turn);
        workers.push_back(worker);
        if (turn.number == last_) {
            end();
        }
        if (turn.number == slow) {
            [[maybe_unused]] auto ended = co_await over_.wait();
        }
    }

    void give_up(Turn turn) override { given_up.push_back(turn); }

    void end() {
        pacer->finish();
        over_.set();
    }

    Pacer* pacer = nullptr;
    uint64_t slow = UINT64_MAX;
    std::vector<Turn> done;
    std::vector<size_t> workers;
    std::vector<Turn> given_up;

private:
    uint64_t last_;
    runtime::Event over_;
};

struct Pacing {
    runtime::LinuxOs os;
    std::unique_ptr<runtime::Reactor> reactor = *runtime::Reactor::open(os);
};

runtime::Task<void> run_pacer(Pacer& pacer) { co_await pacer.run(); }

}  // namespace

TEST_CASE("every turn is done once, in order and at its time, by all workers in turn") {
    Pacing pacing;
    CountedWork work(*pacing.reactor, 99);
    Pacer pacer(*pacing.reactor, work, {.step = 100us, .workers = 3, .timeout = 60s});
    work.pacer = &pacer;
    pacing.reactor->run(run_pacer(pacer));
    REQUIRE(work.done.size() >= 100);
    for (size_t at = 0; at < work.done.size(); ++at) {
        CHECK(work.done[at].number == at);
        CHECK(work.done[at].due - work.done[0].due == at * 100us);
        CHECK(work.workers[at] == at % 3);
    }
    CHECK(work.given_up.empty());
}

TEST_CASE("a worker that is slow holds up nobody else") {
    Pacing pacing;
    CountedWork work(*pacing.reactor, 50);
    work.slow = 0;
    Pacer pacer(*pacing.reactor, work, {.step = 100us, .workers = 2, .timeout = 60s});
    work.pacer = &pacer;
    pacing.reactor->run(run_pacer(pacer));
    REQUIRE(work.done.size() >= 51);
    CHECK(work.done[50].number == 50);
}

TEST_CASE("what waits beyond its deadline for a worker is given up, and nothing is in both or in none") {
    Pacing pacing;
    CountedWork work(*pacing.reactor, UINT64_MAX);
    work.slow = 0;
    Pacer pacer(*pacing.reactor, work, {.step = 1ms, .workers = 1, .timeout = 5ms});
    work.pacer = &pacer;
    auto run = [](Pacer& paced, CountedWork& its, runtime::Reactor& reactor) -> runtime::Task<void> {
        runtime::TaskGroup group(reactor, 1);
        group.spawn(run_pacer(paced));
        [[maybe_unused]] auto slept = co_await reactor.sleep_for(50ms);
        its.end();
        co_await group.join();
    };
    pacing.reactor->run(run(pacer, work, *pacing.reactor));
    CHECK_FALSE(work.given_up.empty());
    std::vector<uint64_t> numbers;
    for (const std::vector<Turn>* turns : {&work.done, &work.given_up}) {
        for (const Turn& turn : *turns) {
            numbers.push_back(turn.number);
        }
    }
    std::ranges::sort(numbers);
    for (size_t at = 0; at < numbers.size(); ++at) {
        CHECK(numbers[at] == at);
    }
}

}  // namespace drill
