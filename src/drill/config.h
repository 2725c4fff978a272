// What a drill asks of the site, and what must hold meanwhile: [drill] and [objectives].
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/units.h"
#include "http/method.h"

namespace drill {

// A request that changes something, and so is not safe to be sent twice.
struct FormConfig {
    http::Method method = http::Method::post;  // post, put, patch or delete_
    std::string path;
    // "{number}" is another number in each, "{token}" the value of the hidden field `token` of `page`.
    std::string body;
    std::string content_type = "application/x-www-form-urlencoded";
    std::string token;  // empty: no page is loaded before
    std::string page;   // where that field is; empty: at `path`

    friend bool operator==(const FormConfig&, const FormConfig&) = default;
};

// [drill]
struct Config {
    uint32_t rate = 500;                // HTTP requests a second; 1 to 10000
    uint32_t connections = 64;          // of clients that ask, at most, and as many of those that send forms
    uint32_t statements = 100;          // a second, through the SQL routers; 0: none; at most 10000
    uint32_t reads = 80;                // percent of both that change nothing; 0 to 100
    std::vector<std::string> requests;  // paths of GETs, in turn; empty: "/" and the health path
    std::vector<FormConfig> forms;      // in turn; none: all requests are GETs
    core::Duration timeout = std::chrono::seconds(10);  // from when a request is due to the end of its answer
    core::Duration steady = std::chrono::seconds(3);    // of load before the deed
    core::Duration tail = std::chrono::seconds(3);      // of load after the recovery
    core::Duration within = std::chrono::seconds(60);   // the longest that a recovery is waited for

    friend bool operator==(const Config&, const Config&) = default;
};

// [objectives]: what a drill must not exceed. None: it is shown and not judged.
struct Objectives {
    std::optional<uint32_t> failed_requests = 0;  // GETs that got no good answer, none having begun
    std::optional<uint32_t> cut_answers;          // answers that began and did not end
    std::optional<uint32_t> failed_forms;         // by their nature they cannot be sent again
    std::optional<uint32_t> lost_writes = 0;      // acknowledged, and not there afterwards, or twice
    std::optional<uint32_t> failed_reads = 0;     // of the database, outside of transactions
    std::optional<core::Duration> request_pause = std::chrono::seconds(3);  // without a good answer to a GET
    std::optional<core::Duration> write_pause = std::chrono::seconds(3);    // without an acknowledged write
    std::optional<core::Duration> read_pause = std::chrono::seconds(3);     // without a read of the database
    std::optional<core::Duration> p99;       // of GETs, from the deed to the recovery
    std::optional<core::Duration> recovery;  // from the deed until everything is as it was

    friend bool operator==(const Objectives&, const Objectives&) = default;
};

}  // namespace drill
