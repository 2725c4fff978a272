// The plugin mysql_native_password: a client proves its password without sending it, and whoever checks the
// proof against the stored hash learns enough to prove it to another server.
//
//   key     SHA1(password)                                as good as the password: never logged, wiped
//   hash    SHA1(key)                                     what the server stores, as "*" and 40 digits
//   answer  key xor SHA1(nonce, hash)                     what the client sends, 20 bytes; "" for no password
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "mysql/greeting.h"

namespace mysql {

constexpr std::string_view kNativePassword = "mysql_native_password";

using Sha1 = std::array<unsigned char, 20>;

// SHA1(password), wiped from memory when it ends.
class PasswordKey {
public:
    explicit PasswordKey(const Sha1& bytes) : bytes_(bytes) {}

    PasswordKey(const PasswordKey&) = default;
    PasswordKey& operator=(const PasswordKey&) = default;
    ~PasswordKey();

    [[nodiscard]] const Sha1& bytes() const { return bytes_; }

private:
    Sha1 bytes_;
};

[[nodiscard]] PasswordKey password_key(std::string_view password);

// What the server stores of the key.
[[nodiscard]] Sha1 password_hash(const PasswordKey& key);

// The answer to `nonce` of whoever has the key.
[[nodiscard]] Sha1 password_answer(const PasswordKey& key, const Nonce& nonce);

// The key, if `answer` is the right one to `nonce` for the account with `hash`. In a time that does not
// depend on where a wrong answer differs. An answer of another length than 20 is wrong: an account without a
// password is the caller's matter, with an empty answer.
[[nodiscard]] std::optional<PasswordKey> check_answer(
    std::string_view answer,
    const Nonce& nonce,
    const Sha1& hash
);

// "*" and 40 hexadecimal digits, of either case; nothing for any other text.
[[nodiscard]] std::optional<Sha1> read_password_hash(std::string_view text);

// "*" and 40 upper-case digits, as MariaDB writes it.
[[nodiscard]] std::string password_hash_text(const Sha1& hash);

}  // namespace mysql
