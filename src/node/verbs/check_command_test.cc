// The verb `check`: what it prints and returns for a good file, a bad one, and a place that does not do.
#include "node/verbs/check_command.h"

#include <string>

#include <doctest/doctest.h>

#include "node/config/cases.h"
#include "node/control/scripted_os.h"
#include "runtime/temporary_directory.h"

namespace node {

namespace {

struct Outcome {
    int status;
    std::string out;
    std::string err;
};

Outcome check_of(CheckOptions options, uint32_t user = 0) {
    Outcome outcome{};
    ScriptedOs os;
    Environment environment;
    environment.user = user;
    environment.home = "/home/ann";
    Console console{
        .os = os,
        .environment = environment,
        .out = [&](std::string_view text) { outcome.out += text; },
        .err = [&](std::string_view text) { outcome.err += text; },
        .is_terminal = false,
        .terminal_size = [] { return TerminalSize{}; },
    };
    outcome.status = check(options, console);
    return outcome;
}

CheckOptions of_file(std::string file) {
    CheckOptions options;
    options.file = std::move(file);
    return options;
}

}  // namespace

TEST_CASE("a good file is said to be good, or explained") {
    runtime::TemporaryDirectory directory;
    directory.open_to_all();  // whoever root would serve as may read it
    directory.write("a.toml", kWholeFile);
    CheckOptions options = of_file(directory / "a.toml");
    Outcome good = check_of(options);
    CHECK(good.status == 0);
    CHECK(good.out.starts_with(options.file + ": good: site api.foobar.com, 1 server, "));
    CHECK(good.err == "");
    options.format = OutputFormat::json;
    CHECK(check_of(options).out == "{\"valid\":true,\"site\":\"api.foobar.com\",\"errors\":[]}\n");
    options.is_explained = true;
    CHECK(check_of(options).out.contains("\"retry_budget_percent\""));
    options.format = OutputFormat::text;
    CHECK(check_of(options).out.contains("retry_budget_percent"));
}

TEST_CASE("a bad file is exit 2 with its problems, line by line and as JSON") {
    runtime::TemporaryDirectory directory;
    directory.write("a.toml", "treads = 1\n");
    CheckOptions options = of_file(directory / "a.toml");
    options.format = OutputFormat::json;
    Outcome bad = check_of(options);
    CHECK(bad.status == 2);
    CHECK(bad.err.starts_with(options.file + ":1:1: "));
    CHECK(bad.out.starts_with(
        "{\"valid\":false,\"errors\":[{\"file\":\"" + options.file +
        "\",\"line\":1,\"column\":1,\"message\":\""
    ));
    CHECK(check_of(of_file(directory / "missing.toml")).status == 2);
}

TEST_CASE("a user that is not there is refused for root, who would start it, and told to others") {
    runtime::TemporaryDirectory directory;
    directory.open_to_all();
    directory.write("a.toml", "user = \"no-such-user-here\"\n" + std::string(kWholeFile));
    CheckOptions options = of_file(directory / "a.toml");
    Outcome outcome = check_of(options);
    CHECK(outcome.status == 2);
    CHECK(outcome.err.contains("user: this system knows no user \"no-such-user-here\""));
    outcome = check_of(options, 1000);
    CHECK(outcome.status == 0);
    CHECK(outcome.err.contains("warning: user: this system knows no user"));
}

TEST_CASE("a runtime directory whose sockets would have too long a path is refused") {
    runtime::TemporaryDirectory directory;
    directory.write("a.toml", kWholeFile);
    CheckOptions options = of_file(directory / "a.toml");
    options.directories.runtime = "/" + std::string(100, 'd');
    Outcome refused = check_of(options);
    CHECK(refused.status == 2);
    CHECK(refused.err.starts_with(options.file + ": the control socket /ddd"));
}

}  // namespace node
