// What the tests of this folder serve programs with, and the control that it notices a program that is gone.
#include "sdk/served_program.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <thread>
#include <utility>

#include <doctest/doctest.h>

#include "core/log.h"
#include "runtime/frame_pool.h"
#include "runtime/linux_os.h"
#include "sdk/public_access.h"
#include "sdk/server.h"

namespace trilith::sdk {

struct ServedProgram::Running {
    runtime::LinuxOs os;
    std::string lines;
    core::Log log{[this] { return os.wall_time(); }, [this](std::string_view line) { lines += line; }};
    uint16_t port = 0;
    std::unique_ptr<Server> server;
    std::thread thread;
};

ServedProgram::ServedProgram(App& app) : running_(std::make_unique<Running>()) {
    Program& program = PublicAccess::program(app);
    REQUIRE(program.complete());
    std::vector<ListeningSocket> sockets;
    sockets.push_back(*ListeningSocket::open(running_->os, *net::Address::parse_host("127.0.0.1")));
    running_->port = sockets.front().address().port();
    running_->server = *Server::open(running_->os, running_->log, program, std::move(sockets));
    running_->thread = std::thread([server = running_->server.get()] {
        server->run();
        runtime::release_free_frames();
    });
}

ServedProgram::~ServedProgram() { end(); }

void ServedProgram::stop() { running_->server->stop(); }

void ServedProgram::end() {
    if (running_->thread.joinable()) {
        stop();
        running_->thread.join();
    }
}

uint16_t ServedProgram::port() const { return running_->port; }

std::string ServedProgram::logged() {
    end();
    return running_->lines;
}

Client::Client(const ServedProgram& served) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    timeval patience{.tv_sec = kPatienceSeconds, .tv_usec = 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(served.port());
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    is_connected_ = ::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

void Client::send(std::string_view text) const {
    while (!text.empty()) {
        ssize_t sent = ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
        REQUIRE(sent > 0);
        text.remove_prefix(static_cast<size_t>(sent));
    }
}

std::string Client::read_until(std::string_view end) {
    size_t found = received_.find(end);
    while (found == std::string::npos && receive()) {
        found = received_.find(end);
    }
    return take(found == std::string::npos ? received_.size() : found + end.size());
}

std::string Client::read_answer() {
    constexpr std::string_view kLength = "Content-Length: ";
    std::string head = read_until("\r\n\r\n");
    size_t at = head.find(kLength);
    size_t length = at == std::string::npos ? 0 : std::stoul(head.substr(at + kLength.size()));
    while (received_.size() < length && receive()) {
    }
    return head + take(std::min(length, received_.size()));
}

std::string Client::read_to_end() {
    while (receive()) {
    }
    return take(received_.size());
}

std::string Client::ask(std::string_view request) {
    send(request);
    return read_answer();
}

std::string Client::get(std::string_view target) {
    return ask("GET " + std::string(target) + " HTTP/1.1\r\nHost: a\r\n\r\n");
}

void Client::close() {
    if (fd_ >= 0) {
        ::close(std::exchange(fd_, -1));
    }
}

bool Client::receive() {
    char bytes[16 << 10];
    ssize_t received = ::recv(fd_, bytes, sizeof bytes, 0);
    if (received > 0) {
        received_.append(bytes, static_cast<size_t>(received));
    }
    return received > 0;
}

std::string Client::take(size_t count) {
    std::string taken = received_.substr(0, count);
    received_.erase(0, count);
    return taken;
}

namespace {

TEST_CASE("a client notices that its program has ended, or is not there") {
    App app;
    ServedProgram served(app);
    Client client(served);
    CHECK(client.get("/healthz").starts_with("HTTP/1.1 200 "));
    served.end();
    CHECK(client.has_ended());
    CHECK_FALSE(Client(served).is_connected());
}

}  // namespace
}  // namespace trilith::sdk
