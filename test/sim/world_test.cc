// The runtime and the network layer on the simulated system, without a balancer: clients talk to origins
// directly.
#include "sim/world.h"

#include <algorithm>
#include <format>

#include <doctest/doctest.h>

#include "runtime/event.h"
#include "sim/sim_client.h"
#include "sim/sim_origin.h"

namespace sim {

namespace {

net::Address address(std::string_view text) {
    auto parsed = net::Address::parse(text);
    REQUIRE(parsed.has_value());
    return *parsed;
}

// One origin and some clients, each on a host of its own.
struct Direct {
    explicit Direct(uint64_t seed) : random(seed), world(seed, WireConfig::drawn(random)) {
        auto& reactor = world.add_reactor(host_of("10.0.1.1"));
        origin = std::make_unique<SimOrigin>(reactor, address("10.0.1.1:9001"), "a", seed, ledger);
        origin->script().until_close_percent = 30;
        world.start(reactor, origin->serve());
        origin_reactor = &reactor;
        for (uint64_t index = 0; index < 4; ++index) {
            auto& own = world.add_reactor(host_of(std::format("10.0.2.{}", index + 1)));
            ClientPlan plan{.target = origin->address(), .first_id = 1 + index * 100, .requests = 20};
            plan.leave_percent = 20;
            plan.pipeline_percent = 0;  // a plain origin that closes resets what is pipelined
            clients.push_back(std::make_unique<SimClient>(own, std::move(plan), seed + index));
            world.start(own, clients.back()->run());
            reactors.push_back(&own);
        }
    }

    bool run() {
        auto are_done = [this] { return std::ranges::all_of(reactors, &runtime::Reactor::is_done); };
        bool is_over = world.run_until(are_done, std::chrono::minutes(10));
        origin_reactor->request_stop();
        return world.run_until([this] { return origin_reactor->is_done(); }, std::chrono::minutes(1)) &&
               is_over;
    }

    core::Random random;
    Ledger ledger;
    std::unique_ptr<SimOrigin> origin;
    std::vector<std::unique_ptr<SimClient>> clients;
    World world;
    runtime::Reactor* origin_reactor = nullptr;
    std::vector<runtime::Reactor*> reactors;
};

}  // namespace

TEST_CASE(
    "every request over a rough network is answered once, with the right bytes, and nothing is left open"
) {
    for (uint64_t seed = 1; seed <= 40; ++seed) {
        CAPTURE(seed);
        Direct direct(seed);
        REQUIRE(direct.run());
        for (const auto& client : direct.clients) {
            REQUIRE(client->answers().size() == 20);
            for (const Answer& answer : client->answers()) {
                CAPTURE(answer.id);
                CHECK(answer.status == 200);
                CHECK(answer.is_body_right);
                CHECK(direct.ledger.executed[answer.id] == 1);
            }
        }
        CHECK(direct.ledger.corrupt == 0);
        CHECK(direct.world.leaked() == "");
    }
}

TEST_CASE("a whole run repeats itself for its seed") {
    auto run = [](uint64_t seed) {
        Direct direct(seed);
        REQUIRE(direct.run());
        return direct.world.os().trace_hash();
    };
    CHECK(run(3) == run(3));
    CHECK(run(3) != run(4));
}

TEST_CASE("an origin that is killed in the middle costs answers: the client does not retry") {
    size_t lost = 0;
    for (uint64_t seed = 1; seed <= 10; ++seed) {
        Direct direct(seed);
        SimOs& os = direct.world.os();
        direct.world.at(os.now() + 5ms, [&os] { os.kill_host(host_of("10.0.1.1")); });
        REQUIRE(direct.run());
        for (const auto& client : direct.clients) {
            lost += static_cast<size_t>(std::ranges::count(client->answers(), 0, &Answer::status));
        }
    }
    CHECK(lost > 100);
}

TEST_CASE("a stopped client ends while its origin is silent") {
    Direct direct(1);
    direct.origin->script().stall_percent = 100;
    CHECK_FALSE(direct.world.run_until([] { return false; }, std::chrono::seconds(2)));
    for (runtime::Reactor* reactor : direct.reactors) {
        CHECK_FALSE(reactor->is_done());
        reactor->request_stop();
    }
    REQUIRE(direct.run());
}

}  // namespace sim
