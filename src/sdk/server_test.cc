// Requests to a program over real sockets: each gets its answer, in order, and no client gets more than its
// bounds.
#include "sdk/server.h"

#include <algorithm>
#include <string>

#include <doctest/doctest.h>

#include "sdk/public_access.h"
#include "sdk/served_program.h"

namespace trilith::sdk {
namespace {

using namespace std::chrono_literals;

std::string body_of(const std::string& answer) {
    size_t head = answer.find("\r\n\r\n");
    return head == std::string::npos ? "" : answer.substr(head + 4);
}

std::string post(std::string_view target, std::string_view type, std::string_view body) {
    return "POST " + std::string(target) + " HTTP/1.1\r\nHost: a\r\nContent-Type: " + std::string(type) +
           "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

Response hello(Request&) { return Response::text("hello"); }

Task<Response> user(Request&, int64_t id, std::string name) {
    co_return Response::json({{"id", id}, {"name", name}});
}

TEST_CASE("a connection serves one request after the other, also those sent at once") {
    App app;
    app.get("/", hello);
    app.get("/users/{id:int}/{name}", user);
    ServedProgram served(app);
    Client client(served);
    CHECK(body_of(client.get("/")) == "hello");
    CHECK(body_of(client.get("/users/7/A%20%C3%A4")) == "{\"id\":7,\"name\":\"A \xC3\xA4\"}");
    std::string requests;
    for (int count = 0; count < 40; ++count) {
        requests += "GET /users/" + std::to_string(count) + "/x HTTP/1.1\r\nHost: a\r\n\r\n";
    }
    client.send(requests);
    for (int count = 0; count < 40; ++count) {
        CHECK(body_of(client.read_answer()) == "{\"id\":" + std::to_string(count) + ",\"name\":\"x\"}");
    }
    CHECK(body_of(client.get("/users/%37/x")) == "{\"id\":7,\"name\":\"x\"}");
}

TEST_CASE("HEAD, OPTIONS, other methods and other paths are answered by the library") {
    App app;
    app.get("/", hello);
    app.post("/form", hello);
    app.get("/n/{n}", [](Request&, uint8_t n) { return Response::text(std::to_string(n)); });
    ServedProgram served(app);
    Client client(served);
    client.send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
    std::string head = client.read_until("\r\n\r\n");
    CHECK(is_status(head, 200));
    CHECK(head.contains("Content-Length: 5\r\n"));
    CHECK(head.contains("Date: "));
    std::string allowed = client.ask("OPTIONS / HTTP/1.1\r\nHost: a\r\n\r\n");
    CHECK(is_status(allowed, 204));
    CHECK(allowed.contains("Allow: OPTIONS, GET, HEAD\r\n"));
    CHECK(is_status(client.ask("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"), 204));
    std::string refused = client.get("/form");
    CHECK(is_status(refused, 405));
    CHECK(refused.contains("Allow: OPTIONS, POST\r\n"));
    CHECK(is_status(client.get("/n/255"), 200));
    for (std::string_view path : {"/gone", "/form/", "/n/256", "/n/x", "/n/-1", "/n/"}) {
        CHECK(is_status(client.get(path), 404));
    }
    CHECK(is_status(client.get("/%2F"), 400));
    CHECK(body_of(client.get("/healthz")) == "ok\n");
    CHECK(is_status(client.ask("BREW / HTTP/1.1\r\nHost: a\r\n\r\n"), 501));
    CHECK(client.has_ended());
}

TEST_CASE("a client of HTTP/1.0 is told whether its connection stays") {
    App app;
    app.get("/", hello);
    ServedProgram served(app);
    Client keeping(served);
    CHECK(
        keeping.ask("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").contains("Connection: keep-alive\r\n")
    );
    CHECK(keeping.ask("GET / HTTP/1.0\r\n\r\n").contains("Connection: close\r\n"));
    CHECK(keeping.has_ended());
}

TEST_CASE("query, form, JSON and cookies come in; cookies and headers go out") {
    App app({.cookie_keys = {std::string(32, 'k')}});
    app.get("/query", [](Request& request) {
        int64_t page = request.query<int64_t>("page").value_or(1);
        return Response::json({{"q", request.query("q").value_or("none")}, {"page", page}});
    });
    app.post("/form", [](Request& request) {
        return Response::text(std::string(request.form("a").value_or("none")));
    });
    app.post("/json", [](Request& request) { return Response::json(request.json()["list"]); });
    app.get("/login", [](Request& request) {
        return Response::redirect("/").with_cookie(request.sign({.name = "user", .value = "Ada B"}));
    });
    app.get("/me", [](Request& request) {
        return Response::text(request.signed_cookie("user").value_or("nobody")).with_header("X-Seen", "1");
    });
    ServedProgram served(app);
    Client client(served);
    CHECK(body_of(client.get("/query?q=a+b%26c&page=3")) == R"({"q":"a b&c","page":3})");
    CHECK(body_of(client.get("/query?page=x")) == R"({"q":"none","page":1})");
    CHECK(body_of(client.ask(post("/form", "application/x-www-form-urlencoded", "a=1+2"))) == "1 2");
    CHECK(body_of(client.ask(post("/form", "text/plain", "a=1"))) == "none");
    CHECK(is_status(client.ask(post("/form", "application/x-www-form-urlencoded", "a=%FF")), 400));
    CHECK(is_status(client.get("/query?q=%E2%82"), 400));
    CHECK(body_of(client.ask(post("/json", "application/json; charset=utf-8", R"({"list":[1]})"))) == "[1]");
    CHECK(is_status(client.ask(post("/json", "application/json", "{")), 400));
    CHECK(is_status(client.ask(post("/json", "text/plain", "{}")), 415));
    std::string login = client.get("/login");
    CHECK(is_status(login, 303));
    size_t begin = login.find("Set-Cookie: user=") + 12;
    REQUIRE(begin > 12);
    std::string cookie = login.substr(begin, login.find(';', begin) - begin);
    std::string mine = client.ask("GET /me HTTP/1.1\r\nHost: a\r\nCookie: x=1; " + cookie + "\r\n\r\n");
    CHECK(body_of(mine) == "Ada B");
    CHECK(mine.contains("X-Seen: 1\r\n"));
    CHECK(body_of(client.ask("GET /me HTTP/1.1\r\nHost: a\r\nCookie: " + cookie + "x\r\n\r\n")) == "nobody");
    std::string many = "/query?";
    for (int count = 0; count < 1001; ++count) {
        many += "a&";
    }
    CHECK(is_status(client.get(many), 400));
}

TEST_CASE("bodies come whole, in both framings, and are bounded") {
    App app({.body_max = 1000});
    app.post("/", [](Request& request) { return Response::text(std::to_string(request.body().size())); });
    ServedProgram served(app);
    Client client(served);
    CHECK(body_of(client.ask(post("/", "a/b", std::string(1000, 'x')))) == "1000");
    client.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel");
    client.send("lo\r\n0\r\n\r\n");
    CHECK(body_of(client.read_answer()) == "5");
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
    CHECK(is_status(client.read_until("\r\n\r\n"), 100));
    CHECK(body_of(client.ask("abc")) == "3");
    CHECK(is_status(client.ask("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\n\r\n"), 413));
    CHECK(client.has_ended());
    Client chunked(served);
    std::string large = "3e9\r\n" + std::string(1001, 'x') + "\r\n0\r\n\r\n";
    CHECK(is_status(
        chunked.ask("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + large),
        413
    ));
    CHECK(chunked.has_ended());
    Client unread(served);
    CHECK(is_status(unread.ask("POST /gone HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"), 404));
    CHECK(body_of(unread.ask(post("/", "a/b", "x"))) == "1");  // the refused body was whole: the connection
                                                               // stays
}

TEST_CASE("a head that is not understood, too large or too slow ends its connection with the reason") {
    App app({.head_time = 50ms, .idle_time = 50ms});
    app.get("/", hello);
    ServedProgram served(app);
    Client broken(served);
    CHECK(is_status(broken.ask("GET / HTTP/1.1\r\n\r\n"), 400));
    CHECK(broken.has_ended());
    Client large(served);
    CHECK(is_status(
        large.ask("GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(17 << 10, 'x') + "\r\n\r\n"),
        431
    ));
    CHECK(large.has_ended());
    Client slow(served);
    slow.send("GET / HTTP/1.1\r\nHo");
    CHECK(is_status(slow.read_answer(), 408));
    CHECK(slow.has_ended());
    Client idle(served);
    CHECK(is_status(idle.get("/"), 200));
    CHECK(idle.has_ended());
}

TEST_CASE("an answer larger than the socket's buffers arrives whole") {
    std::string large;
    for (int line = 0; large.size() < (3 << 20); ++line) {
        large += std::to_string(line) + "\n";
    }
    App app;
    app.get("/large", [&large](Request&) { return Response::text(large); });
    ServedProgram served(app);
    Client client(served);
    CHECK(body_of(client.get("/large")) == large);
    CHECK(body_of(client.get("/healthz")) == "ok\n");
}

TEST_CASE("several threads share one port") {
    App app({.threads = 3});
    app.get("/", hello);
    ServedProgram served(app);
    for (int count = 0; count < 50; ++count) {
        Client client(served);
        CHECK(body_of(client.get("/")) == "hello");
    }
}

TEST_CASE("an access line tells of each request, where it is asked for") {
    App app({.has_access_log = true});
    app.get("/", hello);
    ServedProgram served(app);
    Client client(served);
    CHECK(is_status(client.ask("GET / HTTP/1.1\r\nHost: a\r\nX-Request-Id: id-1\r\n\r\n"), 200));
    CHECK(is_status(client.get("/gone"), 404));
    served.end();
    CHECK(served.logged().contains("info app: request request_id=id-1 method=GET path=/ status=200 us="));
    CHECK(served.logged().contains("path=/gone status=404"));
}

TEST_CASE("what was registered wrongly is told, all of it") {
    App app({.cookie_keys = {"short"}});
    app.get("/a/{x}", [](Request&, std::string_view) { return Response(); });
    app.get("/a/{y}", [](Request&, std::string_view) { return Response(); });
    app.get("/a b", hello);
    app.add_template("t", "{{#if x}}");
    app.add_template("u", "{{> gone}}");
    Program& program = PublicAccess::program(app);
    CHECK_FALSE(program.complete());
    CHECK(program.problems.size() == 5);
}

}  // namespace
}  // namespace trilith::sdk
