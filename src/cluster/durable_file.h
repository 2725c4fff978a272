// Small files that are on the disk when a call returns, and locks that last as long as a descriptor.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.h"
#include "runtime/descriptor.h"

namespace cluster {

// The whole file; nothing where there is none. An error names the file.
[[nodiscard]] core::Result<std::optional<std::string>> read_small_file(
    const std::string& path,
    size_t bytes_max
);

// A new file of mode 0600 in the place of the old one, with all its bytes on the disk, as its name is. Blocks
// for as long as the disk takes.
[[nodiscard]] core::Result<void> replace_durably(const std::string& path, std::string_view text);

// The same at the end of a file, which is made where it is missing.
[[nodiscard]] core::Result<void> append_durably(const std::string& path, std::string_view line);

// Whether anything has that name.
[[nodiscard]] bool is_there(const std::string& path);

[[nodiscard]] core::Result<void> rename_to(const std::string& from, const std::string& to);

// A directory of mode 0700; one that is there stays as it is.
[[nodiscard]] core::Result<void> make_directory(const std::string& path);

// An exclusive lock (flock(2)) on the file, which is made where it is missing: held until the last copy of
// the descriptor is closed. Not open: somebody else has it, or `why` says what else.
[[nodiscard]] runtime::Descriptor try_lock(const std::string& path, std::string* why = nullptr);

// The same for a lock that is held for milliseconds: blocks until it is free.
[[nodiscard]] core::Result<runtime::Descriptor> lock_shortly(const std::string& path);

}  // namespace cluster
