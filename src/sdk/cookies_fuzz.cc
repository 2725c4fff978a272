// Any bytes as a Cookie field and as a cookie to be set: what was written is found again.
#include "core/panic.h"
#include "sdk/cookies.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, size_t size) {
    std::string text(reinterpret_cast<const char*>(data), size);
    [[maybe_unused]] auto found = trilith::sdk::find_cookie(text, "a");
    std::string name = text.substr(0, text.find(' '));
    std::string value = text.substr(std::min(text.size(), name.size() + 1));
    auto written = trilith::sdk::write_set_cookie({.name = name, .value = value});
    if (written) {
        ASSERT(!written->contains('\r') && !written->contains('\n'));
        ASSERT(trilith::sdk::find_cookie(*written, name) == value);
    }
    return 0;
}
