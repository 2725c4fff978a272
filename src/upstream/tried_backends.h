// Which backends a request was sent to already.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace upstream {

// Ids of the backends that this request was sent to already.
class TriedBackends {
public:
    static constexpr size_t kMax = 12;

    void add(uint32_t id) {
        if (count_ < kMax) {
            ids_[count_++] = id;
        }
    }

    [[nodiscard]] bool has(uint32_t id) const {
        for (size_t at = 0; at < count_; ++at) {
            if (ids_[at] == id) {
                return true;
            }
        }
        return false;
    }

private:
    std::array<uint32_t, kMax> ids_{};
    size_t count_ = 0;
};

}  // namespace upstream
