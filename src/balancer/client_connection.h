// One client's connection from its first request to its last: reads heads, has each request served, decides
// whether to go on.
#pragma once

#include <memory>

#include "balancer/exchange.h"
#include "runtime/task.h"

namespace balancer {

struct Generation;
class Worker;

class ClientConnection {
public:
    ClientConnection(Worker& worker, net::Socket socket, const net::Address& peer);
    ~ClientConnection();
    ClientConnection(const ClientConnection&) = delete;
    ClientConnection& operator=(const ClientConnection&) = delete;

    // Runs until the connection is over.
    [[nodiscard]] runtime::Task<void> serve();

    // Ends it if no request is running (and none has begun to arrive); else it ends after the present one.
    void stop_if_idle();

private:
    friend class Worker;

    enum class Next : uint8_t { keep, close };

    [[nodiscard]] http::HeadResult parse();
    // Not inlined, so that their frames are not made part of serve()'s, which every idle connection holds.
    [[nodiscard, gnu::noinline]] runtime::Task<Next> serve_request(uint32_t head_length);
    [[nodiscard, gnu::noinline]] runtime::Task<void> refuse(http::HeadResult refused);
    [[nodiscard, gnu::noinline]] runtime::Task<void> linger();
    [[nodiscard]] core::Instant read_deadline() const;
    void adopt_generation();
    void judge_trust();
    void count_end(Exchange& exchange);

    Worker& worker_;
    Client client_;
    std::shared_ptr<const Generation> generation_;
    runtime::Fiber* fiber_ = nullptr;
    ClientConnection* next_ = nullptr;  // in the worker's list
    ClientConnection* previous_ = nullptr;
    http::HeadProgress progress_;
    core::Instant wait_began_;                           // of the present wait for a request
    core::Instant head_began_ = core::Instant::never();  // when its first bytes came
    bool is_first_ = true;
    bool is_serving_ = false;
    bool needs_linger_ = false;
};

}  // namespace balancer
