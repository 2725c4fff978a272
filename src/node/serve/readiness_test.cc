// When a server is called ready, and that up understands what serve says.
#include "node/serve/readiness.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include <doctest/doctest.h>

#include "node/status/sample_status.h"

namespace node {
namespace {

ServerStatus ready_status() {
    ServerStatus status = sample_status();
    status.pools.resize(1);
    status.app.emplace();
    status.app->instances.resize(2);
    for (InstanceStatus& instance : status.app->instances) {
        instance.name = "app-1";
        instance.state = "up";
    }
    return status;
}

// Both ends of serve and up, as a start makes them.
class ReadyPipe {
public:
    ReadyPipe() {
        int ends[2];
        REQUIRE(::pipe2(ends, O_NONBLOCK) == 0);
        reader = ReadyReader(runtime::Descriptor(ends[0]));
        REQUIRE(::setenv(kReadyVariable, std::to_string(ends[1]).c_str(), 1) == 0);
        writer = ReadyWriter::take();
        REQUIRE(writer.is_wanted());
    }

    ReadyReader reader;
    ReadyWriter writer;
};

TEST_CASE("a server is ready when every instance is up and every pool has a backend that is") {
    CHECK(missing_for_readiness(ready_status()) == "");
    CHECK(missing_for_readiness({}) == "");
    ServerStatus status = ready_status();
    status.app->instances[1].state = "starting";
    CHECK(missing_for_readiness(status) == "the program's instance app-1 is starting");
    for (const char* state : {"down", "checking", "disabled"}) {
        status = ready_status();
        for (BackendStatus& backend : status.pools[0].backends) {
            backend.state = state;
        }
        CHECK(
            missing_for_readiness(status) == "no backend of pool origin is up: b1 is " + std::string(state)
        );
    }
    status.pools[0].backends.clear();
    CHECK(missing_for_readiness(status).contains("it has none"));
}

TEST_CASE("what serve tells is what up knows") {
    ReadyPipe pipe;
    pipe.reader.look();
    CHECK(pipe.reader.stage() == ReadyStage::starting);
    ServerStatus status = ready_status();
    status.app->instances[0].state = "waiting";
    CHECK_FALSE(pipe.writer.tell(status));
    CHECK_FALSE(pipe.writer.tell(status));
    pipe.reader.look();
    CHECK(pipe.reader.stage() == ReadyStage::listening);
    CHECK(pipe.reader.reason() == "the program's instance app-1 is waiting");
    CHECK(pipe.writer.tell(ready_status()));
    CHECK_FALSE(pipe.reader.look());
    CHECK(pipe.reader.stage() == ReadyStage::ready);
    CHECK(pipe.reader.reason() == "");
    status = ready_status();
    pipe.writer.beat(status);
    status.requests_total = 4321;
    pipe.writer.beat(status);
    CHECK(pipe.reader.look());
    CHECK_FALSE(pipe.reader.look());
    CHECK(pipe.reader.stage() == ReadyStage::ready);
    CHECK(pipe.reader.requests() == 4321);
    CHECK(pipe.reader.note().text == "2 instances up");
    CHECK(pipe.reader.note().is_well);
    status.app->instances[0].state = "waiting";
    pipe.writer.beat(status);
    pipe.reader.look();
    CHECK(pipe.reader.note().text == "the program's instance app-1 is waiting");
    CHECK_FALSE(pipe.reader.note().is_well);
}

TEST_CASE("why a mariadbd does not run is told where it is known") {
    ServerStatus status = ready_status();
    status.database.emplace().agent.emplace().state = "preparing";
    CHECK(missing_for_readiness(status) == "its mariadbd is preparing");
    status.database->agent->reason = "makes the data directory";
    CHECK(missing_for_readiness(status) == "its mariadbd is preparing: makes the data directory");
}

TEST_CASE("a server that keeps a database says what that is") {
    ServerStatus status = ready_status();
    status.app.reset();
    CHECK(note_of(status).text == "ready");
    status.server = "10.0.0.6:3306";
    status.database.emplace().epoch = 1;
    status.database->agent.emplace().state = "running";
    CHECK(note_of(status).text == "replica, lag 250ms");
    status.server = "10.0.0.5:3306";
    CHECK(note_of(status).text == "primary");
}

TEST_CASE("the variable is taken once, and only a pipe is believed") {
    for (const char* text : {"", "x", "-1", "0", "99999"}) {
        REQUIRE(::setenv(kReadyVariable, text, 1) == 0);
        CHECK_FALSE(ReadyWriter::take().is_wanted());
        CHECK(std::getenv(kReadyVariable) == nullptr);
    }
    CHECK_FALSE(ReadyWriter::take().is_wanted());
}

TEST_CASE("how long a start may take follows the file") {
    using namespace std::chrono_literals;
    Config config;
    CHECK(ready_within(config) == 10s);
    config.app.emplace().program.health.within = 7s;
    CHECK(ready_within(config) == 17s);
    config.balancer.pools.resize(2);
    config.balancer.pools[1].health = {.path = {}, .interval = 3s, .timeout = 1s, .rise = 4};
    CHECK(ready_within(config) == 17s + 16s);
}

}  // namespace
}  // namespace node
