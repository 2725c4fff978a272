// Any bytes to the chunked reader: in pieces of any size they decode to the same, and decoded data can be
// encoded again.
#include <algorithm>
#include <cstddef>
#include <format>
#include <string>
#include <vector>

#include "core/panic.h"
#include "http/chunked_reader.h"

namespace http {
namespace {

struct Decoded {
    ChunkedState state = ChunkedState::more;
    size_t consumed = 0;
    std::string data;
    std::string trailers;
};

Decoded decode(std::string_view bytes, size_t step) {
    ChunkedReader reader(
        {.extension_max = 32, .extensions_max = 64, .trailer_max = 128, .trailer_fields_max = 4}
    );
    Decoded all;
    while (all.state == ChunkedState::more && all.consumed < bytes.size()) {
        const std::string_view piece = bytes.substr(all.consumed, step);
        std::vector<char> memory(piece.begin(), piece.end());
        const ChunkedResult result = reader.decode(memory);
        ASSERT(result.consumed <= memory.size());
        ASSERT(result.data.size() <= result.consumed);
        if (result.state == ChunkedState::more) {
            ASSERT(result.consumed == memory.size());
        }
        const std::string_view behind(memory.data() + result.consumed, memory.size() - result.consumed);
        ASSERT(behind == piece.substr(result.consumed));
        all.state = result.state;
        all.consumed += result.consumed;
        all.data.append(result.data.data(), result.data.size());
    }
    all.trailers = reader.trailers();
    return all;
}

}  // namespace
}  // namespace http

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    const http::Decoded whole = http::decode(bytes, std::max<size_t>(size, 1));
    for (const size_t step : {size_t{1}, size_t{2}, size_t{7}, size / 2 + 1}) {
        const http::Decoded split = http::decode(bytes, step);
        ASSERT(split.state == whole.state);
        ASSERT(split.data == whole.data);
        ASSERT(split.trailers == whole.trailers);
        if (whole.state != http::ChunkedState::refused) {
            ASSERT(split.consumed == whole.consumed);
        }
    }
    if (whole.state == http::ChunkedState::done && !whole.data.empty()) {
        const std::string encoded =
            std::format("{:x}\r\n{}\r\n0\r\n{}\r\n", whole.data.size(), whole.data, whole.trailers);
        const http::Decoded again = http::decode(encoded, encoded.size());
        ASSERT(again.state == http::ChunkedState::done);
        ASSERT(again.data == whole.data);
        ASSERT(again.trailers == whole.trailers);
    }
    return 0;
}
