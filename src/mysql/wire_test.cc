// The grains: what is read back as it was written, and what is not read at all.
#include "mysql/wire.h"

#include <array>
#include <limits>

#include <doctest/doctest.h>

#include "mysql/test_bytes.h"

namespace mysql {
namespace {

TEST_CASE("length-encoded integers take the shortest form and come back") {
    struct Row {
        uint64_t value;
        std::string_view hex;
    };
    constexpr Row kRows[] = {
        {0, "00"},
        {250, "fa"},
        {251, "fcfb00"},
        {0xFFFF, "fcffff"},
        {0x10000, "fd000001"},
        {0xFFFFFF, "fdffffff"},
        {0x1000000, "fe0000000100000000"},
        {std::numeric_limits<uint64_t>::max(), "feffffffffffffffff"},
    };
    for (const Row& row : kRows) {
        CAPTURE(row.hex);
        std::string text;
        PayloadWriter(text).length_encoded(row.value);
        CHECK(text == from_hex(row.hex));
        PayloadReader reader(text);
        CHECK(reader.length_encoded() == row.value);
        CHECK(reader.is_at_good_end());
        PayloadReader cut(std::string_view(text).substr(0, text.size() - 1));
        CHECK(cut.length_encoded() == 0);
        CHECK_FALSE(cut.is_good());
    }
}

TEST_CASE("NULL and ERR bytes are no length") {
    for (const std::string_view hex : {"fb", "ff0102"}) {
        const std::string text = from_hex(hex);
        PayloadReader reader(text);
        CHECK(reader.length_encoded_string().empty());
        CHECK_FALSE(reader.is_good());
        CHECK(reader.left() == 0);
    }
}

TEST_CASE("numbers are little endian and a short payload spoils all later reads") {
    const std::string text = from_hex("01 0302 060504 0a090807 1211100f0e0d0c0b");
    PayloadReader reader(text);
    CHECK(reader.u8() == 1);
    CHECK(reader.u16() == 0x0203);
    CHECK(reader.u24() == 0x040506);
    CHECK(reader.u32() == 0x0708090a);
    CHECK(reader.u64() == 0x0b0c0d0e0f101112);
    CHECK(reader.is_at_good_end());
    PayloadReader cut(std::string_view(text).substr(0, 2));
    CHECK(cut.u24() == 0);
    CHECK(cut.u8() == 0);
    CHECK_FALSE(cut.is_good());
}

TEST_CASE("a string that announces more than there is is not read") {
    for (const std::string_view hex : {"0561626364", "fcffff61", "feffffffffffffffff61"}) {
        const std::string text = from_hex(hex);
        PayloadReader reader(text);
        CHECK(reader.length_encoded_string().empty());
        CHECK_FALSE(reader.is_good());
    }
}

TEST_CASE("terminated strings end at their NUL, or where it may be left out at the end") {
    const std::string text = from_hex("6162 00 00 63");
    PayloadReader reader(text);
    CHECK(reader.terminated_string() == "ab");
    CHECK(reader.terminated_string() == "");
    PayloadReader lenient = reader;
    CHECK(reader.terminated_string() == "");
    CHECK_FALSE(reader.is_good());
    CHECK(lenient.terminated_string_or_rest() == "c");
    CHECK(lenient.is_at_good_end());
}

TEST_CASE("a packet gets the length of what was written") {
    std::string text = "before";
    PayloadWriter writer(text);
    writer.begin_packet();
    writer.length_encoded_string("abc");
    CHECK(writer.end_packet(255) == 0);
    writer.begin_packet();
    CHECK(writer.end_packet(0) == 1);
    CHECK(text == "before" + from_hex("040000ff 03616263 00000000"));
    CHECK(read_packet_header(text.substr(6)).length == 4);
    CHECK(read_packet_header(text.substr(6)).sequence == 255);
}

TEST_CASE("a span is filled to its end and never beyond") {
    std::array<char, 8> room{};
    PayloadWriter writer{std::span(room).first(7)};
    writer.begin_packet();
    writer.terminated_string("ab");
    CHECK(writer.is_good());
    writer.end_packet(1);
    CHECK(std::string_view(room.data(), 7) == from_hex("03000001 616200"));
    writer.u16(0x7878);
    CHECK_FALSE(writer.is_good());
    CHECK(room[7] == 0);
    CHECK(writer.size() == 7);
}

}  // namespace
}  // namespace mysql
