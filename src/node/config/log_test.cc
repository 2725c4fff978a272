// [log]: what it may say, and what is wrong with it.
#include "node/config/log.h"

#include <doctest/doctest.h>

#include "node/config/cases.h"
#include "node/config/front_plan.h"

namespace node {

namespace {

std::string with_log(std::string_view keys) { return std::string(kPool) + "[log]\n" + std::string(keys); }

balancer::AccessLogConfig access_of(std::string_view keys, std::string_view access = "") {
    std::string text =
        "[balancer]\nlisten = [\"http://127.0.0.1:0\"]\n" + std::string(access) + with_log(keys);
    Config config = good(text);
    return plan_fronts(config, config.servers.front()).front().balancer.access_log;
}

}  // namespace

TEST_CASE("the log is kept in files of a bounded number and size") {
    CHECK(good(kPool).log == LogConfig{});
    CHECK(good(kPool).log.is_enabled);
    LogConfig log =
        good(with_log("enabled = false\ndirectory = \"/var/log/site\"\nmax_size = \"1MiB\"\nkeep = 0\n"
                      "requests = true\n"))
            .log;
    CHECK(
        log ==
        LogConfig{
            .is_enabled = false,
            .directory = "/var/log/site",
            .size_max = 1 << 20,
            .kept = 0,
            .has_requests = true
        }
    );
    CHECK(good(with_log("directory = \"logs\"")).log.directory.ends_with("/logs"));
}

TEST_CASE("what is wrong with it is told where it stands") {
    CHECK(refusals(with_log("max_size = \"63KiB\"")).starts_with("4:12: log.max_size: "));
    CHECK(refusals(with_log("max_size = 1")).starts_with("4:12: log.max_size: "));
    CHECK(refusals(with_log("keep = 1001")).starts_with("4:8: log.keep: "));
    CHECK(refusals(with_log("directory = \"\"")).starts_with("4:13: log.directory: "));
    CHECK(refusals(with_log("enabled = 1")).starts_with("4:11: log.enabled: "));
    std::string misspelt = refusals(with_log("request = true"));
    CHECK_MESSAGE((misspelt.starts_with("4:1: ") && misspelt.contains("requests")), misspelt);
}

TEST_CASE("the log files have the access log that goes to standard output, or all where they are to") {
    CHECK(access_of("") == balancer::AccessLogConfig{});
    CHECK(
        access_of("", "access_log.enabled = true\n") ==
        balancer::AccessLogConfig{.is_enabled = true, .file = "", .is_kept = true}
    );
    CHECK_FALSE(access_of("enabled = false", "access_log.enabled = true\n").is_kept);
    CHECK_FALSE(access_of("", "access_log.file = \"a.log\"\n").is_kept);
    CHECK(access_of("requests = true", "access_log.file = \"a.log\"\n").is_kept);
    CHECK(
        access_of("requests = true") ==
        balancer::AccessLogConfig{.is_enabled = true, .file = "", .is_printed = false, .is_kept = true}
    );
    CHECK_FALSE(access_of("requests = true\nenabled = false").is_enabled);
}

}  // namespace node
