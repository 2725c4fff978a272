#include "core/panic.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>

namespace core {

void panic(std::string_view message, std::string_view file, int line) noexcept {
    char text[512];
    int length = std::snprintf(
        text,
        sizeof text,
        "panic: %.*s:%d: %.*s\n",
        static_cast<int>(file.size()),
        file.data(),
        line,
        static_cast<int>(message.size()),
        message.data()
    );
    if (length > 0) {
        auto size = std::min(static_cast<size_t>(length), sizeof text - 1);
        [[maybe_unused]] auto written = ::write(STDERR_FILENO, text, size);
    }
    std::abort();
}

}  // namespace core
