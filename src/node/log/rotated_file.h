// A log file that is bounded: when it is full it is renamed to NAME.1, the earlier NAME.1 to NAME.2 and so
// on, and the last one goes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/result.h"
#include "runtime/descriptor.h"

namespace node {

struct RotationRule {
    uint64_t size_max = 0;  // bytes of one file; a block that is written at once may go beyond it
    uint32_t kept = 0;      // files besides the one that is written; 0: a full one is removed
};

// Every call blocks for as long as the disk does.
class RotatedFile {
public:
    RotatedFile(std::string path, RotationRule rule) : path_(std::move(path)), rule_(rule) {}

    // Appends whole lines. After an error nothing of them is in the file, and the next call tries to open it
    // anew: its directory, which is made where it is missing (0700), may have come back.
    [[nodiscard]] core::Result<void> append(std::string_view lines);

    [[nodiscard]] const std::string& path() const { return path_; }

private:
    [[nodiscard]] core::Result<void> open();
    [[nodiscard]] core::Result<void> rotate();

    std::string path_;
    RotationRule rule_;
    runtime::Descriptor file_;
    uint64_t size_ = 0;
};

}  // namespace node
