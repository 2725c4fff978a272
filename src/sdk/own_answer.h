// Answers that the library gives by itself, where no handler gave one.
#pragma once

#include <trilith/app.h>

#include <cstdint>
#include <string_view>

namespace trilith::sdk {

struct Refusal {
    int status = 0;  // 0: none
    std::string_view reason{};
    bool must_close = false;  // where the request ends is not known, or it is not read to its end
};

// A short text with the reason and the request's id; with Allow for 405 and 204, which is what OPTIONS asks
// for. `methods`: bits by Method of what the path has handlers for.
[[nodiscard]] Response make_own_answer(const Refusal& refusal, std::string_view request_id, uint8_t methods);

}  // namespace trilith::sdk
