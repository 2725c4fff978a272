// One request and its response on their way through the balancer: what was asked, where it went, how it
// ended.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "balancer/counters.h"
#include "balancer/header_rules.h"
#include "balancer/snapshot.h"
#include "http/body_reader.h"
#include "http/local_answer.h"
#include "http/method.h"
#include "net/buffer_pool.h"
#include "net/read_buffer.h"
#include "net/socket.h"
#include "upstream/connection_pool.h"
#include "upstream/retry.h"

namespace balancer {

class Worker;

// The client's side, which outlives its exchanges.
struct Client {
    Client(net::Socket accepted, net::SharedReadBuffer& shared, const net::Address& peer_address)
        : socket(std::move(accepted)),
          buffer(shared),
          peer(peer_address.bytes()),
          family(static_cast<uint16_t>(peer_address.family())) {}

    net::Socket socket;
    net::ReadBuffer buffer;
    std::array<uint8_t, 16> peer;
    uint16_t family;
    std::array<char, 46> address_text{};  // INET6_ADDRSTRLEN
    uint8_t address_length = 0;
    Trust trust = Trust::outside;

    [[nodiscard]] std::string_view address() const { return {address_text.data(), address_length}; }
};

// The times of an exchange, for the access log and the histograms. never() where the point was not reached.
struct Timings {
    core::Instant began;
    core::Instant queued = core::Instant::never();  // the last attempt asked for a backend
    core::Instant placed = core::Instant::never();  // and got one
    core::Instant connected = core::Instant::never();
    core::Instant sent = core::Instant::never();        // its head was sent
    core::Instant first_byte = core::Instant::never();  // the response's head was there
};

// What a handler of this process said.
struct LocalResult {
    http::LocalVerdict verdict;  // answered or refused
    http::LocalAnswer answer;
};

struct Exchange {
    static constexpr uint32_t kNoRoute = UINT32_MAX;

    Exchange(Worker& serving_worker, Client& from, const Snapshot& in_force, core::Instant now)
        : worker(serving_worker), client(from), snapshot(in_force), timings{.began = now} {}

    Worker& worker;
    Client& client;
    const Snapshot& snapshot;  // held by the client's connection while this exchange runs

    // The request.
    http::Method method = http::Method::other;
    uint8_t version_minor = 1;
    http::KeepAlive client_wish = http::KeepAlive::close;
    bool is_upgrade = false;
    bool expects_continue = false;
    uint32_t route = kNoRoute;  // index into Config::routes
    upstream::ConnectionPool* pool = nullptr;
    net::Buffer request;  // the head for the backend, and the body where it is held whole
    uint32_t request_size = 0;
    WrittenRequestHead written;
    http::BodyReader body{http::Framing{}};  // what of the body the client still has to send
    bool is_body_held = true;                // nothing of the request was let go: it can be sent again
    std::optional<LocalResult> local;        // where one of this process's handlers answers
    http::LocalHandler* handler = nullptr;   // of the route, which the generation keeps: it has pages for
                                             // errors

    // Its fate.
    std::shared_ptr<upstream::BackendLink> backend;  // of the last attempt
    uint16_t status = 0;
    uint32_t retries = 0;
    bool has_response_begun = false;  // bytes of the final response went to the client
    bool must_close = false;          // the client's connection cannot be used again
    Ended ended = Ended::complete;
    std::string_view reason;  // why it did not end as complete; a literal or empty
    uint64_t bytes_in = 0;    // body bytes from the client
    uint64_t bytes_out = 0;   // bytes to the client, head included
    Timings timings;

    [[nodiscard]] std::string_view request_bytes() const { return {request.data(), request_size}; }

    [[nodiscard]] std::string_view text(http::Slice slice) const { return slice.in(request.data()); }

    // Ends the exchange in a way that leaves the client's connection unusable.
    void fail(Ended how, std::string_view why) {
        ended = how;
        reason = why;
        must_close = true;
    }
};

}  // namespace balancer
