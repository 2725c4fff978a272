#include "mysql/statement_values.h"

#include <format>

#include "core/panic.h"
#include "mysql/capabilities.h"

namespace mysql {

namespace {

constexpr size_t kExecutionFixed = 10;  // command, statement, flags, iterations
constexpr uint16_t kUnsignedParameter = 0x8000;
constexpr size_t kRowNullsOffset = 2;  // the bits of a row begin at the third

size_t null_bytes(size_t columns, size_t offset) { return (columns + offset + 7) / 8; }

size_t value_size(const StatementValue& value) {
    constexpr size_t kNumber = 8;
    constexpr size_t kLengthMax = 9;
    switch (value.kind) {
        case ValueKind::null: return 0;
        case ValueKind::integer:
        case ValueKind::natural:
        case ValueKind::number: return kNumber;
        case ValueKind::text: return kLengthMax + value.text.size();
    }
    return 0;
}

uint16_t type_of(const StatementValue& value) {
    switch (value.kind) {
        case ValueKind::null: return static_cast<uint16_t>(ColumnType::null);
        case ValueKind::integer: return static_cast<uint16_t>(ColumnType::big);
        case ValueKind::natural: return static_cast<uint16_t>(ColumnType::big) | kUnsignedParameter;
        case ValueKind::number: return static_cast<uint16_t>(ColumnType::real);
        case ValueKind::text: return static_cast<uint16_t>(ColumnType::text);
    }
    return 0;
}

void write_nulls(PayloadWriter& writer, std::span<const StatementValue> values) {
    for (size_t begin = 0; begin < values.size(); begin += 8) {
        uint8_t bits = 0;
        for (size_t at = begin; at < values.size() && at < begin + 8; ++at) {
            bits |= static_cast<uint8_t>(values[at].kind == ValueKind::null ? 1 << (at - begin) : 0);
        }
        writer.u8(bits);
    }
}

}  // namespace

size_t execution_size(std::span<const StatementValue> values) {
    size_t size = kExecutionFixed + null_bytes(values.size(), 0) + 1 + 2 * values.size();
    for (const StatementValue& value : values) {
        size += value_size(value);
    }
    return size;
}

void write_execution(PayloadWriter& writer, uint32_t statement, std::span<const StatementValue> values) {
    ASSERT(values.size() <= kParametersMax);
    writer.u8(static_cast<uint8_t>(Command::statement_execute));
    writer.u32(statement);
    writer.u8(0);   // no cursor
    writer.u32(1);  // once
    if (values.empty()) {
        return;
    }
    write_nulls(writer, values);
    // Said each time: through a router the statement may run on another connection than before.
    writer.u8(1);
    for (const StatementValue& value : values) {
        writer.u16(type_of(value));
    }
    for (const StatementValue& value : values) {
        if (value.kind == ValueKind::text) {
            writer.length_encoded_string(value.text);
        } else if (value.kind != ValueKind::null) {
            writer.u64(value.bits);
        }
    }
}

BinaryRowReader::BinaryRowReader(std::string_view payload, size_t columns)
    : reader_(payload), columns_(columns) {
    if (reader_.u8() != 0) {
        reader_.skip(payload.size() + 1);  // no row: bad
    }
    nulls_ = reader_.bytes(null_bytes(columns, kRowNullsOffset));
}

StatementValue BinaryRowReader::next(ColumnFormat format) {
    ASSERT(at_ < columns_);
    size_t bit = at_++ + kRowNullsOffset;
    if (!reader_.is_good() || (byte_at(nulls_, bit / 8) >> (bit % 8) & 1) != 0) {
        return {};
    }
    switch (format.type) {
        case ColumnType::null: return {};
        case ColumnType::tiny: return whole(1, format.is_unsigned);
        case ColumnType::small:
        case ColumnType::year: return whole(2, format.is_unsigned);
        case ColumnType::integer:
        case ColumnType::medium: return whole(4, format.is_unsigned);
        case ColumnType::big: return whole(8, format.is_unsigned);
        case ColumnType::single: return StatementValue::of(double{std::bit_cast<float>(reader_.u32())});
        case ColumnType::real: return StatementValue::of(std::bit_cast<double>(reader_.u64()));
        case ColumnType::date:
        case ColumnType::datetime:
        case ColumnType::timestamp: return date(format.type);
        case ColumnType::time: return time();
        case ColumnType::decimal:
        case ColumnType::blob:
        case ColumnType::text:
        default: return StatementValue::of(reader_.length_encoded_string());
    }
}

StatementValue BinaryRowReader::whole(size_t bytes, bool is_unsigned) {
    switch (bytes) {
        case 1: {
            uint8_t value = reader_.u8();
            return is_unsigned ? StatementValue::of(uint64_t{value})
                               : StatementValue::of(int64_t{static_cast<int8_t>(value)});
        }
        case 2: {
            uint16_t value = reader_.u16();
            return is_unsigned ? StatementValue::of(uint64_t{value})
                               : StatementValue::of(int64_t{static_cast<int16_t>(value)});
        }
        case 4: {
            uint32_t value = reader_.u32();
            return is_unsigned ? StatementValue::of(uint64_t{value})
                               : StatementValue::of(int64_t{static_cast<int32_t>(value)});
        }
        default: {
            uint64_t value = reader_.u64();
            return is_unsigned ? StatementValue::of(value) : StatementValue::of(static_cast<int64_t>(value));
        }
    }
}

// A length of 0, 4, 7 or 11, and so much of: year (2), month, day, hour, minute, second, microseconds (4).
StatementValue BinaryRowReader::date(ColumnType type) {
    PayloadReader parts(reader_.bytes(reader_.u8()));
    size_t size = parts.left();
    bool is_whole = size == 0 || size == 4 || size == 7 || size == 11;
    if (!is_whole) {
        reader_.skip(reader_.left() + 1);
        return {};
    }
    uint16_t year = size == 0 ? uint16_t{0} : parts.u16();
    std::array<uint8_t, 5> fields{};
    for (size_t at = 0; at < fields.size() && parts.left() != 0; ++at) {
        fields[at] = parts.u8();
    }
    char* end = std::format_to(temporal_.data(), "{:04}-{:02}-{:02}", year, fields[0], fields[1]);
    if (type != ColumnType::date) {
        end = std::format_to(end, " {:02}:{:02}:{:02}", fields[2], fields[3], fields[4]);
        end = parts.left() == 4 ? std::format_to(end, ".{:06}", parts.u32()) : end;
    }
    return StatementValue::of(std::string_view(temporal_.data(), end));
}

// A length of 0, 8 or 12, and so much of: negative (1), days (4), hour, minute, second, microseconds (4).
StatementValue BinaryRowReader::time() {
    PayloadReader parts(reader_.bytes(reader_.u8()));
    size_t size = parts.left();
    if (size == 0) {
        return StatementValue::of(std::string_view("00:00:00"));
    }
    if (size != 8 && size != 12) {
        reader_.skip(reader_.left() + 1);
        return {};
    }
    bool is_negative = parts.u8() != 0;
    uint64_t hours = uint64_t{parts.u32()} * 24;
    hours += parts.u8();
    uint8_t minute = parts.u8();
    uint8_t second = parts.u8();
    std::string_view sign = is_negative ? "-" : "";
    char* end = std::format_to(temporal_.data(), "{}{:02}:{:02}:{:02}", sign, hours, minute, second);
    end = parts.left() == 4 ? std::format_to(end, ".{:06}", parts.u32()) : end;
    return StatementValue::of(std::string_view(temporal_.data(), end));
}

}  // namespace mysql
