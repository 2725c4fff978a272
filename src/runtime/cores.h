// The threads that run reactors: the only place where threads are started.
#pragma once

#include <functional>
#include <string>
#include <thread>
#include <vector>

namespace runtime {

class Cores {
public:
    // Calls `run(index)` on `count` threads of their own; it runs a reactor and returns when that has ended.
    // Threads are called `name`-0 and so on, for ps and top.
    Cores(const std::string& name, size_t count, const std::function<void(size_t)>& run);
    // Awaits the ends of all threads: ask the tasks to end before.
    ~Cores();
    Cores(const Cores&) = delete;
    Cores& operator=(const Cores&) = delete;

    // How many processors this process may run on.
    [[nodiscard]] static unsigned available();

private:
    std::vector<std::thread> threads_;
};

}  // namespace runtime
