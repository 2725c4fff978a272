// A small seeded generator (xoshiro256**, Blackman and Vigna) for spreading and simulation, never for
// secrets.
#pragma once

#include <array>
#include <bit>
#include <cstdint>

namespace core {

class Random {
public:
    explicit Random(uint64_t seed) {
        for (uint64_t& word : state_) {  // splitmix64, as the authors advise for seeding
            seed += 0x9E3779B97F4A7C15;
            uint64_t mixed = seed;
            mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9;
            mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB;
            word = mixed ^ (mixed >> 31);
        }
    }

    uint64_t next() {
        uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
        uint64_t shifted = state_[1] << 17;
        state_[2] ^= state_[0];
        state_[3] ^= state_[1];
        state_[1] ^= state_[2];
        state_[0] ^= state_[3];
        state_[2] ^= shifted;
        state_[3] = std::rotl(state_[3], 45);
        return result;
    }

    // Uniform enough in [0, bound) for bounds far below 2^64; bound > 0.
    uint64_t below(uint64_t bound) {
        return static_cast<uint64_t>((static_cast<unsigned __int128>(next()) * bound) >> 64);
    }

private:
    std::array<uint64_t, 4> state_{};
};

}  // namespace core
