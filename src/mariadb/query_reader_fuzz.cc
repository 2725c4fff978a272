// A server's answer of any bytes, cut into packets by their first byte: it ends, within its bounds.
#include <string_view>

#include "core/panic.h"
#include "mariadb/packet_feed.h"

namespace {

constexpr mariadb::QueryBounds kBounds{.rows_max = 20, .bytes_max = 4096};

void read_answer(std::string_view bytes, mysql::Capabilities capabilities) {
    mariadb::QueryReader reader(capabilities, kBounds);
    if (feed_packets(reader, bytes) != mariadb::QueryProgress::complete) {
        return;
    }
    mariadb::QueryAnswer answer = reader.take_answer();
    size_t rows = 0;
    for (const mariadb::QueryResult& result : answer.results) {
        rows += result.rows.size();
        for (const auto& row : result.rows) {
            ASSERT(row.size() == result.columns.size());
        }
    }
    ASSERT(rows <= kBounds.rows_max);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, size_t size) {
    std::string_view bytes(reinterpret_cast<const char*>(data), size);
    read_answer(bytes, mysql::kProtocol41);
    read_answer(bytes, mysql::kProtocol41 | mysql::kDeprecateEof | mysql::kSessionTrack);
    return 0;
}
