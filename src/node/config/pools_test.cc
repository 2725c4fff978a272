// What is refused of pools and backends.
#include "node/config/pools.h"

#include <string>

#include <doctest/doctest.h>

#include "node/config/cases.h"

namespace node {

TEST_CASE("a wrong pool is refused") {
    for (const BadFile& bad : std::initializer_list<BadFile>{
             {"[balancer]\n", "1:1: no pool: write [pools.NAME] with backends = [\"127.0.0.1:9001\"]"},
             {"[pools]\n", "1:1: no pool: write [pools.NAME] with backends = [\"127.0.0.1:9001\"]"},
             {"pools = []\n", "1:9: pools: expected a table, found a list"},
             {"[pools]\nbackends = [\"127.0.0.1:1\"]\n",
              "2:12: pools.backends: expected a table, found a list"},
             {"[pools.a]\n", "1:1: pools.a.backends: expected 1 to 10000 backends, found no such key"},
             {"[pools.a]\nbackends = []\n", "2:12: pools.a.backends: expected 1 to 10000 backends, found 0"},
             {"[pools.a]\nbackends = \"127.0.0.1:1\"\n",
              "2:12: pools.a.backends: expected a list such as [\"127.0.0.1:9001\"], found the text "
              "\"127.0.0.1:1\""},
             {"[pools.\"a b\"]\nbackends = [\"127.0.0.1:1\"]\n",
              "1:8: a pool's name has 1 to 100 letters, digits, \".\", \"_\" or \"-\" and begins with a "
              "letter or "
              "digit; found \"a b\""},
             {"[pools.a]\nbackends = [\"127.0.0.1:1\"]\nmod = \"active-active\"\n",
              "3:1: unknown key \"mod\" in [pools.a]; did you mean \"mode\"?"},
             {"[pools.a]\nbackends = [\"127.0.0.1:1\"]\nhealth = { fall = 0 }\n",
              "3:19: pools.a.health.fall: expected an integer from 1 to 100, found the integer 0"},
             {"[pools.a]\nbackends = [\"127.0.0.1:1\"]\nconnections_max = 0\n",
              "3:19: pools.a.connections_max: expected an integer from 1 to 1000000, found the integer 0"},
             {"[pools.a]\nbackends = [\"127.0.0.1:1\"]\nqueue_max = 1000001\n",
              "3:13: pools.a.queue_max: expected an integer from 0 to 1000000, found the integer 1000001"},
             {"[pools.a]\nbackends = [\"127.0.0.1:1\"]\nqueue_timeout = \"11m\"\n",
              "3:17: pools.a.queue_timeout: expected 1ms to 10m, found the text \"11m\""},
             {"[pools.a]\nbackends = [\"127.0.0.1:1\"]\nidle_timeout = \"999ms\"\n",
              "3:16: pools.a.idle_timeout: expected 1s to 1h, found the text \"999ms\""},
         }) {
        CAPTURE(bad.text);
        CHECK(refusals(bad.text) == bad.refusal);
    }
}

TEST_CASE("a wrong backend is refused") {
    constexpr std::string_view expected =
        "pools.a.backends: expected an address such as \"127.0.0.1:9001\", found ";
    struct BadBackend {
        std::string_view text;
        std::string_view found;
    };
    for (const BadBackend& bad : std::initializer_list<BadBackend>{
             {"9001", "the integer 9001"},
             {"\"\"", "an empty text"},
             {"\"127.0.0.1\"", "\"127.0.0.1\": the port is missing"},
             {"\"::1\"", "\"::1\": write [ADDRESS]:PORT"},
             {"\"127.0.0.1:0\"", "\"127.0.0.1:0\": the port is 1 to 65535"},
             {"\"127.0.0.1:65536\"", "\"127.0.0.1:65536\": the port is 1 to 65535"},
             {"\"[::1]:x\"", "\"[::1]:x\": the port is 1 to 65535"},
             {"\"*:80\"", "\"*:80\", which is not one address"},
             {"\"0.0.0.0:80\"", "\"0.0.0.0:80\", which is not one address"},
             {"\"http://127.0.0.1:80\"", "\"http://127.0.0.1:80\": write it without the scheme"},
             {"\"web1:80\"", "\"web1:80\": names are not looked up, write the IPv4 or IPv6 address"},
         }) {
        std::string text = "[pools.a]\nbackends = [" + std::string(bad.text) + "]\n";
        std::string refusal = "2:13: " + std::string(expected) + std::string(bad.found);
        CAPTURE(text);
        CHECK(refusals(text) == refusal);
    }
}

TEST_CASE("a wrong table of a backend is refused") {
    for (const BadFile& bad : std::initializer_list<BadFile>{
             {"{ weight = 1 }", "2:13: a backend of [pools.a] needs an address, such as \"127.0.0.1:9001\""},
             {"{ address = 1 }",
              "2:25: pools.a.backends.address: expected an address such as \"127.0.0.1:9001\", found the "
              "integer 1"},
             {"{ address = \"127.0.0.1:1\", weight = 257 }",
              "2:49: pools.a.backends.weight: expected an integer from 0 to 256, found the integer 257"},
             {"{ address = \"127.0.0.1:1\", backup = 1 }",
              "2:49: pools.a.backends.backup: expected true or false, found the integer 1"},
             {"{ address = \"127.0.0.1:1\", name = \"a/b\" }",
              "2:47: pools.a.backends.name: expected 1 to 100 letters, digits, \".\", \"_\", \"-\" or \":\", "
              "found "
              "\"a/b\""},
             {"{ address = \"127.0.0.1:1\", port = 1 }",
              "2:40: unknown key \"port\" in a backend of [pools.a]; known keys: address, name, weight, "
              "backup"},
         }) {
        std::string text = "[pools.a]\nbackends = [" + std::string(bad.text) + "]\n";
        CAPTURE(text);
        CHECK(refusals(text) == bad.refusal);
    }
}

TEST_CASE("backends that a name cannot tell apart are refused") {
    for (const BadFile& bad : std::initializer_list<BadFile>{
             {"[pools.a]\nbackends = [\"127.0.0.1:1\",\n\"127.0.0.1:1\"]\n",
              "3:1: [pools.a] has the backend \"127.0.0.1:1\" already (line 2); give each a name of its own"},
             {"[pools.a]\nbackends = [\"127.0.0.1:1\",\n\"127.0.0.1:01\"]\n",
              "3:1: [pools.a] has the backend \"127.0.0.1:01\" already (line 2); give each a name of its own"
             },
             {"[pools.a]\nbackends = [{ address = \"127.0.0.1:1\", name = \"b\" },\n"
              "{ address = \"127.0.0.1:2\", name = \"b\" }]\n",
              "3:1: [pools.a] has the backend \"b\" already (line 2); give each a name of its own"},
             {"[pools.a]\nbackends = [{ address = \"127.0.0.1:1\", name = \"127.0.0.1:2\" "
              "},\n\"127.0.0.1:2\"]\n",
              "3:1: [pools.a] has the backend \"127.0.0.1:2\" already (line 2); give each a name of its own"},
         }) {
        CAPTURE(bad.text);
        CHECK(refusals(bad.text) == bad.refusal);
    }
}

TEST_CASE("one address may have several named backends, and two pools the same one") {
    Config config = good(R"(
[pools.a]
backends = [{ address = "127.0.0.1:1", name = "x" }, { address = "127.0.0.1:1", name = "y" }, "127.0.0.1:1"]
[pools.b]
backends = [{ address = "127.0.0.1:1", name = "x" }]
[[routes]]
pool = "a"
)");
    CHECK(config.balancer.pools[0].backends.size() == 3);
}

TEST_CASE("several problems of one file are all told, in its order") {
    CHECK(
        refusals("[balancer]\nthreads = true\nmode = 1\n[pools.a]\nbackends = [\"x\", \"127.0.0.1\", "
                 "\"127.0.0.1:1\"]\n") ==
        "2:11: balancer.threads: expected an integer from 0 to 256, found true\n"
        "3:8: balancer.mode: expected \"active-active\" or \"active-passive\", found the integer 1\n"
        "5:13: pools.a.backends: expected an address such as \"127.0.0.1:9001\", found \"x\": names are not "
        "looked up, "
        "write the IPv4 or IPv6 address\n"
        "5:18: pools.a.backends: expected an address such as \"127.0.0.1:9001\", found \"127.0.0.1\": the "
        "port is "
        "missing"
    );
}

}  // namespace node
