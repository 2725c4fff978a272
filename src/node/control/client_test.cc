// What the verbs understand of a server's answer, however it comes, and what they say when none comes.
#include "node/control/client.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <chrono>
#include <format>
#include <thread>

#include <doctest/doctest.h>

#include "net/address.h"
#include "node/control/scripted_os.h"
#include "runtime/linux_os.h"
#include "runtime/temporary_directory.h"

namespace node {

namespace {

using core::ErrorKind;
using namespace std::chrono_literals;

const std::string kPath = "/run/lb1.sock";
const ControlCall kGet{.method = http::Method::get, .path = "/v1/status", .body = {}};

// A system with one socket that answers with these bytes.
ScriptedOs answering(std::string bytes) {
    ScriptedOs os;
    os.sockets[kPath].answer = [bytes = std::move(bytes)](std::string_view) { return bytes; };
    return os;
}

core::Result<ControlAnswer> ask(ScriptedOs& os) {
    auto answer = call(os, kPath, kGet, 5s);
    CHECK(os.open_count == 0);
    return answer;
}

void check_refused(const std::string& bytes, ErrorKind kind) {
    CAPTURE(bytes.substr(0, 200));
    ScriptedOs os = answering(bytes);
    auto answer = ask(os);
    REQUIRE_FALSE(answer);
    CHECK(answer.error().kind() == kind);
}

}  // namespace

TEST_CASE("a request is one HTTP/1.1 request of one connection") {
    ScriptedOs os;
    std::string seen;
    os.sockets[kPath].answer = [&](std::string_view request) {
        seen = request;
        return http_answer(200, "{}");
    };
    REQUIRE(call(os, kPath, {.method = http::Method::post, .path = "/v1/undo", .body = "{\"all\":true}"}, 5s)
    );
    CHECK(
        seen ==
        "POST /v1/undo HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n"
        "Content-Length: 12\r\n\r\n{\"all\":true}"
    );
    REQUIRE(ask(os));
    CHECK(seen == "GET /v1/status HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
}

TEST_CASE("every framing is understood, in pieces of every size and with pauses") {
    std::string body(2000, 'x');
    const std::string answers[]{
        http_answer(409, body),
        "HTTP/1.1 409 Conflict\r\n\r\n" + body,
        "HTTP/1.1 409\r\nTransfer-Encoding: chunked\r\n\r\n7d0\r\n" + body + "\r\n0\r\nTrailer: x\r\n\r\n",
    };
    for (const std::string& bytes : answers) {
        for (size_t piece : {size_t{1}, size_t{2}, size_t{3}, size_t{7}, size_t{1000}, size_t{100000}}) {
            for (bool is_pausing : {false, true}) {
                CAPTURE(piece);
                ScriptedOs os = answering(bytes);
                os.sockets[kPath].piece = piece;
                os.sockets[kPath].is_pausing = is_pausing;
                auto answer = ask(os);
                REQUIRE_MESSAGE(answer, answer.error().context());
                CHECK(answer->status == 409);
                CHECK(answer->body == body);
            }
        }
    }
}

TEST_CASE("an answer without a body is one") {
    ScriptedOs os = answering("HTTP/1.1 204 No Content\r\n\r\n");
    auto answer = ask(os);
    REQUIRE(answer);
    CHECK(answer->status == 204);
    CHECK(answer->body.empty());
}

TEST_CASE("an answer that is cut anywhere is no answer") {
    std::string whole = http_answer(200, "{\"changed\":[]}");
    for (size_t size = 0; size < whole.size(); ++size) {
        check_refused(whole.substr(0, size), ErrorKind::closed);
    }
    check_refused("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc", ErrorKind::closed);
}

TEST_CASE("what is not HTTP, or too much of it, is refused") {
    check_refused("SSH-2.0-OpenSSH\r\n", ErrorKind::invalid);
    check_refused("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", ErrorKind::invalid);
    check_refused("HTTP/1.1 200 OK\r\nA: " + std::string(20000, 'a'), ErrorKind::invalid);
    check_refused("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", ErrorKind::invalid);
    check_refused(http_answer(200, std::string(kAnswerBytesMax + 1, ' ')), ErrorKind::too_large);
    check_refused("HTTP/1.1 200 OK\r\n\r\n" + std::string(kAnswerBytesMax + 1, ' '), ErrorKind::too_large);
    ScriptedOs os = answering(http_answer(200, std::string(kAnswerBytesMax, ' ')));
    CHECK(ask(os)->body.size() == kAnswerBytesMax);
}

TEST_CASE("a server that does not answer costs the timeout and no more") {
    ScriptedOs os = answering("");
    os.sockets[kPath].is_silent = true;
    core::Instant begin = os.now();
    auto answer = ask(os);
    REQUIRE_FALSE(answer);
    CHECK(answer.error().kind() == ErrorKind::timed_out);
    CHECK(answer.error().context().contains(kPath + " within 5s"));
    CHECK(os.now() - begin >= 5s);
    CHECK(os.now() - begin < 6s);
}

TEST_CASE("why no connection is there is said with the socket's name") {
    ScriptedOs os;
    const std::pair<int, ErrorKind> cases[]{
        {ENOENT, ErrorKind::not_found},
        {ECONNREFUSED, ErrorKind::refused},
        {EACCES, ErrorKind::permission},
        {EPERM, ErrorKind::permission},
        {EAGAIN, ErrorKind::timed_out},
    };
    for (auto [code, kind] : cases) {
        CAPTURE(code);
        os.sockets[kPath].connect_error = code;
        auto answer = ask(os);
        REQUIRE_FALSE(answer);
        CHECK(answer.error().kind() == kind);
        CHECK(answer.error().context().contains(kPath));
        CHECK(probe(os, kPath).error().kind() == kind);
    }
    CHECK(call(os, "/" + std::string(200, 'd'), kGet, 5s).error().kind() == ErrorKind::too_large);
    CHECK(os.open_count == 0);
}

TEST_CASE("the same over a real socket, with an answer larger than its buffers") {
    runtime::TemporaryDirectory directory;
    std::string path = directory / "lb1.sock";
    runtime::LinuxOs os;
    CHECK(call(os, path, kGet, 5s).error().kind() == ErrorKind::not_found);

    int listener = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_storage storage;
    socklen_t length = net::Address::of_unix_path(path)->fill(storage);
    REQUIRE(::bind(listener, reinterpret_cast<const sockaddr*>(&storage), length) == 0);
    CHECK(call(os, path, kGet, 5s).error().kind() == ErrorKind::refused);
    REQUIRE(::listen(listener, 5) == 0);
    std::thread server([&] {
        int client = ::accept(listener, nullptr, nullptr);
        char request[1000];
        (void)!::read(client, request, sizeof request);
        std::string answer = http_answer(200, std::string(3'000'000, 'y'));
        for (size_t at = 0; at < answer.size();) {
            ssize_t written = ::write(client, answer.data() + at, answer.size() - at);
            if (written <= 0) {
                break;
            }
            at += static_cast<size_t>(written);
        }
        ::close(client);
    });
    auto answer = call(os, path, kGet, 20s);
    server.join();
    REQUIRE_MESSAGE(answer, answer.error().context());
    CHECK(answer->body == std::string(3'000'000, 'y'));
    CHECK(probe(os, path));
    CHECK(call(os, path, kGet, 50ms).error().kind() == ErrorKind::timed_out);
    ::close(listener);
    CHECK_FALSE(probe(os, path));
}

}  // namespace node
