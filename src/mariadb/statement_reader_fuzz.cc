// A server's answer of any bytes to an execution, cut into packets by their first byte: it ends, within its
// bounds, and every text lies in the result.
#include <string_view>

#include "core/panic.h"
#include "mariadb/packet_feed.h"
#include "mariadb/statement_reader.h"

namespace {

constexpr mariadb::QueryBounds kStatementBounds{.rows_max = 20, .bytes_max = 4096};

void read_result(std::string_view bytes, mysql::Capabilities capabilities) {
    mariadb::StatementReader reader(capabilities, kStatementBounds);
    if (feed_packets(reader, bytes) != mariadb::QueryProgress::complete) {
        return;
    }
    auto result = reader.take_result();
    if (!result) {
        ASSERT(result.error().is_from_server());
        return;
    }
    ASSERT(result->rows <= kStatementBounds.rows_max);
    ASSERT(result->cells.size() == result->rows * result->columns.size());
    for (const mariadb::StatementCell& cell : result->cells) {
        ASSERT(cell.kind != mysql::ValueKind::text || result->text_of(cell).size() == cell.length);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, size_t size) {
    std::string_view bytes(reinterpret_cast<const char*>(data), size);
    read_result(bytes, mysql::kProtocol41);
    read_result(bytes, mysql::kProtocol41 | mysql::kDeprecateEof | mysql::kSessionTrack);
    return 0;
}
