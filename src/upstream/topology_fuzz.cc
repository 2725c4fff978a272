// Any text as a topology: what is read is written and read again the same.
#include <string_view>

#include "core/panic.h"
#include "upstream/topology.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, size_t size) {
    const auto topology = upstream::read_topology({reinterpret_cast<const char*>(data), size});
    if (topology) {
        const auto again = upstream::read_topology(upstream::write_topology(*topology));
        ASSERT(again && *again == *topology);
    }
    return 0;
}
