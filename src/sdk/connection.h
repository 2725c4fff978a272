// One client's connection: reads requests, has each answered, decides whether to go on.
#pragma once

#include <memory>

#include "http/body_reader.h"
#include "http/request_reader.h"
#include "net/read_buffer.h"
#include "net/socket.h"
#include "runtime/task.h"
#include "sdk/exchange.h"
#include "sdk/guard.h"
#include "sdk/own_answer.h"

namespace trilith::sdk {

class Worker;

class Connection {
public:
    Connection(Worker& worker, int fd);
    ~Connection();
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    // Runs until the connection is over.
    [[nodiscard]] runtime::Task<void> serve();

    // The program stops: ends an idle connection. One that waits for its first request gets it still, unless
    // `is_last_call`.
    void stop_if_idle(bool is_last_call);

private:
    friend class Worker;

    enum class Next : uint8_t { keep, close };

    [[nodiscard]] http::HeadResult parse();
    [[nodiscard]] core::Instant read_deadline() const;
    // Not inlined, so that an idle connection's frame does not hold theirs.
    [[nodiscard, gnu::noinline]] runtime::Task<Next> serve_request(uint32_t head_length);
    [[nodiscard, gnu::noinline]] runtime::Task<Next> refuse_head(http::HeadResult refused);
    [[nodiscard, gnu::noinline]] runtime::Task<void> linger();
    [[nodiscard, gnu::noinline]] runtime::Task<Refusal> read_body(http::BodyReader& reader);
    [[nodiscard, gnu::noinline]] runtime::Task<Next> run_stream(Response& response, Next next);

    [[nodiscard]] Refusal find_route(RouteMatch& match);
    [[nodiscard]] Refusal take_body(http::BodyReader& reader);
    // The answer that a handler's end means, where it gave none.
    [[nodiscard]] Response answer_of(const HandlerEnd& end);
    [[nodiscard]] Response answer_of(const Refusal& refusal, uint8_t methods = 0);
    // Begins the answer; what does not fit into one send follows.
    [[nodiscard]] runtime::Task<ssize_t> send_response(const Response& response, Next next);
    [[nodiscard]] runtime::Task<ssize_t> send_large(std::string_view head, std::string_view body);
    [[nodiscard]] ResponseHead head_of(const Response& response, Next next) const;

    Worker& worker_;
    net::Socket socket_;
    net::ReadBuffer buffer_;
    runtime::Fiber* fiber_ = nullptr;
    std::unique_ptr<Exchange> exchange_;  // while a request is there
    Connection* next_ = nullptr;          // in the worker's list
    Connection* previous_ = nullptr;
    http::HeadProgress progress_;
    core::Instant wait_began_;
    core::Instant head_began_ = core::Instant::never();  // when its first bytes came
    bool is_first_ = true;
    bool is_serving_ = false;
    bool needs_linger_ = false;
};

}  // namespace trilith::sdk
