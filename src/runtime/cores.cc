#include "runtime/cores.h"

#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <csignal>
#include <string>

#include "runtime/frame_pool.h"

namespace runtime {

namespace {

// Signals are the control thread's; a core that is interrupted by one does needless work.
void block_signals() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, nullptr);
}

}  // namespace

Cores::Cores(const std::string& name, size_t count, const std::function<void(size_t)>& run) {
    for (size_t index = 0; index < count; ++index) {
        threads_.emplace_back([name, run, index] {
            block_signals();
            pthread_setname_np(pthread_self(), (name + "-" + std::to_string(index)).c_str());
            run(index);
            release_free_frames();
        });
    }
}

Cores::~Cores() {
    for (std::thread& thread : threads_) {
        thread.join();
    }
}

unsigned Cores::available() {
    cpu_set_t set;
    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof set, &set) == 0) {
        return static_cast<unsigned>(std::max(1, CPU_COUNT(&set)));
    }
    return std::max(1U, std::thread::hardware_concurrency());
}

}  // namespace runtime
