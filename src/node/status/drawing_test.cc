// The whiteboard as it stands in a terminal: golden pictures of each shape, in good and in bad days.
#include "node/status/drawing.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include "node/status/sample_shapes.h"
#include "node/status/sample_status.h"

namespace node {

namespace {

using namespace std::chrono_literals;

std::string drawn(const SiteStatus& site, DrawingLayout layout = {}) {
    return "\n" + status_drawing(site, {.layout = layout, .earlier = {}});
}

// The lines of a drawing without their escape sequences.
std::vector<std::string> visible_lines(const std::string& text) {
    std::vector<std::string> lines{""};
    for (size_t at = 0; at < text.size(); ++at) {
        if (text[at] == '\x1b') {
            at = text.find('m', at);
        } else if (text[at] == '\n') {
            lines.emplace_back();
        } else {
            lines.back() += text[at];
        }
    }
    return lines;
}

}  // namespace

TEST_CASE("three servers with the database on the two web servers") {
    CHECK(drawn(three_servers()) == R"(
                 visitors at http://127.0.0.1:8080
                                  │
                                  ▼
                       ┌────────────────────┐
                       │ lb1             up │
                       │ balancer  4000 req │
                       └──────────┬─────────┘
                ┌─────────────────┴─────────────────┐
                ▼ 50%                               ▼ 50%
┌──────────────────────────────┐    ┌──────────────────────────────┐
│ web1                      up │    │ web2                      up │
│ web       2000 req           │    │ web       2000 req           │
│ app       2 of 2 up          │    │ app       2 of 2 up          │
│ router    3 clients          │    │ router    3 clients          │
│ database  primary            │    │ database  replica  lag 2.0ms │
└───────────────┬──────────────┘    └──────────────────────────────┘
                │                                   ▲
                └─────────── replication ───────────┘
)");
}

TEST_CASE("balancer, web server and application server each on its own") {
    CHECK(drawn(apart()) == R"(
visitors at http://127.0.0.1:8080
                 │
                 ▼
      ┌────────────────────┐
      │ lb1             up │
      │ balancer  4000 req │
      └──────────┬─────────┘
                 │
                 ▼ 100%
      ┌────────────────────┐
      │ web1            up │
      │ web  2000 req      │
      └──────────┬─────────┘
                 │
                 ▼ 100%
┌────────────────────────────────┐
│ app1                        up │
│ app       2 of 2 up  2000 req  │
│ router    3 clients            │
│ database  primary              │
└────────────────────────────────┘
)");
}

TEST_CASE("two servers of which one also balances") {
    CHECK(drawn(two_servers()) == R"(
                 visitors at http://127.0.0.1:8080
                                  │
                                  ▼
                       ┌────────────────────┐
                       │ one             up │
                       │ balancer  4000 req │
                       └──────────┬─────────┘
                ┌─────────────────┴─────────────────┐
                ▼ 50%                               ▼ 50%
┌──────────────────────────────┐    ┌──────────────────────────────┐
│ one                       up │    │ two                       up │
│ web       2000 req           │    │ web       2000 req           │
│ app       2 of 2 up          │    │ app       2 of 2 up          │
│ router    3 clients          │    │ router    3 clients          │
│ database  primary            │    │ database  replica  lag 2.0ms │
└───────────────┬──────────────┘    └──────────────────────────────┘
                │                                   ▲
                └─────────── replication ───────────┘
)");
}

TEST_CASE("four servers with two replicas") {
    CHECK(drawn(four_servers()) == R"(
                       visitors at http://127.0.0.1:8080
                                        │
                                        ▼
                             ┌────────────────────┐
                             │ lb1             up │
                             │ balancer  4000 req │
                             └──────────┬─────────┘
            ┌───────────────────────────┼───────────────────────────┐
            ▼ 33%                       ▼ 33%                       ▼ 33%
┌──────────────────────┐    ┌──────────────────────┐    ┌──────────────────────┐
│ web1              up │    │ web2              up │    │ web3              up │
│ web       2000 req   │    │ web       2000 req   │    │ web       2000 req   │
│ app       2 of 2 up  │    │ app       2 of 2 up  │    │ app       2 of 2 up  │
│ router    3 clients  │    │ router    3 clients  │    │ router    3 clients  │
│ database  primary    │    │ database  replica    │    │ database  replica    │
└───────────┬──────────┘    └──────────────────────┘    └──────────────────────┘
            │                           ▲                           ▲
            └─────── replication ───────┴───────────────────────────┘
)");
}

TEST_CASE("active-passive: the second stands by") {
    CHECK(drawn(active_passive()) == R"(
                 visitors at http://127.0.0.1:8080
                                  │
                                  ▼
                       ┌────────────────────┐
                       │ lb1             up │
                       │ balancer  4000 req │
                       └──────────┬─────────┘
                ┌─────────────────┴─────────────────┐
                ▼ 100%                              ○ stands by
┌──────────────────────────────┐    ┌──────────────────────────────┐
│ web1                      up │    │ web2                      up │
│ web       2000 req           │    │ web       2000 req           │
│ app       2 of 2 up          │    │ app       2 of 2 up          │
│ router    3 clients          │    │ router    3 clients          │
│ database  primary            │    │ database  replica  lag 2.0ms │
└───────────────┬──────────────┘    └──────────────────────────────┘
                │                                   ▲
                └─────────── replication ───────────┘
)");
}

TEST_CASE("plain ASCII where that is asked for") {
    std::string ascii = drawn(three_servers(), {.columns = 80, .charset = Charset::ascii});
    CHECK(ascii == R"(
                 visitors at http://127.0.0.1:8080
                                  |
                                  v
                       +--------------------+
                       | lb1             up |
                       | balancer  4000 req |
                       +----------+---------+
                +-----------------+-----------------+
                v 50%                               v 50%
+------------------------------+    +------------------------------+
| web1                      up |    | web2                      up |
| web       2000 req           |    | web       2000 req           |
| app       2 of 2 up          |    | app       2 of 2 up          |
| router    3 clients          |    | router    3 clients          |
| database  primary            |    | database  replica  lag 2.0ms |
+---------------+--------------+    +------------------------------+
                |                                   ^
                +----------- replication -----------+
)");
    SiteStatus site = three_servers();
    site.servers[0].pools[0].backends[0].override.weight = 7;
    site.servers[0].pools[0].backends[0].weight = 7;
    ascii = drawn(site, {.columns = 80, .charset = Charset::ascii});
    CHECK(ascii.contains("weight 100>7"));
    CHECK(std::ranges::none_of(ascii, [](char byte) { return static_cast<unsigned char>(byte) > 126; }));
}

TEST_CASE("a server that does not answer, and what others say of it") {
    SiteStatus site = three_servers();
    kill_server(site, "web2");
    CHECK(drawn(site) == R"(
           visitors at http://127.0.0.1:8080
                            │
                            ▼
                 ┌────────────────────┐
                 │ lb1             up │
                 │ balancer  4000 req │
                 └──────────┬─────────┘
             ┌──────────────┴──────────────┐
             ▼ 100%                        ✗ down
┌────────────────────────┐    ┌────────────────────────┐
│ web1                up │    │ web2         no answer │
│ web       2000 req     │    │ web                    │
│ app       2 of 2 up    │    │ app                    │
│ router    3 clients    │    │ router                 │
│ database  primary      │    │ database  unreachable  │
└────────────┬───────────┘    └────────────────────────┘
             │                             ✗
             └──────── replication ────────┘
)");
}

TEST_CASE("without a primary nothing is replicated") {
    SiteStatus site = three_servers();
    kill_server(site, "web1");
    CHECK(drawn(site) == R"(
                 visitors at http://127.0.0.1:8080
                                  │
                                  ▼
                       ┌────────────────────┐
                       │ lb1             up │
                       │ balancer  4000 req │
                       └──────────┬─────────┘
                ┌─────────────────┴─────────────────┐
                ✗ down                              ▼ 100%
┌──────────────────────────────┐    ┌──────────────────────────────┐
│ web1               no answer │    │ web2                      up │
│ web                          │    │ web       2000 req           │
│ app                          │    │ app       2 of 2 up          │
│ router                       │    │ router    3 clients          │
│ database  unreachable        │    │ database  replica  lag 2.0ms │
└───────────────┬──────────────┘    └──────────────────────────────┘
                │                                   ✗
                └─────────── replication ───────────┘
no primary takes writes
)");
}

TEST_CASE("what an operator changed, and a replica that lags") {
    SiteStatus site = three_servers();
    PoolStatus& pool = site.servers[0].pools[0];
    pool.backends[0].state = "draining";
    pool.backends[0].is_in_rotation = false;
    pool.backends[0].override.admin = "drain";
    pool.backends[1].override.weight = 200;
    pool.backends[1].weight = 200;
    RouterNodeStatus& node = site.servers[1].router->nodes[1];
    node.is_fit = node.is_in_rotation = false;
    node.lag = 12s;
    CHECK(drawn(site) == R"(
                       visitors at http://127.0.0.1:8080
                                        │
                                        ▼
                             ┌────────────────────┐
                             │ lb1             up │
                             │ balancer  4000 req │
                             └──────────┬─────────┘
                   ┌────────────────────┴────────────────────┐
                   ○ draining                                ▼ 100%
┌────────────────────────────────────┐    ┌────────────────────────────────────┐
│ web1                            up │    │ web2                            up │
│ web       2000 req                 │    │ web       weight 100→200  2000 req │
│ app       2 of 2 up                │    │ app       2 of 2 up                │
│ router    3 clients                │    │ router    3 clients                │
│ database  primary                  │    │ database  replica  lag 12.0s       │
└──────────────────┬─────────────────┘    └────────────────────────────────────┘
                   │                                         ✗
                   └────────────── replication ──────────────┘
)");
}

TEST_CASE("a server of another machine is not missed") {
    SiteStatus site = three_servers();
    site.servers.pop_back();
    for (ServerStatus& server : site.servers) {
        server.whiteboard[2].is_local = false;
    }
    CHECK(drawn(site) == R"(
                 visitors at http://127.0.0.1:8080
                                  │
                                  ▼
                       ┌────────────────────┐
                       │ lb1             up │
                       │ balancer  4000 req │
                       └──────────┬─────────┘
                ┌─────────────────┴─────────────────┐
                ▼ 50%                               ▼ 50%
┌──────────────────────────────┐    ┌──────────────────────────────┐
│ web1                      up │    │ web2               elsewhere │
│ web       2000 req           │    │ web                          │
│ app       2 of 2 up          │    │ app                          │
│ router    3 clients          │    │ router                       │
│ database  primary            │    │ database  replica  lag 2.0ms │
└───────────────┬──────────────┘    └──────────────────────────────┘
                │                                   ▲
                └─────────── replication ───────────┘
)");
}

TEST_CASE("pools and databases that are no servers of the site") {
    SiteStatus site;
    site.servers.push_back(sample_status());
    CHECK(drawn(site) == R"(
             visitors at 127.0.0.1:8101
                          │
                          ▼
               ┌────────────────────┐
               │ lb1             up │
               │ balancer  4000 req │
               └──────────┬─────────┘
                          │
                          ▼
            ┌──────────────────────────┐
            │ pool origin       2 of 4 │
            │ b1  25%                  │
            │ b2  75%  weight 100→300  │
            │ b3  draining             │
            │ b4  down                 │
            └─────────────┬────────────┘
                          │
                          ▼
               ┌────────────────────┐
               │ lb1             up │
               │ router  9 clients  │
               └──────────┬─────────┘
                          │
                          ▼
┌──────────────────────────────────────────────────┐
│ databases                                        │
│ 10.0.0.5:3306  primary                           │
│ 10.0.0.6:3306  replica  lag 250ms  weight 100→70 │
└──────────────────────────────────────────────────┘
)");
}

TEST_CASE("between two looks there are rates and latencies") {
    const std::vector<ServerStatus> earlier = three_servers().servers;
    SiteStatus site = three_servers();
    for (ServerStatus& server : site.servers) {
        server.uptime += 2s;
        for (FrontStatus& front : server.fronts) {
            front.requests_total += 30;
            front.request_time.buckets[2] += 30;
        }
        if (server.router) {
            server.router->questions_total += 100;
        }
    }
    CHECK("\n" + status_drawing(site, {.layout = {}, .earlier = earlier}) == R"(
                 visitors at http://127.0.0.1:8080
                                  │
                                  ▼
                   ┌────────────────────────────┐
                   │ lb1                     up │
                   │ balancer  15/s  p99 995us  │
                   └──────────────┬─────────────┘
                ┌─────────────────┴─────────────────┐
                ▼ 50%                               ▼ 50%
┌──────────────────────────────┐    ┌──────────────────────────────┐
│ web1                      up │    │ web2                      up │
│ web       15/s  p99 995us    │    │ web       15/s  p99 995us    │
│ app       2 of 2 up          │    │ app       2 of 2 up          │
│ router    50/s  3 clients    │    │ router    50/s  3 clients    │
│ database  primary            │    │ database  replica  lag 2.0ms │
└───────────────┬──────────────┘    └──────────────────────────────┘
                │                                   ▲
                └─────────── replication ───────────┘
)");
}

TEST_CASE("where there is little room servers become lines of one box") {
    CHECK(drawn(three_servers(), {.columns = 44}) == R"(
     visitors at http://127.0.0.1:8080
                      │
                      ▼
           ┌────────────────────┐
           │ lb1             up │
           │ balancer  4000 req │
           └──────────┬─────────┘
                      │
                      ▼
┌──────────────────────────────────────────┐
│ 2 servers                                │
│ web1  up  50%  database primary          │
│ web2  up  50%  database replica          │
└──────────────────────────────────────────┘
replication: web1 → web2
)");
}

TEST_CASE("no line is wider than the terminal or ends with a space, with colours or without") {
    std::vector<SiteStatus> sites{three_servers(), apart(), two_servers(), four_servers(), active_passive()};
    kill_server(sites.emplace_back(four_servers()), "web3");
    for (const SiteStatus& site : sites) {
        for (size_t columns : std::vector<size_t>{1, 2, 5, 20, 33, 47, 59, 60, 79, 80, 132}) {
            for (Colour colour : {Colour::none, Colour::ansi}) {
                std::string text = drawn(site, {.columns = columns, .colour = colour});
                CHECK((colour == Colour::ansi || !text.contains('\x1b')));
                for (const std::string& line : visible_lines(text)) {
                    CAPTURE(line);
                    CHECK(columns_of(line) <= columns);
                    CHECK_FALSE(line.ends_with(' '));
                }
            }
        }
    }
}

TEST_CASE("colours say what is well and what is not") {
    SiteStatus site = three_servers();
    kill_server(site, "web2");
    std::string text = drawn(site, {.columns = 80, .colour = Colour::ansi});
    CHECK(text.contains("\x1b[32mup\x1b[0m"));
    CHECK(text.contains("\x1b[31m✗ down\x1b[0m"));
    CHECK(text.contains("\x1b[31mno answer\x1b[0m"));
}

TEST_CASE("a name never steers the terminal") {
    SiteStatus site = three_servers();
    site.servers[0].pools[0].backends[0].state = "\x1b[2J";
    site.servers[0].pools[0].backends[0].is_in_rotation = false;
    CHECK_FALSE(drawn(site).contains('\x1b'));
}

}  // namespace node
