// The command line of the load generator.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <format>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace bench {

struct LoadOptions {
    uint16_t port = 0;
    std::vector<std::string> paths;   // asked for in turn; load_options_from() gives at least one
    std::vector<std::string> fields;  // further header fields of each request, "Name: value"
    int status = 200;                 // that every answer is to have
    uint64_t body_bytes = 100;        // of every answer; of no meaning where the status has no body
    bool has_any_length = false;  // pages whose length differs from answer to answer: body_bytes says nothing
    size_t connections = 64;
    double rate = 0;       // requests a second; 0: closed loop
    double warm_up = 0.5;  // seconds
    double seconds = 3;
    bool has_new_connection_each = false;
    bool is_hold = false;
    std::vector<int> pids;
};

[[noreturn]] inline void stop_with_usage(std::string_view fault) {
    std::fputs(
        std::format(
            "bench_load_generator: {}; the first lines of load_generator.cc say how it is called\n",
            fault
        )
            .c_str(),
        stderr
    );
    std::exit(2);
}

template <class Number>
Number number_or_stop(std::string_view name, const std::string& text) {
    Number number{};
    std::istringstream input(text);  // libc++ 19 has no from_chars for floating point
    if (!(input >> number) || !input.eof()) {
        stop_with_usage(std::format("{} needs a number, not \"{}\"", name, text));
    }
    return number;
}

inline void set_option(LoadOptions& options, std::string_view name, const std::string& value) {
    if (name == "--port") {
        options.port = number_or_stop<uint16_t>(name, value);
    } else if (name == "--path") {
        options.paths.push_back(value);
    } else if (name == "--header") {
        options.fields.push_back(value);
    } else if (name == "--status") {
        options.status = number_or_stop<int>(name, value);
    } else if (name == "--body-bytes") {
        options.body_bytes = number_or_stop<uint64_t>(name, value);
    } else if (name == "--connections") {
        options.connections = std::max<size_t>(number_or_stop<size_t>(name, value), 1);
    } else if (name == "--rate") {
        options.rate = number_or_stop<double>(name, value);
    } else if (name == "--warm-up") {
        options.warm_up = number_or_stop<double>(name, value);
    } else if (name == "--seconds") {
        options.seconds = number_or_stop<double>(name, value);
    } else if (name == "--pids") {
        std::istringstream list(value);
        for (std::string pid; std::getline(list, pid, ',');) {
            options.pids.push_back(number_or_stop<int>(name, pid));
        }
    } else {
        stop_with_usage(std::format("unknown option {}", name));
    }
}

// The requests that the options describe, one a path.
[[nodiscard]] inline std::vector<std::string> requests_of(const LoadOptions& options) {
    std::string fields;
    for (const std::string& field : options.fields) {
        fields += field + "\r\n";
    }
    if (options.has_new_connection_each) {
        fields += "Connection: close\r\n";
    }
    std::vector<std::string> requests;
    for (const std::string& path : options.paths) {
        requests.push_back(std::format(
            "GET {} HTTP/1.1\r\nHost: bench.example\r\nUser-Agent: bench/1\r\nAccept: */*\r\n{}\r\n",
            path,
            fields
        ));
    }
    return requests;
}

// Reads the command line; a wrong one ends the process with exit code 2 and a line on stderr.
inline LoadOptions load_options_from(std::span<char*> arguments) {
    LoadOptions options;
    for (size_t i = 1; i < arguments.size(); ++i) {
        const std::string_view name = arguments[i];
        if (name == "--new-connection") {
            options.has_new_connection_each = true;
        } else if (name == "--hold") {
            options.is_hold = true;
        } else if (name == "--any-length") {
            options.has_any_length = true;
        } else if (i + 1 < arguments.size()) {
            set_option(options, name, arguments[++i]);
        } else {
            stop_with_usage(std::format("{} needs a value", name));
        }
    }
    if (options.port == 0) {
        stop_with_usage("--port is missing");
    }
    if (options.paths.empty()) {
        options.paths.emplace_back("/s");
    }
    return options;
}

}  // namespace bench
