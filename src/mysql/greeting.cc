// Reading and writing of the initial handshake.
#include "mysql/greeting.h"

#include <algorithm>

#include "core/panic.h"

namespace mysql {
namespace {

constexpr uint8_t kProtocol = 10;
constexpr size_t kFirstNonceBytes = 8;
constexpr size_t kReservedBytes = 6;
constexpr std::string_view kReplicationPrefix = "5.5.5-";

}  // namespace

core::Result<std::variant<Greeting, ErrorPacket>> read_greeting(std::string_view payload) {
    if (payload.starts_with(static_cast<char>(kErrorByte))) {
        ErrorPacket error;
        if (!read_error(payload, error)) {
            return core::fail(core::ErrorKind::invalid, "the server's first packet is a malformed ERR");
        }
        return error;
    }
    PayloadReader reader(payload);
    if (const uint8_t protocol = reader.u8(); reader.is_good() && protocol != kProtocol) {
        return core::fail(core::ErrorKind::unsupported, "the server does not speak protocol 10");
    }
    Greeting greeting;
    greeting.version = reader.terminated_string();
    greeting.thread_id = reader.u32();
    const std::string_view first = reader.bytes(kFirstNonceBytes);
    reader.skip(1);
    const uint64_t low = reader.u16();
    greeting.collation = reader.u8();
    greeting.status = reader.u16();
    const uint64_t high = reader.u16();
    greeting.capabilities = low | high << 16;
    const uint8_t nonce_length = reader.u8();
    reader.skip(kReservedBytes);
    const uint64_t extended = reader.u32();
    if (!has(greeting.capabilities, kClientMysql)) {
        greeting.capabilities |= extended << 32;
    }
    if (!reader.is_good()) {
        return core::fail(core::ErrorKind::invalid, "the server's greeting is malformed");
    }
    if (!has(greeting.capabilities, kProtocol41 | kSecureConnection)) {
        return core::fail(core::ErrorKind::unsupported, "the server is older than MySQL 4.1");
    }
    if (has(greeting.capabilities, kPluginAuth) && nonce_length != kNonceSize + 1) {
        return core::fail(core::ErrorKind::unsupported, "the server's nonce is not of 20 bytes");
    }
    const std::string_view rest = reader.bytes(kNonceSize - kFirstNonceBytes);
    const uint8_t end = reader.u8();
    if (has(greeting.capabilities, kPluginAuth)) {
        greeting.plugin = reader.terminated_string_or_rest();
    }
    if (!reader.is_good() || end != 0) {
        return core::fail(core::ErrorKind::invalid, "the server's greeting is malformed");
    }
    std::ranges::copy(first, greeting.nonce.begin());
    std::ranges::copy(rest, greeting.nonce.begin() + kFirstNonceBytes);
    return greeting;
}

void write_greeting(PayloadWriter& writer, const Greeting& greeting) {
    ASSERT(std::ranges::find(greeting.nonce, '\0') == greeting.nonce.end());
    const Capabilities capabilities = greeting.capabilities | kProtocol41 | kSecureConnection | kPluginAuth;
    const std::string_view nonce = view(greeting.nonce);
    writer.begin_packet();
    writer.u8(kProtocol);
    writer.terminated_string(greeting.version);
    writer.u32(greeting.thread_id);
    writer.bytes(nonce.substr(0, kFirstNonceBytes));
    writer.u8(0);
    writer.u16(static_cast<uint16_t>(capabilities & 0xFFFF));
    writer.u8(greeting.collation);
    writer.u16(greeting.status);
    writer.u16(static_cast<uint16_t>(capabilities >> 16 & 0xFFFF));
    writer.u8(kNonceSize + 1);
    writer.zeros(kReservedBytes);
    writer.u32(has(capabilities, kClientMysql) ? 0 : static_cast<uint32_t>(capabilities >> 32));
    writer.bytes(nonce.substr(kFirstNonceBytes));
    writer.u8(0);
    writer.terminated_string(greeting.plugin);
    writer.end_packet(0);
}

std::string_view version_without_prefix(std::string_view version) {
    if (version.starts_with(kReplicationPrefix)) {
        version.remove_prefix(kReplicationPrefix.size());
    }
    return version;
}

}  // namespace mysql
