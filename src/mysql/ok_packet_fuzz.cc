// Any bytes as OK, EOF and ERR, and as session-track entries: what is read is written and read again the
// same.
#include <string>

#include "core/panic.h"
#include "mysql/ok_packet.h"

namespace mysql {
namespace {

constexpr Capabilities kModern = kProtocol41 | kSessionTrack | kDeprecateEof;

void walk_entries(std::string_view entries) {
    SessionTrackReader reader(entries);
    SessionTrackEntry entry;
    size_t size = 0;
    while (reader.next(entry)) {
        size += entry.name.size() + entry.value.size();
        ASSERT(size <= entries.size());
    }
}

void try_ok(std::string_view payload) {
    OkPacket ok;
    if (!read_ok(payload, kModern, ok)) {
        return;
    }
    walk_entries(ok.session_track);
    std::string text;
    PayloadWriter writer(text);
    write_ok(writer, 0, ok, kModern);
    OkPacket again;
    ASSERT(read_ok(std::string_view(text).substr(kPacketHeaderSize), kModern, again));
    ASSERT(again.affected_rows == ok.affected_rows);
    ASSERT(again.message == ok.message);
    ASSERT(again.session_track == ok.session_track);
}

}  // namespace
}  // namespace mysql

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    mysql::try_ok(bytes);
    mysql::walk_entries(bytes);
    mysql::OkPacket eof;
    mysql::ErrorPacket error;
    ASSERT(!mysql::read_eof(bytes, eof) || size == 5);
    if (mysql::read_error(bytes, error)) {
        ASSERT(error.message.size() < size);
    }
    return 0;
}
