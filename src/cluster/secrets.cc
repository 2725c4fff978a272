#include "cluster/secrets.h"

#include <array>
#include <format>

#include "cluster/durable_file.h"
#include "core/hex.h"

namespace cluster {

namespace {

constexpr size_t kSecretBytes = 24;

struct SecretKey {
    std::string_view name;
    std::string Secrets::* text;
};

constexpr std::array kSecretKeys{
    SecretKey{"manager", &Secrets::manager},
    SecretKey{"replica", &Secrets::replica},
    SecretKey{"router", &Secrets::router},
    SecretKey{"app", &Secrets::app},
    SecretKey{"admin", &Secrets::admin},
};

std::string make_secret(runtime::Os& os) {
    std::array<std::byte, kSecretBytes> bytes{};
    os.fill_random(bytes);
    return core::to_hex(bytes);
}

bool is_secret(std::string_view text) {
    return text.size() == 2 * kSecretBytes && text.find_first_not_of("0123456789abcdef") == text.npos;
}

core::Result<std::string> read_or_make(const std::string& path, runtime::Os& os) {
    TRY(auto known, read_secret(path));
    if (known) {
        return *std::move(known);
    }
    std::string secret = make_secret(os);
    TRY_VOID(replace_durably(path, secret + "\n"));
    return secret;
}

}  // namespace

std::string secret_file(const std::string& shared, std::string_view name) {
    return std::format("{}/secrets/{}", shared, name);
}

core::Result<std::optional<std::string>> read_secret(const std::string& path) {
    constexpr size_t kFileMax = 1024;
    TRY(auto text, read_small_file(path, kFileMax));
    if (!text) {
        return text;
    }
    while (text->ends_with('\n')) {
        text->pop_back();
    }
    if (!is_secret(*text)) {
        return core::fail(
            core::ErrorKind::invalid,
            std::format("{}: is no secret of {} hexadecimal digits: restore it", path, 2 * kSecretBytes)
        );
    }
    return text;
}

core::Result<Secrets> prepare_secrets(const std::string& shared, runtime::Os& os) {
    TRY_VOID(make_directory(shared));
    TRY_VOID(make_directory(shared + "/secrets"));
    // The others hold it for as long as it takes to write five small files.
    TRY(runtime::Descriptor lock, lock_shortly(shared + "/secrets/lock"));
    Secrets secrets;
    for (const SecretKey& key : kSecretKeys) {
        TRY(secrets.*(key.text), read_or_make(secret_file(shared, key.name), os));
    }
    return secrets;
}

}  // namespace cluster
