// What of the environment reaches the program.
#include "child/environment.h"

#include <doctest/doctest.h>

namespace child {
namespace {

using Entries = std::vector<std::string>;

TEST_CASE("of ours comes what a program needs, and nothing that may be a secret") {
    const Entries
        inherited{"SECRET=1", "PATH=/bin", "LC_ALL=C", "HOME=/root", "USER=root", "NOTIFY_SOCKET=x", "TZ"};
    const std::vector<std::pair<std::string, std::string>> none;
    EnvironmentFacts facts{
        .inherited = inherited,
        .configured = none,
        .user = std::nullopt,
        .instance = "app-1",
        .port = std::nullopt
    };
    CHECK(
        program_environment(facts) ==
        Entries{"PATH=/bin", "LC_ALL=C", "HOME=/root", "USER=root", "TRILITH_INSTANCE=app-1"}
    );
    facts.user = runtime::Account{.name = "site", .uid = 1, .gid = 1, .home = "/srv"};
    facts.port = 8123;
    CHECK(
        program_environment(facts) ==
        Entries{
            "PATH=/bin",
            "LC_ALL=C",
            "HOME=/srv",
            "USER=site",
            "LOGNAME=site",
            "TRILITH_INSTANCE=app-1",
            "PORT=8123"
        }
    );
}

TEST_CASE("what the configuration says wins, each name once, in its order") {
    const Entries inherited{"PATH=/bin"};
    const std::vector<std::pair<std::string, std::string>> configured{
        {"B", "1"},
        {"PATH", "/opt/bin"},
        {"A", ""},
        {"B", "x=y"}
    };
    EnvironmentFacts facts{
        .inherited = inherited,
        .configured = configured,
        .user = std::nullopt,
        .instance = "app-2",
        .port = std::nullopt
    };
    CHECK(program_environment(facts) == Entries{"PATH=/opt/bin", "TRILITH_INSTANCE=app-2", "B=x=y", "A="});
}

}  // namespace
}  // namespace child
