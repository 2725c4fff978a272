// Protection of forms against other sites (CSRF): a visitor has a cookie of random digits, and a form a text
// that only we can make of them.
#pragma once

#include <trilith/app.h>

#include <optional>
#include <string>
#include <string_view>

namespace trilith::sdk {

class FormToken {
public:
    static constexpr std::string_view kCookie = "trilith_visitor";
    static constexpr std::string_view kField = "form_token";

    // For a hidden field; makes the visitor where there is none. The program has keys (std::logic_error).
    [[nodiscard]] std::string make(const Request& request);

    // Why the request's form is not to be believed; empty: it is.
    [[nodiscard]] static std::string_view refusal(const Request& request);

    // The cookie of a visitor that was made.
    void add_cookie(Response& response, const Request& request) const;

    void clear() { made_.clear(); }

private:
    std::string made_;  // a new visitor's digits
};

}  // namespace trilith::sdk
