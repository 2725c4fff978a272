// Any bytes as Accept-Encoding: the choice is one that is there, and one that the client did not refuse.
#include <array>
#include <cstddef>
#include <vector>

#include "core/panic.h"
#include "web/accept_encoding.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, size_t size) {
    const std::vector<char> exact(data, data + size);
    web::AcceptedEncodings accepted;
    accepted.add({exact.data(), exact.size()});
    constexpr std::array kAll{web::Encoding::gzip, web::Encoding::brotli, web::Encoding::zstandard};
    for (size_t count = 0; count <= kAll.size(); ++count) {
        const web::EncodingChoice choice = choose_encoding(accepted, std::span(kAll).first(count));
        if (!choice.is_acceptable) {
            ASSERT(!choice.sibling);
            ASSERT(accepted.identity_weight() == 0);
        } else if (choice.sibling) {
            ASSERT(*choice.sibling < count);
            const uint16_t weight = accepted.weight(kAll[*choice.sibling]);
            ASSERT(weight > 0 && weight <= 1000);
            ASSERT(weight >= accepted.identity_weight().value_or(0));
        } else {
            ASSERT(accepted.identity_weight() != 0);
        }
    }
    return 0;
}
