// What ends a response or a part of one: OK, ERR and EOF packets, and the session-track entries of an OK
// (MariaDB KB: OK_Packet, ERR_Packet, EOF_Packet).
//
//   OK    0x00 or 0xFE, affected rows, last insert id (length-encoded), status, warnings (2 bytes each),
//         message (length-encoded, or left out), [if the status says so: entries (length-encoded)]
//   ERR   0xFF, number (2 bytes), ["#", SQLSTATE (5 bytes)], message
//   EOF   0xFE, warnings, status (2 bytes each)
#pragma once

#include <cstdint>
#include <string_view>

#include "mysql/capabilities.h"
#include "mysql/wire.h"

namespace mysql {

constexpr uint8_t kOkByte = 0x00;
constexpr uint8_t kEofByte = 0xFE;
constexpr uint8_t kErrorByte = 0xFF;

// An OK or an EOF; an EOF has only warnings and status. Views point into the payload that was read.
struct OkPacket {
    uint64_t affected_rows = 0;
    uint64_t last_insert_id = 0;
    uint16_t status = 0;
    uint16_t warnings = 0;
    std::string_view message{};        // "Rows matched: 1  Changed: 1  Warnings: 0", or ""
    std::string_view session_track{};  // the entries, for SessionTrackReader
};

struct ErrorPacket {
    uint16_t number = 0;
    std::string_view sqlstate{};  // 5 characters, or "" where the server sent none
    std::string_view message{};
};

// `payload` is all of an OK's payload, header byte 0x00 or 0xFE. The entries are taken where kSessionTrack is
// among the capabilities and the status announces them. False if it is malformed; entries are not looked
// into.
[[nodiscard]] bool read_ok(std::string_view payload, Capabilities capabilities, OkPacket& ok);

// False if it is not a 0xFE with exactly four bytes behind it.
[[nodiscard]] bool read_eof(std::string_view payload, OkPacket& eof);

// False if it is not a 0xFF with a number behind it. The message may be empty.
[[nodiscard]] bool read_error(std::string_view payload, ErrorPacket& error);

// All of these write one packet with its header and return the sequence number for the packet after it.

// An OK in the form that a client with `capabilities` understands: without kSessionTrack, the entries and the
// status bit that announces them are left out. `ok.session_track` empty: the bit is left out, too.
uint8_t write_ok(PayloadWriter& writer, uint8_t sequence, const OkPacket& ok, Capabilities capabilities);

// The end of rows or of a part without rows: with kDeprecateEof an OK with header 0xFE, otherwise an EOF with
// the status and the warnings of `ok`.
uint8_t write_end_of_rows(
    PayloadWriter& writer,
    uint8_t sequence,
    const OkPacket& ok,
    Capabilities capabilities
);

// An EOF, whatever was agreed on: what an old client expects behind definitions.
uint8_t write_eof(PayloadWriter& writer, uint8_t sequence, uint16_t status, uint16_t warnings);

// `error.sqlstate` "" takes that of the number. A message over 512 bytes is cut (MYSQL_ERRMSG_SIZE): clients
// have no more room. Before the greeting, `form` is without_sqlstate: the client has not said what it speaks.
enum class ErrorForm : uint8_t { with_sqlstate, without_sqlstate };
uint8_t write_error(
    PayloadWriter& writer,
    uint8_t sequence,
    const ErrorPacket& error,
    ErrorForm form = ErrorForm::with_sqlstate
);

enum class SessionTrackType : uint8_t {
    system_variable = 0,
    schema = 1,
    state_change = 2,  // something of the session changed that is not told otherwise; the value is "1"
    gtids = 3,         // MySQL only
    transaction_characteristics = 4,  // the statements that would begin the same transaction
    transaction_state = 5,            // 8 letters or "_", for example "T_______"
};

struct SessionTrackEntry {
    SessionTrackType type = SessionTrackType::system_variable;
    std::string_view name{};  // of a system variable
    std::string_view value{};
};

// Goes through the entries of an OK in place. Types that are not known, and gtids, are skipped.
class SessionTrackReader {
public:
    explicit SessionTrackReader(std::string_view entries) : entries_(entries) {}

    // The next entry, each system variable by itself. False at the end, and where the entries are malformed:
    // then is_good() is false.
    [[nodiscard]] bool next(SessionTrackEntry& entry);

    [[nodiscard]] bool is_good() const {
        return !is_malformed_ && entries_.is_good() && variables_.is_good();
    }

private:
    PayloadReader entries_;
    bool is_malformed_ = false;
    PayloadReader variables_{std::string_view{}};  // the name/value pairs of one entry that are still to come
};

}  // namespace mysql
