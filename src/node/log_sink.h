// Where access log blocks go: called from any core, never blocks.
#pragma once

#include <string>

namespace node {

class LogSink {
public:
    virtual ~LogSink() = default;
    // Takes whole lines. False: the writer is too far behind, they are dropped.
    [[nodiscard]] virtual bool write(std::string lines) = 0;
    // Opens another file (or the same one anew, after it was rotated); empty: standard output.
    virtual void reopen(std::string path) = 0;
};

}  // namespace node
