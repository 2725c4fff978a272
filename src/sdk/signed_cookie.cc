#include "sdk/signed_cookie.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>

#include "core/panic.h"
#include "http/text.h"
#include "sdk/base64url.h"

namespace trilith::sdk {

namespace {

constexpr size_t kSignedMax = 4096;  // what a browser keeps (RFC 6265 section 6.1)

using Mac = std::array<unsigned char, 32>;

// A NUL stands between the parts: a name is a token and an expiry digits, so no two triples make the same
// message.
Mac authenticate(
    std::string_view key,
    std::string_view name,
    std::string_view expiry,
    std::string_view value
) {
    std::string message;
    message.reserve(name.size() + expiry.size() + value.size() + 2);
    message += name;
    message += '\0';
    message += expiry;
    message += '\0';
    message += value;
    Mac mac{};
    unsigned length = 0;
    const unsigned char* made = ::HMAC(
        ::EVP_sha256(),
        key.data(),
        static_cast<int>(key.size()),
        reinterpret_cast<const unsigned char*>(message.data()),
        message.size(),
        mac.data(),
        &length
    );
    ASSERT(made != nullptr && length == mac.size());
    return mac;
}

}  // namespace

core::Result<CookieSigner> CookieSigner::make(std::vector<std::string> keys) {
    if (keys.size() > kKeysMax) {
        return core::fail(core::ErrorKind::too_large, "more than 8 cookie keys");
    }
    for (const std::string& key : keys) {
        if (key.size() < kKeyBytesMin) {
            return core::fail(core::ErrorKind::invalid, "a cookie key is shorter than 32 bytes");
        }
    }
    CookieSigner signer;
    signer.keys_ = std::move(keys);
    return signer;
}

std::string CookieSigner::sign(std::string_view name, std::string_view value, int64_t expires) const {
    ASSERT(has_keys());
    std::string expiry = std::to_string(expires);
    Mac mac = authenticate(keys_.front(), name, expiry, value);
    return encode_base64url(value) + "." + expiry + "." +
           encode_base64url({reinterpret_cast<const char*>(mac.data()), mac.size()});
}

std::optional<std::string> CookieSigner::verify(std::string_view name, std::string_view text, int64_t now)
    const {
    size_t first = text.find('.');
    size_t last = text.rfind('.');
    if (text.size() > kSignedMax || first == last) {
        return std::nullopt;
    }
    std::string_view expiry = text.substr(first + 1, last - first - 1);
    auto value = decode_base64url(text.substr(0, first));
    auto mac = decode_base64url(text.substr(last + 1));
    if (!value || !mac || mac->size() != Mac().size()) {
        return std::nullopt;
    }
    bool is_ours = false;
    for (const std::string& key : keys_) {
        Mac wanted = authenticate(key, name, expiry, *value);
        is_ours |= ::CRYPTO_memcmp(wanted.data(), mac->data(), wanted.size()) == 0;
    }
    uint64_t expires = 0;
    // Looked at behind the MAC: what is not ours tells nothing of itself.
    if (!is_ours || !http::parse_decimal(expiry, expires) || static_cast<int64_t>(expires) <= now) {
        return std::nullopt;
    }
    return value;
}

}  // namespace trilith::sdk
