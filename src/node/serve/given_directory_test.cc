// What root gives away, and what it does not; without root there is nothing to give.
#include "node/serve/given_directory.h"

#include <sys/stat.h>
#include <unistd.h>

#include <optional>
#include <string>

#include <doctest/doctest.h>

#include "runtime/temporary_directory.h"

namespace node {
namespace {

const runtime::Account kReceiver{.name = "site", .uid = 4711, .gid = 4711, .home = "/"};
const runtime::Account kNextReceiver{.name = "other", .uid = 4712, .gid = 4712, .home = "/"};

uid_t owner_of(const std::string& path) {
    struct stat status{};
    REQUIRE(::lstat(path.c_str(), &status) == 0);
    return status.st_uid;
}

// "state" below a directory that root alone may write to.
class State {
public:
    State() {
        REQUIRE(::mkdir(path().c_str(), 0700) == 0);
        above.write("state/kept.json", "x");
    }

    [[nodiscard]] std::string path() const { return above / "state"; }

    runtime::TemporaryDirectory above;
};

TEST_CASE("a directory of root's is given with its files, and goes on to another user") {
    if (::geteuid() != 0) {
        return;
    }
    State state;
    for (const runtime::Account& account : {kReceiver, kReceiver, kNextReceiver}) {
        REQUIRE(give_directory(state.path(), account));
        CHECK(owner_of(state.path()) == account.uid);
        CHECK(owner_of(state.path() + "/kept.json") == account.uid);
    }
}

TEST_CASE("what a user has put there to be given more is not given") {
    if (::geteuid() != 0) {
        return;
    }
    State state;
    state.above.write("secret", "x");
    REQUIRE(::link((state.above / "secret").c_str(), (state.path() + "/hard").c_str()) == 0);
    REQUIRE(::symlink((state.above / "secret").c_str(), (state.path() + "/soft").c_str()) == 0);
    REQUIRE(give_directory(state.path(), kReceiver));
    CHECK(owner_of(state.above / "secret") == 0);
    REQUIRE(::symlink(state.path().c_str(), (state.above / "link").c_str()) == 0);
    CHECK_FALSE(give_directory(state.above / "link", kNextReceiver));
    CHECK(owner_of(state.path()) == kReceiver.uid);
}

TEST_CASE("another user's directory is refused with the cure where root did not put it there") {
    if (::geteuid() != 0) {
        return;
    }
    State state;
    REQUIRE(::chown(state.path().c_str(), kNextReceiver.uid, kNextReceiver.gid) == 0);
    REQUIRE(::chmod(state.above.path().c_str(), 0777) == 0);
    auto refused = give_directory(state.path(), kReceiver);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().kind() == core::ErrorKind::permission);
    CHECK(refused.error().context().contains("chown -R site " + state.path()));
    REQUIRE(::chown(state.path().c_str(), 0, 0) == 0);
    REQUIRE(::chmod(state.path().c_str(), 0770) == 0);
    refused = give_directory(state.path(), kReceiver);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().context().contains("chmod 700"));
}

TEST_CASE("a directory that another user could have put there is given only where it is made now") {
    if (::geteuid() != 0) {
        return;
    }
    State state;
    REQUIRE(::chown(state.above.path().c_str(), kNextReceiver.uid, kNextReceiver.gid) == 0);
    CHECK_FALSE(give_directory(state.path(), kReceiver));
    CHECK(owner_of(state.path()) == 0);
    REQUIRE(give_directory(state.above / "fresh", kReceiver));
    CHECK(owner_of(state.above / "fresh") == kReceiver.uid);
    REQUIRE(give_directory(state.above / "fresh", kReceiver));
    CHECK_FALSE(give_directory(state.above / "fresh", kNextReceiver));
    CHECK_FALSE(give_directory(state.above / "none" + "/fresh", kReceiver));
}

TEST_CASE("the directory that bars the way is named") {
    if (::geteuid() != 0) {
        return;
    }
    State state;
    auto barred = check_reach(state.path(), kReceiver);
    REQUIRE_FALSE(barred);
    CHECK(barred.error().context().contains("chmod o+x " + state.above.path()));
    REQUIRE(::chmod(state.above.path().c_str(), 0711) == 0);
    REQUIRE(give_directory(state.path(), kReceiver));
    CHECK(check_reach(state.path(), kReceiver));
    CHECK(closed_directory(state.path() + "/x/y") == "");
}

}  // namespace
}  // namespace node
