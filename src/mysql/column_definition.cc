#include "mysql/column_definition.h"

#include "mysql/wire.h"

namespace mysql {

bool read_column_definition(std::string_view payload, Capabilities capabilities, ColumnDefinition& column) {
    constexpr int kStringsBefore = 4;  // catalog, schema, table, original table
    constexpr size_t kRestMin = 10;
    PayloadReader reader(payload);
    for (int at = 0; at < kStringsBefore; ++at) {
        static_cast<void>(reader.length_encoded_string());
    }
    column.name = reader.length_encoded_string();
    static_cast<void>(reader.length_encoded_string());
    if (has(capabilities, kExtendedMetadata)) {
        static_cast<void>(reader.length_encoded_string());  // such as the name of a type
    }
    PayloadReader rest(reader.length_encoded_string());
    if (!reader.is_good() || rest.left() < kRestMin) {
        return false;
    }
    column.collation = rest.u16();
    rest.skip(4);  // the width of a display
    column.type = static_cast<ColumnType>(rest.u8());
    column.flags = rest.u16();
    return rest.is_good();
}

}  // namespace mysql
