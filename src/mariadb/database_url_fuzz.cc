// Any bytes as a URL of a database: what is taken can be said in a login.
#include <string_view>

#include "core/panic.h"
#include "mariadb/database_url.h"
#include "mysql/login.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, size_t size) {
    auto url = mariadb::read_database_url(std::string_view(reinterpret_cast<const char*>(data), size));
    if (url) {
        ASSERT(!url->user.contains('\0') && url->user.size() <= mysql::kUserMax);
        ASSERT(!url->database.contains('\0') && url->database.size() <= mysql::kDatabaseMax);
    } else {
        ASSERT(!url.error().context().empty());
    }
    return 0;
}
