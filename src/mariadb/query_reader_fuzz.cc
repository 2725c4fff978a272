// A server's answer of any bytes, cut into packets by their first byte: it ends, within its bounds.
#include <string_view>

#include "core/panic.h"
#include "mariadb/query_reader.h"

namespace {

constexpr mariadb::QueryBounds kBounds{.rows_max = 20, .bytes_max = 4096};

void read_answer(std::string_view bytes, mysql::Capabilities capabilities) {
    mariadb::QueryReader reader(capabilities, kBounds);
    while (!bytes.empty()) {
        size_t size = std::min<size_t>(static_cast<unsigned char>(bytes.front()), bytes.size() - 1);
        mariadb::QueryProgress progress = reader.read(bytes.substr(1, size));
        bytes.remove_prefix(1 + size);
        if (progress == mariadb::QueryProgress::failed) {
            ASSERT(!reader.failure().message.empty());
            return;
        }
        if (progress == mariadb::QueryProgress::complete) {
            mariadb::QueryAnswer answer = reader.take_answer();
            size_t rows = 0;
            for (const mariadb::QueryResult& result : answer.results) {
                rows += result.rows.size();
                for (const auto& row : result.rows) {
                    ASSERT(row.size() == result.columns.size());
                }
            }
            ASSERT(rows <= kBounds.rows_max);
            return;
        }
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, size_t size) {
    std::string_view bytes(reinterpret_cast<const char*>(data), size);
    read_answer(bytes, mysql::kProtocol41);
    read_answer(bytes, mysql::kProtocol41 | mysql::kDeprecateEof | mysql::kSessionTrack);
    return 0;
}
