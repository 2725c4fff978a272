// Where a program's database is: mysql://USER:PASSWORD@ADDRESS:PORT/DATABASE, as DATABASE_URL has it. User,
// password and database may be percent-encoded; the address is a number, an IPv6 one in brackets, or
// "localhost", which is 127.0.0.1; the port is 3306 where none is written.
#pragma once

#include <string>
#include <string_view>

#include "core/result.h"
#include "net/address.h"

namespace mariadb {

struct DatabaseUrl {
    net::Address address{};
    std::string user{};
    std::string password{};  // "": none
    std::string database{};  // "": none is selected
};

// The failure's sentence does not repeat the text, which holds a password.
[[nodiscard]] core::Result<DatabaseUrl> read_database_url(std::string_view text);

}  // namespace mariadb
