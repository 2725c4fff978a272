// Executions and rows against the bytes that real servers exchange.
#include "mysql/statement_values.h"

#include <cmath>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "mysql/test_bytes.h"

namespace mysql {
namespace {

// The payload of a row, as a server sends it, read by these formats: texts of the values, "NULL", "BAD".
std::vector<std::string> read_row(std::string_view payload, const std::vector<ColumnFormat>& formats) {
    BinaryRowReader reader(payload, formats.size());
    std::vector<std::string> values;
    for (const ColumnFormat& format : formats) {
        StatementValue value = reader.next(format);
        switch (value.kind) {
            case ValueKind::null: values.emplace_back("NULL"); break;
            case ValueKind::integer:
                values.push_back(std::to_string(static_cast<int64_t>(value.bits)));
                break;
            case ValueKind::natural: values.push_back("+" + std::to_string(value.bits)); break;
            case ValueKind::number:
                values.push_back(std::to_string(std::bit_cast<double>(value.bits)));
                break;
            case ValueKind::text: values.emplace_back(value.text); break;
        }
    }
    return reader.is_at_good_end() ? values : std::vector<std::string>{"BAD"};
}

using Texts = std::vector<std::string>;

TEST_CASE("an execution has the bytes that the documentation shows") {
    std::string text;
    PayloadWriter writer(text);
    std::vector<StatementValue> values{
        StatementValue::of(int64_t{-2}),
        {},
        StatementValue::of(std::string_view("Ada")),
        StatementValue::of(uint64_t{7}),
        StatementValue::of(0.5),
    };
    write_execution(writer, 9, values);
    CHECK(
        text == from_hex("17 09 00 00 00 00 01 00 00 00 02 01"
                         "08 00 06 00 fd 00 08 80 05 00"
                         "fe ff ff ff ff ff ff ff 03 41 64 61 07 00 00 00 00 00 00 00"
                         "00 00 00 00 00 00 e0 3f")
    );
    CHECK(execution_size(values) >= text.size());
}

TEST_CASE("an execution without parameters ends behind the iterations") {
    std::string text;
    PayloadWriter writer(text);
    write_execution(writer, 1, {});
    CHECK(text == from_hex("17 01 00 00 00 00 01 00 00 00"));
}

TEST_CASE("the ninth NULL is in the second byte") {
    std::string text;
    PayloadWriter writer(text);
    std::vector<StatementValue> values(9);
    values[7] = StatementValue::of(int64_t{0});
    write_execution(writer, 1, values);
    CHECK(text.substr(10, 3) == from_hex("7f 01 01"));
}

TEST_CASE("whole numbers of every size keep their sign") {
    std::string row = from_hex("00 00 00 ff ff  fe ff fd ff ff ff ff ff ff ff ff ff ff ff");
    CHECK(
        read_row(
            row,
            {{.type = ColumnType::tiny},
             {.type = ColumnType::tiny, .is_unsigned = true},
             {.type = ColumnType::small},
             {.type = ColumnType::integer},
             {.type = ColumnType::big, .is_unsigned = true}}
        ) == Texts{"BAD"}
    );
    row = from_hex("00 00 ff ff fe ff fd ff ff ff ff ff ff ff ff ff ff ff");
    CHECK(
        read_row(
            row,
            {{.type = ColumnType::tiny},
             {.type = ColumnType::tiny, .is_unsigned = true},
             {.type = ColumnType::small},
             {.type = ColumnType::integer},
             {.type = ColumnType::big, .is_unsigned = true}}
        ) == Texts{"-1", "+255", "-2", "-3", "+18446744073709551615"}
    );
}

TEST_CASE("fractions, texts and NULL") {
    std::string row = from_hex("00 20 00 00 c0 3f 00 00 00 00 00 00 e0 bf 03 41 64 61");
    CHECK(
        read_row(
            row,
            {{.type = ColumnType::single},
             {.type = ColumnType::real},
             {.type = ColumnType::text},
             {.type = ColumnType::text}}
        ) == Texts{"1.500000", "-0.500000", "Ada", "NULL"}
    );
}

TEST_CASE("dates and times are written out") {
    std::string row =
        from_hex("00 00 04 ea 07 0b 1c  07 ea 07 0b 1c 0d 05 09  0b ea 07 0b 1c 0d 05 09 90 d0 03 00");
    CHECK(
        read_row(
            row,
            {{.type = ColumnType::date}, {.type = ColumnType::datetime}, {.type = ColumnType::timestamp}}
        ) == Texts{"2026-11-28", "2026-11-28 13:05:09", "2026-11-28 13:05:09.250000"}
    );
    row = from_hex("00 00 00 00 00 08 01 01 00 00 00 02 03 04 0c 00 00 00 00 00 01 02 03 01 00 00 00");
    CHECK(
        read_row(
            row,
            {{.type = ColumnType::date},
             {.type = ColumnType::datetime},
             {.type = ColumnType::time},
             {.type = ColumnType::time},
             {.type = ColumnType::time}}
        ) == Texts{"0000-00-00", "0000-00-00 00:00:00", "00:00:00", "-26:03:04", "01:02:03.000001"}
    );
}

TEST_CASE("a row that is cut short, too long or none is bad") {
    std::vector<ColumnFormat> formats{{.type = ColumnType::big}};
    CHECK(read_row(from_hex("00 00 01 00 00 00 00 00 00 00"), formats) == Texts{"1"});
    CHECK(read_row(from_hex("00 00 01 00 00 00 00 00 00"), formats) == Texts{"BAD"});
    CHECK(read_row(from_hex("00 00 01 00 00 00 00 00 00 00 00"), formats) == Texts{"BAD"});
    CHECK(read_row(from_hex("01 00 01 00 00 00 00 00 00 00"), formats) == Texts{"BAD"});
    CHECK(read_row("", formats) == Texts{"BAD"});
    CHECK(read_row(from_hex("00 00 05 00 00 00 00 00"), {{.type = ColumnType::date}}) == Texts{"BAD"});
    CHECK(read_row(from_hex("00 00 01 00"), {{.type = ColumnType::time}}) == Texts{"BAD"});
}

TEST_CASE("a column's definition: its name, type and sign") {
    std::string payload = from_hex(
        "03 64 65 66 04 73 68 6f 70 01 75 05 75 73 65 72 73 04 6e 61 6d 65 04 4e 61 6d 65"
        "0c 2d 00 90 01 00 00 03 21 10 00 00 00"
    );
    ColumnDefinition column;
    REQUIRE(read_column_definition(payload, 0, column));
    CHECK(column.name == "name");
    CHECK(column.type == ColumnType::integer);
    CHECK(column.is_unsigned());
    CHECK(column.collation == 45);
    CHECK_FALSE(read_column_definition(payload.substr(0, payload.size() - 4), 0, column));
    // One string more, here empty and as JSON has it, stands before the rest.
    CHECK_FALSE(read_column_definition(payload, kExtendedMetadata, column));
    constexpr size_t kRestSize = 13;
    for (const std::string& added : {from_hex("00"), from_hex("06 01 04 6a 73 6f 6e")}) {
        std::string extended = payload;
        extended.insert(extended.size() - kRestSize, added);
        column = {};
        REQUIRE(read_column_definition(extended, kExtendedMetadata, column));
        CHECK(column.name == "name");
        CHECK(column.type == ColumnType::integer);
    }
}

}  // namespace
}  // namespace mysql
