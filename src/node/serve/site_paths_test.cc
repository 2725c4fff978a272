// Which directories a site has, who may have them, and which servers are found in them.
#include "node/serve/site_paths.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <format>

#include <doctest/doctest.h>

#include "runtime/temporary_directory.h"

namespace node {

namespace {

using core::ErrorKind;

SitePaths paths_of(const DirectoryOptions& options, const Environment& environment) {
    auto paths = site_paths(options, environment, "api.foobar.com");
    REQUIRE_MESSAGE(paths, paths.error().context());
    return *std::move(paths);
}

Environment of_user(uint32_t user) {
    Environment environment;
    environment.user = user;
    environment.home = "/home/ann";
    return environment;
}

// The directories of a site below `directory`, ours and prepared.
SitePaths prepared(const runtime::TemporaryDirectory& directory) {
    SitePaths paths{.state_dir = directory / "state", .runtime_dir = directory / "run", .private_base = {}};
    auto done = prepare_directories(paths, read_environment());
    REQUIRE_MESSAGE(done, done.error().context());
    return paths;
}

mode_t mode_of(const std::string& path) {
    struct stat state{};
    REQUIRE(::stat(path.c_str(), &state) == 0);
    return state.st_mode & 07777;
}

}  // namespace

TEST_CASE("directories: option before variable before the user's own place") {
    Environment root = of_user(0);
    CHECK(paths_of({}, root).state_dir == "/var/lib/trilith/api.foobar.com");
    CHECK(paths_of({}, root).runtime_dir == "/run/trilith/api.foobar.com");

    Environment ann = of_user(1000);
    CHECK(paths_of({}, ann).state_dir == "/home/ann/.local/state/trilith/api.foobar.com");
    CHECK(paths_of({}, ann).runtime_dir == "/tmp/trilith-1000/api.foobar.com");
    CHECK(paths_of({}, ann).private_base == "/tmp/trilith-1000");
    ann.xdg_runtime = "/run/user/1000";
    CHECK(paths_of({}, ann).runtime_dir == "/run/user/1000/trilith/api.foobar.com");
    CHECK(paths_of({}, ann).private_base == "");

    for (Environment environment : {root, ann}) {
        environment.state = "/s";
        environment.runtime = "/r";
        CHECK(
            paths_of({}, environment) == SitePaths{.state_dir = "/s", .runtime_dir = "/r", .private_base = {}}
        );
        CHECK(paths_of({.state = "/a", .runtime = "/b"}, environment).state_dir == "/a");
        CHECK(paths_of({.state = "/a", .runtime = "/b"}, environment).runtime_dir == "/b");
    }
    CHECK(paths_of({}, root).socket("lb1") == "/run/trilith/api.foobar.com/lb1.sock");
    CHECK(paths_of({}, root).overrides_file("lb1") == "/var/lib/trilith/api.foobar.com/lb1.overrides.json");
}

TEST_CASE("without a home the state needs to be told its place") {
    Environment nobody = of_user(65534);
    nobody.home.clear();
    auto paths = site_paths({}, nobody, "s");
    REQUIRE_FALSE(paths);
    CHECK(paths.error().context().contains("--state-dir"));
    CHECK(site_paths({.state = "/s", .runtime = {}}, nobody, "s"));
}

TEST_CASE("a socket's path has 107 bytes at most") {
    std::string directory = "/" + std::string(107 - std::string("//lb1.sock").size(), 'd');
    SitePaths paths{.state_dir = "/s", .runtime_dir = directory, .private_base = {}};
    REQUIRE(paths.socket("lb1").size() == 107);
    CHECK(check_socket_path(paths, "lb1"));
    auto refused = check_socket_path(paths, "lb12");
    REQUIRE_FALSE(refused);
    CHECK(refused.error().context().contains(paths.socket("lb12")));
    CHECK(refused.error().context().contains("--runtime-dir"));
}

TEST_CASE("missing directories are made for this user alone") {
    runtime::TemporaryDirectory directory;
    SitePaths paths{
        .state_dir = directory / "a/b/c",
        .runtime_dir = directory / "base/site",
        .private_base = directory / "base"
    };
    REQUIRE(prepare_directories(paths, read_environment()));
    for (const char* name : {"a", "a/b", "a/b/c", "base", "base/site"}) {
        CHECK(mode_of(directory / name) == 0700);
    }
    CHECK(prepare_directories(paths, read_environment()));
}

TEST_CASE("root's sites of a version before, which nobody else could enter, are opened for the server's user"
) {
    if (::geteuid() != 0) {
        return;
    }
    runtime::TemporaryDirectory directory;
    directory.open_to_all();
    Environment environment;
    environment.system_state = directory / "lib";
    environment.system_runtime = directory / "run";
    auto paths = site_paths({}, environment, "a");
    REQUIRE(paths);
    for (const char* base : {"lib", "lib/trilith", "run", "run/trilith", "run/trilith/a"}) {
        REQUIRE(::mkdir((directory / base).c_str(), std::string(base).contains('/') ? 0700 : 0755) == 0);
    }
    const runtime::Account account{.name = "nobody", .uid = 65534, .gid = 65534, .home = "/"};
    auto prepared = prepare_directories(*paths, environment, account);
    CHECK_MESSAGE(prepared.has_value(), (prepared ? "" : prepared.error().context()));
    struct stat state{};
    REQUIRE(::stat((directory / "lib/trilith/a").c_str(), &state) == 0);
    CHECK(state.st_uid == account.uid);
    REQUIRE(::stat((directory / "run/trilith/a").c_str(), &state) == 0);
    CHECK(state.st_uid == 0);
}

TEST_CASE("a directory that others own or may write to is refused") {
    runtime::TemporaryDirectory directory;
    SitePaths paths = prepared(directory);
    for (mode_t mode : {0770U, 0702U, 01777U}) {
        REQUIRE(::chmod(paths.runtime_dir.c_str(), mode) == 0);
        auto refused = prepare_directories(paths, read_environment());
        REQUIRE_FALSE(refused);
        CHECK(refused.error().kind() == ErrorKind::permission);
        CHECK(refused.error().context().contains("chmod 700 " + paths.runtime_dir));
    }
    REQUIRE(::chmod(paths.runtime_dir.c_str(), 0755) == 0);
    CHECK(prepare_directories(paths, read_environment()));

    Environment somebody_else = read_environment();
    somebody_else.user += 1;
    auto refused = prepare_directories(paths, somebody_else);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().context().contains("belongs to user"));

    directory.write("file", "");
    paths.runtime_dir = directory / "file";
    CHECK_FALSE(prepare_directories(paths, read_environment()));
    paths.runtime_dir = directory / "file/below";
    CHECK_FALSE(prepare_directories(paths, read_environment()));
}

TEST_CASE("a base in /tmp that another user made is refused, by servers and by verbs") {
    runtime::TemporaryDirectory directory;
    Environment ann = of_user(::geteuid() + 1);
    ann.temporary = directory.path();
    std::string base = directory / std::format("trilith-{}", ann.user);
    REQUIRE(::mkdir(base.c_str(), 0700) == 0);
    CHECK_FALSE(list_sockets({}, ann, ""));
    CHECK_FALSE(list_sockets({}, ann, "s"));
    auto paths = site_paths({.state = directory / "state", .runtime = {}}, ann, "s");
    REQUIRE(paths);
    CHECK_FALSE(prepare_directories(*paths, ann));
    REQUIRE(::rmdir(base.c_str()) == 0);
    REQUIRE(::symlink(directory.path().c_str(), base.c_str()) == 0);
    CHECK_FALSE(list_sockets({}, ann, ""));
}

TEST_CASE("one process a server: the second is told which is the first") {
    runtime::TemporaryDirectory directory;
    SitePaths paths = prepared(directory);
    auto first = lock_server(paths, "lb1");
    REQUIRE(first);
    auto second = lock_server(paths, "lb1");
    REQUIRE_FALSE(second);
    CHECK(second.error().kind() == ErrorKind::conflict);
    CHECK(second.error().context().contains(std::format("process {} ", ::getpid())));
    CHECK(lock_server(paths, "lb2"));
}

TEST_CASE("the same state or the same sockets are enough to conflict") {
    runtime::TemporaryDirectory directory;
    SitePaths paths = prepared(directory);
    auto first = lock_server(paths, "lb1");
    REQUIRE(first);
    SitePaths other = prepared(directory);
    REQUIRE(::mkdir((directory / "other").c_str(), 0700) == 0);
    other.state_dir = directory / "other";
    CHECK_FALSE(lock_server(other, "lb1"));
    other = {.state_dir = paths.state_dir, .runtime_dir = directory / "other", .private_base = {}};
    CHECK_FALSE(lock_server(other, "lb1"));
    other = {.state_dir = directory / "other", .runtime_dir = directory / "other", .private_base = {}};
    CHECK(lock_server(other, "lb1"));
}

TEST_CASE("a claim ends with its owner, moved or killed") {
    runtime::TemporaryDirectory directory;
    SitePaths paths = prepared(directory);
    {
        auto first = lock_server(paths, "lb1");
        REQUIRE(first);
        LockedServer moved = *std::move(first);
        CHECK_FALSE(lock_server(paths, "lb1"));
    }
    std::array<int, 2> ready;
    REQUIRE(::pipe(ready.data()) == 0);
    pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        auto locked = lock_server(paths, "lb1");
        char verdict = locked ? 'y' : 'n';
        (void)!::write(ready[1], &verdict, 1);
        ::pause();
        ::_exit(0);
    }
    char verdict = ' ';
    REQUIRE(::read(ready[0], &verdict, 1) == 1);
    CHECK(verdict == 'y');
    auto refused = lock_server(paths, "lb1");
    REQUIRE_FALSE(refused);
    CHECK(refused.error().context().contains(std::format("process {} ", child)));
    ::kill(child, SIGKILL);
    REQUIRE(::waitpid(child, nullptr, 0) == child);
    CHECK(lock_server(paths, "lb1"));
    ::close(ready[0]);
    ::close(ready[1]);
}

TEST_CASE("sockets are found by site and server, and nothing else is taken for one") {
    runtime::TemporaryDirectory directory;
    Environment ann = of_user(1000);
    ann.xdg_runtime = directory.path();
    CHECK(list_sockets({}, ann, "")->empty());
    for (const char* name : {"trilith", "trilith/b.com", "trilith/a.com", "trilith/empty.com"}) {
        REQUIRE(::mkdir((directory / name).c_str(), 0700) == 0);
    }
    for (const char* name :
         {"a.com/lb2.sock", "a.com/lb1.sock", "a.com/lb1.lock", "a.com/up.sock", "a.com/.sock"}) {
        directory.write(std::string("trilith/") + name, "");
    }
    directory.write("trilith/b.com/lb.1.sock", "");
    directory.write("trilith/file", "");
    auto all = list_sockets({}, ann, "");
    REQUIRE(all);
    REQUIRE(all->size() == 3);
    CHECK((*all)[0] == ServerSocket{"a.com", "lb1", directory / "trilith/a.com/lb1.sock"});
    CHECK((*all)[1].server == "lb2");
    CHECK((*all)[2] == ServerSocket{"b.com", "lb.1", directory / "trilith/b.com/lb.1.sock"});
    CHECK(list_sockets({}, ann, "b.com")->size() == 1);
    CHECK(list_sockets({}, ann, "c.com")->empty());
    CHECK(sockets_place({}, ann, "c.com") == directory / "trilith/c.com");

    DirectoryOptions named{.state = {}, .runtime = directory / "trilith/a.com"};
    auto found = list_sockets(named, ann, "");
    REQUIRE(found);
    REQUIRE(found->size() == 2);
    CHECK((*found)[0].site == "");
    CHECK(sockets_place(named, ann, "") == named.runtime);
}

}  // namespace node
