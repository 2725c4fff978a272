// What [app] means, and what is refused of it.
#include "node/config/app.h"

#include <csignal>
#include <string>

#include <doctest/doctest.h>

#include "node/config/cases.h"

namespace node {

namespace {

using namespace std::chrono_literals;

}  // namespace

TEST_CASE("the shortest app is its command") {
    auto config = read_config("[app]\ncommand = [\"./app\"]\n", "t", "/srv/site");
    REQUIRE(config.has_value());
    CHECK(config->servers[0].roles == RoleSet{Role::app});
    CHECK_FALSE(config->web.has_value());
    AppConfig expected;
    expected.program.command = {"./app"};
    expected.program.directory = "/srv/site";
    CHECK(config->app == expected);
    CHECK(good("[app]\ncommand = \"./app\"\n").app->program.command == std::vector<std::string>{"./app"});
}

TEST_CASE("every key of [app] reaches its field") {
    Config config = good(R"(
[app]
command = ["bin/app", "--fast", "", "a b"]
instances = 64
env = { B = "2", A = "", _x1 = "a b" }
listen = "port"
directory = "srv"
limits = { memory = "16MiB", open_files = 16, processes = 1 }
stop = { signal = "SIGUSR2", within = "0s" }
restart = { first_pause = "1m", longest_pause = "1h", settled = "1s" }
user = "www-data"
port = 80
[app.health]
path = "/up?deep=1"
within = "1m"
restart_after = "30s"
interval = "100ms"
timeout = "10ms"
fall = 1
rise = 100
)");
    const app::Config& program = config.app->program;
    CHECK(config.app->port == 80);
    CHECK(program.command == std::vector<std::string>{"bin/app", "--fast", "", "a b"});
    CHECK(program.instances == 64);
    CHECK(
        program.env == std::vector<std::pair<std::string, std::string>>{{"B", "2"}, {"A", ""}, {"_x1", "a b"}}
    );
    CHECK(program.listen == app::Listen::port);
    CHECK(program.directory == "/srv");
    CHECK(program.health.path == "/up?deep=1");
    CHECK(program.health.within == 1min);
    CHECK(program.health.restart_after == 30s);
    CHECK(
        program.health.running ==
        upstream::HealthConfig{.path = {}, .interval = 100ms, .timeout = 10ms, .fall = 1, .rise = 100}
    );
    CHECK(program.limits == app::LimitConfig{16 << 20, 16, 1});
    CHECK(program.stop == app::StopConfig{SIGUSR2, 0s});
    CHECK(program.restart == app::RestartConfig{1min, 1h, 1s});
    CHECK(program.user == "www-data");
}

TEST_CASE("the longest pause follows a longer first one") {
    Config config = good("[app]\ncommand = \"a\"\nrestart.first_pause = \"45s\"\n");
    CHECK(config.app->program.restart.longest_pause == 45s);
}

TEST_CASE("a wrong command is refused") {
    for (const BadFile& bad : std::initializer_list<BadFile>{
             {"port = 1\n", "1:1: [app]: command is missing; write command = [\"./app\"]"},
             {"command = \"./app --fast\"\n",
              "2:11: app.command: expected a list such as [\"./app\", \"--fast\"], found \"./app --fast\": "
              "there is no shell, write each word as a text of its own"},
             {"command = 1\n",
              "2:11: app.command: expected a list such as [\"./app\", \"--fast\"], found the integer 1"},
             {"command = []\n", "2:11: app.command: expected 1 to 1000 words, found 0"},
             {"command = [\"\"]\n",
              "2:12: app.command: expected a text such as \"./app\", found an empty text"},
             {"command = [\"a\", 1]\n",
              "2:17: app.command: expected a text such as \"./app\", found the integer 1"},
             {"command = [\"a\", \"b\\n\"]\n",
              "2:17: app.command: expected a text such as \"./app\", found a text with a control character: "
              "\"b\\n\""},
             {"fastcgi = \"/run/php.sock\"\ncommand = \"a\"\n",
              "2:11: app.fastcgi: is not supported by this version; write command = [\"./app\"], a program "
              "that serves HTTP"},
         }) {
        std::string text = "[app]\n" + std::string(bad.text);
        CAPTURE(text);
        CHECK(refusals(text) == bad.refusal);
    }
}

TEST_CASE("a wrong value of [app] is refused") {
    for (const BadFile& bad : std::initializer_list<BadFile>{
             {"instances = 65\n",
              "3:13: app.instances: expected an integer from 0 to 64, found the integer 65"},
             {"port = 0\n", "3:8: app.port: expected an integer from 1 to 65535, found the integer 0"},
             {"env = 1\n", "3:7: app.env: expected a table, found the integer 1"},
             {"env.A = 1\n", "3:9: app.env.A: expected a text, found the integer 1"},
             {"env.\"A=B\" = \"\"\n",
              "3:5: [app.env]: a variable's name has letters, digits and \"_\", and no digit first; found "
              "\"A=B\""},
             {"env.1A = \"\"\n",
              "3:5: [app.env]: a variable's name has letters, digits and \"_\", and no digit first; found "
              "\"1A\""},
             {"listen = \"http\"\n",
              "3:10: app.listen: expected \"unix\" or \"tcp\" or \"port\", found the text \"http\""},
             {"directory = \"\"\n",
              "3:13: app.directory: expected a folder such as \"app\", found an empty text"},
             {"health.path = \"up\"\n",
              "3:15: app.health.path: expected a path such as \"/healthz\", found the text \"up\""},
             {"health.within = \"99ms\"\n",
              "3:17: app.health.within: expected 100ms to 1h, found the text \"99ms\""},
             {"health.slow_start = \"1s\"\n",
              "3:8: unknown key \"slow_start\" in [app.health]; known keys: path, within, restart_after, "
              "interval, timeout, fall, rise"},
             {"health.restart_after = \"999ms\"\n",
              "3:24: app.health.restart_after: expected 0s or 1s to 1h, found the text \"999ms\""},
             {"limits.memory = \"15MiB\"\n",
              "3:17: app.limits.memory: expected 0 or 16MiB to 16384GiB, found the text \"15MiB\""},
             {"limits.memory = \"16385GiB\"\n",
              "3:17: app.limits.memory: expected 0 to 16384GiB, found the text \"16385GiB\""},
             {"limits.open_files = 15\n",
              "3:21: app.limits.open_files: expected 0 or 16 to 1048576, found the integer 15"},
             {"limits.processes = -1\n",
              "3:20: app.limits.processes: expected an integer from 0 to 4194304, found the integer -1"},
             {"stop.signal = \"TERM\"\n",
              "3:15: app.stop.signal: expected \"SIGTERM\" or \"SIGINT\" or \"SIGQUIT\" or \"SIGHUP\" or "
              "\"SIGUSR1\" or \"SIGUSR2\", found the text \"TERM\""},
             {"stop.within = \"2h\"\n", "3:15: app.stop.within: expected 0s to 1h, found the text \"2h\""},
             {"restart = { first_pause = \"2s\", longest_pause = \"1s\" }\n",
              "3:49: app.restart.longest_pause: expected 2s to 1h, found the text \"1s\""},
             {"restart.settled = \"0s\"\n",
              "3:19: app.restart.settled: expected 1s to 1h, found the text \"0s\""},
             {"user = \"a b\"\n",
              "3:8: app.user: expected the name of a user of the system such as \"www-data\", found the text "
              "\"a b\""},
             {"instance = 1\n", "3:1: unknown key \"instance\" in [app]; did you mean \"instances\"?"},
         }) {
        std::string text = "[app]\ncommand = \"./app\"\n" + std::string(bad.text);
        CAPTURE(text);
        CHECK(refusals(text) == bad.refusal);
    }
}

TEST_CASE("the role app needs its section, and the section the role") {
    CHECK(
        refusals("[servers]\na = { roles = [\"app\"] }\n") ==
        "2:1: a server has the role \"app\", but there is no [app]: write it with command = [\"./app\"]"
    );
    CHECK(
        refusals("[servers]\na = { roles = [\"web\"] }\n[app]\ncommand = \"a\"\n[web]\nroot = \"a\"\n") ==
        "3:1: [app]: no server has the role \"app\": add it to the roles of one in [servers]"
    );
}

TEST_CASE("an app is asked over the network where no web tier of its server stands before it") {
    constexpr std::string_view site = "[web]\n[app]\ncommand = \"a\"\n[servers]\n";
    std::string both = "a = { address = \"10.0.0.1\", roles = [\"web\", \"app\"] }\n";
    std::string web = "b = { address = \"10.0.0.2\", roles = [\"web\"] }\n";
    std::string app = "c = { address = \"10.0.0.3\", roles = [\"app\"] }\n";
    auto open = [&](const std::string& servers) {
        Config config = good(std::string(site) + servers);
        std::string names;
        for (const ServerConfig& server : config.servers) {
            names += has_app_port(config, server) ? server.name : "";
        }
        return names;
    };
    CHECK(open(both) == "");
    CHECK(open(both + app) == "c");
    CHECK(open(both + web + app) == "ac");
}

}  // namespace node
