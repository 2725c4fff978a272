#include "app/user_rule.h"

#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <format>

namespace app {

using core::ErrorKind;
using core::fail;

namespace {

constexpr size_t kRecordMax = 64 << 10;  // of one entry of the user database

std::optional<Account> account_of(const passwd* found) {
    if (found == nullptr) {
        return std::nullopt;
    }
    return Account{.name = found->pw_name, .uid = found->pw_uid, .gid = found->pw_gid, .home = found->pw_dir};
}

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

}  // namespace

core::Result<std::optional<Account>> choose_user(const UserFacts& facts) {
    bool is_root = facts.self.uid == 0;
    if (!facts.wanted.empty()) {
        if (!facts.configured) {
            return fail(
                ErrorKind::not_found,
                std::format(
                    "[app] user: this system knows no user \"{}\": create it (useradd --system {}) or "
                    "name another",
                    facts.wanted,
                    facts.wanted
                )
            );
        }
        if (!is_root && facts.configured->uid != facts.self.uid) {
            return fail(
                ErrorKind::permission,
                std::format(
                    "[app] user: only root may run the program as another user: start trilith as root, or "
                    "as {} without the key",
                    facts.wanted
                )
            );
        }
        return facts.configured->uid == facts.self.uid ? std::nullopt : facts.configured;
    }
    if (!is_root) {
        return std::nullopt;
    }
    if (facts.file_owner && facts.file_owner->uid != 0) {
        return facts.file_owner;
    }
    if (facts.trilith && facts.trilith->uid != 0) {
        return facts.trilith;
    }
    return fail(
        ErrorKind::permission,
        "[app] user: trilith runs as root, and does not run the program as root unasked: set user, or create "
        "the "
        "system user trilith (useradd --system trilith), or give the configuration file to the user (chown)"
    );
}

core::Result<std::optional<Account>> find_user(
    const std::string& wanted,
    const std::string& configuration_file
) {
    UserFacts facts;
    facts.self = {.name = {}, .uid = ::geteuid(), .gid = ::getegid(), .home = {}};
    facts.wanted = wanted;
    if (!wanted.empty()) {
        facts.configured = account_named(wanted);
        return choose_user(facts);
    }
    if (facts.self.uid != 0) {
        return choose_user(facts);
    }
    struct stat file{};
    if (::stat(configuration_file.c_str(), &file) < 0) {
        return fail(core::Error::of_errno(errno, "looking at " + configuration_file));
    }
    if (file.st_uid != 0) {
        facts.file_owner = account_numbered(file.st_uid);
    }
    facts.trilith = account_named("trilith");
    return choose_user(facts);
}

}  // namespace app
