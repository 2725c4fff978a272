// Stops the program on a broken invariant. ASSERT is on in every build: a wrong belief about our own state
// must end the process, never continue. It is not for peers, files, configuration or the operating system:
// those return a Result.
#pragma once

#include <string_view>

namespace core {

// Writes `place: message` to standard error and aborts.
[[noreturn]] void panic(std::string_view message, std::string_view file, int line) noexcept;

}  // namespace core

#define PANIC(message) ::core::panic((message), __FILE__, __LINE__)
#define ASSERT(condition) \
    do { \
        if (!(condition)) [[unlikely]] { \
            ::core::panic("assertion failed: " #condition, __FILE__, __LINE__); \
        } \
    } while (false)
