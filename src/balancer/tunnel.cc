#include "balancer/tunnel.h"

#include <array>
#include <cerrno>

#include "balancer/worker.h"
#include "runtime/task_group.h"

namespace balancer {

namespace {

struct Tunnel {
    Exchange& exchange;
    BackendConnection& connection;
    core::Instant last_moved;  // in either direction: a tunnel is idle only when both are
    bool has_failed = false;
    std::array<runtime::Fiber*, 2> pumps{};

    // One direction is broken: the other has nobody to serve.
    void fail() {
        has_failed = true;
        for (runtime::Fiber* pump : pumps) {
            if (pump != nullptr) {
                pump->request_stop();
            }
        }
    }
};

struct Way {
    net::Socket& source;
    net::ReadBuffer& buffer;
    net::Socket& target;
    uint64_t& bytes;
};

runtime::Task<void> pump(Tunnel& tunnel, Way way, size_t number) {
    Worker& worker = tunnel.exchange.worker;
    core::Duration idle_max = tunnel.exchange.snapshot.config.timeouts.tunnel;
    tunnel.pumps[number] = &co_await runtime::CurrentFiber{};
    while (!tunnel.has_failed) {
        if (way.buffer.is_empty()) {
            ssize_t received = co_await way.source.receive(way.buffer, tunnel.last_moved + idle_max);
            if (received == -ETIMEDOUT && worker.now() < tunnel.last_moved + idle_max) {
                continue;  // the other direction moved meanwhile
            }
            if (received == 0) {
                way.target.shutdown_write();
                break;
            }
            if (received < 0) {
                tunnel.pumps[number] = nullptr;
                co_return tunnel.fail();
            }
        }
        tunnel.last_moved = worker.now();
        size_t size = way.buffer.bytes().size();
        way.bytes += size;
        std::array<std::string_view, 1> parts{way.buffer.bytes()};
        ssize_t sent = co_await way.target.send_from(
            way.buffer,
            size,
            worker.buffers(),
            parts,
            worker.now() + tunnel.exchange.snapshot.config.timeouts.body
        );
        if (sent < 0) {
            tunnel.pumps[number] = nullptr;
            co_return tunnel.fail();
        }
    }
    tunnel.pumps[number] = nullptr;
}

}  // namespace

runtime::Task<void> run_tunnel(Exchange& exchange, BackendConnection& connection, size_t head_size) {
    Worker& worker = exchange.worker;
    exchange.status = 101;
    exchange.timings.first_byte = worker.now();
    exchange.has_response_begun = true;
    exchange.must_close = true;
    exchange.bytes_out += head_size;
    std::string_view head(worker.scratch().data(), head_size);
    core::Instant deadline = worker.now() + exchange.snapshot.config.timeouts.body;
    ssize_t sent = co_await exchange.client.socket.send(worker.buffers(), head, deadline);
    if (sent < 0) {
        exchange.fail(Ended::client_gone, "the client left before the protocol was switched");
        co_return;
    }
    Tunnel tunnel{.exchange = exchange, .connection = connection, .last_moved = worker.now()};
    Client& client = exchange.client;
    runtime::TaskGroup pumps(worker.reactor(), 2);
    pumps.spawn(pump(tunnel, {client.socket, client.buffer, connection.socket, exchange.bytes_in}, 0));
    pumps.spawn(pump(tunnel, {connection.socket, connection.buffer, client.socket, exchange.bytes_out}, 1));
    co_await pumps.join();
    if (tunnel.has_failed && (co_await runtime::CurrentFiber{}).is_stopped) {
        exchange.fail(Ended::drained, "cut at the end of the drain");
    }
    client.buffer.clear();
}

}  // namespace balancer
