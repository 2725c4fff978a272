// Finds a known field by its length and first letter, then one comparison of whole words.
#include "http/field_id.h"

#include <array>
#include <cstring>

#include "http/text.h"

namespace http {
namespace {

constexpr std::array<std::string_view, kFieldIdCount> kNames = {
    "",
    "accept",
    "accept-encoding",
    "accept-language",
    "age",
    "authorization",
    "cache-control",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "cookie",
    "date",
    "etag",
    "expect",
    "forwarded",
    "host",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "keep-alive",
    "last-modified",
    "location",
    "origin",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "range",
    "referer",
    "retry-after",
    "server",
    "set-cookie",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "vary",
    "via",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-port",
    "x-forwarded-proto",
    "x-real-ip",
    "x-request-id",
};

template <class Word>
Word load(std::string_view text, size_t at) {
    Word word;
    std::memcpy(&word, text.substr(at).data(), sizeof(Word));
    return word;
}

// Setting bit 5 makes a token's letters small and changes no other byte of a token into one of our names'
// bytes.
template <class Word>
bool same_word(std::string_view name, std::string_view known, size_t at) {
    constexpr Word kCaseBits = static_cast<Word>(0x2020202020202020U);
    return (load<Word>(name, at) | kCaseBits) == load<Word>(known, at);
}

// Whether `name`, which has the length of `Id`'s name, is that name in any case.
template <FieldId Id>
bool is_name(std::string_view name) {
    constexpr std::string_view kKnown = kNames[std::to_underlying(Id)];
    constexpr size_t kSize = kKnown.size();
    if constexpr (kSize >= 8) {
        for (size_t at = 0; at + 8 <= kSize; at += 8) {
            if (!same_word<uint64_t>(name, kKnown, at)) {
                return false;
            }
        }
        return same_word<uint64_t>(name, kKnown, kSize - 8);
    } else if constexpr (kSize >= 4) {
        return same_word<uint32_t>(name, kKnown, 0) && same_word<uint32_t>(name, kKnown, kSize - 4);
    } else {
        return same_word<uint16_t>(name, kKnown, 0) && same_word<uint16_t>(name, kKnown, kSize - 2);
    }
}

// The one of several candidates of equal length that `name` is.
template <FieldId... Ids>
FieldId one_of(std::string_view name) {
    constexpr std::array kIds = {Ids...};
    static_assert(
        ((kNames[std::to_underlying(Ids)].size() == kNames[std::to_underlying(kIds[0])].size()) && ...),
        "candidates are compared without looking at their length"
    );
    FieldId found = FieldId::other;
    static_cast<void>(((is_name<Ids>(name) ? (found = Ids, true) : false) || ...));
    return found;
}

}  // namespace

FieldId find_field_id(std::string_view name) {
    using enum FieldId;
    switch (name.size()) {
        case 2: return one_of<te>(name);
        case 3: return one_of<via, age>(name);
        case 4: return one_of<host, date, etag, vary>(name);
        case 5: return one_of<range>(name);
        case 6: return one_of<accept, cookie, server, expect, origin>(name);
        case 7: return one_of<referer, upgrade, trailer>(name);
        case 8: return one_of<location, if_match, if_range>(name);
        case 9: return one_of<x_real_ip, forwarded>(name);
        case 10: return one_of<connection, user_agent, keep_alive, set_cookie>(name);
        case 11: return one_of<retry_after>(name);
        case 12: return one_of<content_type, x_request_id>(name);
        case 13: return one_of<authorization, cache_control, if_none_match, last_modified>(name);
        case 14: return one_of<content_length>(name);
        case 15: return one_of<accept_encoding, accept_language, x_forwarded_for>(name);
        case 16: return one_of<content_encoding, proxy_connection, x_forwarded_host, x_forwarded_port>(name);
        case 17: return one_of<if_modified_since, transfer_encoding, x_forwarded_proto>(name);
        case 18: return one_of<proxy_authenticate>(name);
        case 19: return one_of<proxy_authorization, if_unmodified_since>(name);
        default: return other;
    }
}

std::string_view field_name(FieldId id) { return kNames[std::to_underlying(id)]; }

}  // namespace http
