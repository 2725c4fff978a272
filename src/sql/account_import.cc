#include "sql/account_import.h"

#include "sql/node_look.h"

namespace sql {

namespace {

constexpr std::string_view kAccountsText =
    "SELECT @@global.skip_name_resolve AS skip_name_resolve;"
    "SELECT Host, User, Priv FROM mysql.global_priv";
constexpr QueryBounds kBounds{.rows_max = AccountList::kAccountsMax + 2, .bytes_max = size_t{128} << 20};

std::string_view view_of(const std::string* text) {
    return text != nullptr ? std::string_view(*text) : std::string_view();
}

core::Result<AccountList> read_accounts(const QueryAnswer& answer) {
    if (answer.failure) {
        std::string sentence = failure_text(*answer.failure);
        if (answer.failure->number == kErrorTableAccessDenied) {
            sentence += "; GRANT SELECT ON mysql.global_priv TO the router's account";
        }
        return core::fail(answer.failure->kind, std::move(sentence));
    }
    if (answer.results.size() != 2) {
        return core::fail(core::ErrorKind::invalid, "the server's answer has not two results");
    }
    const std::string* skips = answer.results[0].value(0, "skip_name_resolve");
    LoopbackName loopback =
        skips != nullptr && *skips == "1" ? LoopbackName::address : LoopbackName::localhost;
    const QueryResult& accounts = answer.results[1];
    std::vector<AccountRow> rows;
    rows.reserve(accounts.rows.size());
    for (size_t row = 0; row < accounts.rows.size(); ++row) {
        rows.push_back({
            .host = view_of(accounts.value(row, "Host")),
            .user = view_of(accounts.value(row, "User")),
            .privileges = view_of(accounts.value(row, "Priv")),
        });
    }
    return AccountList::read(rows, loopback);
}

}  // namespace

runtime::Task<core::Result<AccountList>> import_accounts(
    NodeProbe& probe,
    const LoginAccount& account,
    core::Instant deadline
) {
    ServerResult<QueryAnswer> answer =
        co_await probe.ask(account, std::string(kAccountsText), deadline, kBounds);
    if (!answer) {
        co_return core::fail(answer.error().kind, failure_text(answer.error()));
    }
    if (answer->failure) {
        probe.close();
    }
    co_return read_accounts(*answer);
}

}  // namespace sql
