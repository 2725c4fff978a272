// Any bytes as JSON: what is read is written as JSON that reads the same.
#include <trilith/app.h>

#include "core/panic.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, size_t size) {
    std::vector<char> exact(data, data + size);
    auto value = trilith::Json::parse({exact.data(), exact.size()});
    if (value) {
        std::string text = value->to_string();
        auto again = trilith::Json::parse(text);
        ASSERT(again.has_value());
        ASSERT(again->to_string() == text);
    }
    return 0;
}
