// A small HTTP/1.1 server for control and monitoring: one request a connection, small bodies, answers made at
// once.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "http/method.h"
#include "net/listener.h"
#include "net/read_buffer.h"
#include "runtime/task_group.h"

namespace node {

struct ControlRequest {
    http::Method method;
    std::string_view path;  // without the query
    std::string_view body;
};

struct ControlReply {
    uint16_t status = 200;
    std::string_view content_type = "application/json";
    std::string body;
};

class ControlServer {
public:
    // Runs on the reactor, in its own turn; must not block.
    using Handler = std::function<ControlReply(const ControlRequest&)>;

    ControlServer(runtime::Reactor& reactor, net::Listener listener, Handler handler);

    // Serves until the fiber is stopped; running requests are then cut.
    [[nodiscard]] runtime::Task<void> serve();

    [[nodiscard]] const net::Address& address() const { return listener_.address(); }

private:
    runtime::Task<void> serve_connection(int fd);
    runtime::Task<void> send(net::Socket& socket, const ControlReply& reply, core::Instant deadline);

    runtime::Reactor& reactor_;
    net::Listener listener_;
    Handler handler_;
    net::BufferPool buffers_;
    net::SharedReadBuffer shared_buffer_;
    runtime::TaskGroup connections_;
};

}  // namespace node
