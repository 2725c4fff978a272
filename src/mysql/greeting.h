// The server's first packet: protocol 10's initial handshake, or an ERR in its place (MariaDB KB:
// Connection).
//
//   10, version NUL, thread id (4), nonce (8), 0, capabilities (2), collation (1), status (2), capabilities
//   (2), length of the nonce with its NUL (1), reserved (6), MariaDB's capabilities or reserved (4), rest of
//   the nonce (12 and a NUL), plugin NUL
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <variant>

#include "core/result.h"
#include "mysql/capabilities.h"
#include "mysql/ok_packet.h"
#include "mysql/wire.h"

namespace mysql {

constexpr size_t kNonceSize = 20;

// The random bytes that a password's answer is made for. None of them is NUL: old clients read it as a
// string.
using Nonce = std::array<char, kNonceSize>;

[[nodiscard]] inline std::string_view view(const Nonce& nonce) { return {nonce.data(), nonce.size()}; }

struct Greeting {
    std::string_view version{};  // as it stands there, with the prefix, see version_without_prefix()
    uint32_t thread_id = 0;
    Nonce nonce{};
    // kClientMysql is clear: a MariaDB server, and the high half are its extended capabilities.
    Capabilities capabilities = 0;
    uint8_t collation = 0;
    uint16_t status = 0;
    std::string_view plugin{};  // "" without kPluginAuth
};

// Reads the payload of a server's first packet; views point into it. An ERR is no failure: the server is
// there and says why it does not talk (1040, 1129, 1130 …), with or without SQLSTATE. Fails with
// `unsupported` for another protocol than 10 or a server without kProtocol41 and kSecureConnection, and with
// `invalid` for what is malformed. The nonce is what precedes the NUL, exactly 20 bytes: `unsupported` else.
[[nodiscard]] core::Result<std::variant<Greeting, ErrorPacket>> read_greeting(std::string_view payload);

// Writes the packet, sequence 0. Capabilities of MariaDB are written only if kClientMysql is clear. The
// version must hold no NUL, the nonce none either (asserted). kProtocol41, kSecureConnection and kPluginAuth
// are always announced.
void write_greeting(PayloadWriter& writer, const Greeting& greeting);

// Without the "5.5.5-" that MariaDB before 11.0 puts first, so that MySQL's replication took it for a MySQL.
[[nodiscard]] std::string_view version_without_prefix(std::string_view version);

}  // namespace mysql
