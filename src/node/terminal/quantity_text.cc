#include "node/terminal/quantity_text.h"

#include <algorithm>
#include <chrono>

namespace node {

using core::Duration;
using namespace std::chrono_literals;

std::string latency_text(Duration duration) {
    if (duration < 1ms) {
        return std::format("{}us", std::chrono::round<std::chrono::microseconds>(duration).count());
    }
    double milliseconds = std::chrono::duration<double, std::milli>(duration).count();
    if (milliseconds < 100) {
        return std::format("{:.1f}ms", milliseconds);
    }
    return milliseconds < 1000 ? std::format("{:.0f}ms", milliseconds)
                               : std::format("{:.1f}s", milliseconds / 1000);
}

std::string span_text(Duration duration) {
    int64_t seconds = std::chrono::floor<std::chrono::seconds>(std::max(duration, Duration::zero())).count();
    if (seconds < 60) {
        return std::format("{}s", seconds);
    }
    if (seconds < 3600) {
        return std::format("{}m {}s", seconds / 60, seconds % 60);
    }
    if (seconds < 86400) {
        return std::format("{}h {}m", seconds / 3600, seconds / 60 % 60);
    }
    return std::format("{}d {}h", seconds / 86400, seconds / 3600 % 24);
}

std::string rate_text(uint64_t now, uint64_t before, Duration between) {
    double seconds = std::chrono::duration<double>(between).count();
    double rate = now >= before && seconds > 0 ? static_cast<double>(now - before) / seconds : 0;
    return rate < 10 ? std::format("{:.1f}", rate) : std::format("{:.0f}", rate);
}

}  // namespace node
