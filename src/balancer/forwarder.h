// Brings one request to a backend and its response to the client, trying other backends where that is safe.
#pragma once

#include <cstdint>
#include <string_view>

#include "balancer/exchange.h"
#include "runtime/task.h"

namespace balancer {

struct Answer {
    uint16_t status;
    std::string_view reason;
    std::string_view fields{};  // further header fields, each with its CRLF
};

// Answers by ourselves, if the response has not begun; the connection is kept when nothing of the request is
// left unread.
[[nodiscard]] runtime::Task<void> answer(Exchange& exchange, Answer own);

// Forwards a planned request. When it returns, the client has its response, whole or as far as it could be
// had, and the exchange says how it ended.
[[nodiscard]] runtime::Task<void> forward(Exchange& exchange);

}  // namespace balancer
