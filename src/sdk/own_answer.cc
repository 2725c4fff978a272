#include "sdk/own_answer.h"

#include <array>
#include <string>

#include "http/status.h"
#include "sdk/router.h"

namespace trilith::sdk {

namespace {

std::string allowed(uint8_t methods) {
    static constexpr std::array<std::string_view, kMethodCount>
        kNames{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};
    auto has = [methods](Method method) { return (methods >> static_cast<unsigned>(method) & 1) != 0; };
    std::string text = "OPTIONS";
    for (size_t at = 0; at < kNames.size(); ++at) {
        auto method = static_cast<Method>(at);
        bool is_head_by_get = method == Method::head && has(Method::get);
        if (method != Method::options && (has(method) || is_head_by_get)) {
            text += ", ";
            text += kNames[at];
        }
    }
    return text;
}

}  // namespace

Response make_own_answer(const Refusal& refusal, std::string_view request_id, uint8_t methods) {
    std::string text;
    if (refusal.status != 204) {
        text = std::to_string(refusal.status) + " ";
        text += http::reason_phrase(static_cast<uint16_t>(refusal.status));
        text += "\n" + std::string(refusal.reason) + "\nrequest id: " + std::string(request_id) + "\n";
    }
    Response response = Response::text(std::move(text)).with_status(refusal.status);
    response.add_header("X-Request-Id", request_id);
    if (refusal.status == 405 || refusal.status == 204) {
        response.add_header("Allow", allowed(methods));
    }
    if (refusal.status == 503) {
        response.add_header("Retry-After", "1");
    }
    return response;
}

}  // namespace trilith::sdk
