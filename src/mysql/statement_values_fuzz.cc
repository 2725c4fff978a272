// Any bytes as a column's definition and as a row of any types: what is read lies within bounds, and a row
// that was read well has only text of itself.
#include <string_view>
#include <vector>

#include "core/panic.h"
#include "mysql/column_definition.h"
#include "mysql/statement_values.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, size_t size) {
    std::string_view bytes(reinterpret_cast<const char*>(data), size);
    mysql::ColumnDefinition column;
    for (mysql::Capabilities capabilities : {mysql::Capabilities{0}, mysql::kExtendedMetadata}) {
        if (mysql::read_column_definition(bytes, capabilities, column)) {
            ASSERT(column.name.size() <= bytes.size());
        }
    }
    if (bytes.empty()) {
        return 0;
    }
    size_t columns = mysql::byte_at(bytes, 0) % 32;
    if (bytes.size() < 1 + 2 * columns) {
        return 0;
    }
    std::string_view types = bytes.substr(1, 2 * columns);
    std::string_view payload = bytes.substr(1 + 2 * columns);
    mysql::BinaryRowReader reader(payload, columns);
    for (size_t at = 0; at < columns; ++at) {
        mysql::StatementValue value = reader.next({
            .type = static_cast<mysql::ColumnType>(mysql::byte_at(types, 2 * at)),
            .is_unsigned = (mysql::byte_at(types, 2 * at + 1) & 1) != 0,
        });
        ASSERT(value.text.size() <= payload.size() + 48);
        for (char byte : value.text) {
            static_cast<void>(byte);
        }
    }
    ASSERT(!reader.is_at_good_end() || reader.is_good());
    return 0;
}
