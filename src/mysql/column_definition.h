// What a result says of each column before its rows (MariaDB KB: Result Set Packets, Column Definition
// Packet).
//
//   catalog, schema, table, original table, name, original name (length-encoded strings), with
//   kExtendedMetadata one string more, length of the rest (length-encoded, 12), collation (2), width (4),
//   type (1), flags (2), decimals (1), unused (2)
#pragma once

#include <cstdint>
#include <string_view>

#include "mysql/capabilities.h"

namespace mysql {

// The types that are sent by more than their bytes' count; a value of any other type is a string of bytes.
enum class ColumnType : uint8_t {
    tiny = 1,
    small = 2,
    integer = 3,
    single = 4,  // a float of 4 bytes
    real = 5,    // of 8
    null = 6,
    timestamp = 7,
    big = 8,
    medium = 9,  // 24 bits, sent as 4 bytes
    date = 10,
    time = 11,
    datetime = 12,
    year = 13,
    decimal = 246,
    blob = 252,
    text = 253,
};

constexpr uint16_t kColumnIsUnsigned = 32;

// Views point into the payload that was read.
struct ColumnDefinition {
    std::string_view name{};
    uint16_t collation = 0;
    ColumnType type = ColumnType::text;
    uint16_t flags = 0;

    [[nodiscard]] bool is_unsigned() const { return (flags & kColumnIsUnsigned) != 0; }
};

// False if it is malformed. `capabilities`: agreed on with the server. What kExtendedMetadata adds is left
// out.
[[nodiscard]] bool read_column_definition(
    std::string_view payload,
    Capabilities capabilities,
    ColumnDefinition& column
);

}  // namespace mysql
