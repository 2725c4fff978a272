// Where a server's data directory came from: a small file in it, so that it is there exactly when the data
// are. Beside it, how much lies in a directory.
//
//   trilith-origin 1
//   renewal 17
//   copy db1 0-985333760-12
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.h"

namespace cluster {

struct DataOrigin {
    uint64_t renewal = 0;    // of the order for which they were made (upstream::Topology); 0: none
    std::string source{};    // the server whose data were copied; empty: they began empty
    std::string position{};  // the copy's GTID position

    friend bool operator==(const DataOrigin&, const DataOrigin&) = default;
};

[[nodiscard]] std::string write_origin(const DataOrigin& origin);
// Nothing for a text that write_origin() would not write.
[[nodiscard]] std::optional<DataOrigin> parse_origin(std::string_view text);

// Of the data in this directory; the default where there is no such file, or an unreadable one.
[[nodiscard]] DataOrigin origin_of(const std::string& data);
[[nodiscard]] core::Result<void> record_origin(const std::string& data, const DataOrigin& origin);

// Bytes of all files below a directory that changes meanwhile; 0 where there is none.
[[nodiscard]] uint64_t bytes_below(const std::string& directory);

// The binlogs of these data begin with the first transaction that there ever was, and are at most
// `bytes_max`: whoever begins empty gets everything from them.
[[nodiscard]] bool has_short_whole_history(const std::string& data, uint64_t bytes_max);

// Bytes that can be written where the directory is; nothing if that cannot be told.
[[nodiscard]] std::optional<uint64_t> free_bytes(const std::string& directory);

}  // namespace cluster
