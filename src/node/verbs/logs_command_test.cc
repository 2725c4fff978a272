// Whose logs are printed where none is named.
#include "node/verbs/logs_command.h"

#include <sys/stat.h>

#include <cerrno>
#include <string>

#include <doctest/doctest.h>

#include "node/verbs/verb_stage.h"
#include "runtime/temporary_directory.h"

namespace node {

namespace {

// Several sites of one user, of which some run.
struct LoggedSites {
    runtime::TemporaryDirectory home;
    Stage stage;

    explicit LoggedSites(std::initializer_list<std::string> sites) {
        stage.console().environment.home = home.path();
        std::string folder;
        for (const char* name : {".local", "/state", "/trilith"}) {
            folder += name;
            REQUIRE(::mkdir((home / folder).c_str(), 0700) == 0);
        }
        for (const std::string& site : sites) {
            std::string place = folder + "/" + site;
            REQUIRE(::mkdir((home / place).c_str(), 0700) == 0);
            REQUIRE(::mkdir((home / (place + "/logs")).c_str(), 0700) == 0);
            home.write(
                place + "/logs/lb1.log",
                R"({"time":"T","server":"lb1","tier":"node","level":"info","event":"of )" + site + "\"}\n"
            );
        }
    }
};

}  // namespace

TEST_CASE("of several sites with logs the one that runs is meant, also where others left their sockets") {
    LoggedSites sites({"a.com", "b.com"});
    CHECK(run(LogsOptions{}, sites.stage.console()) == 2);
    CHECK(sites.stage.err == "trilith: several sites have logs: a.com, b.com; choose one with --site\n");

    sites.stage.add("a.com", "lb1", {""}).connect_error = ECONNREFUSED;
    sites.stage.add("b.com", "lb1", {""});
    CHECK(run(LogsOptions{}, sites.stage.console()) == 0);
    CHECK(sites.stage.out == "T lb1 node of b.com\n");
}

TEST_CASE("that no line names a request is said") {
    LoggedSites sites({"a.com"});
    LogsOptions options;
    options.request = "r1";
    CHECK(run(options, sites.stage.console()) == 0);
    CHECK(sites.stage.out.empty());
    CHECK(sites.stage.err.starts_with("trilith: no line names the request r1; "));
}

}  // namespace node
