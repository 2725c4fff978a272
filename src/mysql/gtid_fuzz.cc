// Any text as a position: what is read is written and read again the same, and covers itself.
#include <string>

#include "core/panic.h"
#include "mysql/gtid.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto position = mysql::GtidPosition::read(text);
    if (!position) {
        return 0;
    }
    std::string written;
    position->append_to(written);
    ASSERT(mysql::GtidPosition::read(written) == position);
    ASSERT(position->covers(*position));
    mysql::GtidPosition merged = *position;
    ASSERT(merged.merge(*position));
    ASSERT(merged == *position);
    return 0;
}
