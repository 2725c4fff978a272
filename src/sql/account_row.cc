#include "sql/account_row.h"

#include <algorithm>

#include <nlohmann/json.hpp>

namespace sql {

using nlohmann::json;

namespace {

// Of one account: the server takes no more (its parser of IDENTIFIED VIA … OR … has no bound, people have).
constexpr size_t kWaysMax = 16;
constexpr size_t kPluginMax = 64;

std::string text_of(const json& object, const char* name) {
    auto found = object.find(name);
    return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

int64_t number_of(const json& object, const char* name, int64_t otherwise) {
    auto found = object.find(name);
    return found != object.end() && found->is_number_integer() ? found->get<int64_t>() : otherwise;
}

bool is_true(const json& object, const char* name) {
    auto found = object.find(name);
    return found != object.end() && found->is_boolean() && found->get<bool>();
}

AccountWay way_of(const json& object) {
    std::string plugin = text_of(object, "plugin");
    if (!plugin.empty() && plugin != mysql::kNativePassword) {
        return {.kind = AccountWay::Kind::other, .plugin = plugin.substr(0, kPluginMax)};
    }
    std::string hash = text_of(object, "authentication_string");
    if (hash.empty()) {
        return {.kind = AccountWay::Kind::no_password};
    }
    std::optional<mysql::Sha1> read = mysql::read_password_hash(hash);
    if (!read) {
        return {.kind = AccountWay::Kind::closed};
    }
    return {.kind = AccountWay::Kind::password, .hash = *read};
}

// "auth_or" lists all ways; {} among them stands for what the object itself says.
std::vector<AccountWay> ways_of(const json& object) {
    auto alternatives = object.find("auth_or");
    if (alternatives == object.end() || !alternatives->is_array()) {
        return {way_of(object)};
    }
    std::vector<AccountWay> ways;
    for (const json& alternative : *alternatives) {
        if (ways.size() == kWaysMax || !alternative.is_object()) {
            break;
        }
        ways.push_back(way_of(alternative.empty() ? object : alternative));
    }
    return ways;
}

}  // namespace

std::optional<Account> read_account_row(const AccountRow& row) {
    Account account{.user = std::string(row.user), .host = std::string(row.host)};
    json object = json::parse(row.privileges, nullptr, false);
    if (!object.is_object()) {
        account.ways.push_back({.kind = AccountWay::Kind::closed});
        return account;
    }
    if (is_true(object, "is_role")) {
        return std::nullopt;
    }
    account.ways = ways_of(object);
    account.is_locked = is_true(object, "account_locked");
    account.needs_tls = number_of(object, "ssl_type", 0) > 0;
    account.is_expired = number_of(object, "password_last_changed", 1) == 0;
    int64_t connections = number_of(object, "max_user_connections", 0);
    account.connections_max = static_cast<uint32_t>(std::clamp<int64_t>(connections, 0, UINT32_MAX));
    return account;
}

}  // namespace sql
