// The verbs that speak to a running site: status, weight, drain, disable, enable, undo, reload, metrics.
#pragma once

#include <cstddef>
#include <functional>
#include <string_view>

#include "node/command_line.h"
#include "node/site_paths.h"
#include "node/status_table.h"
#include "runtime/os.h"

namespace node {

// What a verb has around it. Everything is passed in, so that a verb runs in a test as it runs in a shell.
struct Console {
    runtime::Os& os;
    Environment environment;
    std::function<void(std::string_view)> out;
    std::function<void(std::string_view)> err;
    bool is_terminal = false;  // `out` is watched by somebody: colours, progress in place
    size_t columns = 0;        // 0: not known
    size_t rows = 0;
};

// The console of this process: standard output and standard error.
[[nodiscard]] Console process_console(runtime::Os& os);

// Each asks every server of the site, prints the merged answer and returns the exit status: 0 done, 1 it
// could not be done (one line on `err` a server says why), 2 wrong usage (several sites run and none is
// named).
[[nodiscard]] int run(const StatusOptions& options, Console& console);
[[nodiscard]] int run(const WeightOptions& options, Console& console);
// Waits until the last request on the backend has ended, and says how many there still are; a time-out leaves
// it draining.
[[nodiscard]] int run(const DrainOptions& options, Console& console);
[[nodiscard]] int run(const DisableOptions& options, Console& console);
[[nodiscard]] int run(const EnableOptions& options, Console& console);
[[nodiscard]] int run(const UndoOptions& options, Console& console);
[[nodiscard]] int run(const ReloadOptions& options, Console& console);
[[nodiscard]] int run(const MetricsOptions& options, Console& console);

}  // namespace node
