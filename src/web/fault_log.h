// What goes wrong with files, told once a minute a kind: a broken disk or a tree without rights must not
// write a line a request.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "core/log.h"
#include "core/units.h"

namespace web {

enum class Fault : uint8_t {
    forbidden,  // EACCES
    exhausted,  // EMFILE, ENFILE, ENOMEM
    failed,     // EIO and all others
    outside,    // a link leads out of the root, or is absolute (openat2 refuses that wherever it leads)
    unsettled,  // a file was written to during each of our readings
    root,       // the root cannot be opened
};

// One core's.
class FaultLog {
public:
    explicit FaultLog(core::Log& log) : log_(log) {}

    // `code`: an errno value; 0: none belongs to it.
    void report(Fault fault, std::string_view path, int code, core::Instant now);

private:
    struct Told {
        std::optional<core::Instant> at;
        uint64_t untold = 0;
    };

    core::Log& log_;
    std::array<Told, 6> told_{};
};

}  // namespace web
