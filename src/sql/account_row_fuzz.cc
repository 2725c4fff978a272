// Any bytes as the privileges of an account, its host and its user: nobody gets in without an answer that is
// right, and the order of hosts is one.
#include <string_view>

#include "core/panic.h"
#include "sql/account_list.h"
#include "sql/account_list_samples.h"

namespace {

void ask(std::string_view host, std::string_view privileges) {
    std::vector<sql::AccountRow> rows{
        {.host = host, .user = "u", .privileges = privileges},
        {.host = "10.%", .user = "", .privileges = R"({"authentication_string":""})"},
    };
    auto list = sql::AccountList::read(rows, sql::LoopbackName::localhost);
    ASSERT(list.has_value());
    for (std::string_view from : {"unix", "10.1.2.3", "::1"}) {
        sql::LoginVerdict verdict = sql::verdict_of(*list, "u", std::string(from), "a password");
        // Whoever invented the hash cannot have known a key for it.
        ASSERT(!verdict.is_accepted());
        sql::LoginVerdict empty = sql::verdict_of(*list, "u", std::string(from), "");
        ASSERT(!empty.key.has_value());
        if (empty.is_accepted()) {
            ASSERT(empty.account != nullptr);
        }
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, size_t size) {
    std::string_view bytes(reinterpret_cast<const char*>(data), size);
    size_t cut = std::min(bytes.find('\n'), bytes.size());
    ask(bytes.substr(0, cut), bytes.substr(std::min(cut + 1, bytes.size())));
    return 0;
}
