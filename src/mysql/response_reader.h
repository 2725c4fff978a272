// Walks a server's response to one command by its packet headers: how many bytes belong to it, where it ends,
// and what a router must know of it. Rows and definitions are skipped unread and may be of any size; nothing
// is copied, nothing allocated.
//
//   results      OK | ERR | file request | count, definitions, [EOF], rows, end; again while MORE_RESULTS
//   prepared     OK of PREPARE, parameters' definitions, [EOF], columns' definitions, [EOF] | ERR
//   rows         rows, end | ERR
//   definitions  definitions, end | ERR
//   end is EOF, or with kDeprecateEof an OK with the byte 0xFE; then there are no EOFs in brackets
//   (MariaDB KB: Result Set Packets, COM_STMT_PREPARE, COM_STMT_FETCH, COM_FIELD_LIST).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "mysql/capabilities.h"
#include "mysql/ok_packet.h"
#include "mysql/wire.h"

namespace mysql {

constexpr uint32_t kColumnsMax = 4096;  // MAX_FIELDS of MariaDB and MySQL

enum class ResponseForm : uint8_t {
    none,            // quit, statement_close, statement_send_long_data
    one_ok,          // OK, EOF or ERR
    results,         // query, statement_execute, statement_bulk_execute, process_info
    prepared,        // statement_prepare
    rows,            // statement_fetch
    definitions,     // field_list
    text,            // statistics: one packet that is none of the others
    authentication,  // change_user, and a login: OK, ERR, request for another plugin, more of this plugin
};

// The form of the response to `command`; one_ok for commands that servers refuse. Nothing for the streams of
// replication (binlog_dump, binlog_dump_gtid, table_dump), which have no end.
[[nodiscard]] std::optional<ResponseForm> response_form(Command command);

enum class ResponseStops : uint8_t {
    events,      // where something must be known or answered: see ResponseEvent
    boundaries,  // also behind definitions: for a client that expects other EOFs than the server sends
};

struct ResponseOptions {
    ResponseForm form = ResponseForm::one_ok;
    uint8_t sequence = 1;           // of the first packet: the command's last one and one more
    Capabilities capabilities = 0;  // agreed on with the server; kUntranslatable must not be among them
    ResponseStops stops = ResponseStops::events;
    // Payload bytes of a packet that must lie there in one piece to be read: OK, ERR, EOF, requests. The
    // caller's buffer must take this and a header. A larger one fails the response.
    uint32_t whole_packet_max = 32 << 10;
};

enum class ResponseEvent : uint8_t {
    more_bytes,       // none; what was not consumed must be given again with more behind it
    prepared,         // OK of a PREPARE: `prepared` tells ids and counts; definitions may follow
    definitions_end,  // boundaries only: the place of an EOF, see below
    result_end,       // OK, EOF or end of rows: `ok`
    error,            // ERR: `error`; it ends the response
    file_request,     // LOAD DATA LOCAL: payload[1…] is the name. The response pauses, see resume()
    auth_switch,      // another plugin: payload is for read_auth_switch(). The response pauses, see resume()
    auth_more,        // payload[1…] is the plugin's; the client may or may not have to answer
    done,             // the end of a response that ends without such a packet
    failed,           // the server breaks the protocol, `reason`: the connection must be closed
};

struct PreparedStatement {
    uint32_t id = 0;
    uint16_t columns = 0;
    uint16_t parameters = 0;
    uint16_t warnings = 0;
};

// The views point into the bytes that were given to read().
struct ResponseStep {
    ResponseEvent event = ResponseEvent::more_bytes;
    bool is_complete = false;    // the response has ended with the consumed bytes
    size_t consumed = 0;         // bytes of this response, the event's packet included
    size_t packet = 0;           // where the event's packet begins with its header; `consumed` if it has none
    std::string_view payload{};  // of the event's packet
    OkPacket ok{};               // result_end
    ErrorPacket error{};         // error
    PreparedStatement prepared{};  // prepared
    std::string_view reason{};     // failed: one static sentence
};

// One response after the other on a server connection. What it tells:
//
// Bytes: whoever forwards them untouched may send all consumed bytes at once, whatever the events between.
// Packets that are read (OK, ERR …) are consumed in one piece, never in part; rows and definitions as they
// come.
//
// definitions_end: with kDeprecateEof the packet is missing (`packet` == `consumed`) and an EOF belongs there
// for an old client. It is told only when the next packet is known, because behind the definitions of an
// opened cursor there is one end only: result_end with kStatusCursorExists follows without it. Without
// kDeprecateEof it is the server's EOF itself, with `ok`.
class ResponseReader {
public:
    // A response that has ended: begin() is called for each command.
    ResponseReader() = default;

    explicit ResponseReader(const ResponseOptions& options) { begin(options); }

    void begin(const ResponseOptions& options);

    // Walks the next bytes up to the next event. Call it again with what lies behind the consumed bytes until
    // it says more_bytes or is_complete. Must not be called after is_complete or failed (asserted). With form
    // `none` the first call, with "", is the last.
    [[nodiscard]] ResponseStep read(std::string_view bytes);

    // After file_request and auth_switch: the client has answered, and the server goes on with this number.
    // After auth_more: where the client answered.
    void resume(uint8_t sequence);

    [[nodiscard]] bool is_complete() const { return state_ == State::complete; }

    // Whether any packet of the response has begun to be consumed.
    [[nodiscard]] bool has_begun() const { return has_begun_; }

    // Of the response so far: rows that have begun, in all result sets together.
    [[nodiscard]] uint64_t row_count() const { return row_count_; }

    // Columns of the result set that runs or ran last; 0 if there was none.
    [[nodiscard]] uint32_t column_count() const { return column_count_; }

    // Payload bytes of the packet that is being skipped which have not come yet: so much may be moved without
    // being looked at, together with skipped().
    [[nodiscard]] uint32_t packet_remaining() const { return skip_; }

    // `count` bytes, at most packet_remaining() (asserted), went another way (splice).
    void skipped(uint32_t count);

    // The number that the server's next packet must have.
    [[nodiscard]] uint8_t next_sequence() const { return sequence_; }

private:
    enum class State : uint8_t {
        first,            // one_ok, results, prepared, authentication: what comes first
        definitions,      // of a result set or of columns
        parameters,       // definitions of a prepared statement's parameters
        definitions_eof,  // EOF behind definitions
        parameters_eof,
        rows,
        field_list,  // definitions, as many as come
        text,
        paused,
        complete,
        failed,
    };

    // One call: what it was given, how far it is, and what it will return.
    struct Cursor {
        std::string_view bytes;
        size_t at = 0;
        PacketHeader header{};  // of the packet at `at`
        uint8_t first = 0;      // its first byte
        bool is_stopped = false;
        ResponseStep step{};

        [[nodiscard]] size_t left() const { return bytes.size() - at; }
    };

    void walk_rows(Cursor& cursor);
    [[nodiscard]] bool skip_packet(Cursor& cursor);
    void read_packet(Cursor& cursor);
    void read_first(Cursor& cursor);
    void read_authentication(Cursor& cursor);
    void read_prepared(Cursor& cursor);
    void read_count(Cursor& cursor);
    void read_definition(Cursor& cursor);
    void read_row(Cursor& cursor);
    void read_definitions_eof(Cursor& cursor);
    void read_end(Cursor& cursor);
    void end_result(Cursor& cursor);
    [[nodiscard]] bool read_ending(std::string_view payload, OkPacket& ok) const;
    void read_error(Cursor& cursor);
    void pause(Cursor& cursor, ResponseEvent event);
    void begin_skip(Cursor& cursor);
    void end_packet(Cursor& cursor);
    void end_definitions(Cursor& cursor);
    void begin_columns(Cursor& cursor);
    void complete(Cursor& cursor, ResponseEvent event);
    [[nodiscard]] bool take_whole(Cursor& cursor);
    void fail(Cursor& cursor, std::string_view reason);

    ResponseOptions options_{};
    State state_ = State::complete;
    uint8_t sequence_ = 0;
    bool has_begun_ = false;
    bool is_continued_ = false;  // the last packet was of kPacketLengthMax: the next one belongs to it
    bool is_definitions_end_due_ = false;
    uint32_t skip_ = 0;
    uint32_t definitions_left_ = 0;  // of the present group
    uint32_t columns_left_ = 0;      // prepared: the group behind the parameters
    uint32_t column_count_ = 0;
    uint64_t row_count_ = 0;
};

}  // namespace mysql
