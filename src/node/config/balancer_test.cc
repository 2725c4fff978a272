// What is refused of [balancer] and the tables below it.
#include "node/config/balancer.h"

#include <string>

#include <doctest/doctest.h>

#include "node/config/cases.h"

namespace node {

TEST_CASE("a wrong value of [balancer] is refused") {
    for (const BadFile& bad : std::initializer_list<BadFile>{
             {"threads = 257\n",
              "2:11: balancer.threads: expected an integer from 0 to 256, found the integer 257"},
             {"threads = -1\n",
              "2:11: balancer.threads: expected an integer from 0 to 256, found the integer -1"},
             {"threads = 4294967297\n",
              "2:11: balancer.threads: expected an integer from 0 to 256, found the integer 4294967297"},
             {"threads = 2.0\n",
              "2:11: balancer.threads: expected an integer from 0 to 256, found the number 2"},
             {"threads = \"2\"\n",
              "2:11: balancer.threads: expected an integer from 0 to 256, found the text \"2\""},
             {"threads = 2024-01-01\n",
              "2:11: balancer.threads: expected an integer from 0 to 256, found a date or time"},
             {"thread = 2\n", "2:1: unknown key \"thread\" in [balancer]; did you mean \"threads\"?"},
             {"listen = []\n", "2:10: balancer.listen: expected 1 to 100 addresses, found 0"},
             {"listen = 80\n",
              "2:10: balancer.listen: expected a list such as [\"http://127.0.0.1:8080\"], found the integer "
              "80"},
             {"listen = [80]\n",
              "2:11: balancer.listen: expected a text such as \"http://127.0.0.1:8080\", found the integer 80"
             },
             {"listen = [\"https://*:443\"]\n",
              "2:11: balancer.listen: https: TLS is not supported by this version; write http://"},
             {"listen = [\"http://*:80\", \"http://*:80\"]\n",
              "2:26: balancer.listen: \"http://*:80\" repeats \"http://*:80\", which is there already"},
             {"listen = [\"http://*:80\", \"http://127.0.0.1:80\"]\n",
              "2:26: balancer.listen: \"http://127.0.0.1:80\" is a part of \"http://*:80\", which is there "
              "already"},
             {"listen = [\"http://[::1]:80\", \"http://*:80\"]\n",
              "2:30: balancer.listen: \"http://*:80\" covers \"http://[::1]:80\", which is there already"},
             {"algorithm = \"hash\"\n",
              "2:13: balancer.algorithm: \"hash\" is not supported by this version; expected \"round-robin\""
             },
             {"algorithm = \"rr\"\n",
              "2:13: balancer.algorithm: expected \"round-robin\", found the text \"rr\""},
             {"mode = \"passive\"\n",
              "2:8: balancer.mode: expected \"active-active\" or \"active-passive\", found the text "
              "\"passive\""},
             {"failback = \"no\"\n", "2:12: balancer.failback: expected true or false, found the text \"no\""
             },
             {"trusted_proxies = \"10.0.0.1\"\n",
              "2:19: balancer.trusted_proxies: expected a list such as [\"10.0.0.1\", \"10.1.0.0/16\"], "
              "found the text "
              "\"10.0.0.1\""},
             {"trusted_proxies = [\"10.0.0.0/33\"]\n",
              "2:20: balancer.trusted_proxies: expected an address or network such as \"10.0.0.0/8\", found "
              "\"10.0.0.0/33\""},
             {"trusted_proxies = [\"fd00::/129\"]\n",
              "2:20: balancer.trusted_proxies: expected an address or network such as \"10.0.0.0/8\", found "
              "\"fd00::/129\""},
             {"trusted_proxies = [\"10.0.0.0/\"]\n",
              "2:20: balancer.trusted_proxies: expected an address or network such as \"10.0.0.0/8\", found "
              "\"10.0.0.0/\""},
         }) {
        std::string text = "[balancer]\n" + std::string(bad.text) + std::string(kPool);
        CAPTURE(text);
        CHECK(refusals(text) == bad.refusal);
    }
}

TEST_CASE("a wrong health check is refused") {
    for (const BadFile& bad : std::initializer_list<BadFile>{
             {"health = true\n", "2:10: balancer.health: expected a table, found true"},
             {"health.interval = 2\n",
              "2:19: balancer.health.interval: expected a duration such as \"2s\", found the integer 2"},
             {"health.interval = \"2\"\n",
              "2:19: balancer.health.interval: expected a duration such as \"2s\", found the text \"2\""},
             {"health.interval = \"99ms\"\n",
              "2:19: balancer.health.interval: expected 100ms to 1h, found the text \"99ms\""},
             {"health.interval = \"61m\"\n",
              "2:19: balancer.health.interval: expected 100ms to 1h, found the text \"61m\""},
             {"health.timeout = \"2m\"\n",
              "2:18: balancer.health.timeout: expected 10ms to 1m, found the text \"2m\""},
             {"health.fall = 0\n",
              "2:15: balancer.health.fall: expected an integer from 1 to 100, found the integer 0"},
             {"health.rise = 101\n",
              "2:15: balancer.health.rise: expected an integer from 1 to 100, found the integer 101"},
             {"health.slow_start = \"2h\"\n",
              "2:21: balancer.health.slow_start: expected 0s to 1h, found the text \"2h\""},
             {"health.path = \"healthz\"\n",
              "2:15: balancer.health.path: expected a path such as \"/healthz\", found the text \"healthz\""},
             {"health.path = \"/a b\"\n",
              "2:15: balancer.health.path: expected a path such as \"/healthz\", found the text \"/a b\""},
             {"health.intervall = \"2s\"\n",
              "2:8: unknown key \"intervall\" in [balancer.health]; did you mean \"interval\"?"},
         }) {
        std::string text = "[balancer]\n" + std::string(bad.text) + std::string(kPool);
        CAPTURE(text);
        CHECK(refusals(text) == bad.refusal);
    }
}

TEST_CASE("a wrong timeout, limit or access log is refused") {
    for (const BadFile& bad : std::initializer_list<BadFile>{
             {"timeouts.connect = \"0s\"\n",
              "2:20: balancer.timeouts.connect: expected 1ms to 1d, found the text \"0s\""},
             {"timeouts.drain = \"25h\"\n",
              "2:18: balancer.timeouts.drain: expected 1ms to 1d, found the text \"25h\""},
             {"timeouts.read = \"1s\"\n",
              "2:10: unknown key \"read\" in [balancer.timeouts]; known keys: connect, request_head, idle, "
              "body, "
              "first_byte, response, tunnel, drain"},
             {"limits.request_head = 16384\n",
              "2:23: balancer.limits.request_head: expected a size such as \"16KiB\", found the integer 16384"
             },
             {"limits.request_head = \"49KiB\"\n",
              "2:23: balancer.limits.request_head: expected 1KiB to 48KiB, found the text \"49KiB\""},
             {"limits.uri = \"17KiB\"\n",
              "2:14: balancer.limits.uri: expected 64B to 16KiB, found the text \"17KiB\""},
             {"limits.response_head = \"1B\"\n",
              "2:24: balancer.limits.response_head: expected 1KiB to 48KiB, found the text \"1B\""},
             {"limits.body = \"1 MiB\"\n",
              "2:15: balancer.limits.body: expected a size such as \"16KiB\", found the text \"1 MiB\""},
             {"limits.headers = 7\n",
              "2:18: balancer.limits.headers: expected an integer from 8 to 1000, found the integer 7"},
             {"limits.connections = 0\n",
              "2:22: balancer.limits.connections: expected an integer from 1 to 1000000, found the integer 0"
             },
             {"limits.connections_per_client = 1000001\n",
              "2:33: balancer.limits.connections_per_client: expected an integer from 0 to 1000000, found "
              "the integer "
              "1000001"},
             {"limits.retries = 11\n",
              "2:18: balancer.limits.retries: expected an integer from 0 to 10, found the integer 11"},
             {"limits.retry_budget_percent = 101\n",
              "2:31: balancer.limits.retry_budget_percent: expected an integer from 0 to 100, found the "
              "integer 101"},
             {"access_log.enabled = 1\n",
              "2:22: balancer.access_log.enabled: expected true or false, found the integer 1"},
             {"access_log.file = \"\"\n",
              "2:19: balancer.access_log.file: expected the path of a file such as \"access.log\", found an "
              "empty text"},
             {"access_log.path = \"a\"\n",
              "2:12: unknown key \"path\" in [balancer.access_log]; known keys: file, enabled"},
         }) {
        std::string text = "[balancer]\n" + std::string(bad.text) + std::string(kPool);
        CAPTURE(text);
        CHECK(refusals(text) == bad.refusal);
    }
}

}  // namespace node
