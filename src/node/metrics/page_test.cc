// The metrics: valid text of Prometheus, with HAProxy's names for what they mean there.
#include "node/metrics/page.h"

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "node/status/sample_status.h"

namespace node {

namespace {

std::vector<std::string> page_lines(const std::string& page) {
    REQUIRE(page.ends_with('\n'));
    std::vector<std::string> lines;
    for (size_t begin = 0; begin < page.size();) {
        size_t end = page.find('\n', begin);
        lines.push_back(page.substr(begin, end - begin));
        begin = end + 1;
    }
    return lines;
}

// The value of the series with exactly this name and these labels, "" where there is none.
std::string value_of(const std::string& page, const std::string& series) {
    for (const std::string& line : page_lines(page)) {
        if (line.starts_with(series + " ")) {
            return line.substr(series.size() + 1);
        }
    }
    return "";
}

}  // namespace

TEST_CASE("haproxy's names have haproxy's meaning") {
    std::string page = metrics_page(sample_status());
    const std::pair<const char*, const char*> expected[]{
        {"haproxy_process_uptime_seconds", "3725.5"},
        {"haproxy_frontend_current_sessions{proxy=\"api.foobar.com\",tier=\"balancer\"}", "12"},
        {"haproxy_frontend_http_requests_total{proxy=\"api.foobar.com\",tier=\"balancer\"}", "4000"},
        {"haproxy_frontend_http_responses_total{proxy=\"api.foobar.com\",tier=\"balancer\",code=\"2xx\"}",
         "3900"},
        {"haproxy_frontend_bytes_in_total{proxy=\"api.foobar.com\",tier=\"balancer\"}", "11"},
        {"haproxy_frontend_bytes_out_total{proxy=\"api.foobar.com\",tier=\"balancer\"}", "22"},
        {"haproxy_frontend_status{proxy=\"api.foobar.com\",tier=\"balancer\",state=\"UP\"}", "1"},
        {"haproxy_backend_status{proxy=\"origin\",tier=\"balancer\",state=\"UP\"}", "1"},
        {"haproxy_backend_current_queue{proxy=\"origin\",tier=\"balancer\"}", "2"},
        {"haproxy_backend_active_servers{proxy=\"origin\",tier=\"balancer\"}", "2"},
        {"haproxy_backend_backup_servers{proxy=\"origin\",tier=\"balancer\"}", "0"},
        {"haproxy_backend_weight{proxy=\"origin\",tier=\"balancer\"}", "400"},
        {"haproxy_backend_http_requests_total{proxy=\"origin\",tier=\"balancer\"}", "4000"},
        {"haproxy_backend_http_responses_total{proxy=\"origin\",tier=\"balancer\",code=\"5xx\"}", "36"},
        {"haproxy_server_status{proxy=\"origin\",tier=\"balancer\",server=\"b1\",state=\"UP\"}", "1"},
        {"haproxy_server_status{proxy=\"origin\",tier=\"balancer\",server=\"b1\",state=\"DOWN\"}", "0"},
        {"haproxy_server_status{proxy=\"origin\",tier=\"balancer\",server=\"b3\",state=\"DRAIN\"}", "1"},
        {"haproxy_server_status{proxy=\"origin\",tier=\"balancer\",server=\"b3\",state=\"UP\"}", "0"},
        {"haproxy_server_status{proxy=\"origin\",tier=\"balancer\",server=\"b4\",state=\"DOWN\"}", "1"},
        {"haproxy_server_weight{proxy=\"origin\",tier=\"balancer\",server=\"b2\"}", "300"},
        {"haproxy_server_current_sessions{proxy=\"origin\",tier=\"balancer\",server=\"b1\"}", "3"},
        {"haproxy_server_bytes_in_total{proxy=\"origin\",tier=\"balancer\",server=\"b1\"}", "8000"},
        {"haproxy_server_bytes_out_total{proxy=\"origin\",tier=\"balancer\",server=\"b1\"}", "70000"},
        {"haproxy_server_connection_attempts_total{proxy=\"origin\",tier=\"balancer\",server=\"b1\"}", "22"},
        {"haproxy_server_connection_errors_total{proxy=\"origin\",tier=\"balancer\",server=\"b1\"}", "2"},
        {"haproxy_server_response_errors_total{proxy=\"origin\",tier=\"balancer\",server=\"b1\"}", "3"},
        {"haproxy_server_retry_warnings_total{proxy=\"origin\",tier=\"balancer\",server=\"b1\"}", "6"},
        {"haproxy_server_check_failures_total{proxy=\"origin\",tier=\"balancer\",server=\"b1\"}", "7"},
        {"haproxy_server_check_up_down_total{proxy=\"origin\",tier=\"balancer\",server=\"b1\"}", "1"},
        {"haproxy_server_http_responses_total{proxy=\"origin\",tier=\"balancer\",server=\"b1\",code=\"4xx\"}",
         "40"},
        {"trilith_requests_ended_total{proxy=\"api.foobar.com\",tier=\"balancer\",ended=\"queue_full\"}", "2"
        },
        {"trilith_retries_denied_total{proxy=\"api.foobar.com\",tier=\"balancer\"}", "44"},
        {"trilith_access_log_lines_dropped_total", "55"},
        {"trilith_log_file_lines_lost_total", "56"},
        {"trilith_standard_error_lines_lost_total", "57"},
        {"trilith_reloads_total", "2"},
        {"trilith_backend_overridden{proxy=\"origin\",tier=\"balancer\",server=\"b3\"}", "1"},
        {"trilith_backend_overridden{proxy=\"origin\",tier=\"balancer\",server=\"b1\"}", "0"},
    };
    for (auto [series, value] : expected) {
        CAPTURE(series);
        CHECK(value_of(page, series) == value);
    }
}

TEST_CASE("a disabled backend is in maintenance, one that was not checked yet is up") {
    ServerStatus status = sample_status();
    status.pools[0].backends[0].state = "disabled";
    status.pools[0].backends[1].state = "checking";
    std::string page = metrics_page(status);
    CHECK(
        value_of(
            page,
            "haproxy_server_status{proxy=\"origin\",tier=\"balancer\",server=\"b1\",state=\"MAINT\"}"
        ) == "1"
    );
    CHECK(
        value_of(
            page,
            "haproxy_server_status{proxy=\"origin\",tier=\"balancer\",server=\"b2\",state=\"UP\"}"
        ) == "1"
    );
    CHECK(value_of(page, "haproxy_backend_active_servers{proxy=\"origin\",tier=\"balancer\"}") == "1");
    status.pools[0].backends[1].state = "down";
    page = metrics_page(status);
    CHECK(value_of(page, "haproxy_backend_status{proxy=\"origin\",tier=\"balancer\",state=\"UP\"}") == "0");
    CHECK(value_of(page, "haproxy_backend_status{proxy=\"origin\",tier=\"balancer\",state=\"DOWN\"}") == "1");
}

TEST_CASE("a histogram is cumulated, ends with all, and agrees with its count") {
    std::string page = metrics_page(sample_status());
    const std::string name = "trilith_backend_response_duration_seconds";
    const std::string labels = "proxy=\"origin\",tier=\"balancer\",server=\"b1\"";
    CHECK(value_of(page, name + "_bucket{" + labels + ",le=\"0.00025\"}") == "10");
    CHECK(value_of(page, name + "_bucket{" + labels + ",le=\"0.0005\"}") == "20");
    CHECK(value_of(page, name + "_bucket{" + labels + ",le=\"1\"}") == "120");
    CHECK(value_of(page, name + "_bucket{" + labels + ",le=\"10\"}") == "140");
    CHECK(value_of(page, name + "_bucket{" + labels + ",le=\"+Inf\"}") == "150");
    CHECK(value_of(page, name + "_count{" + labels + "}") == "150");
    CHECK(value_of(page, name + "_sum{" + labels + "}") == "15");
    CHECK(
        value_of(
            page,
            "trilith_request_duration_seconds_bucket{proxy=\"api.foobar.com\",tier=\"balancer\",le=\"+Inf\"}"
        ) == "1500"
    );
}

TEST_CASE("a family stands together under one head, and no series stands twice") {
    ServerStatus status = sample_status();
    // A pool of the same name in another tier, and two instances of one name, as in a rolling restart.
    status.pools.push_back(status.pools[0]);
    status.pools[1].tier = "web";
    status.fronts.push_back(status.fronts[0]);
    status.fronts[1].tier = "web";
    status.app.emplace().instances.resize(2);
    status.app->instances[1].generation = 2;
    std::set<std::string> families;
    std::set<std::string> series;
    std::string family;
    for (const std::string& line : page_lines(metrics_page(status))) {
        if (line.starts_with("# HELP ")) {
            family = line.substr(7, line.find(' ', 7) - 7);
            CHECK_MESSAGE(families.insert(family).second, family);
            continue;
        }
        CAPTURE(line);
        if (line.starts_with("# TYPE ")) {
            CHECK(line.starts_with("# TYPE " + family + " "));
            continue;
        }
        CHECK(line.starts_with(family));
        size_t blank = line.rfind(' ');
        CHECK(series.insert(line.substr(0, blank)).second);
        CHECK(line.find_first_not_of("0123456789.e+", blank + 1) == std::string::npos);
    }
    CHECK(families.size() > 50);
    CHECK(std::ranges::all_of(families, [](const std::string& name) {
        return name.starts_with("haproxy_") || name.starts_with("proxysql_") || name.starts_with("trilith_");
    }));
}

TEST_CASE("every front and every instance of the program has series of its own") {
    ServerStatus status = sample_status();
    status.fronts.push_back(status.fronts[0]);
    status.fronts[1].tier = "web";
    status.fronts[1].requests_total = 77;
    status.app.emplace();
    InstanceStatus& instance = status.app->instances.emplace_back();
    instance.name = "app-1";
    instance.state = "waiting";
    instance.restarts_total = 3;
    instance.memory_bytes = 1 << 20;
    instance.generation = 2;
    std::string page = metrics_page(status);
    const std::string site = "{proxy=\"api.foobar.com\",tier=";
    CHECK(value_of(page, "haproxy_frontend_http_requests_total" + site + "\"balancer\"}") == "4000");
    CHECK(value_of(page, "haproxy_frontend_http_requests_total" + site + "\"web\"}") == "77");
    const std::string labels = "{instance=\"app-1\",generation=\"2\"";
    CHECK(value_of(page, "trilith_instance_up" + labels + "}") == "0");
    CHECK(value_of(page, "trilith_instance_state" + labels + ",state=\"waiting\"}") == "1");
    CHECK(value_of(page, "trilith_instance_state" + labels + ",state=\"up\"}") == "0");
    CHECK(value_of(page, "trilith_instance_restarts_total" + labels + "}") == "3");
    CHECK(value_of(page, "trilith_instance_resident_bytes" + labels + "}") == "1048576");
    CHECK(value_of(page, "trilith_app_restart_running") == "0");
}

TEST_CASE("label values are escaped") {
    ServerStatus status = sample_status();
    status.pools[0].backends[0].name = "a\"b\\c\nd";
    CHECK(
        value_of(
            metrics_page(status),
            R"(haproxy_server_uweight{proxy="origin",tier="balancer",server="a\"b\\c\nd"})"
        ) == "100"
    );
}

TEST_CASE("large counters are written in full") {
    ServerStatus status = sample_status();
    status.requests_total = 9'007'199'254'740'992;
    CHECK(value_of(metrics_page(status), "haproxy_process_requests_total") == "9007199254740992");
}

}  // namespace node
