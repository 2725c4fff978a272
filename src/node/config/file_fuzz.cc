// Any text: reading it ends, every problem has a message, and what is accepted survives being explained and
// read again.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/panic.h"
#include "node/config/compare.h"
#include "node/config/explain.h"
#include "node/config/file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    // char and uint8_t are the same bytes.
    auto config = node::read_config({reinterpret_cast<const char*>(data), size}, "fuzz");
    if (!config) {
        ASSERT(!config.error().empty());
        ASSERT(config.error().size() <= node::Problems::kMax);
        for (const node::ConfigError& error : config.error()) {
            ASSERT(!error.message.empty());
        }
        return 0;
    }
    ASSERT(!node::explain_json(*config).empty());
    auto again = node::read_config(node::explain(*config), "explained");
    ASSERT(again.has_value());
    ASSERT(*again == *config);
    ASSERT(node::compare(*config, *again).empty());
    return 0;
}
