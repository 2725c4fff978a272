// Where access log blocks go: called from any core, never blocks.
#pragma once

#include <cstdint>
#include <string>

namespace node {

// Where blocks go.
struct LogPlace {
    std::string file;        // empty: standard output
    bool is_printed = true;  // there
    bool is_kept = false;    // with the server's log files
};

class LogSink {
public:
    virtual ~LogSink() = default;
    // Takes whole lines. False: the writer is too far behind, they are dropped.
    [[nodiscard]] virtual bool write(std::string lines) = 0;
    // Opens another file (or the same one anew, after it was rotated).
    virtual void reopen(LogPlace place) = 0;
    // Lines that it took and could not write. From any thread.
    [[nodiscard]] virtual uint64_t lines_lost() const { return 0; }
};

}  // namespace node
