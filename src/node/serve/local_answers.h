// What a server answers about itself: whether it can serve.
#pragma once

#include "core/metrics.h"
#include "http/local_answer.h"

namespace node {

// Written by the control thread, read by the cores.
struct ServingState {
    core::Gauge is_draining;     // 0 or 1
    core::Gauge pools_unusable;  // of those that requests may need: how many have no backend that is up
};

// Answers GET with 200 and "ok", or with 503 and why it cannot serve. The state outlives all handlers.
class HealthAnswerMaker final : public http::LocalHandlerMaker {
public:
    explicit HealthAnswerMaker(const ServingState& state) : state_(state) {}

    [[nodiscard]] std::unique_ptr<http::LocalHandler> make() const override;

private:
    const ServingState& state_;
};

}  // namespace node
