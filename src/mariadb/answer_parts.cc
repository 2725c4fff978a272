#include "mariadb/answer_parts.h"

#include "core/panic.h"
#include "mysql/response_reader.h"
#include "mysql/wire.h"

namespace mariadb {

namespace {

constexpr uint8_t kFileRequest = 0xFB;

}  // namespace

AnswerPart AnswerParts::read(std::string_view payload) {
    ASSERT(state_ != State::ended);
    if (payload.empty()) {
        return refuse(core::ErrorKind::invalid, "an empty packet within an answer");
    }
    switch (state_) {
        case State::first: return read_first(payload);
        case State::definitions: return read_definition(payload);
        case State::definitions_eof:
            if (!mysql::read_eof(payload, ok_)) {
                return refuse(core::ErrorKind::invalid, "no EOF behind the column definitions");
            }
            state_ = State::rows;
            return AnswerPart::framing;
        case State::rows: return read_row(payload);
        case State::ended: break;
    }
    PANIC("an answer of a server goes on behind its end");
}

AnswerPart AnswerParts::read_first(std::string_view payload) {
    switch (mysql::byte_at(payload, 0)) {
        case mysql::kOkByte:
            if (!mysql::read_ok(payload, capabilities_, ok_)) {
                return refuse(core::ErrorKind::invalid, "a malformed OK");
            }
            return end_result();
        case mysql::kErrorByte: return end_with_error(payload);
        case kFileRequest:
            return refuse(core::ErrorKind::invalid, "a request for a file that nobody offered");
        default: break;
    }
    mysql::PayloadReader reader(payload);
    definitions_left_ = reader.length_encoded();
    if (!reader.is_at_good_end() || definitions_left_ == 0) {
        return refuse(core::ErrorKind::invalid, "a malformed answer");
    }
    if (definitions_left_ > mysql::kColumnsMax) {
        return refuse(core::ErrorKind::too_large, "more columns than a server may send");
    }
    state_ = State::definitions;
    return AnswerPart::framing;
}

AnswerPart AnswerParts::read_definition(std::string_view payload) {
    if (!mysql::read_column_definition(payload, capabilities_, column_)) {
        return refuse(core::ErrorKind::invalid, "a malformed column definition");
    }
    if (--definitions_left_ == 0) {
        bool has_eof = !mysql::has(capabilities_, mysql::kDeprecateEof);
        state_ = has_eof ? State::definitions_eof : State::rows;
    }
    return AnswerPart::column;
}

AnswerPart AnswerParts::read_row(std::string_view payload) {
    uint8_t first = mysql::byte_at(payload, 0);
    if (first == mysql::kErrorByte) {
        return end_with_error(payload);
    }
    bool has_ok = mysql::has(capabilities_, mysql::kDeprecateEof);
    // Without it, a row of texts may begin as an EOF does, but is much longer.
    if (first != mysql::kEofByte || (!has_ok && !mysql::read_eof(payload, ok_))) {
        return AnswerPart::row;
    }
    if (has_ok && !mysql::read_ok(payload, capabilities_, ok_)) {
        return refuse(core::ErrorKind::invalid, "a malformed end of rows");
    }
    return end_result();
}

AnswerPart AnswerParts::end_result() {
    state_ = (ok_.status & mysql::kStatusMoreResults) != 0 ? State::first : State::ended;
    return AnswerPart::end;
}

AnswerPart AnswerParts::end_with_error(std::string_view payload) {
    mysql::ErrorPacket error;
    if (!mysql::read_error(payload, error) || error.number == 0) {
        return refuse(core::ErrorKind::invalid, "a malformed ERR");
    }
    failure_ = failure_of(error);
    state_ = State::ended;
    return AnswerPart::error;
}

AnswerPart AnswerParts::refuse(core::ErrorKind kind, std::string_view sentence) {
    failure_ = {.kind = kind, .message = std::string(sentence)};
    state_ = State::ended;
    return AnswerPart::broken;
}

ServerFailure failure_of(const mysql::ErrorPacket& error) {
    std::string_view state = error.sqlstate.empty() ? mysql::sqlstate_of(error.number) : error.sqlstate;
    return {
        .kind = core::ErrorKind::permission,
        .number = error.number,
        .sqlstate = std::string(state),
        .message = std::string(error.message),
    };
}

}  // namespace mariadb
