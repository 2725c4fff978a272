// The status of a site's servers as a table that people want to read.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "node/status/status.h"
#include "node/terminal/text_table.h"

namespace node {

struct TableOptions {
    size_t columns = 0;  // that a line may have; 0: no bound
    Colour colour = Colour::none;
    // What the servers said at the last look: rates and latencies are then those of the time between. Matched
    // by name.
    std::span<const ServerStatus> earlier;
};

// One block a server: what it is and does, then one block a pool with a line a backend. Lines end with "\n";
// without Colour::ansi there is no escape sequence in it, and control characters in names never reach the
// terminal.
[[nodiscard]] std::string status_table(std::span<const ServerStatus> servers, const TableOptions& options);

// The time below which `fraction` (0 to 1) of the values lie, interpolated in its bucket as Prometheus does:
// above all bounds the largest of them, zero where there are no values.
[[nodiscard]] core::Duration quantile(const HistogramStatus& histogram, double fraction);
// The same as text: "-" for none, ">10.0s" above all bounds.
[[nodiscard]] std::string quantile_text(const HistogramStatus& histogram, double fraction);

// What came since `before`.
[[nodiscard]] HistogramStatus difference(const HistogramStatus& now, const HistogramStatus& before);

}  // namespace node
