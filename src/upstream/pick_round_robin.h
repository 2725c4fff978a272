// Weighted round robin: smooth, exact over every full cycle, O(log n) a pick.
//
// Backend i takes its k-th turn at the virtual time (k + phase_i) / weight_i, and the earliest turn is next.
// Between any two times t and t + 1 lie exactly weight_i turns of backend i, whatever its phase: so any (sum
// of weights / their greatest common divisor) picks in a row give each backend its exact share. Phases are
// spread by the golden ratio, so that backends of one weight follow one another evenly, and by core, so that
// cores do not ask one backend at one moment. Times are compared as fractions in 64 bits: nothing is rounded,
// nothing drifts.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "upstream/backend_set.h"

namespace upstream {

// What a caller says of a backend whose turn it is.
enum class Verdict : uint8_t {
    take,  // it serves this request
    pass,  // not this request (already tried): it keeps its turn for the next one
    full,  // it has no room: the turn is lost, so that it gets no burst when it has room again
};

// The turns of one pool on one core. Mutable, never shared. Indexes are those of the set last given to
// reset().
class RoundRobin {
public:
    // How many backends a pick looks at in the order of their turns before it looks at all of them at once.
    static constexpr size_t kLooksMax = 16;

    // Empty until reset(). `core` is the number of the core from 0; it moves all phases.
    explicit RoundRobin(uint32_t core);

    // Takes over a new snapshot: its rotation takes part from the next pick on. A backend (known by its id)
    // with an unchanged effective weight keeps its turn; one with a changed weight keeps the part of a turn
    // that it had already waited; a new one joins within its first turn from now. Nobody gets a burst. The
    // picks after a reset are exact over each full cycle of the new weights. Keeps no reference to `set`. O(n
    // log n).
    void reset(const BackendSet& set);

    // The index of the next backend, none when the rotation is empty. At most 2 log2(n) comparisons.
    [[nodiscard]] std::optional<uint32_t> pick();

    // The first backend in turn to which `judge(index)` says Verdict::take; none, and no turn used or lost,
    // when there is none. `judge` is a pure function for the length of the call and may be asked twice about
    // a backend. At most kLooksMax backends are judged at O(log n) each; then, rarely, all n in one pass of
    // O(n).
    template <class Judge>
    [[nodiscard]] std::optional<uint32_t> pick(const Judge& judge) {
        while (!turns_.empty() && aside_count_ < kLooksMax) {
            const Verdict verdict = judge(turns_.front().index);
            if (verdict == Verdict::take) {
                return take_first();
            }
            set_first_aside(verdict);
        }
        const bool are_all_judged = turns_.empty();
        put_back_aside();
        if (are_all_judged) {
            return std::nullopt;
        }
        for (Turn& turn : turns_) {
            turn.verdict = judge(turn.index);
        }
        return take_best_judged();
    }

    // What all picks have cost so far: levels of the heap and entries walked. For metrics and for the proof
    // that the cost is flat.
    [[nodiscard]] uint64_t steps_total() const { return steps_total_; }

private:
    // A moment in virtual time: cycle + position / (weight * 2^32), with position < weight * 2^32. The low 32
    // bits of a backend's position are its phase and never change while its weight does not.
    struct Moment {
        uint64_t cycle = 0;
        uint64_t position = 0;
        uint32_t weight = 1;  // effective weight, 1 to kWeightMax * kWeightScale: cross products fit into 64
                              // bits
    };

    struct Turn {
        Moment at;
        uint32_t index = 0;
        uint32_t id = 0;
        Verdict verdict = Verdict::take;
    };

    static bool is_before(const Turn& a, const Turn& b);
    static bool is_earlier(const Moment& a, const Moment& b);
    static Moment first_turn_after(const Moment& now, uint32_t weight, uint32_t phase);
    Moment next_turn_of(uint32_t weight, uint32_t remaining) const;
    uint32_t remaining_part_of_turn(const Moment& turn) const;
    uint32_t next_phase();
    void sift_down(size_t hole);
    void push(const Turn& turn);
    void remove_first();
    void rebuild();
    void advance_clock(const Moment& turn);
    uint32_t take_first();
    void set_first_aside(Verdict verdict);
    void put_back_aside();
    std::optional<uint32_t> take_best_judged();

    std::vector<Turn> turns_;              // a binary heap, the earliest turn first
    std::array<Turn, kLooksMax> aside_{};  // heads of the heap that the pick in progress has judged and not
                                           // taken
    size_t aside_count_ = 0;
    Moment now_;  // the latest turn that was taken
    uint32_t phase_;
    uint64_t steps_total_ = 0;
};

}  // namespace upstream
