#include "balancer/response_failure.h"

#include <cerrno>

namespace balancer {

namespace {

constexpr std::string_view kDrained = "cut at the end of the drain";

}  // namespace

bool has_failed_from_backend(Exchange& exchange, ssize_t received) {
    if (received > 0) {
        exchange.backend->counters.bytes_in.add(static_cast<uint64_t>(received));
        return false;
    }
    exchange.backend->counters.failures.add();
    if (received == -ECANCELED) {
        exchange.fail(Ended::drained, kDrained);
    } else if (received == -ETIMEDOUT) {
        exchange.fail(Ended::timeout, "the backend's response stopped");
    } else {
        exchange.fail(Ended::backend_failed, "the backend broke off its response");
    }
    return true;
}

bool has_failed_to_client(Exchange& exchange, ssize_t sent) {
    if (sent >= 0) {
        return false;
    }
    if (sent == -ECANCELED) {
        exchange.fail(Ended::drained, kDrained);
    } else if (sent == -ETIMEDOUT) {
        exchange.fail(Ended::client_timeout, "the client did not take the response in time");
    } else {
        exchange.fail(Ended::client_gone, "the client left before its response was complete");
    }
    return true;
}

}  // namespace balancer
