// What [drill] and [objectives] may say, and what is refused.
#include "node/config/drill.h"

#include <doctest/doctest.h>

#include "node/config/cases.h"
#include "node/config/compare.h"
#include "node/config/explain.h"

namespace node {

namespace {

using namespace std::chrono_literals;

constexpr std::string_view kWholeDrill = R"([drill]
rate = 1000
connections = 10
statements = 0
reads = 50
requests = ["/", "/a?b=c"]
forms = [
    { path = "/users", body = "n={number}&t={token}", token = "form_token", page = "/users/new" },
    { method = "PUT", path = "/x", body = "{}", content_type = "application/json" },
]
timeout = "5s"
steady = "1s"
tail = "2s"
within = "30s"
[objectives]
failed_requests = 1
cut_answers = 2
failed_forms = 3
lost_writes = 4
failed_reads = 5
request_pause = "1s"
write_pause = "2s"
read_pause = "3s"
p99 = "40ms"
recovery = "50s"
)";

std::string with_pool(std::string_view text) { return std::string(kPool) + std::string(text); }

}  // namespace

TEST_CASE("without either table a drill has its defaults") {
    Config config = good(kPool);
    CHECK(config.drill == drill::Config());
    CHECK(config.objectives == drill::Objectives());
    CHECK(config.objectives.write_pause == 3s);
}

TEST_CASE("every key reaches its field, and is explained so that it is read again") {
    Config config = good(with_pool(kWholeDrill));
    drill::Config expected{
        .rate = 1000,
        .connections = 10,
        .statements = 0,
        .reads = 50,
        .requests = {"/", "/a?b=c"},
        .forms =
            {{.path = "/users", .body = "n={number}&t={token}", .token = "form_token", .page = "/users/new"},
             {.method = http::Method::put,
              .path = "/x",
              .body = "{}",
              .content_type = "application/json",
              .token = {},
              .page = {}}},
        .timeout = 5s,
        .steady = 1s,
        .tail = 2s,
        .within = 30s,
    };
    drill::Objectives objectives{
        .failed_requests = 1,
        .cut_answers = 2,
        .failed_forms = 3,
        .lost_writes = 4,
        .failed_reads = 5,
        .request_pause = 1s,
        .write_pause = 2s,
        .read_pause = 3s,
        .p99 = 40ms,
        .recovery = 50s,
    };
    CHECK(config.drill == expected);
    CHECK(config.objectives == objectives);
    Config again = good(explain(config));
    CHECK(again.drill == expected);
    CHECK(again.objectives == objectives);
    CHECK(explain_json(config).contains("\"form_token\""));
}

TEST_CASE("what is wrong is refused where it stands") {
    for (const BadFile& bad : {
             BadFile{
                 "[drill]\nrate = 0",
                 "4:8: drill.rate: expected an integer from 1 to 10000, found the integer 0"
             },
             BadFile{
                 "[drill]\nrequests = [\"/\", \"a\"]",
                 "4:18: drill.requests: expected a path such as \"/healthz\", found \"a\""
             },
             BadFile{
                 "[drill]\ntimeout = 5",
                 "4:11: drill.timeout: expected a duration such as \"2s\", found the integer 5"
             },
             BadFile{
                 "[objectives]\np99 = \"0s\"",
                 "4:7: objectives.p99: expected 1ms to 1h, found the text \"0s\""
             },
         }) {
        CHECK(refusals(with_pool(bad.text)) == bad.refusal);
    }
    struct Part {
        std::string_view text;
        std::string_view part;
    };
    for (const Part& wrong : {
             Part{"[drill]\nrats = 1", "did you mean \"rate\""},
             Part{"[objectives]\nlost_write = 1", "lost_writes"},
             Part{"[drill]\nforms = [1]", "drill.forms: expected a form such as"},
             Part{"[drill]\nforms = [{ body = \"a\" }]", "a form of [drill]: path is missing"},
             Part{"[drill]\nforms = [{ path = \"/\", method = \"GET\" }]", "method"},
             Part{"[drill]\nforms = [{ path = \"/\", page = \"/p\" }]", "write token, too"},
         }) {
        std::string told = refusals(with_pool(wrong.text));
        CHECK_MESSAGE(told.contains(wrong.part), told);
    }
    CHECK(
        refusals("drill = 1\n" + std::string(kPool)) == "1:9: drill: expected a table, found the integer 1"
    );
}

TEST_CASE("a reload tells what has changed of them, and needs no restart for it") {
    auto changes = compare(good(kPool), good(with_pool(kWholeDrill)));
    std::string all;
    for (const ConfigChange& change : changes) {
        CHECK_FALSE(change.needs_restart);
        all += change.to_string() + "\n";
    }
    CHECK(all.contains("drill.rate: 500 → 1000"));
    CHECK(all.contains("drill.forms: 0 forms → 2 forms"));
    CHECK(all.contains("objectives.p99: none → 40ms"));
}

}  // namespace node
