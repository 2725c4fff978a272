// The parts of which a server's answer to a query or to an execution consists, whatever form its rows have:
// packet by packet (MariaDB KB: Result Set Packets). Pure.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "core/result.h"
#include "mysql/capabilities.h"
#include "mysql/column_definition.h"
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

enum class AnswerPart : uint8_t {
    framing,  // says nothing by itself: the count of columns, the EOF behind them
    column,   // one more column: column()
    row,      // the payload is a row's
    end,      // of a result: ok(). Another one follows where its status has kStatusMoreResults
    error,    // the server's ERR, which ends the answer: failure()
    broken,   // the server does not speak as it should: failure(). Its connection cannot be used any more
};

class AnswerParts {
public:
    // `capabilities`: agreed on with the server.
    explicit AnswerParts(mysql::Capabilities capabilities) : capabilities_(capabilities) {}

    // The payload of the next packet, whole. Not to be called again when the answer has ended (asserted).
    [[nodiscard]] AnswerPart read(std::string_view payload);

    // A row or a result that is more than its reader takes, or malformed: the answer has ended.
    AnswerPart refuse(core::ErrorKind kind, std::string_view sentence);

    [[nodiscard]] bool has_ended() const { return state_ == State::ended; }

    // After `column` and `end`; their texts lie in the payload.
    [[nodiscard]] const mysql::ColumnDefinition& column() const { return column_; }

    [[nodiscard]] const mysql::OkPacket& ok() const { return ok_; }

    // After `error` and `broken`.
    [[nodiscard]] const ServerFailure& failure() const { return failure_; }

private:
    enum class State : uint8_t { first, definitions, definitions_eof, rows, ended };

    [[nodiscard]] AnswerPart read_first(std::string_view payload);
    [[nodiscard]] AnswerPart read_definition(std::string_view payload);
    [[nodiscard]] AnswerPart read_row(std::string_view payload);
    [[nodiscard]] AnswerPart end_result();
    [[nodiscard]] AnswerPart end_with_error(std::string_view payload);

    mysql::Capabilities capabilities_;
    State state_ = State::first;
    uint64_t definitions_left_ = 0;
    mysql::ColumnDefinition column_;
    mysql::OkPacket ok_;
    ServerFailure failure_;
};

}  // namespace mariadb
