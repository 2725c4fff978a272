// The plugin's arithmetic against values of real servers, and what is no proof.
#include "mysql/native_password.h"

#include <algorithm>

#include <doctest/doctest.h>

#include "mysql/test_bytes.h"

namespace mysql {
namespace {

Nonce nonce_of(std::string_view text) {
    REQUIRE(text.size() == kNonceSize);
    Nonce nonce{};
    std::ranges::copy(text, nonce.begin());
    return nonce;
}

std::string text_of(const Sha1& bytes) { return {bytes.begin(), bytes.end()}; }

TEST_CASE("the hash is what SELECT PASSWORD() of MariaDB gives") {
    CHECK(
        password_hash_text(password_hash(password_key("secret"))) ==
        "*14E65567ABDB5135D0CFD9A70B3032C179A49EE7"
    );
    CHECK(
        password_hash_text(password_hash(password_key("password"))) ==
        "*2470C0C06DEE42FD1618BB99005ADCA2EC9D1E19"
    );
}

TEST_CASE("the right answer gives the key, which answers another nonce") {
    const PasswordKey key = password_key("secret");
    const Sha1 hash = password_hash(key);
    const Nonce first = nonce_of("<LHeFlnc'{,abcdefghi");
    const Nonce second = nonce_of("1S05ZC$&1d'4mHb4|4,}");
    const std::string answer = text_of(password_answer(key, first));
    const std::optional<PasswordKey> found = check_answer(answer, first, hash);
    REQUIRE(found.has_value());
    CHECK(found->bytes() == key.bytes());
    CHECK(password_answer(*found, second) == password_answer(key, second));
    CHECK_FALSE(check_answer(answer, second, hash).has_value());
}

TEST_CASE("an answer with any bit wrong, too short or too long is none") {
    const PasswordKey key = password_key("secret");
    const Nonce nonce = nonce_of("1S05ZC$&1d'4mHb4|4,}");
    const std::string answer = text_of(password_answer(key, nonce));
    for (size_t bit = 0; bit < answer.size() * 8; ++bit) {
        std::string wrong = answer;
        wrong[bit / 8] = static_cast<char>(wrong[bit / 8] ^ 1 << bit % 8);
        CHECK_FALSE(check_answer(wrong, nonce, password_hash(key)).has_value());
    }
    CHECK_FALSE(check_answer("", nonce, password_hash(key)).has_value());
    CHECK_FALSE(check_answer(answer.substr(1), nonce, password_hash(key)).has_value());
    CHECK_FALSE(check_answer(answer + "x", nonce, password_hash(key)).has_value());
}

TEST_CASE("stored hashes are read in either case, and nothing else is") {
    constexpr std::string_view kText = "*14E65567ABDB5135D0CFD9A70B3032C179A49EE7";
    const std::optional<Sha1> hash = read_password_hash(kText);
    REQUIRE(hash.has_value());
    CHECK(*hash == password_hash(password_key("secret")));
    CHECK(read_password_hash("*14e65567abdb5135d0cfd9a70b3032c179a49ee7") == hash);
    for (const std::string_view text :
         {"",
          "*",
          "invalid",
          "14E65567ABDB5135D0CFD9A70B3032C179A49EE7",
          "*14E65567ABDB5135D0CFD9A70B3032C179A49EE",
          "*14E65567ABDB5135D0CFD9A70B3032C179A49EE70",
          "*14E65567ABDB5135D0CFD9A70B3032C179A49EEg",
          "*14E65567ABDB5135D0CFD9A70B3032C179A49EE "}) {
        CAPTURE(text);
        CHECK_FALSE(read_password_hash(text).has_value());
    }
}

}  // namespace
}  // namespace mysql
