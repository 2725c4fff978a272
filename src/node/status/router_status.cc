#include "node/status/router_status.h"

namespace node {

std::vector<PinnedSessions> pinned_sessions(const RouterStatus& router) {
    std::vector<PinnedSessions> all;
    for (size_t pin = 0; pin < router.pinned_now.size(); ++pin) {
        all.push_back({sql::pin_name(static_cast<sql::Pin>(pin)), router.pinned_now[pin]});
    }
    all.push_back({"prepared_statement", router.pinned_by_prepared_now});
    return all;
}

}  // namespace node
