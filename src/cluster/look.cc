#include "cluster/look.h"

#include <charconv>
#include <format>

namespace cluster {

using mariadb::QueryResult;

namespace {

constexpr size_t kLookResults = 3;  // of kLookStatements
constexpr size_t kErrorMax = 300;   // bytes of a server's error that are kept

std::string text_in(const QueryResult& result, size_t row, std::string_view column) {
    const std::string* value = result.value(row, column);
    return value == nullptr ? std::string() : *value;
}

uint32_t number_in(const QueryResult& result, size_t row, std::string_view column) {
    std::string text = text_in(result, row, column);
    uint32_t number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
}

bool is_on(const QueryResult& result, std::string_view column) {
    std::string text = text_in(result, 0, column);
    return text != "0" && text != "OFF" && !text.empty();
}

// "Preparing" is a receiver that is about to connect.
Thread thread_of(const std::string& text) {
    if (text == "Yes") {
        return Thread::running;
    }
    return text == "No" || text.empty() ? Thread::stopped : Thread::connecting;
}

void read_source(const QueryResult& sources, const NameSource& name_source, Sight& sight) {
    sight.has_source = !sources.rows.empty();
    if (!sight.has_source) {
        return;
    }
    std::string host = text_in(sources, 0, "Master_Host");
    bool is_ipv6 = host.contains(':');
    sight.source = name_source(std::format(
        "{}{}{}:{}",
        is_ipv6 ? "[" : "",
        host,
        is_ipv6 ? "]" : "",
        text_in(sources, 0, "Master_Port")
    ));
    sight.receiver = thread_of(text_in(sources, 0, "Slave_IO_Running"));
    sight.applier = thread_of(text_in(sources, 0, "Slave_SQL_Running"));
    sight.receiver_error = number_in(sources, 0, "Last_IO_Errno");
    sight.applier_error = number_in(sources, 0, "Last_SQL_Errno");
    sight.error = text_in(sources, 0, sight.applier_error != 0 ? "Last_SQL_Error" : "Last_IO_Error")
                      .substr(0, kErrorMax);
    auto received = mysql::GtidPosition::read(text_in(sources, 0, "Gtid_IO_Pos"));
    if (received) {
        sight.received = *received;
    }
}

uint32_t status_in(const QueryResult& statuses, std::string_view name) {
    for (size_t row = 0; row < statuses.rows.size(); ++row) {
        if (text_in(statuses, row, "Variable_name") == name) {
            return number_in(statuses, row, "Value");
        }
    }
    return 0;
}

}  // namespace

core::Result<Sight> read_sight(const mariadb::QueryAnswer& answer, const NameSource& name_source) {
    if (answer.failure) {
        return core::fail(core::ErrorKind::invalid, answer.failure->message);
    }
    if (answer.results.size() != kLookResults || answer.results[0].rows.size() != 1) {
        return core::fail(core::ErrorKind::invalid, "the answer to a look is not of three results");
    }
    const QueryResult& variables = answer.results[0];
    auto applied = mysql::GtidPosition::read(text_in(variables, 0, "applied"));
    auto written = mysql::GtidPosition::read(text_in(variables, 0, "written"));
    auto state = read_gtid_state(text_in(variables, 0, "state"));
    if (!applied || !written || !state) {
        return core::fail(core::ErrorKind::invalid, "the answer to a look has a malformed GTID position");
    }
    Sight sight{
        .is_read_only = is_on(variables, "read_only"),
        .written = *written,
        .applied = *applied,
        .server_id = number_in(variables, 0, "server_id"),
        .state = *std::move(state),
        .is_armed = is_on(variables, "armed"),
        .acknowledges = is_on(variables, "acknowledges"),
        .ackers = status_in(answer.results[2], "Rpl_semi_sync_master_clients"),
        .parked = status_in(answer.results[2], "Rpl_semi_sync_master_wait_sessions"),
    };
    read_source(answer.results[1], name_source, sight);
    [[maybe_unused]] bool has_room = sight.received.merge(sight.applied);
    return sight;
}

}  // namespace cluster
