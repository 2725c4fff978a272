// Texts of forms: the hidden field that a page carries, cookies, and the body that is sent. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drill {

// The value of the first input field of this name in an HTML page; none where there is none. Of what may be
// escaped in it only &amp; is understood: tokens have no other.
[[nodiscard]] std::optional<std::string> hidden_field(std::string_view page, std::string_view name);

// `body` with "{number}" and "{token}" filled in; the token is percent-encoded.
[[nodiscard]] std::string fill_form(std::string_view body, uint64_t number, std::string_view token);

// What a client has been given by Set-Cookie: names and values only, since all requests go to one site.
class CookieJar {
public:
    static constexpr size_t kCookiesMax = 20;
    static constexpr size_t kCookieBytesMax = 4096;
    static constexpr size_t kFieldBytesMax = 16 << 10;

    // The value of a Set-Cookie field. What is no cookie, or over a bound, is passed over.
    void take(std::string_view set_cookie);

    // The value of a Cookie field, with as many as its bound lets in; "" where there is none to send.
    [[nodiscard]] std::string field() const;

private:
    struct Cookie {
        std::string name;
        std::string value;
    };

    std::vector<Cookie> cookies_;
};

}  // namespace drill
