// Any bytes from a server, as a response of every form: in pieces of any size they tell the same. The first
// byte of the input chooses form, capabilities and stops.
#include <algorithm>
#include <string>
#include <vector>

#include "core/panic.h"
#include "mysql/response_reader.h"

namespace mysql {
namespace {

struct Event {
    ResponseEvent event;
    size_t packet;
    uint16_t status;
    uint16_t error;

    friend bool operator==(const Event&, const Event&) = default;
};

struct Walked {
    std::vector<Event> events;
    size_t consumed = 0;
    uint64_t rows = 0;
};

Walked walk(std::string_view bytes, const ResponseOptions& options, size_t step) {
    ResponseReader reader(options);
    Walked all;
    size_t end = 0;
    while (true) {
        const std::string piece(bytes.substr(all.consumed, end - all.consumed));
        const ResponseStep read = reader.read(piece);
        ASSERT(read.consumed <= piece.size());
        if (read.event == ResponseEvent::more_bytes) {
            all.consumed += read.consumed;
            if (end == bytes.size()) {
                break;
            }
            end = std::min(end + step, bytes.size());
            continue;
        }
        if (read.event == ResponseEvent::failed) {
            all.events.push_back({.event = read.event, .packet = 0, .status = 0, .error = 0});
            break;
        }
        ASSERT(read.packet <= read.consumed);
        ASSERT(
            read.payload.empty() || read.packet + kPacketHeaderSize + read.payload.size() == read.consumed
        );
        all.events.push_back({
            .event = read.event,
            .packet = all.consumed + read.packet,
            .status = read.ok.status,
            .error = read.error.number,
        });
        all.consumed += read.consumed;
        if (read.is_complete) {
            break;
        }
        if (read.event == ResponseEvent::file_request || read.event == ResponseEvent::auth_switch) {
            reader.resume(static_cast<uint8_t>(reader.next_sequence() + 1));
        }
    }
    all.rows = reader.row_count();
    return all;
}

}  // namespace
}  // namespace mysql

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, size_t size) {
    if (size == 0) {
        return 0;
    }
    const unsigned choice = data[0];
    const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
    mysql::ResponseOptions options;
    options.form = static_cast<mysql::ResponseForm>(choice & 7);
    options.capabilities = mysql::kSessionTrack | ((choice & 8) != 0 ? mysql::kDeprecateEof : 0);
    options.stops = (choice & 16) != 0 ? mysql::ResponseStops::boundaries : mysql::ResponseStops::events;
    options.whole_packet_max = 512;
    const mysql::Walked whole = mysql::walk(bytes, options, size);
    for (const size_t step : {size_t{1}, size_t{2}, size_t{7}, size / 2 + 1}) {
        const mysql::Walked split = mysql::walk(bytes, options, step);
        ASSERT(split.events == whole.events);
        const bool has_failed =
            !whole.events.empty() && whole.events.back().event == mysql::ResponseEvent::failed;
        ASSERT(has_failed || split.consumed == whole.consumed);
        ASSERT(has_failed || split.rows == whole.rows);
    }
    return 0;
}
