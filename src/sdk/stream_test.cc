// Answers in pieces: framed for their client, slowed by it, ended with it.
#include <chrono>
#include <future>
#include <string>

#include <doctest/doctest.h>

#include "sdk/served_program.h"

namespace trilith::sdk {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kGet = "GET /stream HTTP/1.1\r\nHost: a\r\n\r\n";

TEST_CASE("a stream is chunked, and its connection goes on; for HTTP/1.0 it ends with the connection") {
    App app;
    app.get("/stream", [](Request& request) {
        return Response::stream("text/x", [&request, count = 2](Writer& writer) -> Task<void> {
            for (int at = 0; at < count; ++at) {
                co_await writer.write("piece");
                co_await writer.write("");
                co_await request.sleep_for(1ms);
            }
        });
    });
    app.get("/empty", [](Request&) {
        return Response::stream("text/x", [](Writer&) -> Task<void> { co_return; });
    });
    ServedProgram served(app);
    Client client(served);
    client.send(kGet);
    std::string answer = client.read_until("0\r\n\r\n");
    CHECK(answer.contains("Transfer-Encoding: chunked\r\n"));
    CHECK(answer.contains("Content-Type: text/x\r\n"));
    CHECK_FALSE(answer.contains("Content-Length"));
    CHECK(answer.ends_with("\r\n\r\n5\r\npiece\r\n5\r\npiece\r\n0\r\n\r\n"));
    client.send("GET /empty HTTP/1.1\r\nHost: a\r\n\r\n");
    CHECK(client.read_until("0\r\n\r\n").contains("\r\n\r\n0\r\n\r\n"));
    client.send("HEAD /stream HTTP/1.1\r\nHost: a\r\n\r\n");
    CHECK(client.read_until("\r\n\r\n").starts_with("HTTP/1.1 200"));
    CHECK(client.get("/healthz").ends_with("ok\n"));
    Client old(served);
    old.send("GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    answer = old.read_to_end();
    CHECK(answer.contains("Connection: close\r\n"));
    CHECK(answer.ends_with("\r\n\r\npiecepiece"));
}

// Writes until it is ended, and tells of it.
struct Endless {
    std::promise<std::pair<Stopped, size_t>> ended;

    Response stream(Request& request) {
        return Response::stream("text/x", [this, &request](Writer& writer) -> Task<void> {
            std::string piece(100'000, 'x');
            size_t written = 0;
            try {
                for (;;) {
                    co_await writer.write(piece);
                    written += piece.size();
                }
            } catch (const Cancelled&) {
                ended.set_value({request.stopped(), written});
                throw;
            }
        });
    }
};

TEST_CASE("a client that does not read slows its stream, and ends it when it leaves") {
    Endless endless;
    App app;
    app.get("/stream", [&endless](Request& request) { return endless.stream(request); });
    ServedProgram served(app);
    Client client(served);
    client.send(kGet);
    CHECK(client.read_until("xxx").ends_with("xxx"));
    auto ended = endless.ended.get_future();
    CHECK(ended.wait_for(100ms) == std::future_status::timeout);
    client.close();
    REQUIRE(ended.wait_for(std::chrono::seconds(kPatienceSeconds)) == std::future_status::ready);
    auto [stopped, written] = ended.get();
    CHECK(stopped == Stopped::client_left);
    CHECK(written < (64 << 20));  // what the kernel's buffers may hold, not what it could write
    served.end();
    CHECK_FALSE(served.logged().contains("error"));
}

TEST_CASE("a stream has an end of its own") {
    Endless endless;
    App app({.handler_time = 1ms, .stream_time = 50ms});
    app.get("/stream", [&endless](Request& request) { return endless.stream(request); });
    ServedProgram served(app);
    Client client(served);
    client.send(kGet);
    CHECK_FALSE(client.read_to_end().ends_with("0\r\n\r\n"));
    CHECK(endless.ended.get_future().get().first == Stopped::deadline);
}

TEST_CASE("a stream that fails is cut off, so that its client knows; before its first piece it is a 500") {
    App app;
    app.get("/stream", [](Request&) {
        return Response::stream("text/x", [](Writer& writer) -> Task<void> {
            co_await writer.write("piece");
            throw std::runtime_error("it broke");
        });
    });
    app.get("/early", [](Request&) {
        return Response::stream("text/x", [](Writer&) -> Task<void> {
            throw std::runtime_error("at once");
            co_return;
        });
    });
    ServedProgram served(app);
    Client client(served);
    client.send(kGet);
    CHECK_FALSE(client.read_to_end().contains("0\r\n\r\n"));
    Client early(served);
    CHECK(early.get("/early").starts_with("HTTP/1.1 500 "));
    served.end();
    CHECK(served.logged().contains("it broke"));
    CHECK(served.logged().contains("at once"));
}

}  // namespace
}  // namespace trilith::sdk
