// Listeners: free ports, occupied ones, and connections that arrive.
#include "net/listener.h"

#include <unistd.h>

#include <cerrno>
#include <memory>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "runtime/linux_os.h"
#include "runtime/task_group.h"

namespace net {
namespace {

using namespace std::chrono_literals;
using runtime::Task;
using runtime::TaskGroup;

struct Machine {
    runtime::LinuxOs os;
    std::unique_ptr<runtime::Reactor> reactor = *runtime::Reactor::open(os);
};

// A port that the system chooses.
Address loopback() { return *Address::parse_host("127.0.0.1"); }

TEST_CASE("port 0 takes a free port and tells which") {
    Machine machine;
    auto first = Listener::open(*machine.reactor, loopback(), {});
    auto second = Listener::open(*machine.reactor, loopback(), {});
    REQUIRE(first);
    REQUIRE(second);
    CHECK(first->address().port() > 0);
    CHECK(first->address().host_string() == "127.0.0.1");
    CHECK(first->address().port() != second->address().port());
}

TEST_CASE("an occupied port is a conflict that names the address") {
    Machine machine;
    auto first = Listener::open(*machine.reactor, loopback(), {});
    REQUIRE(first);
    for (bool is_shared : {false, true}) {
        auto second = Listener::open(*machine.reactor, first->address(), {.is_shared = is_shared});
        REQUIRE_FALSE(second);
        CHECK(second.error().kind() == core::ErrorKind::conflict);
        CHECK(second.error().context().find(first->address().to_string()) != std::string::npos);
    }
    Address address = first->address();
    first->close();
    CHECK(Listener::open(*machine.reactor, address, {}));
}

TEST_CASE("listeners that share an address stand side by side") {
    Machine machine;
    auto first = Listener::open(*machine.reactor, loopback(), {.is_shared = true});
    REQUIRE(first);
    auto second = Listener::open(*machine.reactor, first->address(), {.is_shared = true});
    REQUIRE(second);
    CHECK(second->address() == first->address());
    CHECK_FALSE(Listener::open(*machine.reactor, first->address(), {}));
}

TEST_CASE("check_free sees a listener, also one that would share, and holds nothing itself") {
    Machine machine;
    auto shared = Listener::open(*machine.reactor, loopback(), {.is_shared = true});
    REQUIRE(shared);
    Address address = shared->address();
    auto checked = Listener::check_free(*machine.reactor, address);
    REQUIRE_FALSE(checked);
    CHECK(checked.error().kind() == core::ErrorKind::conflict);
    CHECK(checked.error().context().find(address.to_string()) != std::string::npos);
    shared->close();
    CHECK(Listener::check_free(*machine.reactor, address));
    CHECK(Listener::check_free(*machine.reactor, address));
    CHECK(Listener::open(*machine.reactor, address, {}));
    CHECK(Listener::check_free(*machine.reactor, loopback()));
}

TEST_CASE("an address of no interface of ours cannot be listened on") {
    Machine machine;
    auto listener = Listener::open(*machine.reactor, *Address::parse("203.0.113.7:8080"), {});
    REQUIRE_FALSE(listener);
    CHECK(listener.error().context().find("203.0.113.7:8080") != std::string::npos);
}

Task<void> accept_some(
    Listener& listener,
    size_t count,
    std::vector<std::string>& peers,
    std::vector<int>& accepted
) {
    for (size_t number = 0; number < count; ++number) {
        sockaddr_storage peer;
        ssize_t fd = co_await listener.accept(peer);
        CHECK(fd >= 0);
        accepted.push_back(static_cast<int>(fd));
        peers.push_back(Address::of_sockaddr(peer).host_string());
    }
}

Task<void> connect_and_accept(
    Machine& machine,
    const Address& address,
    const Address& target,
    std::string_view host
) {
    auto opened = Listener::open(*machine.reactor, address, {});
    CHECK(opened.has_value());
    Address reached = target;
    if (target.family() != AF_UNIX) {
        std::string bracketed =
            target.family() == AF_INET6 ? "[" + target.host_string() + "]" : target.host_string();
        reached = *Address::parse(bracketed + ":" + std::to_string(opened->address().port()));
    }
    constexpr size_t kClients = 5;
    std::vector<std::string> peers;
    std::vector<int> accepted;
    std::vector<Socket> clients;
    TaskGroup group(*machine.reactor, 1);
    group.spawn(accept_some(*opened, kClients, peers, accepted));
    for (size_t number = 0; number < kClients; ++number) {
        auto client = Socket::connect(*machine.reactor, reached);
        CHECK(client.has_value());
        ssize_t status = co_await client->connected(machine.reactor->now() + 20s);
        CHECK(status == 0);
        clients.push_back(std::move(*client));
    }
    co_await group.join(machine.reactor->now() + 20s);
    CHECK(peers == std::vector<std::string>(kClients, std::string(host)));
    for (int fd : accepted) {
        machine.os.close(fd);
    }
}

TEST_CASE("connections are accepted with their peer's address") {
    Machine machine;
    machine.reactor->run(connect_and_accept(machine, loopback(), loopback(), "127.0.0.1"));
}

TEST_CASE("a dual-stack listener sees IPv4 clients as IPv4") {
    Machine machine;
    sockaddr_storage any{};
    any.ss_family = AF_INET6;
    machine.reactor->run(connect_and_accept(machine, Address::of_sockaddr(any), loopback(), "127.0.0.1"));
}

TEST_CASE("a unix socket accepts connections") {
    Machine machine;
    char folder[] = "/tmp/trilith-listener-XXXXXX";
    REQUIRE(::mkdtemp(folder) != nullptr);
    std::string path = std::string(folder) + "/socket";
    Address address = *Address::of_unix_path(path);
    machine.reactor->run(connect_and_accept(machine, address, address, "unix"));
    auto again = Listener::open(*machine.reactor, address, {});
    REQUIRE_FALSE(again);  // the path is still there
    CHECK(again.error().kind() == core::ErrorKind::conflict);
    ::unlink(path.c_str());
    ::rmdir(folder);
}

Task<void> accept_nothing(Listener& listener, ssize_t& result) {
    sockaddr_storage peer;
    result = co_await listener.accept(peer);
}

Task<void> stop_accepting(Machine& machine, ssize_t& result) {
    auto listener = Listener::open(*machine.reactor, loopback(), {});
    CHECK(listener.has_value());
    TaskGroup group(*machine.reactor, 1);
    group.spawn(accept_nothing(*listener, result));
    group.request_stop();
    co_await group.join();
}

TEST_CASE("a stop ends accept as cancelled") {
    Machine machine;
    ssize_t result = 0;
    machine.reactor->run(stop_accepting(machine, result));
    CHECK(result == -ECANCELED);
}

}  // namespace
}  // namespace net
