#include "balancer/own_response.h"

#include "http/status.h"

namespace balancer {

std::string format_own_response(const OwnResponse& response) {
    std::string status = std::to_string(response.status);
    std::string phrase(http::reason_phrase(response.status));
    std::string body = status + " " + phrase + "\n" + std::string(response.reason) + "\n";
    if (!response.request_id.empty()) {
        body += "request id: " + std::string(response.request_id) + "\n";
    }
    std::string text =
        "HTTP/1.1 " + status + " " + phrase + "\r\nDate: " + std::string(response.date) +
        "\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: " + std::to_string(body.size()) +
        "\r\n";
    if (response.status == 503) {
        text += "Retry-After: 1\r\n";
    }
    if (response.status == 405 && response.fields.empty()) {
        text += "Allow: GET, HEAD, POST, PUT, DELETE, OPTIONS, PATCH\r\n";
    }
    text += response.fields;
    if (!response.request_id.empty()) {
        text += "X-Request-Id: " + std::string(response.request_id) + "\r\n";
    }
    if (response.closing == Closing::close) {
        text += "Connection: close\r\n";
    } else if (response.version_minor == 0) {
        text += "Connection: keep-alive\r\n";
    }
    text += "\r\n";
    if (!response.is_head) {
        text += body;
    }
    return text;
}

}  // namespace balancer
