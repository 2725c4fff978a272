// Which encoding of a file a client takes (RFC 9110 section 12.5.3).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "web/config.h"

namespace web {

// "br", "zstd", "gzip": the content coding's name.
[[nodiscard]] std::string_view encoding_name(Encoding encoding);

// ".br", ".zst", ".gz": what a sibling's name ends with.
[[nodiscard]] std::string_view encoding_suffix(Encoding encoding);

// What a request accepts. Weights are thousandths, 0 (refused) to 1000.
class AcceptedEncodings {
public:
    // Without the field a client takes everything, but is sent the file as it is.
    AcceptedEncodings() = default;

    // Adds the value of one Accept-Encoding line. Elements that do not follow the grammar are passed over; of
    // an encoding that is named twice the first counts.
    void add(std::string_view value);

    // Of one encoding; 0 where it is not named and no "*" is. Nothing is named before the first line is
    // added.
    [[nodiscard]] uint16_t weight(Encoding encoding) const;

    // Of the file as it is; none: not named, which is acceptable and less welcome than any encoding that is.
    [[nodiscard]] std::optional<uint16_t> identity_weight() const;

private:
    std::array<std::optional<uint16_t>, kEncodingCount> named_{};
    std::optional<uint16_t> identity_;
    std::optional<uint16_t> any_;  // "*": of whatever is not named
};

struct EncodingChoice {
    bool is_acceptable = true;           // false: 406
    std::optional<size_t> sibling = {};  // index into `available`; none: the file as it is
};

// The greatest weight wins; among equals the first of `available`, and any encoding before the file as it is.
[[nodiscard]] EncodingChoice choose_encoding(
    const AcceptedEncodings& accepted,
    std::span<const Encoding> available
);

}  // namespace web
