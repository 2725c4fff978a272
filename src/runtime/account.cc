#include "runtime/account.h"

#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <cerrno>

namespace runtime {

namespace {

constexpr size_t kRecordMax = 64 << 10;  // of one entry of the user database

std::optional<Account> account_of(const passwd* found) {
    if (found == nullptr) {
        return std::nullopt;
    }
    return Account{.name = found->pw_name, .uid = found->pw_uid, .gid = found->pw_gid, .home = found->pw_dir};
}

}  // namespace

std::optional<Account> account_named(const std::string& name) {
    passwd record{};
    passwd* found = nullptr;
    std::string room(kRecordMax, '\0');
    getpwnam_r(name.c_str(), &record, room.data(), room.size(), &found);
    return account_of(found);
}

std::optional<Account> account_numbered(uid_t uid) {
    passwd record{};
    passwd* found = nullptr;
    std::string room(kRecordMax, '\0');
    getpwuid_r(uid, &record, room.data(), room.size(), &found);
    return account_of(found);
}

int become_account(const Account& account) {
    // Groups first: without root's rights they cannot be given up any more.
    bool is_done = ::initgroups(account.name.c_str(), account.gid) == 0 &&
                   ::setresgid(account.gid, account.gid, account.gid) == 0 &&
                   ::setresuid(account.uid, account.uid, account.uid) == 0;
    return is_done ? 0 : errno;
}

}  // namespace runtime
