// What a server answers to a short question of our own, as strings: rows of the text protocol, packet by
// packet. Pure, and bounded against a hostile server (MariaDB KB: Result Set Packets).
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "mysql/capabilities.h"
#include "mysql/ok_packet.h"

namespace mariadb {

// Why a server did not do what it was asked for.
struct ServerFailure {
    // `refused`, `timed_out`, `reset`, `closed` …: of the way there. `permission`: the server said no, with
    // an ERR: number, sqlstate and message are its own. `invalid`, `too_large`, `unsupported`: it does not
    // speak as it should, or over a bound. `cancelled`: our fiber is asked to stop.
    core::ErrorKind kind = core::ErrorKind::io;
    uint16_t number = 0;  // of the server's ERR; 0 if there was none
    std::string sqlstate{};
    std::string message{};  // the ERR's message, or our sentence: "connecting to 10.0.0.5:3306: …"

    [[nodiscard]] bool is_from_server() const { return number != 0; }
};

// What an ERR of the server says.
[[nodiscard]] ServerFailure failure_of(const mysql::ErrorPacket& error);

template <class T>
using ServerResult = std::expected<T, ServerFailure>;

// A short question's answer. Bounded by QueryBounds.
struct QueryResult {
    using Value = std::optional<std::string>;  // nothing: NULL

    std::vector<std::string> columns{};
    std::vector<std::vector<Value>> rows{};
    uint64_t affected_rows = 0;

    // The value in the row's column of this name; null if there is none, or it is NULL.
    [[nodiscard]] const std::string* value(size_t row, std::string_view column) const;
};

// One for each statement of the text. `failure`: the ERR that ended it, behind the results before it.
struct QueryAnswer {
    std::vector<QueryResult> results{};
    std::optional<ServerFailure> failure{};
};

struct QueryBounds {
    size_t rows_max = 1000;
    size_t bytes_max = size_t{1} << 20;  // of values and column names, all results together
};

enum class QueryProgress : uint8_t { more, complete, failed };

class QueryReader {
public:
    // `capabilities`: agreed on with the server.
    QueryReader(mysql::Capabilities capabilities, QueryBounds bounds)
        : capabilities_(capabilities), bounds_(bounds) {}

    // The payload of the next packet, whole. Not to be called again after complete or failed (asserted).
    [[nodiscard]] QueryProgress read(std::string_view payload);

    // After complete.
    [[nodiscard]] QueryAnswer take_answer() { return std::move(answer_); }

    // After failed: what the server did wrong. Its connection cannot be used any more.
    [[nodiscard]] const ServerFailure& failure() const { return failure_; }

private:
    enum class State : uint8_t { first, definitions, definitions_eof, rows, ended };

    [[nodiscard]] QueryProgress read_first(std::string_view payload);
    [[nodiscard]] QueryProgress read_definition(std::string_view payload);
    [[nodiscard]] QueryProgress read_row(std::string_view payload);
    [[nodiscard]] QueryProgress end_with_error(std::string_view payload);
    [[nodiscard]] QueryProgress end_result(const mysql::OkPacket& ok);
    [[nodiscard]] QueryProgress fail(core::ErrorKind kind, std::string_view sentence);
    [[nodiscard]] bool has_room_for(size_t bytes);

    mysql::Capabilities capabilities_;
    QueryBounds bounds_;
    State state_ = State::first;
    uint64_t definitions_left_ = 0;
    size_t rows_ = 0;
    size_t bytes_ = 0;
    QueryAnswer answer_;
    QueryResult result_;
    ServerFailure failure_;
};

}  // namespace mariadb
