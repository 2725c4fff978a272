#include "node/serve/local_answers.h"

namespace node {

namespace {

class HealthAnswer final : public http::LocalHandler {
public:
    explicit HealthAnswer(const ServingState& state) : state_(state) {}

    http::LocalVerdict handle(const http::LocalRequest& request, http::LocalAnswer& answer) override {
        if (request.method != http::Method::get && request.method != http::Method::head) {
            answer.status = 405;
            answer.made_fields = "Allow: GET, HEAD\r\n";
            return {http::LocalOutcome::refused, "health is read with GET"};
        }
        if (state_.is_draining.value() != 0) {
            answer.status = 503;
            return {http::LocalOutcome::refused, "this server is draining"};
        }
        if (state_.pools_unusable.value() > 0) {
            answer.status = 503;
            return {http::LocalOutcome::refused, "no instance of the application is up"};
        }
        answer.status = 200;
        answer.shared_fields = "Content-Type: text/plain\r\nCache-Control: no-store\r\nContent-Length: 3\r\n";
        answer.shared_body = "ok\n";
        return {http::LocalOutcome::answered};
    }

private:
    const ServingState& state_;
};

}  // namespace

std::unique_ptr<http::LocalHandler> HealthAnswerMaker::make() const {
    return std::make_unique<HealthAnswer>(state_);
}

}  // namespace node
