#include "sdk/form_token.h"

#include <array>
#include <chrono>

#include "core/hex.h"
#include "sdk/exchange.h"
#include "sdk/guard.h"
#include "sdk/public_access.h"

namespace trilith::sdk {

namespace {

constexpr std::chrono::seconds kFormLife = std::chrono::hours(12);
constexpr size_t kVisitorBytes = 16;

const CookieSigner& signer_of(const Request& request) {
    const CookieSigner& signer = PublicAccess::exchange(request).program().signer;
    if (!signer.has_keys()) {
        raise_misuse("form tokens need Options::cookie_keys");
    }
    return signer;
}

}  // namespace

std::string FormToken::make(const Request& request) {
    Exchange& exchange = PublicAccess::exchange(request);
    const CookieSigner& signer = signer_of(request);
    std::string visitor = made_;
    if (visitor.empty()) {
        visitor = request.signed_cookie(kCookie).value_or("");
    }
    if (visitor.empty()) {
        std::array<std::byte, kVisitorBytes> random{};
        exchange.fill_random(random);
        visitor = core::to_hex(random);
        made_ = visitor;
    }
    return signer.sign(kField, visitor, exchange.unix_time() + kFormLife.count());
}

std::string_view FormToken::refusal(const Request& request) {
    const CookieSigner& signer = signer_of(request);
    auto from = request.header("Sec-Fetch-Site");
    if (from && *from != "same-origin" && *from != "none") {
        return "this form comes from another site";
    }
    auto visitor = request.signed_cookie(kCookie);
    auto token = request.form(kField);
    if (!visitor || !token) {
        return "this form has no token of this site: load its page again";
    }
    auto meant = signer.verify(kField, *token, PublicAccess::exchange(request).unix_time());
    return meant == visitor ? "" : "this form's token is another visitor's or too old: load its page again";
}

void FormToken::add_cookie(Response& response, const Request& request) const {
    if (!made_.empty()) {
        response.add_cookie(request.sign({.name = std::string(kCookie), .value = made_}));
    }
}

}  // namespace trilith::sdk
