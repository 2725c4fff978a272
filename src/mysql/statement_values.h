// The values of a prepared statement in the binary protocol: parameters behind COM_STMT_EXECUTE, and rows
// (MariaDB KB: COM_STMT_EXECUTE, Resultset Row).
//
//   execution   0x17, statement (4), flags (1), 1 (4), [NULLs as bits, 1, types (2 each), values]
//   row         0x00, NULLs as bits from the third on, values
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "mysql/column_definition.h"
#include "mysql/wire.h"

namespace mysql {

enum class ValueKind : uint8_t { null, integer, natural, number, text };

// A value as it is sent. Of a number `bits` are its bits, in the type that `kind` tells: int64_t, uint64_t or
// double. `text` is a view of somebody else's bytes.
struct StatementValue {
    ValueKind kind = ValueKind::null;
    uint64_t bits = 0;
    std::string_view text{};

    [[nodiscard]] static StatementValue of(int64_t value) {
        return {.kind = ValueKind::integer, .bits = static_cast<uint64_t>(value)};
    }
    [[nodiscard]] static StatementValue of(uint64_t value) {
        return {.kind = ValueKind::natural, .bits = value};
    }
    [[nodiscard]] static StatementValue of(double value) {
        return {.kind = ValueKind::number, .bits = std::bit_cast<uint64_t>(value)};
    }
    [[nodiscard]] static StatementValue of(std::string_view value) {
        return {.kind = ValueKind::text, .text = value};
    }
};

// A statement has at most so many parameters (MariaDB's own bound).
constexpr size_t kParametersMax = 65535;

// Bytes of an execution's payload.
[[nodiscard]] size_t execution_size(std::span<const StatementValue> values);

// Writes the payload of COM_STMT_EXECUTE with its command byte. At most kParametersMax values (asserted).
void write_execution(PayloadWriter& writer, uint32_t statement, std::span<const StatementValue> values);

// What must be kept of a column to read its values.
struct ColumnFormat {
    ColumnType type = ColumnType::text;
    bool is_unsigned = false;
};

// Reads a row value by value. A row that is malformed makes the reader bad, see PayloadReader.
class BinaryRowReader {
public:
    BinaryRowReader(std::string_view payload, size_t columns);

    // The next value. A text points into the payload; dates and times are written out, "2026-11-28",
    // "2026-11-28 13:05:00.250000", "-12:00:01", and valid until the next call. Not to be called more often
    // than there are columns (asserted).
    [[nodiscard]] StatementValue next(ColumnFormat format);

    // All values were read, and nothing is left.
    [[nodiscard]] bool is_at_good_end() const { return reader_.is_at_good_end(); }

    [[nodiscard]] bool is_good() const { return reader_.is_good(); }

private:
    static constexpr size_t kTemporalMax = 48;

    [[nodiscard]] StatementValue whole(size_t bytes, bool is_unsigned);
    [[nodiscard]] StatementValue date(ColumnType type);
    [[nodiscard]] StatementValue time();

    PayloadReader reader_;
    std::string_view nulls_;
    size_t columns_;
    size_t at_ = 0;
    std::array<char, kTemporalMax> temporal_{};
};

}  // namespace mysql
