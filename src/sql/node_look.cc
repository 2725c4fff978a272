#include "sql/node_look.h"

#include <charconv>
#include <format>

#include "core/panic.h"

namespace sql {

namespace {

constexpr size_t kResults = 3;  // of kLookText
constexpr size_t kErrorTextMax = 300;

Look malformed(std::string_view what) {
    return std::unexpected(LookFailure{
        .kind = core::ErrorKind::invalid,
        .sentence = std::format("the answer to a look has no {}", what),
    });
}

template <class Number>
std::optional<Number> number_of(const std::string* text) {
    Number number = 0;
    if (text == nullptr) {
        return std::nullopt;
    }
    auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
    if (error != std::errc{} || end != text->data() + text->size()) {
        return std::nullopt;
    }
    return number;
}

std::string text_of(const QueryResult& result, size_t row, std::string_view column) {
    const std::string* value = result.value(row, column);
    return value != nullptr ? value->substr(0, kErrorTextMax) : std::string();
}

// "Preparing" is a receiver that is about to connect.
ThreadState thread_state(std::string_view text) {
    if (text == "Yes") {
        return ThreadState::running;
    }
    return text == "No" || text.empty() ? ThreadState::stopped : ThreadState::connecting;
}

ReplicationSource source_of(const QueryResult& result, size_t row) {
    ReplicationSource source;
    std::string host = text_of(result, row, "Master_Host");
    bool is_ipv6 = host.contains(':');
    source.address = std::format("{}{}{}:", is_ipv6 ? "[" : "", host, is_ipv6 ? "]" : "");
    source.address += text_of(result, row, "Master_Port");
    source.server_id = number_of<uint32_t>(result.value(row, "Master_Server_Id")).value_or(0);
    source.receiver = thread_state(text_of(result, row, "Slave_IO_Running"));
    source.applier = thread_state(text_of(result, row, "Slave_SQL_Running"));
    if (auto behind = number_of<uint32_t>(result.value(row, "Seconds_Behind_Master"))) {
        source.behind = std::chrono::seconds(*behind);
    }
    source.error = text_of(result, row, "Last_SQL_Error");
    if (source.error.empty()) {
        source.error = text_of(result, row, "Last_IO_Error");
    }
    return source;
}

}  // namespace

Look read_look(const QueryAnswer& answer, std::string_view version) {
    if (answer.failure && answer.results.size() < kResults) {
        return failed_look(*answer.failure);
    }
    if (answer.results.size() < kResults) {
        return malformed("three results");
    }
    const QueryResult& variables = answer.results[0];
    const QueryResult& sources = answer.results[1];
    NodeSight sight{.version = std::string(version)};
    const std::string* read_only = variables.value(0, "read_only");
    auto server_id = number_of<uint32_t>(variables.value(0, "server_id"));
    // The one row is Variable_name and Value.
    auto uptime = number_of<uint32_t>(answer.results[2].value(0, "Value"));
    if (read_only == nullptr || !server_id || !uptime) {
        return malformed("read_only, server_id or Uptime");
    }
    sight.is_read_only = *read_only != "0" && *read_only != "OFF";
    sight.server_id = *server_id;
    sight.uptime = std::chrono::seconds(*uptime);
    if (const std::string* applied = variables.value(0, "applied")) {
        sight.applied = mysql::GtidPosition::read(*applied);
    }
    if (const std::string* written = variables.value(0, "written")) {
        sight.written = mysql::GtidPosition::read(*written);
    }
    if (answer.results.size() > kResults) {
        sight.beat = number_of<uint64_t>(answer.results[kResults].value(0, "beat"));
    }
    for (size_t row = 0; row < sources.rows.size(); ++row) {
        sight.sources.push_back(source_of(sources, row));
    }
    return sight;
}

Look failed_look(const ServerFailure& failure) {
    std::string sentence = failure_text(failure);
    if (failure.number == kErrorPrivilegeNeeded) {
        sentence += "; GRANT REPLICA MONITOR ON *.* TO the router's account";
    }
    return std::unexpected(LookFailure{.kind = failure.kind, .sentence = std::move(sentence)});
}

std::string failure_text(const ServerFailure& failure) {
    return failure.is_from_server() ? std::format("error {}: {}", failure.number, failure.message)
                                    : failure.message;
}

}  // namespace sql
