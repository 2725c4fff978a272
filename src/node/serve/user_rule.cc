#include "node/serve/user_rule.h"

#include <unistd.h>

#include <format>
#include <string_view>

namespace node {

using core::ErrorKind;
using core::fail;

namespace {

struct Wish {
    std::string_view key;
    const std::string& name;
    const std::optional<Account>& account;
};

// What is written must be there, and only root may become somebody else.
core::Result<void> check_wish(const Wish& wish, const UserFacts& facts) {
    if (wish.name.empty()) {
        return {};
    }
    if (!wish.account) {
        return fail(
            ErrorKind::not_found,
            std::format(
                "{}: this system knows no user \"{}\": create it (adduser --system --group {}) or name "
                "another",
                wish.key,
                wish.name,
                wish.name
            )
        );
    }
    if (facts.self.uid == 0 && wish.account->uid == 0 && !facts.is_file_roots) {
        return fail(
            ErrorKind::permission,
            std::format(
                "{}: only a file that is root's alone can name root: chown root the file and chmod go-w, or "
                "name another user",
                wish.key
            )
        );
    }
    if (facts.self.uid != 0 && wish.account->uid != facts.self.uid) {
        return fail(
            ErrorKind::permission,
            std::format(
                "{}: only root may run anything as another user: start trilith as root, or as {} without "
                "the key",
                wish.key,
                wish.name
            )
        );
    }
    return {};
}

core::Result<Users> choose_server(const UserFacts& facts) {
    auto becomes = [](const Account& account, std::string warning = {}) {
        return Users{.server = account, .program = {}, .warning = std::move(warning)};
    };
    if (facts.configured && facts.configured->uid == 0) {
        return Users{
            .server = {},
            .program = {},
            .warning =
                "user = \"root\": a mistake in this process, or in the program, is root's; name a user "
                "that has no other rights"
        };
    }
    if (facts.configured) {
        return becomes(*facts.configured);
    }
    if (facts.file_owner && facts.file_owner->uid != 0) {
        return becomes(*facts.file_owner);
    }
    if (facts.trilith && facts.trilith->uid != 0) {
        return becomes(*facts.trilith);
    }
    if (facts.nobody && facts.nobody->uid != 0) {
        return becomes(
            *facts.nobody,
            "the system user trilith is not there: the server goes on as nobody, whom other programs may be "
            "too; create it (adduser --system --group trilith), or set user"
        );
    }
    return fail(
        ErrorKind::permission,
        "user: trilith does not serve as root unasked: create the system user trilith (adduser --system "
        "--group trilith), or set user"
    );
}

}  // namespace

core::Result<Users> choose_users(const UserFacts& facts) {
    TRY_VOID(check_wish({"user", facts.wanted, facts.configured}, facts));
    TRY_VOID(check_wish({"app.user", facts.program_wanted, facts.program_configured}, facts));
    if (facts.self.uid != 0) {
        return Users{};
    }
    TRY(Users users, choose_server(facts));
    users.program = facts.program_configured ? facts.program_configured : users.server;
    if (!users.server && users.program && users.program->uid == 0) {
        users.program.reset();  // nobody is changed
    }
    return users;
}

core::Result<Users> find_users(const Config& config) {
    UserFacts facts;
    facts.self.uid = ::geteuid();
    facts.is_file_roots = config.origin.is_roots_alone();
    facts.wanted = config.user;
    facts.program_wanted = config.app ? config.app->program.user : "";
    auto look_up = [](const std::string& name) {
        return name.empty() ? std::nullopt : runtime::account_named(name);
    };
    facts.configured = look_up(facts.wanted);
    facts.program_configured = look_up(facts.program_wanted);
    if (facts.self.uid != 0 || facts.configured) {
        return choose_users(facts);
    }
    if (config.origin.owner != 0) {
        facts.file_owner = runtime::account_numbered(config.origin.owner);
    }
    facts.trilith = runtime::account_named("trilith");
    facts.nobody = runtime::account_named("nobody");
    return choose_users(facts);
}

}  // namespace node
