// Any bytes as a login and as a change of user: what is read is written and read again the same.
#include <string>

#include "core/panic.h"
#include "mysql/login.h"

namespace mysql {
namespace {

void walk_attributes(std::string_view text) {
    ConnectAttributes attributes(text);
    std::string_view name;
    std::string_view value;
    while (attributes.next(name, value)) {
        ASSERT(name.size() + value.size() < text.size());
    }
}

void check_same(const Login& a, const Login& b) {
    ASSERT(a.user == b.user);
    ASSERT(a.auth_response == b.auth_response);
    ASSERT(a.database == b.database);
    ASSERT(a.plugin == b.plugin);
    ASSERT(a.connect_attributes == b.connect_attributes);
}

void try_login(std::string_view payload) {
    const core::Result<Login> login = read_login(payload);
    if (!login) {
        return;
    }
    walk_attributes(login->connect_attributes);
    std::string text;
    PayloadWriter writer(text);
    write_login(writer, *login);
    const core::Result<Login> again = read_login(text);
    ASSERT(again.has_value());
    check_same(*again, *login);
}

void try_change_user(std::string_view bytes) {
    PayloadReader reader(bytes);
    const Capabilities capabilities = reader.u32();
    const std::string payload = "\x11" + std::string(reader.rest());
    const core::Result<Login> login = read_change_user(payload, capabilities);
    if (!login) {
        return;
    }
    std::string text;
    PayloadWriter writer(text);
    write_change_user(writer, *login);
    const core::Result<Login> again = read_change_user(text, capabilities);
    ASSERT(again.has_value());
    check_same(*again, *login);
}

}  // namespace
}  // namespace mysql

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    mysql::try_login(bytes);
    mysql::try_change_user(bytes);
    mysql::AuthSwitch request;
    if (mysql::read_auth_switch(bytes, request)) {
        ASSERT(request.nonce.size() < size);
    }
    return 0;
}
