// The status of a site's servers as a table that people want to read.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "node/status.h"

namespace node {

enum class Colour : uint8_t { none, ansi };

struct TableOptions {
    size_t width = 0;  // columns that a line may have; 0: no bound
    Colour colour = Colour::none;
    // What the same servers said at the last look: rates and latencies are then those of the time between. By
    // server's name.
    std::span<const ServerStatus> earlier;
};

// One block a server: what it is, then one block a pool with a line a backend. Lines end with "\n"; without
// Colour::ansi there is no escape sequence in it, and control characters of names never reach the terminal.
[[nodiscard]] std::string status_table(std::span<const ServerStatus> servers, const TableOptions& options);

// The duration below which `fraction` (0 to 1) of the values lie, interpolated in its bucket as Prometheus
// does; the largest bound where it lies above it; zero where there are no values.
[[nodiscard]] core::Duration quantile(const HistogramStatus& histogram, double fraction);

}  // namespace node
