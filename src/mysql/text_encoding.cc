#include "mysql/text_encoding.h"

#include "mysql/sql_tokens.h"

namespace mysql {

namespace {

// SHOW CHARACTER SET, without what overlaps and what cannot be character_set_client (ucs2, utf16, utf32).
constexpr std::string_view kUtf8Names[] = {"utf8mb4", "utf8mb3", "utf8", "ascii"};
constexpr std::string_view kOtherNames[] = {
    "latin1", "binary",  "armscii8", "cp1250", "cp1251",  "cp1256",   "cp1257", "cp850",  "cp852",   "cp866",
    "dec8",   "eucjpms", "euckr",    "gb2312", "geostd8", "greek",    "hebrew", "hp8",    "keybcs2", "koi8r",
    "koi8u",  "latin2",  "latin5",   "latin7", "macce",   "macroman", "swe7",   "tis620", "ujis",
};

struct Range {
    uint32_t first;
    uint32_t last;
};

// INFORMATION_SCHEMA.COLLATIONS. In neither list are big5, sjis, gbk, cp932, the wide sets, and ids that
// MariaDB does not know (255 of MySQL 8): the server then takes its own default.
constexpr Range kUtf8Collations[] = {
    {11, 11},
    {33, 33},
    {45, 46},
    {65, 65},
    {83, 83},
    {192, 215},
    {223, 247},
    {576, 578},
    {608, 610},
    {1035, 1035},
    {1057, 1057},
    {1069, 1070},
    {1089, 1089},
    {1107, 1107},
    {1216, 1216},
    {1238, 1238},
    {1248, 1248},
    {1270, 1270},
};
constexpr Range kOtherCollations[] = {
    {2, 10},
    {12, 12},
    {14, 16},
    {18, 27},
    {29, 32},
    {34, 34},
    {36, 44},
    {47, 53},
    {57, 59},
    {63, 64},
    {66, 82},
    {85, 86},
    {89, 89},
    {91, 94},
    {97, 99},
};

}  // namespace

TextEncoding text_encoding_of(std::string_view character_set) {
    for (const std::string_view name : kUtf8Names) {
        if (equals_ignoring_case(character_set, name)) {
            return TextEncoding::utf8;
        }
    }
    for (const std::string_view name : kOtherNames) {
        if (equals_ignoring_case(character_set, name)) {
            return TextEncoding::other;
        }
    }
    return TextEncoding::overlapping;
}

TextEncoding text_encoding_of_collation(uint32_t collation_id) {
    for (const Range& range : kUtf8Collations) {
        if (collation_id >= range.first && collation_id <= range.last) {
            return TextEncoding::utf8;
        }
    }
    for (const Range& range : kOtherCollations) {
        if (collation_id >= range.first && collation_id <= range.last) {
            return TextEncoding::other;
        }
    }
    return TextEncoding::overlapping;
}

}  // namespace mysql
