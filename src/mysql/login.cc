// Reading and writing of logins, changes of user and requests for another plugin.
#include "mysql/login.h"

#include "core/panic.h"

namespace mysql {
namespace {

constexpr size_t kFixedSize = 32;  // of a login, and all of a request for TLS
constexpr size_t kLoginReservedBytes = 19;
constexpr uint8_t kSwitchByte = 0xFE;

// The answer to the nonce, in whichever of the three forms was agreed on.
std::string_view read_auth_response(PayloadReader& reader, Capabilities capabilities) {
    if (has(capabilities, kLengthEncodedAuth)) {
        return reader.length_encoded_string();
    }
    if (has(capabilities, kSecureConnection)) {
        return reader.bytes(reader.u8());
    }
    return reader.terminated_string();
}

void write_auth_response(PayloadWriter& writer, const Login& login) {
    if (has(login.capabilities, kLengthEncodedAuth)) {
        writer.length_encoded_string(login.auth_response);
    } else if (has(login.capabilities, kSecureConnection)) {
        ASSERT(login.auth_response.size() <= UINT8_MAX);
        writer.u8(static_cast<uint8_t>(login.auth_response.size()));
        writer.bytes(login.auth_response);
    } else {
        writer.terminated_string(login.auth_response);
    }
}

// What may follow the database in both packets; MariaDB too takes a packet that ends before a field for one
// where it is empty.
void read_plugin_and_attributes(PayloadReader& reader, Login& login) {
    if (has(login.capabilities, kPluginAuth) && reader.left() > 0) {
        login.plugin = reader.terminated_string_or_rest();
    }
    if (has(login.capabilities, kConnectAttributes) && reader.left() > 0) {
        login.connect_attributes = reader.length_encoded_string();
    }
}

void write_plugin_and_attributes(PayloadWriter& writer, const Login& login) {
    if (has(login.capabilities, kPluginAuth)) {
        writer.terminated_string(login.plugin);
    }
    if (has(login.capabilities, kConnectAttributes)) {
        writer.length_encoded_string(login.connect_attributes);
    }
}

core::Result<Login> check(const Login& login, const PayloadReader& reader) {
    if (!reader.is_good()) {
        return core::fail(core::ErrorKind::invalid, "the login packet is malformed");
    }
    if (login.user.size() > kUserMax) {
        return core::fail(core::ErrorKind::too_large, "the user name is longer than 512 bytes");
    }
    if (login.database.size() > kDatabaseMax) {
        return core::fail(core::ErrorKind::too_large, "the database name is longer than 256 bytes");
    }
    if (login.auth_response.size() > kAuthResponseMax) {
        return core::fail(core::ErrorKind::too_large, "the answer to the nonce is larger than 16 KiB");
    }
    if (login.connect_attributes.size() > kConnectAttributesMax) {
        return core::fail(core::ErrorKind::too_large, "the connection attributes are larger than 64 KiB");
    }
    return login;
}

}  // namespace

LoginForm login_form(std::string_view payload) {
    PayloadReader reader(payload);
    const Capabilities capabilities = reader.u16();
    if (!reader.is_good()) {
        return LoginForm::malformed;
    }
    if (!has(capabilities, kProtocol41)) {
        return LoginForm::too_old;
    }
    if (payload.size() < kFixedSize) {
        return LoginForm::malformed;
    }
    const bool is_tls_request = has(capabilities, kTls) && payload.size() == kFixedSize;
    return is_tls_request ? LoginForm::tls_request : LoginForm::protocol41;
}

core::Result<Login> read_login(std::string_view payload) {
    switch (login_form(payload)) {
        case LoginForm::protocol41: break;
        case LoginForm::tls_request:
            return core::fail(core::ErrorKind::unsupported, "TLS is not offered here");
        case LoginForm::too_old:
            return core::fail(core::ErrorKind::unsupported, "clients older than MySQL 4.1 are not supported");
        case LoginForm::malformed:
            return core::fail(core::ErrorKind::invalid, "the login packet is malformed");
    }
    PayloadReader reader(payload);
    Login login{.capabilities = reader.u32(), .packet_max = reader.u32(), .collation = reader.u8()};
    reader.skip(kLoginReservedBytes);
    const uint64_t extended = reader.u32();
    if (!has(login.capabilities, kClientMysql)) {
        login.capabilities |= extended << 32;
    }
    login.user = reader.terminated_string();
    login.auth_response = read_auth_response(reader, login.capabilities);
    if (has(login.capabilities, kConnectWithDatabase) && reader.left() > 0) {
        login.database = reader.terminated_string_or_rest();
    }
    read_plugin_and_attributes(reader, login);
    return check(login, reader);
}

void write_login(PayloadWriter& writer, const Login& login) {
    ASSERT(has(login.capabilities, kProtocol41));
    ASSERT(has(login.capabilities, kConnectWithDatabase) || login.database.empty());
    ASSERT(has(login.capabilities, kPluginAuth) || login.plugin.empty());
    ASSERT(has(login.capabilities, kConnectAttributes) || login.connect_attributes.empty());
    ASSERT(login.collation <= UINT8_MAX);
    const bool is_mysql = has(login.capabilities, kClientMysql);
    writer.u32(static_cast<uint32_t>(login.capabilities & 0xFFFFFFFF));
    writer.u32(login.packet_max);
    writer.u8(static_cast<uint8_t>(login.collation));
    writer.zeros(kLoginReservedBytes);
    writer.u32(is_mysql ? 0 : static_cast<uint32_t>(login.capabilities >> 32));
    writer.terminated_string(login.user);
    write_auth_response(writer, login);
    if (has(login.capabilities, kConnectWithDatabase)) {
        writer.terminated_string(login.database);
    }
    write_plugin_and_attributes(writer, login);
}

core::Result<Login> read_change_user(std::string_view payload, Capabilities capabilities) {
    PayloadReader reader(payload);
    const auto command = static_cast<Command>(reader.u8());
    ASSERT(payload.empty() || command == Command::change_user);
    Login login{.capabilities = capabilities, .user = reader.terminated_string()};
    // Never length-encoded here (MariaDB: parse_com_change_user_packet).
    login.auth_response = read_auth_response(reader, capabilities & ~kLengthEncodedAuth);
    if (reader.left() > 0) {
        login.database = reader.terminated_string_or_rest();
    }
    if (reader.left() > 0) {
        login.collation = reader.u16();
    }
    read_plugin_and_attributes(reader, login);
    return check(login, reader);
}

void write_change_user(PayloadWriter& writer, const Login& login) {
    Login body = login;
    body.capabilities &= ~kLengthEncodedAuth;
    ASSERT(has(login.capabilities, kPluginAuth) || login.plugin.empty());
    ASSERT(has(login.capabilities, kConnectAttributes) || login.connect_attributes.empty());
    writer.u8(static_cast<uint8_t>(Command::change_user));
    writer.terminated_string(login.user);
    write_auth_response(writer, body);
    writer.terminated_string(login.database);
    writer.u16(login.collation);
    write_plugin_and_attributes(writer, login);
}

bool read_auth_switch(std::string_view payload, AuthSwitch& request) {
    PayloadReader reader(payload);
    const uint8_t first = reader.u8();
    request.plugin = reader.terminated_string();
    request.nonce = reader.rest();
    if (request.nonce.ends_with('\0')) {
        request.nonce.remove_suffix(1);
    }
    return reader.is_good() && first == kSwitchByte && !request.plugin.empty();
}

void write_auth_switch(PayloadWriter& writer, const AuthSwitch& request) {
    writer.u8(kSwitchByte);
    writer.terminated_string(request.plugin);
    writer.bytes(request.nonce);
    writer.u8(0);
}

bool ConnectAttributes::next(std::string_view& name, std::string_view& value) {
    if (!rest_.is_good() || rest_.left() == 0) {
        return false;
    }
    name = rest_.length_encoded_string();
    value = rest_.length_encoded_string();
    return rest_.is_good();
}

}  // namespace mysql
