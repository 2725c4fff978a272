// SHA-1 as mysql_native_password uses it.
#include "mysql/native_password.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>

#include "core/panic.h"

namespace mysql {
namespace {

constexpr std::string_view kDigits = "0123456789ABCDEF";
constexpr size_t kHashTextSize = 41;

Sha1 sha1(std::string_view bytes) {
    Sha1 digest{};
    const int is_made =
        ::EVP_Digest(bytes.data(), bytes.size(), digest.data(), nullptr, ::EVP_sha1(), nullptr);
    ASSERT(is_made == 1);
    return digest;
}

std::string_view view(const Sha1& bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

Sha1 exclusive_or(const Sha1& a, const Sha1& b) {
    Sha1 result{};
    for (size_t at = 0; at < result.size(); ++at) {
        result[at] = static_cast<unsigned char>(a[at] ^ b[at]);
    }
    return result;
}

// What a key is hidden with on its way: SHA1(nonce, hash).
Sha1 mask_of(const Nonce& nonce, const Sha1& hash) {
    std::array<char, kNonceSize + std::tuple_size_v<Sha1>> text{};
    std::copy(nonce.begin(), nonce.end(), text.begin());
    std::copy(hash.begin(), hash.end(), text.begin() + kNonceSize);
    return sha1({text.data(), text.size()});
}

}  // namespace

PasswordKey::~PasswordKey() { ::OPENSSL_cleanse(bytes_.data(), bytes_.size()); }

PasswordKey password_key(std::string_view password) { return PasswordKey(sha1(password)); }

Sha1 password_hash(const PasswordKey& key) { return sha1(view(key.bytes())); }

Sha1 password_answer(const PasswordKey& key, const Nonce& nonce) {
    return exclusive_or(key.bytes(), mask_of(nonce, password_hash(key)));
}

std::optional<PasswordKey> check_answer(std::string_view answer, const Nonce& nonce, const Sha1& hash) {
    Sha1 bytes{};
    if (answer.size() != bytes.size()) {
        return std::nullopt;
    }
    std::copy(answer.begin(), answer.end(), bytes.begin());
    PasswordKey key(exclusive_or(bytes, mask_of(nonce, hash)));
    const Sha1 found = password_hash(key);
    if (::CRYPTO_memcmp(found.data(), hash.data(), hash.size()) != 0) {
        return std::nullopt;
    }
    return key;
}

std::optional<Sha1> read_password_hash(std::string_view text) {
    Sha1 hash{};
    if (text.size() != kHashTextSize || text.front() != '*') {
        return std::nullopt;
    }
    text.remove_prefix(1);
    for (size_t at = 0; at < text.size(); ++at) {
        const char upper =
            text[at] >= 'a' && text[at] <= 'f' ? static_cast<char>(text[at] - 'a' + 'A') : text[at];
        const size_t digit = kDigits.find(upper);
        if (digit == std::string_view::npos) {
            return std::nullopt;
        }
        hash[at / 2] = static_cast<unsigned char>(size_t{hash[at / 2]} << 4 | digit);
    }
    return hash;
}

std::string password_hash_text(const Sha1& hash) {
    std::string text = "*";
    for (const unsigned char byte : hash) {
        text += kDigits[byte >> 4];
        text += kDigits[byte & 15];
    }
    return text;
}

}  // namespace mysql
