// What a client says of itself: HandshakeResponse41, the body of COM_CHANGE_USER, and the server's request to
// answer with another plugin (MariaDB KB: Connection, COM_CHANGE_USER).
//
//   login        capabilities (4), packet bound (4), collation (1), reserved (19), MariaDB's capabilities or
//                reserved (4), user NUL, answer, [database NUL], [plugin NUL], [attributes]
//   change user  0x11, user NUL, answer, database NUL, [collation (2), [plugin NUL], [attributes]]
//   switch       0xFE, plugin NUL, nonce (NUL)
#pragma once

#include <cstdint>
#include <string_view>

#include "core/result.h"
#include "mysql/capabilities.h"
#include "mysql/wire.h"

namespace mysql {

constexpr size_t kConnectAttributesMax = 64 << 10;
constexpr size_t kUserMax = 512;      // bytes: 128 characters of 4 (MariaDB's USERNAME_CHAR_LENGTH)
constexpr size_t kDatabaseMax = 256;  // bytes: 64 characters of 4 (NAME_CHAR_LEN)
constexpr size_t kAuthResponseMax = 16 << 10;

// Views point into the payload that was read.
struct Login {
    Capabilities capabilities = 0;
    uint32_t packet_max = 0;  // the longest packet that the client takes; 0 or 2^24 - 1 say nothing
    uint16_t collation = 0;
    std::string_view user{};
    std::string_view auth_response{};
    std::string_view database{};            // "" is none
    std::string_view plugin{};              // "" where the client named none
    std::string_view connect_attributes{};  // length-encoded names and values, see ConnectAttributes
};

// What stands at the beginning of a client's first packet.
enum class LoginForm : uint8_t {
    protocol41,
    tls_request,  // 32 bytes with kTls: TLS is to begin, then the login follows
    too_old,      // without kProtocol41
    malformed,
};

[[nodiscard]] LoginForm login_form(std::string_view payload);

// Reads a client's first payload. Fails with `unsupported` for tls_request and too_old, `too_large` for what
// is over a bound above, `invalid` for what is malformed; the sentence is fit for an ERR's message.
[[nodiscard]] core::Result<Login> read_login(std::string_view payload);

// Writes the payload only (no header) with the fields that `login.capabilities` announce. Plugin, database
// and attributes that they do not announce must be empty (asserted). Without kLengthEncodedAuth the answer
// must be shorter than 256 bytes (asserted).
void write_login(PayloadWriter& writer, const Login& login);

// Reads the payload of COM_CHANGE_USER, with its command byte; `capabilities` are those of the login.
// Collation 0 means that the client did not send one. Fails as read_login() does.
[[nodiscard]] core::Result<Login> read_change_user(std::string_view payload, Capabilities capabilities);

// Writes the payload, with its command byte, in the form of `login.capabilities`.
void write_change_user(PayloadWriter& writer, const Login& login);

// "Answer again, with this plugin and nonce."
struct AuthSwitch {
    std::string_view plugin{};
    std::string_view nonce{};  // without the NUL behind it
};

// False if it is malformed, or the one byte that asks for the password of before 4.1.
[[nodiscard]] bool read_auth_switch(std::string_view payload, AuthSwitch& request);
void write_auth_switch(PayloadWriter& writer, const AuthSwitch& request);  // the payload only

// Goes through a client's connection attributes in place.
class ConnectAttributes {
public:
    explicit ConnectAttributes(std::string_view attributes) : rest_(attributes) {}

    // False at the end, and where they are malformed: then is_good() is false.
    [[nodiscard]] bool next(std::string_view& name, std::string_view& value);

    [[nodiscard]] bool is_good() const { return rest_.is_good(); }

private:
    PayloadReader rest_;
};

}  // namespace mysql
