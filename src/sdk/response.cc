// Response: what a program says, checked where it says it.
#include <trilith/app.h>

#include <array>

#include "http/field_id.h"
#include "http/status.h"
#include "http/text.h"
#include "sdk/cookies.h"
#include "sdk/guard.h"
#include "sdk/response_head.h"

namespace trilith {

namespace {

constexpr std::string_view kText = "text/plain; charset=utf-8";
constexpr std::string_view kHtml = "text/html; charset=utf-8";
constexpr std::string_view kJson = "application/json";

// What frames the answer, or speaks of the connection, is written by whoever sends it.
constexpr http::FieldSet kOwn = {
    http::FieldId::content_length,
    http::FieldId::transfer_encoding,
    http::FieldId::connection,
    http::FieldId::date,
    http::FieldId::keep_alive,
    http::FieldId::upgrade,
    http::FieldId::trailer,
};

}  // namespace

Response Response::text(Text body) {
    Response response;
    response.body_ = std::move(body);
    response.content_type_ = kText;
    return response;
}

Response Response::html(Text body) {
    Response response;
    response.body_ = std::move(body);
    response.content_type_ = kHtml;
    return response;
}

Response Response::json_text(Text body) {
    Response response;
    response.body_ = std::move(body);
    response.content_type_ = kJson;
    return response;
}

Response Response::json(const Json& value) { return json_text(value.to_string()); }

Response Response::of(std::string_view content_type, Text body) {
    Response response;
    response.body_ = std::move(body);
    response.add_header("Content-Type", content_type);
    return response;
}

Response Response::status(int status, Text text) {
    if (text.view().empty()) {
        std::string_view phrase = http::reason_phrase(static_cast<uint16_t>(status));
        text = Text(std::to_string(status) + " " + std::string(phrase) + "\n");
    }
    Response response = Response::text(std::move(text));
    response.set_status(status);
    return response;
}

Response Response::redirect(std::string_view location, int status) {
    Response response;
    response.set_status(status);
    response.add_header("Location", location);
    return response;
}

void Response::set_status(int status) {
    if (status < 200 || status > 599) {
        sdk::raise_invalid("a status must be from 200 to 599, not " + std::to_string(status));
    }
    status_ = static_cast<uint16_t>(status);
}

void Response::add_header(std::string_view name, std::string_view value) {
    if (name.empty() || !http::all_of(name, http::kTokenByte)) {
        sdk::raise_invalid("the name of a header field must be a token (RFC 9110 section 5.6.2)");
    }
    if (!http::all_of(value, http::kValueByte)) {
        sdk::raise_invalid(
            "the value of " + std::string(name) + " has a byte that a header field may not have"
        );
    }
    http::FieldId id = http::find_field_id(name);
    if (kOwn.has(id)) {
        sdk::raise_invalid(std::string(name) + " is written by the library");
    }
    if (id == http::FieldId::content_type) {
        content_type_ = {};
    }
    if (fields_.size() + name.size() + value.size() + 4 > sdk::kFieldsBytesMax) {
        sdk::raise_invalid("the header fields of an answer are over 32 KiB");
    }
    fields_ += name;
    fields_ += ": ";
    fields_ += value;
    fields_ += "\r\n";
}

void Response::add_cookie(const Cookie& cookie) {
    core::Result<std::string> value = sdk::write_set_cookie(cookie);
    if (!value) {
        sdk::raise_invalid(value.error().context());
    }
    add_header("Set-Cookie", *value);
}

}  // namespace trilith
