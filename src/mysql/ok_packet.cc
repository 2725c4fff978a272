// OK, ERR and EOF: their readers, their writers, and the session-track entries.
#include "mysql/ok_packet.h"

#include "core/panic.h"

namespace mysql {
namespace {

constexpr size_t kEofSize = 5;
constexpr size_t kSqlstateSize = 5;
constexpr size_t kMessageMax = 512;  // MYSQL_ERRMSG_SIZE of the client libraries

// The message is length-encoded with kSessionTrack and without it, and left out where nothing follows: so
// MariaDB sends it (net_send_ok), whatever the documentation says of old clients.
uint8_t write_ok_form(
    PayloadWriter& writer,
    uint8_t sequence,
    uint8_t first,
    const OkPacket& ok,
    Capabilities capabilities
) {
    const bool has_track = has(capabilities, kSessionTrack) && !ok.session_track.empty();
    const unsigned changed = has_track ? kStatusSessionStateChanged : 0;
    const auto status = static_cast<uint16_t>((ok.status & ~unsigned{kStatusSessionStateChanged}) | changed);
    writer.begin_packet();
    writer.u8(first);
    writer.length_encoded(ok.affected_rows);
    writer.length_encoded(ok.last_insert_id);
    writer.u16(status);
    writer.u16(ok.warnings);
    if (has_track || !ok.message.empty()) {
        writer.length_encoded_string(ok.message);
    }
    if (has_track) {
        writer.length_encoded_string(ok.session_track);
    }
    return writer.end_packet(sequence);
}

// The longest beginning of `text` within kMessageMax that does not cut a UTF-8 character.
std::string_view cut_message(std::string_view text) {
    if (text.size() <= kMessageMax) {
        return text;
    }
    size_t end = kMessageMax;
    while (end > kMessageMax - 3 && (byte_at(text, end) & 0xC0U) == 0x80) {
        --end;
    }
    return text.substr(0, end);
}

}  // namespace

bool read_ok(std::string_view payload, Capabilities capabilities, OkPacket& ok) {
    PayloadReader reader(payload);
    const uint8_t first = reader.u8();
    ok = {};
    ok.affected_rows = reader.length_encoded();
    ok.last_insert_id = reader.length_encoded();
    ok.status = reader.u16();
    ok.warnings = reader.u16();
    if (reader.left() > 0) {
        ok.message = reader.length_encoded_string();
    }
    if (reader.left() > 0 && has(capabilities, kSessionTrack) &&
        (ok.status & kStatusSessionStateChanged) != 0) {
        ok.session_track = reader.length_encoded_string();
    }
    return (first == kOkByte || first == kEofByte) && reader.is_at_good_end();
}

bool read_eof(std::string_view payload, OkPacket& eof) {
    if (payload.size() != kEofSize || byte_at(payload, 0) != kEofByte) {
        return false;
    }
    PayloadReader reader(payload.substr(1));
    eof = {};
    eof.warnings = reader.u16();
    eof.status = reader.u16();
    return true;
}

bool read_error(std::string_view payload, ErrorPacket& error) {
    PayloadReader reader(payload);
    const uint8_t first = reader.u8();
    error = {};
    error.number = reader.u16();
    if (reader.left() > kSqlstateSize && reader.peek() == '#') {
        reader.skip(1);
        error.sqlstate = reader.bytes(kSqlstateSize);
    }
    error.message = reader.rest();
    return reader.is_good() && first == kErrorByte;
}

uint8_t write_ok(PayloadWriter& writer, uint8_t sequence, const OkPacket& ok, Capabilities capabilities) {
    return write_ok_form(writer, sequence, kOkByte, ok, capabilities);
}

uint8_t write_end_of_rows(
    PayloadWriter& writer,
    uint8_t sequence,
    const OkPacket& ok,
    Capabilities capabilities
) {
    if (has(capabilities, kDeprecateEof)) {
        return write_ok_form(writer, sequence, kEofByte, ok, capabilities);
    }
    const unsigned hidden = has(capabilities, kSessionTrack) ? 0 : kStatusSessionStateChanged;
    return write_eof(writer, sequence, static_cast<uint16_t>(ok.status & ~hidden), ok.warnings);
}

uint8_t write_eof(PayloadWriter& writer, uint8_t sequence, uint16_t status, uint16_t warnings) {
    writer.begin_packet();
    writer.u8(kEofByte);
    writer.u16(warnings);
    writer.u16(status);
    return writer.end_packet(sequence);
}

uint8_t write_error(PayloadWriter& writer, uint8_t sequence, const ErrorPacket& error, ErrorForm form) {
    writer.begin_packet();
    writer.u8(kErrorByte);
    writer.u16(error.number);
    if (form == ErrorForm::with_sqlstate) {
        const std::string_view state = error.sqlstate.empty() ? sqlstate_of(error.number) : error.sqlstate;
        ASSERT(state.size() == kSqlstateSize);
        writer.u8('#');
        writer.bytes(state);
    }
    writer.bytes(cut_message(error.message));
    return writer.end_packet(sequence);
}

bool SessionTrackReader::next(SessionTrackEntry& entry) {
    while (is_good()) {
        if (variables_.left() > 0) {
            entry.type = SessionTrackType::system_variable;
            entry.name = variables_.length_encoded_string();
            entry.value = variables_.length_encoded_string();
            return variables_.is_good();
        }
        if (entries_.left() == 0) {
            return false;
        }
        const auto type = static_cast<SessionTrackType>(entries_.u8());
        PayloadReader body(entries_.length_encoded_string());
        if (!entries_.is_good()) {
            return false;
        }
        switch (type) {
            case SessionTrackType::system_variable: variables_ = body; break;
            case SessionTrackType::state_change: entry = {.type = type, .value = body.rest()}; return true;
            case SessionTrackType::schema:
            case SessionTrackType::transaction_characteristics:
            case SessionTrackType::transaction_state:
                entry = {.type = type, .value = body.length_encoded_string()};
                is_malformed_ = !body.is_at_good_end();
                return !is_malformed_;
            case SessionTrackType::gtids:
            default: break;
        }
    }
    return false;
}

}  // namespace mysql
