// The header fields a proxy has to know, as small numbers, and the sets of them that rules speak of.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <utility>

namespace http {

enum class FieldId : uint8_t {
    other,  // any field that is not below
    accept,
    accept_encoding,
    accept_language,
    age,
    authorization,
    cache_control,
    connection,
    content_encoding,
    content_length,
    content_type,
    cookie,
    date,
    etag,
    expect,
    forwarded,
    host,
    if_match,
    if_modified_since,
    if_none_match,
    if_range,
    if_unmodified_since,
    keep_alive,
    last_modified,
    location,
    origin,
    proxy_authenticate,
    proxy_authorization,
    proxy_connection,
    range,
    referer,
    retry_after,
    server,
    set_cookie,
    te,
    trailer,
    transfer_encoding,
    upgrade,
    user_agent,
    vary,
    via,
    x_forwarded_for,
    x_forwarded_host,
    x_forwarded_port,
    x_forwarded_proto,
    x_real_ip,
    x_request_id,
};

inline constexpr uint8_t kFieldIdCount = std::to_underlying(FieldId::x_request_id) + 1;
static_assert(kFieldIdCount <= 64, "FieldSet has one bit for each");

// The field of this name, in any case; FieldId::other for any other text. `name` must hold no control
// characters.
[[nodiscard]] FieldId find_field_id(std::string_view name);

// "content-length"; "" for FieldId::other.
[[nodiscard]] std::string_view field_name(FieldId id);

// A set of known fields.
class FieldSet {
public:
    constexpr FieldSet() = default;

    constexpr FieldSet(std::initializer_list<FieldId> ids) {
        for (const FieldId id : ids) {
            add(id);
        }
    }

    constexpr void add(FieldId id) { bits_ |= bit(id); }

    [[nodiscard]] constexpr bool has(FieldId id) const { return (bits_ & bit(id)) != 0; }

    [[nodiscard]] constexpr bool has_any_of(FieldSet other) const { return (bits_ & other.bits_) != 0; }

    friend constexpr bool operator==(const FieldSet&, const FieldSet&) = default;

private:
    static constexpr uint64_t bit(FieldId id) { return uint64_t{1} << std::to_underlying(id); }

    uint64_t bits_ = 0;
};

// Fields that speak of one connection, or of the credentials for its next node; a proxy never passes them on
// (RFC 9110 section 7.6.1; 11.7 for the credentials). What the next connection needs of them the forwarder
// writes itself.
inline constexpr FieldSet kHopByHopFields = {
    FieldId::connection,
    FieldId::keep_alive,
    FieldId::proxy_authenticate,
    FieldId::proxy_authorization,
    FieldId::te,
    FieldId::proxy_connection,
    FieldId::transfer_encoding,
    FieldId::upgrade,
};

// Fields that may stand once in a request. A second line is refused, even with the same value: one node would
// take the first, the next one the last (framing, routing, identity of the client, identity of the request).
inline constexpr FieldSet kOnceInRequest = {
    FieldId::host,
    FieldId::content_length,
    FieldId::transfer_encoding,
    FieldId::content_type,
    FieldId::authorization,
    FieldId::expect,
    FieldId::upgrade,
    FieldId::x_forwarded_host,
    FieldId::x_forwarded_port,
    FieldId::x_forwarded_proto,
    FieldId::x_real_ip,
    FieldId::x_request_id,
    FieldId::proxy_authorization,
};

// Fields that may stand once in a response: only its framing, since we answer for nothing else of a backend.
inline constexpr FieldSet kOnceInResponse = {
    FieldId::content_length,
    FieldId::transfer_encoding,
    FieldId::upgrade
};

// Fields that frame or route: a Connection header that names one of them is refused.
inline constexpr FieldSet kNeverNominated = {
    FieldId::host,
    FieldId::content_length,
    FieldId::transfer_encoding
};

// Fields on which a backend's trust may rest: a Connection header that names one of them does not remove it.
inline constexpr FieldSet kNominationIgnored = {
    FieldId::authorization,
    FieldId::content_type,
    FieldId::cookie,
    FieldId::forwarded,
    FieldId::via,
    FieldId::x_forwarded_for,
    FieldId::x_forwarded_host,
    FieldId::x_forwarded_port,
    FieldId::x_forwarded_proto,
    FieldId::x_real_ip,
    FieldId::x_request_id,
    FieldId::set_cookie,
    FieldId::expect,
    FieldId::content_encoding,
};

// Fields that have no meaning, or a dangerous one, after the body (RFC 9110 section 6.5.1): framing, routing,
// request modifiers, authentication, content handling. They are dropped from a trailer section.
inline constexpr FieldSet kForbiddenInTrailer = {
    FieldId::accept,
    FieldId::accept_encoding,
    FieldId::accept_language,
    FieldId::age,
    FieldId::authorization,
    FieldId::cache_control,
    FieldId::connection,
    FieldId::content_encoding,
    FieldId::content_length,
    FieldId::content_type,
    FieldId::cookie,
    FieldId::date,
    FieldId::expect,
    FieldId::forwarded,
    FieldId::host,
    FieldId::if_match,
    FieldId::if_modified_since,
    FieldId::if_none_match,
    FieldId::if_range,
    FieldId::if_unmodified_since,
    FieldId::keep_alive,
    FieldId::location,
    FieldId::origin,
    FieldId::proxy_authenticate,
    FieldId::proxy_authorization,
    FieldId::proxy_connection,
    FieldId::range,
    FieldId::retry_after,
    FieldId::set_cookie,
    FieldId::te,
    FieldId::trailer,
    FieldId::transfer_encoding,
    FieldId::upgrade,
    FieldId::vary,
    FieldId::via,
    FieldId::x_forwarded_for,
    FieldId::x_forwarded_host,
    FieldId::x_forwarded_port,
    FieldId::x_forwarded_proto,
    FieldId::x_real_ip,
    FieldId::x_request_id,
    FieldId::referer,
    FieldId::user_agent,
};

}  // namespace http
