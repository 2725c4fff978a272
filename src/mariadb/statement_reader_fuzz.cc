// A server's answer of any bytes to an execution, cut into packets by their first byte: it ends, within its
// bounds, and every text lies in the result.
#include <string_view>

#include "core/panic.h"
#include "mariadb/statement_reader.h"

namespace {

constexpr mariadb::QueryBounds kStatementBounds{.rows_max = 20, .bytes_max = 4096};

void read_result(std::string_view bytes, mysql::Capabilities capabilities) {
    mariadb::StatementReader reader(capabilities, kStatementBounds);
    while (!bytes.empty()) {
        size_t size = std::min<size_t>(static_cast<unsigned char>(bytes.front()), bytes.size() - 1);
        mariadb::QueryProgress progress = reader.read(bytes.substr(1, size));
        bytes.remove_prefix(1 + size);
        if (progress == mariadb::QueryProgress::failed) {
            ASSERT(!reader.failure().message.empty());
            return;
        }
        if (progress == mariadb::QueryProgress::more) {
            continue;
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
        return;
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, size_t size) {
    std::string_view bytes(reinterpret_cast<const char*>(data), size);
    read_result(bytes, mysql::kProtocol41);
    read_result(bytes, mysql::kProtocol41 | mysql::kDeprecateEof | mysql::kSessionTrack);
    return 0;
}
