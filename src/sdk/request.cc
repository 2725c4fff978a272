// Request and Writer: what a handler calls, and where a request that is over ends it.
#include <trilith/app.h>

#include "http/text.h"
#include "sdk/cookies.h"
#include "sdk/exchange.h"
#include "sdk/guard.h"
#include "sdk/public_task.h"

namespace trilith {

namespace {

constexpr std::chrono::seconds kSignedLife = std::chrono::days(30);

void raise_if_over(const sdk::Exchange& exchange) {
    if (exchange.stopped() != Stopped::no) {
        sdk::raise_cancelled();
    }
}

// "application/json", and what is written in it: "application/problem+json".
bool is_json_type(std::string_view type) {
    type = http::trim(type.substr(0, type.find(';')));
    constexpr std::string_view kSuffix = "+json";
    return http::equals_ignoring_case(type, "application/json") ||
           (type.size() > kSuffix.size() &&
            http::equals_ignoring_case(type.substr(type.size() - kSuffix.size()), kSuffix));
}

}  // namespace

Method Request::method() const noexcept { return exchange_.method; }

std::string_view Request::path() const noexcept { return exchange_.path; }

std::string_view Request::query_text() const noexcept { return exchange_.text_of(exchange_.head.query); }

std::string_view Request::id() const { return exchange_.id(); }

std::optional<std::string_view> Request::header(std::string_view name) const noexcept {
    if (!http::all_of(name, http::kTokenByte)) {
        return std::nullopt;
    }
    http::FieldId id = http::find_field_id(name);
    if (id != http::FieldId::other) {
        const http::Field* field = exchange_.fields.find(id);
        return field == nullptr ? std::nullopt : std::optional(exchange_.text_of(field->value));
    }
    for (const http::Field& field : exchange_.fields.fields()) {
        if (http::equals_ignoring_case(exchange_.text_of(field.name), name)) {
            return exchange_.text_of(field.value);
        }
    }
    return std::nullopt;
}

std::optional<std::string_view> Request::query(std::string_view name) const {
    return exchange_.query().find(name);
}

std::optional<std::string_view> Request::form(std::string_view name) const {
    return exchange_.form().find(name);
}

std::string_view Request::body() const noexcept { return exchange_.body; }

Json Request::json() const {
    if (auto type = header("Content-Type"); type && !is_json_type(*type)) {
        sdk::raise_refused(415, "the body must be application/json");
    }
    auto value = Json::parse(body());
    if (!value) {
        sdk::raise_refused(400, "the body is not JSON, or has more than 64 levels or 100,000 values");
    }
    return *std::move(value);
}

std::optional<std::string_view> Request::cookie(std::string_view name) const noexcept {
    for (const http::Field& field : exchange_.fields.fields()) {
        if (field.id == http::FieldId::cookie) {
            if (auto value = sdk::find_cookie(exchange_.text_of(field.value), name)) {
                return value;
            }
        }
    }
    return std::nullopt;
}

std::optional<std::string> Request::signed_cookie(std::string_view name) const {
    auto text = cookie(name);
    return text ? exchange_.program().signer.verify(name, *text, exchange_.unix_time()) : std::nullopt;
}

Cookie Request::sign(Cookie cookie) const {
    const sdk::CookieSigner& signer = exchange_.program().signer;
    if (!signer.has_keys()) {
        sdk::raise_misuse("signing a cookie needs Options::cookie_keys");
    }
    int64_t expires = exchange_.unix_time() + cookie.max_age.value_or(kSignedLife).count();
    cookie.value = signer.sign(cookie.name, cookie.value, expires);
    return cookie;
}

std::string Request::form_token() const { return exchange_.form_token().make(*this); }

void Request::check_form() const {
    if (std::string_view refusal = sdk::FormToken::refusal(*this); !refusal.empty()) {
        sdk::raise_refused(403, std::string(refusal));
    }
}

Response Request::render(std::string_view name, const Json& values) const {
    core::Result<std::string> page = exchange_.program().templates.render(name, values);
    if (page) {
        return Response::html(*std::move(page));
    }
    if (page.error().kind() == core::ErrorKind::too_large) {
        sdk::raise_too_long(page.error().context());
    }
    sdk::raise_misuse(page.error().context());
}

void Request::log(std::string_view event, Level level) const { exchange_.log(event, level); }

Stopped Request::stopped() const noexcept { return exchange_.stopped(); }

Task<void> Request::sleep_for(std::chrono::nanoseconds time) {
    co_await sdk::AwaitInside(exchange_.pause(time));
    raise_if_over(exchange_);
}

Task<void> Request::run_blocking(detail::BlockingJob& job) {
    bool is_accepted = co_await sdk::AwaitInside(exchange_.run_blocking(job));
    raise_if_over(exchange_);
    if (!is_accepted) {
        sdk::raise_refused(503, "too many calls wait for a thread");
    }
}

Task<void> Writer::write(std::string_view piece) {
    if (piece.empty()) {
        co_return;
    }
    co_await sdk::AwaitInside(exchange_.write(piece));
    raise_if_over(exchange_);
}

}  // namespace trilith
