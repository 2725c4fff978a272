// Pipes through which large bodies move between sockets without being copied. Kept open by one core for the
// next body.
#pragma once

#include <optional>
#include <vector>

#include "runtime/os.h"

namespace net {

struct SplicePipe {
    // Larger ones were not faster, and hold more memory for a slow client.
    static constexpr int kCapacity = 256 << 10;

    int read_end = -1;
    int write_end = -1;
    size_t held = 0;  // bytes inside
};

class SplicePipes {
public:
    explicit SplicePipes(runtime::Os& os) : os_(os) {}

    ~SplicePipes() {
        for (const SplicePipe& pipe : free_) {
            close(pipe);
        }
    }

    SplicePipes(const SplicePipes&) = delete;
    SplicePipes& operator=(const SplicePipes&) = delete;

    // nullopt where there is no splicing or no descriptor left: copy instead.
    [[nodiscard]] std::optional<SplicePipe> take() {
        if (!free_.empty()) {
            SplicePipe pipe = free_.back();
            free_.pop_back();
            return pipe;
        }
        int ends[2];
        if (os_.open_pipe(ends, SplicePipe::kCapacity) < 0) {
            return std::nullopt;
        }
        return SplicePipe{.read_end = ends[0], .write_end = ends[1]};
    }

    // A pipe that still holds bytes is closed: they belong to nobody.
    void give_back(const SplicePipe& pipe) {
        if (pipe.held > 0 || free_.size() >= kKept) {
            close(pipe);
        } else {
            free_.push_back(pipe);
        }
    }

private:
    static constexpr size_t kKept = 16;

    void close(const SplicePipe& pipe) {
        os_.close(pipe.read_end);
        os_.close(pipe.write_end);
    }

    runtime::Os& os_;
    std::vector<SplicePipe> free_;
};

}  // namespace net
