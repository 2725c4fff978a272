#include "balancer/counters.h"

namespace balancer {

const char* ended_name(Ended ended) noexcept {
    switch (ended) {
        case Ended::complete: return "complete";
        case Ended::refused: return "refused";
        case Ended::no_backend: return "no_backend";
        case Ended::queue_full: return "queue_full";
        case Ended::queue_timeout: return "queue_timeout";
        case Ended::backend_failed: return "backend_failed";
        case Ended::timeout: return "timeout";
        case Ended::client_timeout: return "client_timeout";
        case Ended::client_gone: return "client_gone";
        case Ended::drained: return "drained";
        case Ended::file_failed: return "file_failed";
    }
    return "unknown";
}

}  // namespace balancer
