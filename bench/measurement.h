// What the load generator measures with: CPU time of threads, ticks of cores, and a histogram of latencies.
#pragma once

#include <dirent.h>

#include <array>
#include <bit>
#include <cstdint>
#include <cstdlib>
#include <format>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

namespace bench {

// Nanoseconds of CPU time of each thread of the given processes.
inline std::map<int, uint64_t> thread_times(const std::vector<int>& pids) {
    std::map<int, uint64_t> times;
    for (const int pid : pids) {
        const std::string folder = std::format("/proc/{}/task", pid);
        DIR* tasks = opendir(folder.c_str());
        if (tasks == nullptr) {
            continue;
        }
        while (const dirent* entry = readdir(tasks)) {
            const std::string thread = entry->d_name;  // libc++'s format takes an array for all of its bytes
            if (thread.starts_with('.')) {
                continue;
            }
            std::ifstream file(folder + "/" + thread + "/schedstat");
            uint64_t on_cpu_ns = 0;
            if (file >> on_cpu_ns) {
                times[std::atoi(thread.c_str())] = on_cpu_ns;
            }
        }
        closedir(tasks);
    }
    return times;
}

// CPU time between two readings; a thread that began in between counts in full, one that ended is not seen.
inline uint64_t cpu_time_between(
    const std::map<int, uint64_t>& before,
    const std::map<int, uint64_t>& after
) {
    uint64_t sum = 0;
    for (const auto& [thread, time] : after) {
        const auto earlier = before.find(thread);
        sum += time - (earlier == before.end() ? 0 : earlier->second);
    }
    return sum;
}

// Ticks of one core since the machine started, from its line in /proc/stat.
struct CoreTicks {
    uint64_t busy = 0;    // user, nice, system, interrupts
    uint64_t idle = 0;    // idle and waiting for a disk
    uint64_t stolen = 0;  // taken by the hypervisor
};

inline std::vector<CoreTicks> core_ticks() {
    std::vector<CoreTicks> cores;
    std::ifstream file("/proc/stat");
    for (std::string line; std::getline(file, line);) {
        if (!line.starts_with("cpu") || line.size() < 4 || line[3] == ' ') {
            continue;  // the sum of all cores, or not about cores
        }
        std::istringstream fields(line);
        std::string name;
        std::array<uint64_t, 8> ticks{};
        fields >> name;
        for (uint64_t& tick : ticks) {
            fields >> tick;
        }
        const auto [user, nice, system, idle, disk, hard_interrupt, soft_interrupt, stolen] = ticks;
        cores.push_back({user + nice + system + hard_interrupt + soft_interrupt, idle + disk, stolen});
    }
    return cores;
}

// Counts of latencies in nanoseconds, each kept to within 0.8 %.
class LatencyHistogram {
public:
    void add(uint64_t value) { ++counts_[bucket_of(value)]; }

    // The latency that `share` (0 to 1) of all stayed at or under, in microseconds; 0 without any.
    [[nodiscard]] double percentile_us(double share, uint64_t total) const {
        const auto wanted = static_cast<uint64_t>(share * static_cast<double>(total));
        uint64_t seen = 0;
        for (size_t bucket = 0; bucket < counts_.size(); ++bucket) {
            seen += counts_[bucket];
            if (seen > 0 && seen >= wanted) {
                return static_cast<double>(smallest_of(bucket)) / 1000.0;
            }
        }
        return 0;
    }

private:
    static constexpr unsigned kStepBits = 7;  // steps a power of two: 128

    static size_t bucket_of(uint64_t value) {
        const auto width = static_cast<unsigned>(std::bit_width(value));
        if (width <= kStepBits) {
            return value;
        }
        const unsigned shift = width - kStepBits - 1;
        return (static_cast<size_t>(shift) << kStepBits) + (value >> shift);
    }

    static uint64_t smallest_of(size_t bucket) {
        const size_t power = bucket >> kStepBits;
        if (power <= 1) {
            return bucket;
        }
        const size_t shift = power - 1;
        return static_cast<uint64_t>(bucket - (shift << kStepBits)) << shift;
    }

    std::vector<uint32_t> counts_ = std::vector<uint32_t>(size_t{65} << kStepBits);
};

}  // namespace bench
