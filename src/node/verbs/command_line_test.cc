// What each command line means, and what is said about one that means nothing.
#include "node/verbs/command_line.h"

#include <chrono>
#include <tuple>
#include <vector>

#include <doctest/doctest.h>

namespace node {

namespace {

using namespace std::chrono_literals;

core::Result<Command> parse(const std::vector<const char*>& words) { return parse_command_line(words); }

template <class Options>
Options parsed(const std::vector<const char*>& words) {
    auto command = parse(words);
    REQUIRE_MESSAGE(command, command.error().context());
    REQUIRE(std::holds_alternative<Options>(*command));
    return std::get<Options>(*command);
}

void check_refused(const std::vector<const char*>& words, std::string_view sentence) {
    auto command = parse(words);
    REQUIRE_FALSE(command);
    CHECK(command.error().kind() == core::ErrorKind::invalid);
    CHECK_MESSAGE(command.error().context().contains(sentence), command.error().context());
    CHECK_FALSE(command.error().context().contains('\n'));
}

}  // namespace

TEST_CASE("verbs that read a file") {
    CHECK(parsed<CheckOptions>({"check"}).file == "trilith.toml");
    CheckOptions check =
        parsed<CheckOptions>({"check", "a.toml", "--explain", "--json", "--runtime-dir", "/r"});
    CHECK(check.file == "a.toml");
    CHECK(check.is_explained);
    CHECK(check.format == OutputFormat::json);
    CHECK(check.directories == DirectoryOptions{.state = "", .runtime = "/r"});
    ServeOptions serve = parsed<ServeOptions>({"serve", "--server", "lb1", "--state-dir=/s", "a.toml"});
    CHECK(serve.file == "a.toml");
    CHECK(serve.server == "lb1");
    CHECK(serve.directories.state == "/s");
    CHECK(parsed<ServeOptions>({"serve"}).server == "");
    CHECK(parsed<UpOptions>({"up", "a.toml"}).file == "a.toml");
    CHECK(parsed<MigrateOptions>({"migrate", "a.toml", "--state-dir=/s"}).directories.state == "/s");
}

TEST_CASE("verbs that speak to a running site") {
    StatusOptions status = parsed<StatusOptions>({"status", "--site", "a.com", "--json"});
    CHECK(status.site.site == "a.com");
    CHECK(status.site.format == OutputFormat::json);
    CHECK(parsed<StatusOptions>({"status", "--watch"}).is_watching);
    WeightOptions weight = parsed<WeightOptions>({"weight", "origin/b2", "200", "--runtime-dir", "/r"});
    CHECK(weight.name == "origin/b2");
    CHECK(weight.weight == 200);
    CHECK(weight.site.directories.runtime == "/r");
    CHECK(parsed<WeightOptions>({"weight", "[::1]:80", "0"}).name == "[::1]:80");
    CHECK(parsed<WeightOptions>({"weight", "--", "b2", "256"}).weight == 256);
    DrainOptions drain = parsed<DrainOptions>({"drain", "b2"});
    CHECK(drain.is_waiting);
    CHECK(drain.timeout == core::Duration::max());
    drain = parsed<DrainOptions>({"drain", "b2", "--no-wait", "--timeout", "1.5s"});
    CHECK_FALSE(drain.is_waiting);
    CHECK(drain.timeout == 1500ms);
    CHECK(parsed<DisableOptions>({"disable", "b2"}).name == "b2");
    CHECK(parsed<EnableOptions>({"enable", "b2"}).name == "b2");
    CHECK(parsed<UndoOptions>({"undo", "b2"}).name == "b2");
    CHECK(parsed<UndoOptions>({"undo", "--all"}).name == "");
    CHECK(parsed<ReloadOptions>({"reload", "--site", "a.com"}).site.site == "a.com");
    CHECK(parsed<MetricsOptions>({"metrics", "--server", "lb2"}).server == "lb2");
    DrillOptions drill = parsed<DrillOptions>({"drill", "web1"});
    CHECK(drill.name == "web1");
    CHECK_FALSE(drill.is_forced);
    CHECK(parsed<DrillOptions>({"drill", "all", "--force"}).is_forced);
    check_refused({"drill"}, "NAME");
    auto logs =
        parsed<LogsOptions>({"logs", "--server", "web1", "--tier", "app", "--follow", "--lines", "7"});
    CHECK(
        std::tie(logs.server, logs.tier, logs.lines, logs.is_following) == std::tuple("web1", "app", 7, true)
    );
    CHECK(parsed<LogsOptions>({"logs"}).lines == 100);
    CHECK(parsed<LogsOptions>({"logs", "--request", "r1"}).lines == SIZE_MAX);
}

TEST_CASE("explain takes a statement and the two modes that change how it is read") {
    CHECK(parsed<ExplainOptions>({"explain", "SELECT 1"}).sql == "SELECT 1");
    CHECK(parsed<ExplainOptions>({"explain", "--json", ""}).format == OutputFormat::json);
    const auto both = parsed<ExplainOptions>({"explain", "--sql-mode=ansi,NO_BACKSLASH_ESCAPES", "x"});
    CHECK(both.has_ansi_quotes);
    CHECK_FALSE(both.has_backslash_escapes);
    check_refused({"explain"}, "SQL");
    check_refused({"explain", "--sql-mode", "STRICT", "x"}, "not \"STRICT\"");
}

TEST_CASE("help and version are printed and nothing else is done") {
    std::string help = parsed<PrintOptions>({"--help"}).text;
    for (const char* verb :
         {"up",
          "serve",
          "check",
          "status",
          "weight",
          "drain",
          "disable",
          "enable",
          "undo",
          "reload",
          "drill",
          "logs",
          "metrics"}) {
        CAPTURE(verb);
        CHECK(help.contains(verb));
        CHECK(parsed<PrintOptions>({verb, "--help"}).text.contains("--runtime-dir"));
        CHECK(parsed<PrintOptions>({"help", verb}).text == parsed<PrintOptions>({verb, "--help"}).text);
    }
    CHECK(parsed<PrintOptions>({"help"}).text == help);
    CHECK(parsed<PrintOptions>({"-h"}).text == help);
    CHECK(parsed<PrintOptions>({"--version"}).text == parsed<PrintOptions>({"version"}).text);
    CHECK(parsed<PrintOptions>({"version"}).text.starts_with("trilith "));
}

TEST_CASE("wrong usage is one sentence that helps") {
    check_refused({}, "trilith --help");
    check_refused({"dance"}, "there is no verb \"dance\"");
    check_refused({"statsu"}, "did you mean \"status\"?");
    check_refused({"weigth", "b2", "5"}, "did you mean \"weight\"?");
    check_refused({"--json"}, "--json");
    check_refused({"serve", "--nosuch"}, "no option --nosuch");
    check_refused({"status", "--wacth"}, "did you mean --watch?");
    check_refused({"status", "--runtimedir=/r"}, "did you mean --runtime-dir?");
    check_refused({"status", "extra", "words"}, "extra");
    check_refused({"weight"}, "weight: ");
    check_refused({"weight", "b1"}, "trilith weight --help");
    check_refused({"weight", "b1", "5", "6"}, "6");
    check_refused({"drain"}, "NAME");
    check_refused({"undo"}, "NAME or --all");
    check_refused({"undo", "b2", "--all"}, "NAME or --all");
    check_refused({"status", "--json", "--watch"}, "exclude each other");
    check_refused({"logs", "--lines", "-1"}, "--lines takes a whole number, not \"-1\"");
    check_refused({"status", "--site"}, "--site");
    check_refused({"status", "weight"}, "weight");
    for (const char* site : {"../x", "a/b", "/etc", ".."}) {
        check_refused({"status", "--site", site}, "is not the name of a site");
    }
}

TEST_CASE("a slip of a newcomer is told with what to type instead") {
    check_refused({"start"}, "did you mean \"up\"?");
    check_refused({"stop"}, "Ctrl-C");
    check_refused({"explain", "SELECT", "1"}, "in quotes");
    check_refused({"sql", "-e", "SELECT 1"}, "trilith sql -- -e");
    check_refused({"logs", "--tier", "databse"}, "did you mean \"database\"?");
    check_refused({"logs", "--tier", "9"}, "tiers: balancer, web, app");
    CHECK(parsed<LogsOptions>({"logs", "--tier", "log"}).tier == "log");  // that a log file cannot be written
    check_refused({"metrics", "--json"}, "there is no option --json");
    CHECK(parsed<PrintOptions>({"help"}).text.contains("trilith help VERB"));
}

TEST_CASE("a weight is a whole number from 0 to 256") {
    for (const char* number : {"257", "1.5", "abc", "", " 5", "5 ", "+5", "0x5", "4294967297"}) {
        CAPTURE(number);
        check_refused({"weight", "b2", number}, "weight");
    }
    check_refused({"weight", "b2", "-1"}, "weight");
    check_refused({"weight", "--", "b2", "-1"}, "from 0 to 256");
}

TEST_CASE("a drain's timeout has a unit") {
    for (const char* timeout : {"30", "fast", "-1s", ""}) {
        CAPTURE(timeout);
        CHECK_FALSE(parse({"drain", "b2", "--timeout", timeout}));
    }
}

}  // namespace node
