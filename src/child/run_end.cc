#include "child/run_end.h"

#include <sys/wait.h>

#include <cstring>
#include <format>

namespace child {

std::string describe_wait_status(int status) {
    if (WIFEXITED(status)) {
        return std::format("exited with status {}", WEXITSTATUS(status));
    }
    int number = WTERMSIG(status);
    const char* name = sigabbrev_np(number);
    return std::format("killed by signal {} (SIG{})", number, name == nullptr ? "?" : name);
}

}  // namespace child
