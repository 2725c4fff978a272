// Any bytes as a server's greeting: what is read is written and read again the same.
#include <string>

#include "core/panic.h"
#include "mysql/greeting.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, size_t size) {
    const std::string_view payload(reinterpret_cast<const char*>(data), size);
    const auto read = mysql::read_greeting(payload);
    if (!read || !std::holds_alternative<mysql::Greeting>(*read)) {
        return 0;
    }
    const mysql::Greeting& greeting = std::get<mysql::Greeting>(*read);
    if (mysql::view(greeting.nonce).contains('\0')) {
        return 0;
    }
    std::string text;
    mysql::PayloadWriter writer(text);
    mysql::write_greeting(writer, greeting);
    const auto again = mysql::read_greeting(std::string_view(text).substr(mysql::kPacketHeaderSize));
    ASSERT(again.has_value());
    const mysql::Greeting& same = std::get<mysql::Greeting>(*again);
    ASSERT(same.version == greeting.version);
    ASSERT(same.nonce == greeting.nonce);
    ASSERT(same.capabilities == (greeting.capabilities | mysql::kPluginAuth));
    return 0;
}
