// What a character set means for reading SQL: which bytes may look like a quote, a backslash or a blank.
#pragma once

#include <cstdint>
#include <string_view>

namespace mysql {

// How bytes from 0x80 up in a text have to be taken. It follows character_set_client.
enum class TextEncoding : uint8_t {
    utf8,         // utf8mb3, utf8mb4 and ascii: part of a name, never a blank, a quote or a backslash
    other,        // safe inside quotes and comments; outside of them a byte may be a blank (0xA0 of latin1)
    overlapping,  // big5, cp932, gbk, sjis: the second byte of a character may look like "\" or "`"
};

// By name, in any case ("utf8mb4", "latin1"); a name that is not known is `overlapping`.
[[nodiscard]] TextEncoding text_encoding_of(std::string_view character_set);

// By the id of a collation, as the client's login states it; an id that is not known is `overlapping`.
[[nodiscard]] TextEncoding text_encoding_of_collation(uint32_t collation_id);

}  // namespace mysql
