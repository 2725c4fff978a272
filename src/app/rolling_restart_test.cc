// Rolling restarts with real processes: nothing is lost, and what does not become healthy changes nothing.
#include <csignal>
#include <set>

#include <doctest/doctest.h>

#include "app/sample_site.h"

namespace app {
namespace {

using runtime::Task;

struct Traffic {
    uint64_t answered = 0;
    uint64_t lost = 0;
    std::set<std::string> pids{};
    bool is_over = false;
};

// Asks the published endpoints in turn, without a pause.
Task<void> ask(SampleSite& site, Traffic& traffic) {
    for (size_t turn = 0; !traffic.is_over; ++turn) {
        auto endpoints = site.surroundings.published_now();
        net::Address address = endpoints[turn % endpoints.size()].address;
        site.surroundings.asked = address;
        auto answer = co_await fetch(*site.reactor, address, "/pid", kTestPatience);
        site.surroundings.asked.reset();
        traffic.answered += answer ? 1 : 0;
        traffic.lost += answer ? 0 : 1;
        traffic.pids.insert(answer ? answer->body : "");
    }
}

Task<void> restart_under_traffic(SampleSite& site) {
    co_await site.until_up(2);
    auto before = site.supervisor->status();
    Traffic traffic;
    runtime::TaskGroup group(*site.reactor, 1);
    group.spawn(ask(site, traffic));
    auto result = co_await site.supervisor->restart();
    traffic.is_over = true;
    co_await group.join();
    CHECK(result);
    if (!result) {
        co_return;
    }
    CHECK(result->size() == 2);
    CHECK((*result)[0].starts_with("app-1: replaced, pid "));
    CHECK(traffic.lost == 0);
    CHECK(traffic.answered > 2);
    auto after = site.supervisor->status();
    for (size_t slot = 0; slot < 2; ++slot) {
        CHECK(after[slot].generation == 2);
        CHECK(after[slot].state == InstanceState::up);
        CHECK(after[slot].pid != before[slot].pid);
        CHECK_FALSE(is_running(before[slot].pid));
        CHECK(
            after[slot].address.to_string().ends_with("." + std::to_string(after[slot].generation) + ".sock")
        );
    }
    CHECK(
        site.surroundings.drained_addresses == std::vector<net::Address>{before[0].address, before[1].address}
    );
    CHECK(site.surroundings.published_now().size() == 2);
}

TEST_CASE("a rolling restart replaces every instance and loses no request") {
    SampleSite site;
    site.config.instances = 2;
    CHECK(site.run(restart_under_traffic) == "");
}

Task<void> restart_broken(SampleSite& site) {
    co_await site.until_up(2);
    auto before = site.supervisor->status();
    auto published = site.surroundings.published.size();
    std::filesystem::create_directory(site.directory + "/broken");
    auto result = co_await site.supervisor->restart();
    CHECK_FALSE(result);
    if (result) {
        co_return;
    }
    CHECK(result.error().context().starts_with("app-1: no good answer to GET /healthz within 5s: "));
    CHECK(result.error().context().contains("GET /healthz: 503"));
    CHECK(result.error().context().ends_with("the old instance stays; 0 of 2 instances were replaced"));
    auto after = site.supervisor->status();
    for (size_t slot = 0; slot < 2; ++slot) {
        CHECK(after[slot].pid == before[slot].pid);
        CHECK(after[slot].generation == 1);
    }
    CHECK(site.surroundings.published.size() == published);
    std::filesystem::remove(site.directory + "/broken");
    CHECK(co_await site.supervisor->restart());
}

TEST_CASE(
    "a new instance that does not become healthy leaves the old one in place, and the next try may succeed"
) {
    SampleSite site;
    site.config.instances = 2;
    site.config.health.within = 5s;
    site.config.command.insert(site.config.command.end(), {"broken-if", site.directory + "/broken"});
    CHECK(site.run(restart_broken) == "");
}

Task<void> restart_into(SampleSite& site, std::optional<core::Result<std::vector<std::string>>>& result) {
    result.emplace(co_await site.supervisor->restart());
}

Task<void> restart_twice(SampleSite& site) {
    co_await site.until_up(1);
    std::optional<core::Result<std::vector<std::string>>> first;
    runtime::TaskGroup group(*site.reactor, 1);
    group.spawn(restart_into(site, first));
    auto second = co_await site.supervisor->restart();
    CHECK((!second && second.error().kind() == core::ErrorKind::conflict));
    co_await group.join();
    CHECK((first && first->has_value()));
}

TEST_CASE("a second restart at the same time is refused") {
    SampleSite site;
    CHECK(site.run(restart_twice) == "");
}

Task<void> leave_restart(SampleSite& site) {
    co_await site.until_up(1);
    std::optional<core::Result<std::vector<std::string>>> first;
    runtime::TaskGroup group(*site.reactor, 1);
    group.spawn(restart_into(site, first));
    group.request_stop();
    co_await group.join();
    CHECK((first && !first->has_value()));
    co_await site.until("it goes on", [&] { return site.logged("the rolling restart is done") == 1; });
    CHECK(site.supervisor->status()[0].generation == 2);
}

TEST_CASE("a restart goes on when nobody waits for it any more") {
    SampleSite site;
    CHECK(site.run(leave_restart) == "");
}

Task<void> stop_in_restart(SampleSite& site) {
    co_await site.until_up(1);
    std::filesystem::create_directory(site.directory + "/broken");
    std::optional<core::Result<std::vector<std::string>>> first;
    runtime::TaskGroup group(*site.reactor, 1);
    group.spawn(restart_into(site, first));
    site.supervisor->request_stop();
    co_await group.join();
    CHECK((first && !first->has_value() && first->error().context().contains("the server stops")));
}

TEST_CASE("the end of the server ends a restart, with all its instances") {
    SampleSite site;
    site.config.command.insert(site.config.command.end(), {"broken-if", site.directory + "/broken"});
    CHECK(site.run(stop_in_restart) == "");
}

// The grandchildren of both instances, once they answer.
Task<void> spawn_grandchildren(SampleSite& site, std::vector<pid_t>& pids) {
    for (const char* slot : {"1", "2"}) {
        auto address = *net::Address::of_unix_path(site.directory + "/app-s-" + slot + ".1.sock");
        pid_t grandchild = 0;
        core::Instant deadline = site.reactor->now() + kTestPatience;
        while (grandchild == 0 && site.reactor->now() < deadline) {
            auto answer = co_await fetch(*site.reactor, address, "/spawn", 5s);
            std::string text = answer ? answer->body : "";
            std::from_chars(text.data(), text.data() + text.size(), grandchild);
            [[maybe_unused]] auto woken = co_await site.reactor->sleep_for(5ms);
        }
        CHECK(grandchild != 0);
        pids.push_back(grandchild);
    }
}

Task<void> kill_owner(SampleSite& site, pid_t owner) {
    std::vector<pid_t> pids;
    co_await spawn_grandchildren(site, pids);
    for (pid_t descendant : runtime::descendants_of(owner)) {
        pids.push_back(descendant);
    }
    CHECK(pids.size() >= 2 + 2 + 2 + 2);  // grandchildren by their word and as descendants; programs; guards
    CHECK(std::ranges::count_if(pids, is_running) >= 8);
    ::kill(owner, SIGKILL);
    co_await site.until("all are dead", [&] { return std::ranges::none_of(pids, is_running); });
    int status = 0;
    ssize_t reaped = -EAGAIN;
    co_await site.until("the owner is reaped", [&] {
        reaped = reaped == owner ? reaped : runtime::try_reap(owner, status);
        return reaped == owner;
    });
    CHECK(status == SIGKILL);
}

TEST_CASE("kill -9 of the supervising process leaves nothing running") {
    SampleSite site;
    runtime::Pipe output;
    REQUIRE(runtime::open_output_pipe(output) == 0);
    int owner = runtime::spawn({
        .executable = site.sample,
        .arguments = {site.sample, "supervise", site.directory},
        .environment = {},
        .standard_output = output.theirs.get(),
        .standard_error = output.theirs.get(),
        .kept = {},
    });
    REQUIRE(owner > 0);
    site.reactor->run(kill_owner(site, owner));
    CHECK(site.missed == "");
}

}  // namespace
}  // namespace app
