// How handlers end: by their answer, an exception, a client that leaves, a deadline, the program's stop; and
// that none harms another.
#include <chrono>
#include <future>
#include <latch>
#include <string>

#include <doctest/doctest.h>

#include "sdk/served_program.h"

namespace trilith::sdk {
namespace {

using namespace std::chrono_literals;

constexpr auto kPatience = std::chrono::seconds(kPatienceSeconds);

// Waits for ever, and tells how that ended.
struct Waiting {
    std::promise<void> begun;
    std::promise<Stopped> ended;

    Task<Response> wait(Request& request) {
        co_await request.sleep_for(0ms);  // what a client ended before the first await does not count as
                                          // leaving
        begun.set_value();
        bool is_cancelled = false;
        try {
            co_await request.sleep_for(1h);
        } catch (const Cancelled&) {
            is_cancelled = true;
        }
        ended.set_value(is_cancelled ? request.stopped() : Stopped::no);
        co_await request.sleep_for(1h);  // throws at once
        co_return Response::text("never");
    }

    void await_begin() { REQUIRE(begun.get_future().wait_for(kPatience) == std::future_status::ready); }

    Stopped await_end() {
        auto future = ended.get_future();
        REQUIRE(future.wait_for(kPatience) == std::future_status::ready);
        return future.get();
    }
};

Task<int> fail_below() {
    std::vector<int> none;
    co_return none.at(7);
}

TEST_CASE("an exception is a 500 with the request's id, logged once, while another request goes on") {
    std::latch release(1);
    App app;
    app.get("/throws", [](Request&) -> Response { throw std::runtime_error("it broke"); });
    app.get("/throws/late", [](Request& request) -> Task<Response> {
        co_await request.sleep_for(1ms);
        int value = co_await fail_below();
        co_return Response::text(std::to_string(value));
    });
    app.get("/throws/odd", [](Request&) -> Response { throw 7; });
    app.get("/refuses", [](Request&) -> Response { throw Refused(404, "no such thing"); });
    app.get("/misuses", [](Request&) { return Response().with_header("Content-Length", "1"); });
    app.get("/goes/on", [&release](Request& request) -> Task<Response> {
        co_await request.blocking([&release] { release.wait(); });
        co_return Response::text("went on");
    });
    ServedProgram served(app);
    Client other(served);
    other.send("GET /goes/on HTTP/1.1\r\nHost: a\r\n\r\n");
    Client client(served);
    std::string answer = client.ask("GET /throws HTTP/1.1\r\nHost: a\r\nX-Request-Id: the-id\r\n\r\n");
    CHECK(is_status(answer, 500));
    CHECK(answer.contains("request id: the-id\n"));
    CHECK_FALSE(answer.contains("it broke"));
    CHECK(is_status(client.get("/throws/late"), 500));
    CHECK(is_status(client.get("/throws/odd"), 500));
    CHECK(is_status(client.get("/misuses"), 500));
    std::string refused = client.get("/refuses");
    CHECK(is_status(refused, 404));
    CHECK(refused.contains("no such thing"));
    release.count_down();
    CHECK(other.read_answer().ends_with("went on"));
    served.end();
    std::string lines = served.logged();
    CHECK(lines.contains("error app: a handler failed: it broke request_id=the-id\n"));
    CHECK(lines.find("it broke") == lines.rfind("it broke"));
    CHECK_FALSE(lines.contains("no such thing"));
}

TEST_CASE("a client that leaves cancels its handler") {
    Waiting waiting;
    App app;
    app.get("/wait", [&waiting](Request& request) { return waiting.wait(request); });
    ServedProgram served(app);
    Client client(served);
    client.send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
    waiting.await_begin();
    client.close();
    CHECK(waiting.await_end() == Stopped::client_left);
    Client next(served);
    CHECK(is_status(next.get("/healthz"), 200));
}

TEST_CASE("a handler that is late is cancelled, its client gets a 503, and the connection goes on") {
    Waiting waiting;
    App app({.handler_time = 50ms});
    app.get("/wait", [&waiting](Request& request) { return waiting.wait(request); });
    ServedProgram served(app);
    Client client(served);
    std::string answer = client.get("/wait");
    CHECK(is_status(answer, 503));
    CHECK(answer.contains("request id: "));
    CHECK(waiting.await_end() == Stopped::deadline);
    CHECK(is_status(client.get("/healthz"), 200));
}

TEST_CASE("a handler in time is not cancelled, nor one whose client only ended its direction before") {
    App app;
    app.get("/wait", [](Request& request) -> Task<Response> {
        co_await request.sleep_for(1ms);
        co_await request.sleep_for(0ms);
        co_return Response::text(request.stopped() == Stopped::no ? "in time" : "late");
    });
    ServedProgram served(app);
    Client client(served);
    CHECK(client.get("/wait").ends_with("in time"));
    CHECK(client.get("/wait").ends_with("in time"));
}

TEST_CASE("a stop answers what runs and what has been accepted, and then ends") {
    std::promise<void> begun;
    std::latch release(1);
    App app;
    app.get("/runs", [&](Request& request) -> Task<Response> {
        begun.set_value();
        co_await request.blocking([&release] { release.wait(); });
        co_return Response::text("done");
    });
    ServedProgram served(app);
    Client idle(served);
    CHECK(is_status(idle.get("/healthz"), 200));
    Client fresh(served);
    Client running(served);
    running.send("GET /runs HTTP/1.1\r\nHost: a\r\n\r\n");
    REQUIRE(begun.get_future().wait_for(kPatience) == std::future_status::ready);
    served.stop();
    CHECK(idle.has_ended());
    std::string accepted = fresh.get("/healthz");
    CHECK(is_status(accepted, 200));
    CHECK(accepted.contains("Connection: close\r\n"));
    release.count_down();
    std::string answer = running.read_answer();
    CHECK(answer.contains("Connection: close\r\n"));
    CHECK(answer.ends_with("done"));
    CHECK(running.has_ended());
    served.end();
    Client late(served);
    CHECK_FALSE(late.is_connected());
}

TEST_CASE("a stop cancels what outlasts its time") {
    Waiting waiting;
    App app({.stop_time = 50ms});
    app.get("/wait", [&waiting](Request& request) { return waiting.wait(request); });
    ServedProgram served(app);
    Client client(served);
    client.send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
    waiting.await_begin();
    served.end();
    CHECK(waiting.await_end() == Stopped::shutdown);
    CHECK(is_status(client.read_answer(), 503));
}

TEST_CASE("calls that block are bounded; one too many is a 503") {
    std::latch begun(1);
    std::latch release(1);
    App app({.blocking_threads = 1, .blocking_queue = 1});
    app.get("/blocks", [&](Request& request) -> Task<Response> {
        int value = co_await request.blocking([&] {
            begun.count_down();
            release.wait();
            return 7;
        });
        co_return Response::text(std::to_string(value));
    });
    app.get("/queued", [](Request& request) -> Task<Response> {
        co_return Response::text(co_await request.blocking([] { return std::string("queued"); }));
    });
    app.get("/fails", [](Request& request) -> Task<Response> {
        co_await request.blocking([] { throw std::runtime_error("in the pool"); });
        co_return Response();
    });
    ServedProgram served(app);
    Client first(served);
    first.send("GET /blocks HTTP/1.1\r\nHost: a\r\n\r\n");
    begun.wait();
    // Of two more one is queued and one refused, whichever comes first.
    Client second(served);
    Client third(served);
    second.send("GET /queued HTTP/1.1\r\nHost: a\r\n\r\n");
    third.send("GET /queued HTTP/1.1\r\nHost: a\r\n\r\n");
    Client fourth(served);
    CHECK(is_status(fourth.get("/queued"), 503));
    release.count_down();
    CHECK(first.read_answer().ends_with("\r\n\r\n7"));
    std::string both = second.read_answer() + third.read_answer();
    CHECK(both.contains("queued"));
    CHECK(is_status(first.get("/fails"), 500));
    served.end();
    CHECK(served.logged().contains("in the pool"));
}

}  // namespace
}  // namespace trilith::sdk
