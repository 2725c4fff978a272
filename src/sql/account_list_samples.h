// For tests: what a client with a password sends, and what a list of accounts says to it.
#pragma once

#include <string>
#include <string_view>

#include "sql/account_list.h"

namespace sql {

inline mysql::Nonce some_nonce() {
    mysql::Nonce nonce;
    for (size_t at = 0; at < nonce.size(); ++at) {
        nonce[at] = static_cast<char>('a' + at);
    }
    return nonce;
}

inline net::Address address_of(const std::string& from) {
    return from == "unix" ? *net::Address::of_unix_path("/run/x") : *net::Address::parse_host(from);
}

// The verdict for a client that knows this password ("" sends the empty answer).
inline LoginVerdict verdict_of(
    const AccountList& list,
    std::string_view user,
    const std::string& from,
    const std::string& password
) {
    mysql::Sha1 answer = mysql::password_answer(mysql::password_key(password), some_nonce());
    std::string_view bytes(reinterpret_cast<const char*>(answer.data()), answer.size());
    return list.check({
        .user = user,
        .answer = password.empty() ? std::string_view() : bytes,
        .nonce = some_nonce(),
        .from = address_of(from),
    });
}

}  // namespace sql
