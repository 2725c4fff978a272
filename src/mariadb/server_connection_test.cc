// Logging in at servers that keep to the protocol, and at those that do not.
#include "mariadb/server_connection.h"

#include <functional>
#include <memory>

#include <doctest/doctest.h>

#include "mysql/login.h"
#include "mysql/test_bytes.h"
#include "net/listener.h"
#include "runtime/linux_os.h"
#include "runtime/task_group.h"

namespace mariadb {
namespace {

using namespace std::chrono_literals;
using mysql::from_hex;
using mysql::packet;
using runtime::Task;

constexpr core::Duration kPatience = 20s;
const std::string kOk = from_hex("00 00 00 02 00 00 00");

struct Machine {
    runtime::LinuxOs os;
    std::unique_ptr<runtime::Reactor> reactor = *runtime::Reactor::open(os);
    net::BufferPool pool;
    net::SharedReadBuffer shared{pool};
};

mysql::Nonce nonce_of(char first) {
    mysql::Nonce nonce;
    nonce.fill(first);
    return nonce;
}

// With its packet's header.
std::string greeting(char nonce, mysql::Capabilities capabilities = ~mysql::kClientMysql) {
    std::string text;
    mysql::PayloadWriter writer(text);
    mysql::write_greeting(
        writer,
        {
            .version = "5.5.5-10.11.19-MariaDB",
            .thread_id = 42,
            .nonce = nonce_of(nonce),
            .capabilities = capabilities,
            .collation = 45,
            .plugin = mysql::kNativePassword,
        }
    );
    return text;
}

std::string auth_switch(std::string_view plugin, char nonce) {
    std::string payload;
    mysql::PayloadWriter writer(payload);
    mysql::Nonce bytes = nonce_of(nonce);
    mysql::write_auth_switch(writer, {.plugin = plugin, .nonce = mysql::view(bytes)});
    return payload;
}

// What the server says, one piece after each packet of the client. Behind the last piece it goes on reading,
// or closes.
enum class AtEnd : uint8_t { closes, stays };

struct Script {
    std::vector<std::string> pieces{};
    AtEnd at_end = AtEnd::stays;
};

// Keeps the payloads of what the client sent.
Task<void> play(Machine& machine, net::Listener& listener, Script script, std::vector<std::string>& heard) {
    sockaddr_storage peer{};
    ssize_t accepted = co_await listener.accept(peer);
    if (accepted < 0) {
        co_return;  // nobody came
    }
    net::Socket socket(*machine.reactor, static_cast<int>(accepted));
    net::ReadBuffer buffer(machine.shared);
    for (size_t at = 0; at < script.pieces.size() || script.at_end == AtEnd::stays; ++at) {
        if (at < script.pieces.size()) {
            core::Instant deadline = machine.reactor->now() + kPatience;
            ssize_t sent = co_await socket.send(machine.pool, script.pieces[at], deadline);
            REQUIRE(sent == 0);
        }
        if (at + 1 == script.pieces.size() && script.at_end == AtEnd::closes) {
            break;
        }
        for (;;) {
            std::string_view bytes = buffer.bytes();
            size_t size = bytes.size() < mysql::kPacketHeaderSize
                              ? SIZE_MAX
                              : mysql::kPacketHeaderSize + mysql::read_packet_header(bytes).length;
            if (bytes.size() >= size) {
                heard.emplace_back(bytes.substr(mysql::kPacketHeaderSize, size - mysql::kPacketHeaderSize));
                buffer.consume(size);
                break;
            }
            ssize_t received = co_await socket.receive(buffer, core::Instant::never());
            if (received <= 0) {
                co_return;
            }
        }
    }
}

struct Outcome {
    ServerResult<std::unique_ptr<ServerConnection>> opened = std::unexpected(ServerFailure{});
    ServerResult<QueryAnswer> answer = std::unexpected(ServerFailure{});
    std::vector<std::string> heard{};
};

struct Wishes {
    ServerLogin login{};
    std::string query{};
    core::Duration patience = kPatience;
};

Task<void> meet(Machine& machine, Script script, Wishes wishes, Outcome& outcome) {
    auto listener = net::Listener::open(*machine.reactor, *net::Address::parse_host("127.0.0.1"), {});
    REQUIRE(listener.has_value());
    runtime::TaskGroup server(*machine.reactor, 1);
    server.spawn(play(machine, *listener, std::move(script), outcome.heard));
    outcome.opened = co_await ServerConnection::open(
        machine.shared,
        *machine.reactor,
        listener->address(),
        wishes.login,
        machine.reactor->now() + wishes.patience
    );
    if (outcome.opened && !wishes.query.empty()) {
        core::Instant deadline = machine.reactor->now() + wishes.patience;
        outcome.answer = co_await (*outcome.opened)->query(wishes.query, deadline);
    }
    server.request_stop();
    co_await server.join();
}

// The outcome's connection does not outlive the machine.
void meet(Script script, const Wishes& wishes, const std::function<void(Outcome&)>& judge) {
    Machine machine;
    Outcome outcome;
    machine.reactor->run(meet(machine, std::move(script), wishes, outcome));
    judge(outcome);
    outcome.opened = std::unexpected(ServerFailure{});
}

ServerFailure failure_of_meeting(Script script, const Wishes& wishes = {}) {
    ServerFailure failure;
    meet(std::move(script), wishes, [&](Outcome& outcome) {
        REQUIRE(!outcome.opened.has_value());
        failure = outcome.opened.error();
    });
    return failure;
}

}  // namespace

TEST_CASE("a login proves the password, and says what it was told") {
    mysql::PasswordKey key = mysql::password_key("secret");
    Wishes wishes{
        .login =
            {
                .user = "app",
                .key = &key,
                .database = "shop",
                .capabilities = mysql::kDeprecateEof | mysql::kFoundRows,
                .collation = 33,
                .connect_attributes = "\x01p\x01v",
            }
    };
    meet({{greeting('n'), packet(2, kOk)}}, wishes, [&](Outcome& outcome) {
        REQUIRE(outcome.opened.has_value());
        const ServerConnection& connection = **outcome.opened;
        CHECK(connection.thread_id() == 42);
        CHECK(connection.version() == "10.11.19-MariaDB");
        CHECK(connection.login_status() == mysql::kStatusAutocommit);
        CHECK(mysql::has(connection.capabilities(), mysql::kDeprecateEof | mysql::kFoundRows));
        CHECK(!mysql::has(connection.capabilities(), mysql::kMultiStatements));
        REQUIRE(!outcome.heard.empty());
        auto login = mysql::read_login(outcome.heard[0]);
        REQUIRE(login.has_value());
        CHECK(login->user == "app");
        CHECK(login->database == "shop");
        CHECK(login->collation == 33);
        CHECK(login->connect_attributes == "\x01p\x01v");
        CHECK(login->plugin == mysql::kNativePassword);
        CHECK(mysql::check_answer(login->auth_response, nonce_of('n'), mysql::password_hash(key)));
    });
}

TEST_CASE("what the server has not is not agreed on") {
    Wishes wishes{.login = {.capabilities = mysql::kDeprecateEof | mysql::kSessionTrack}};
    mysql::Capabilities has_little = mysql::kClientMysql | mysql::kDeprecateEof;
    meet({{greeting('n', has_little), packet(2, kOk)}}, wishes, [](Outcome& outcome) {
        REQUIRE(outcome.opened.has_value());
        CHECK(mysql::has((*outcome.opened)->capabilities(), mysql::kDeprecateEof | mysql::kClientMysql));
        CHECK(!mysql::has((*outcome.opened)->capabilities(), mysql::kSessionTrack));
    });
}

TEST_CASE("an account without a password sends the empty answer") {
    meet({{greeting('n'), packet(2, kOk)}}, {.login = {.user = "u"}}, [](Outcome& outcome) {
        REQUIRE(outcome.opened.has_value());
        CHECK(mysql::read_login(outcome.heard[0])->auth_response.empty());
    });
}

TEST_CASE("a request for the native plugin is answered for its own nonce") {
    mysql::PasswordKey key = mysql::password_key("secret");
    Script script{{greeting('n'), packet(2, auth_switch(mysql::kNativePassword, 'm')), packet(4, kOk)}};
    meet(script, {.login = {.user = "app", .key = &key}}, [&](Outcome& outcome) {
        REQUIRE(outcome.opened.has_value());
        REQUIRE(outcome.heard.size() == 2);
        CHECK(mysql::check_answer(outcome.heard[1], nonce_of('m'), mysql::password_hash(key)));
    });
}

TEST_CASE("a request for another plugin is a failure that names it") {
    ServerFailure failure =
        failure_of_meeting({{greeting('n'), packet(2, auth_switch("client_ed25519", 'm'))}});
    CHECK(failure.kind == core::ErrorKind::unsupported);
    CHECK(failure.message.contains("\"client_ed25519\""));
    CHECK(failure_of_meeting({{greeting('n'), packet(2, "\xfe")}}).kind == core::ErrorKind::unsupported);
}

TEST_CASE("a server that asks for a plugin again and again is left") {
    Script script{{greeting('n')}};
    for (unsigned sequence = 2; sequence < 40; sequence += 2) {
        script.pieces.push_back(packet(sequence, auth_switch(mysql::kNativePassword, 'm')));
    }
    CHECK(failure_of_meeting(script).kind == core::ErrorKind::invalid);
}

TEST_CASE("the server's error is kept whole, whenever it comes") {
    SUBCASE("before the greeting, without SQLSTATE") {
        ServerFailure failure =
            failure_of_meeting({{packet(0, from_hex("ff 10 04") + "Too many connections")}});
        CHECK(failure.is_from_server());
        CHECK(failure.number == 1040);
        CHECK(failure.sqlstate == "08004");
        CHECK(failure.message == "Too many connections");
    }
    SUBCASE("after the login") {
        ServerFailure failure =
            failure_of_meeting({{greeting('n'), packet(2, from_hex("ff 15 04") + "#28000Access denied")}});
        CHECK(failure.number == 1045);
        CHECK(failure.sqlstate == "28000");
        CHECK(failure.message == "Access denied");
        CHECK(failure.kind == core::ErrorKind::permission);
    }
}

TEST_CASE("a hostile greeting is a failure") {
    const std::vector<std::string> kHostile = {
        packet(0, ""),
        packet(0, "\x09old"),
        packet(0, greeting('n').substr(4, 20)),
        packet(1, greeting('n').substr(4)),
        packet(0, std::string(60'000, 'x')),
        from_hex("ff ff ff 00"),
        "SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n",
    };
    for (const std::string& bytes : kHostile) {
        ServerFailure failure = failure_of_meeting({{bytes}});
        CHECK(!failure.is_from_server());
        CHECK(!failure.message.empty());
    }
}

TEST_CASE("a hostile answer to the login is a failure") {
    const std::vector<std::string> kHostile = {
        packet(3, kOk),
        packet(2, ""),
        packet(2, from_hex("00 01")),
        packet(2, "\x02hello"),
        packet(2, from_hex("ff 00")),
        from_hex("ff ff ff 02 fe"),
    };
    for (const std::string& bytes : kHostile) {
        ServerFailure failure =
            failure_of_meeting({.pieces = {greeting('n'), bytes}, .at_end = AtEnd::closes});
        CHECK(!failure.is_from_server());
        CHECK(!failure.message.empty());
    }
}

TEST_CASE("a server that closes or is silent is a failure in time") {
    CHECK(failure_of_meeting({.pieces = {""}, .at_end = AtEnd::closes}).kind == core::ErrorKind::closed);
    CHECK(
        failure_of_meeting({.pieces = {greeting('n'), ""}, .at_end = AtEnd::closes}).kind ==
        core::ErrorKind::closed
    );
    CHECK(failure_of_meeting({}, {.patience = 50ms}).kind == core::ErrorKind::timed_out);
    CHECK(failure_of_meeting({{greeting('n')}}, {.patience = 50ms}).kind == core::ErrorKind::timed_out);
}

TEST_CASE("what does not fit into a login is not sent") {
    CHECK(
        failure_of_meeting({}, {.login = {.user = std::string_view("a\0b", 3)}}).kind ==
        core::ErrorKind::invalid
    );
    CHECK(
        failure_of_meeting({}, {.login = {.database = std::string_view("a\0b", 3)}}).kind ==
        core::ErrorKind::invalid
    );
    std::string long_name(mysql::kUserMax + 1, 'u');
    CHECK(failure_of_meeting({}, {.login = {.user = long_name}}).kind == core::ErrorKind::too_large);
}

TEST_CASE("a question's answer is read, an error to it leaves the connection usable") {
    Wishes wishes{.login = {.capabilities = mysql::kDeprecateEof}, .query = "SELECT 1"};
    std::string definition = from_hex("03") + "def" + from_hex("00 00 00 01") + "1" +
                             from_hex("00 0c 3f 00 01 00 00 00 03 81 00 00 00 00");
    std::string rows = packet(1, from_hex("01")) + packet(2, definition) + packet(3, from_hex("01 31")) +
                       packet(4, from_hex("fe 00 00 02 00 00 00"));
    meet({{greeting('n'), packet(2, kOk), rows}}, wishes, [](Outcome& outcome) {
        REQUIRE(outcome.answer.has_value());
        CHECK(*outcome.answer->results.at(0).value(0, "1") == "1");
        CHECK(outcome.heard.at(1) == "\x03SELECT 1");
        CHECK((*outcome.opened)->buffer().is_empty());
    });
    std::string error = packet(1, from_hex("ff 28 04") + "#42000You have an error");
    meet({{greeting('n'), packet(2, kOk), error}}, wishes, [](Outcome& outcome) {
        REQUIRE(!outcome.answer.has_value());
        CHECK(outcome.answer.error().number == 1064);
    });
    std::string jump = packet(1, from_hex("01")) + packet(3, definition);
    meet({{greeting('n'), packet(2, kOk), jump}}, wishes, [](Outcome& outcome) {
        REQUIRE(!outcome.answer.has_value());
        CHECK(outcome.answer.error().kind == core::ErrorKind::invalid);
    });
}

}  // namespace mariadb
