// What the simulated clients and origins agree upon: each request has a number, which says what its bodies
// are, and a ledger keeps how often it was carried out.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "net/buffer_pool.h"
#include "net/read_buffer.h"

namespace sim {

// Bytes that belong to a request's number: of 0 to 3 KiB, now and then of 20 to 60 KiB.
[[nodiscard]] std::string request_body(uint64_t id);
[[nodiscard]] std::string answer_body(uint64_t id);

// Shared by all origins of a world.
struct Ledger {
    std::map<uint64_t, uint32_t> executed;      // by request number: how many origins received it whole
    std::map<std::string, uint64_t> by_origin;  // requests received whole, without health checks
    std::set<uint64_t> begun_by_failing;  // requests that an origin which is not healthy throughout began to
                                          // answer
    uint64_t corrupt = 0;                 // requests whose body was not request_body()
};

// The memory that the connections of one simulated program share.
struct PeerMemory {
    net::BufferPool pool;
    net::SharedReadBuffer shared{pool};
};

}  // namespace sim
