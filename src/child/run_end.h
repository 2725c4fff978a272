// How a run of a supervised program was over.
#pragma once

#include <cstdint>
#include <string>

namespace child {

// Why a run of the program was over.
enum class EndCause : uint8_t {
    exited,       // by itself, or by somebody's signal
    not_started,  // it could not be run at all
    gate,         // it did not become healthy in time, and we ended it
    hung,         // it was healthy and passed no check for too long, and we ended it
    memory,       // it was over its memory limit
};

struct RunEnd {
    EndCause cause = EndCause::exited;
    std::string how;  // "exited with status 1"; the operation and the reason where it was not started
};

// "exited with status 1", "killed by signal 9 (SIGKILL)", from what wait(2) gives.
[[nodiscard]] std::string describe_wait_status(int status);

}  // namespace child
