// Ctrl-C and SIGTERM as something that a verb looks for between its steps, so that it can take back what it
// did.
#pragma once

#include <csignal>

#include "core/units.h"

namespace node {

class Interruption {
public:
    // From now on neither ends the process, in this thread and those begun later. One a process.
    Interruption();
    // As it was before.
    ~Interruption() { restore(); }
    Interruption(const Interruption&) = delete;
    Interruption& operator=(const Interruption&) = delete;

    // Waits so long, or until one comes: true, and from then on another one ends the process at once.
    [[nodiscard]] bool pause(core::Duration duration);

    [[nodiscard]] bool has_come() const { return has_come_; }

private:
    void restore();

    sigset_t watched_{};
    sigset_t before_{};
    bool has_come_ = false;
};

}  // namespace node
