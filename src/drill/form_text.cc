#include "drill/form_text.h"

#include <algorithm>
#include <format>

namespace drill {

namespace {

constexpr std::string_view kBlanks = " \t\r\n";

// The value of an attribute in a tag's text, name="value" or name='value'.
std::optional<std::string_view> attribute(std::string_view tag, std::string_view name) {
    for (size_t at = tag.find(name); at != tag.npos; at = tag.find(name, at + 1)) {
        size_t behind = at + name.size();
        bool is_whole = at > 0 && kBlanks.contains(tag[at - 1]) && behind + 1 < tag.size() &&
                        tag[behind] == '=' && (tag[behind + 1] == '"' || tag[behind + 1] == '\'');
        if (!is_whole) {
            continue;
        }
        size_t end = tag.find(tag[behind + 1], behind + 2);
        if (end != tag.npos) {
            return tag.substr(behind + 2, end - behind - 2);
        }
    }
    return std::nullopt;
}

void replace_all(std::string& text, std::string_view from, std::string_view to) {
    for (size_t at = text.find(from); at != text.npos; at = text.find(from, at + to.size())) {
        text.replace(at, from.size(), to);
    }
}

std::string percent_encoded(std::string_view text) {
    std::string encoded;
    for (char byte : text) {
        bool is_plain = (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') ||
                        (byte >= 'a' && byte <= 'z') || byte == '-' || byte == '_' || byte == '.';
        encoded += is_plain ? std::string(1, byte) : std::format("%{:02X}", static_cast<unsigned char>(byte));
    }
    return encoded;
}

std::string_view trimmed(std::string_view text) {
    size_t begin = text.find_first_not_of(kBlanks);
    return begin == text.npos ? "" : text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

}  // namespace

std::optional<std::string> hidden_field(std::string_view page, std::string_view name) {
    constexpr std::string_view kInput = "<input";
    for (size_t at = page.find(kInput); at != page.npos; at = page.find(kInput, at + 1)) {
        std::string_view tag = page.substr(at, page.find('>', at) - at);
        auto found = attribute(tag, "name");
        if (found != name) {
            continue;
        }
        std::string value(attribute(tag, "value").value_or(""));
        replace_all(value, "&amp;", "&");
        return value;
    }
    return std::nullopt;
}

std::string fill_form(std::string_view body, uint64_t number, std::string_view token) {
    std::string filled(body);
    replace_all(filled, "{number}", std::to_string(number));
    replace_all(filled, "{token}", percent_encoded(token));
    return filled;
}

void CookieJar::take(std::string_view set_cookie) {
    std::string_view pair = trimmed(set_cookie.substr(0, set_cookie.find(';')));
    size_t equals = pair.find('=');
    if (equals == pair.npos || equals == 0 || pair.size() > kCookieBytesMax) {
        return;
    }
    Cookie cookie{.name = std::string(pair.substr(0, equals)), .value = std::string(pair.substr(equals + 1))};
    auto known = std::ranges::find(cookies_, cookie.name, &Cookie::name);
    if (known != cookies_.end()) {
        known->value = std::move(cookie.value);
    } else if (cookies_.size() < kCookiesMax) {
        cookies_.push_back(std::move(cookie));
    }
}

std::string CookieJar::field() const {
    std::string text;
    for (const Cookie& cookie : cookies_) {
        if (text.size() + cookie.name.size() + cookie.value.size() < kFieldBytesMax) {
            text += std::format("{}{}={}", text.empty() ? "" : "; ", cookie.name, cookie.value);
        }
    }
    return text;
}

}  // namespace drill
