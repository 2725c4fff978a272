// The guard's command line and environment: what is written is read again, and nothing else is.
#include "child/child_spec.h"

#include <cerrno>

#include <doctest/doctest.h>

namespace child {
namespace {

std::vector<char*> pointers(std::vector<std::string>& words) {
    std::vector<char*> list;
    for (std::string& word : words) {
        list.push_back(word.data());
    }
    return list;
}

core::Result<ChildSpec> parse(std::vector<std::string> words) {
    return parse_guard_arguments(pointers(words));
}

ChildSpec full_spec() {
    return {
        .name = "app-1",
        .supervisor = 77,
        .channel = 9,
        .listening = 8,
        .directory = "/srv/a=b c",
        .user = runtime::Account{.name = "site", .uid = 1001, .gid = 1002, .home = "/home/a:b"},
        .open_files = 100,
        .processes = 20,
        .data_bytes = 1ULL << 40,
        .group = "/sys/fs/cgroup/x",
        .command = {"server", "--", "channel=4", ""}
    };
}

TEST_CASE("a guard reads what its supervisor wrote") {
    auto spec = parse(guard_arguments(full_spec()));
    REQUIRE(spec);
    CHECK(*spec == full_spec());
    ChildSpec least;
    least.supervisor = 1;
    least.channel = 3;
    least.command = {"x"};
    auto read = parse(guard_arguments(least));
    REQUIRE(read);
    CHECK(*read == least);
}

TEST_CASE("other words are refused") {
    const std::vector<std::vector<std::string>> cases{
        {"trilith", "exec-child"},
        {"trilith", "exec-child", "--", "sh"},
        {"trilith", "exec-child", "channel=3", "supervisor=1", "--"},
        {"trilith", "exec-child", "channel=3", "supervisor=1", "sh"},
        {"trilith", "exec-child", "channel=x", "supervisor=1", "--", "sh"},
        {"trilith", "exec-child", "channel=3", "supervisor=1", "user=1:2", "--", "sh"},
        {"trilith", "exec-child", "channel=3", "supervisor=1", "user=a:2:b:c", "--", "sh"},
        {"trilith", "exec-child", "channel=3", "supervisor=1", "colour=red", "--", "sh"},
    };
    for (const auto& words : cases) {
        CAPTURE(words.back());
        CHECK_FALSE(parse(words));
    }
}

TEST_CASE("the program's environment does not act on the guard, and comes out whole") {
    std::vector<std::string> entries{"LD_PRELOAD=x.so", "A=", "B=.c=d"};
    auto hidden = hide_environment(entries);
    for (const std::string& entry : hidden) {
        CHECK(entry.starts_with('.'));
    }
    hidden.emplace_back("ASAN_OPTIONS=of the guard's own");
    auto list = pointers(hidden);
    list.push_back(nullptr);
    CHECK(reveal_environment(list.data()) == entries);
}

TEST_CASE("a failed start names the key, the object and the cure") {
    ChildSpec spec = full_spec();
    auto sentence = [&](StartStep step, int code) {
        return describe_failed_start(
            "app",
            spec,
            {.kind = ReportKind::failed, .step = step, .pid = 0, .code = code}
        );
    };
    CHECK(sentence(StartStep::execute, ENOENT)
              .starts_with(
                  R"([app] command: cannot run "server": No such file or directory; it is neither in PATH)"
              ));
    CHECK(sentence(StartStep::execute, EACCES).contains("chmod +x"));
    CHECK(sentence(StartStep::execute, ENOEXEC).contains("#!INTERPRETER"));
    CHECK(sentence(StartStep::directory, ENOENT)
              .starts_with(R"([app] directory: cannot enter "/srv/a=b c": No such file or directory)"));
    CHECK(
        sentence(StartStep::user, EPERM) == R"([app] user: cannot change to "site": Operation not permitted)"
    );
    CHECK(sentence(StartStep::limits, EPERM).contains("limits.open_files"));
}

}  // namespace
}  // namespace child
