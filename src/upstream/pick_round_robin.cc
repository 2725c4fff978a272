// Weighted round robin over a heap of turns in exact virtual time.
#include "upstream/pick_round_robin.h"

#include <algorithm>
#include <span>
#include <utility>

#include "core/panic.h"

namespace upstream {

namespace {

// One turn is divided into 2^32 parts; a position in a cycle is a whole number of parts.
constexpr uint32_t kPartBits = 32;
constexpr uint64_t kPartsOfTurn = uint64_t{1} << kPartBits;

// A position is below kWeightMax * kWeightScale turns, and a comparison multiplies it by another weight.
static_assert(uint64_t{kWeightMax} * kWeightScale <= uint64_t{1} << 15);

// Fractions of the golden ratio and of the square root of 2, times 2^32. The multiples of the first spread
// most evenly over a turn, so successive joiners land far from each other; the second moves the phases of
// each core against the others.
constexpr uint32_t kGoldenStep = 0x9E3779B9;
constexpr uint32_t kCoreStep = 0x6A09E667;

// A turn that was waited for keeps this distance to both ends of the turn, so that rounding it to whole parts
// (at most one up) neither repeats nor drops a turn.
constexpr uint32_t kEdge = 4;

}  // namespace

RoundRobin::RoundRobin(uint32_t core) : phase_(core * kCoreStep) {}

bool RoundRobin::is_earlier(const Moment& a, const Moment& b) {
    if (a.cycle != b.cycle) {
        return a.cycle < b.cycle;
    }
    return a.position * b.weight < b.position * a.weight;
}

bool RoundRobin::is_before(const Turn& a, const Turn& b) {
    if (a.at.cycle != b.at.cycle) {
        return a.at.cycle < b.at.cycle;
    }
    const uint64_t left = a.at.position * b.at.weight;
    const uint64_t right = b.at.position * a.at.weight;
    return left != right ? left < right : a.index < b.index;
}

// The first moment after `now` at which a backend of this weight and phase has a turn.
RoundRobin::Moment RoundRobin::first_turn_after(const Moment& now, uint32_t weight, uint32_t phase) {
    // Rounded down: a whole number of parts above it is above the exact moment as well.
    const uint64_t now_position = now.position * weight / now.weight;
    uint64_t position = (now_position & ~(kPartsOfTurn - 1)) | phase;
    if (position <= now_position) {
        position += kPartsOfTurn;
    }
    const uint64_t cycle_length = uint64_t{weight} << kPartBits;
    if (position >= cycle_length) {
        return {.cycle = now.cycle + 1, .position = position - cycle_length, .weight = weight};
    }
    return {.cycle = now.cycle, .position = position, .weight = weight};
}

// The turn that comes `remaining` parts of a turn from now; this fixes the phase of the backend.
RoundRobin::Moment RoundRobin::next_turn_of(uint32_t weight, uint32_t remaining) const {
    const uint32_t inside = std::clamp(remaining, kEdge, UINT32_MAX - kEdge);
    const uint64_t phase = now_.position * weight / now_.weight + inside;
    return first_turn_after(now_, weight, static_cast<uint32_t>(phase));
}

// How much of its turn a backend has still to wait for, in parts; 0 if its moment has come.
uint32_t RoundRobin::remaining_part_of_turn(const Moment& turn) const {
    if (!is_earlier(now_, turn)) {
        return 0;
    }
    const uint64_t cycle_length = uint64_t{turn.weight} << kPartBits;
    const uint64_t now_position = now_.position * turn.weight / now_.weight;
    const uint64_t ahead = turn.position + (turn.cycle - now_.cycle) * cycle_length - now_position;
    return static_cast<uint32_t>(std::min<uint64_t>(ahead, UINT32_MAX));
}

uint32_t RoundRobin::next_phase() {
    phase_ += kGoldenStep;  // modulo 2^32: only the fraction counts
    return phase_;
}

void RoundRobin::reset(const BackendSet& set) {
    ASSERT(aside_count_ == 0);
    std::vector<Turn> known = std::exchange(turns_, {});
    std::ranges::sort(known, {}, &Turn::id);

    std::vector<Turn> joining;
    turns_.reserve(set.rotation().size());
    for (const uint32_t index : set.rotation()) {
        const BackendView& backend = set.backends()[index];
        ASSERT(backend.effective_weight > 0);
        Turn turn{.at = {.weight = backend.effective_weight}, .index = index, .id = backend.id};
        const auto old = std::ranges::lower_bound(known, backend.id, {}, &Turn::id);
        if (old == known.end() || old->id != backend.id) {
            joining.push_back(turn);
            continue;
        }
        turn.at = old->at.weight == backend.effective_weight
                      ? old->at
                      : next_turn_of(backend.effective_weight, remaining_part_of_turn(old->at));
        turns_.push_back(turn);
    }

    // Phases are given out weight by weight, so that backends of one weight, whose turns come equally often,
    // are spread.
    std::ranges::stable_sort(joining, {}, [](const Turn& turn) { return turn.at.weight; });
    for (Turn& turn : joining) {
        turn.at = next_turn_of(turn.at.weight, next_phase());
        turns_.push_back(turn);
    }
    rebuild();
}

std::optional<uint32_t> RoundRobin::pick() {
    return turns_.empty() ? std::nullopt : std::optional(take_first());
}

// Gives the first backend its next turn, and those set aside their places.
uint32_t RoundRobin::take_first() {
    const Moment taken = turns_.front().at;
    const uint32_t index = turns_.front().index;
    Turn& first = turns_.front();
    first.at.position += kPartsOfTurn;
    const uint64_t cycle_length = uint64_t{taken.weight} << kPartBits;
    if (first.at.position >= cycle_length) {
        first.at.position -= cycle_length;
        ++first.at.cycle;
    }
    sift_down(0);
    advance_clock(taken);
    if (aside_count_ > 0) [[unlikely]] {
        for (Turn& turn : std::span(aside_).first(aside_count_)) {
            if (turn.verdict == Verdict::full) {
                turn.at = first_turn_after(now_, turn.at.weight, static_cast<uint32_t>(turn.at.position));
            }
        }
        put_back_aside();
    }
    return index;
}

// A backend that was passed over is served late, at a moment before that of the last pick: time does not go
// back for it.
void RoundRobin::advance_clock(const Moment& turn) {
    if (is_earlier(now_, turn)) {
        now_ = turn;
    }
}

void RoundRobin::set_first_aside(Verdict verdict) {
    ASSERT(verdict != Verdict::take);
    ASSERT(aside_count_ < kLooksMax);
    aside_[aside_count_] = turns_.front();
    aside_[aside_count_].verdict = verdict;
    ++aside_count_;
    remove_first();
}

void RoundRobin::put_back_aside() {
    while (aside_count_ > 0) {
        --aside_count_;
        push(aside_[aside_count_]);
    }
}

// After every turn has got its verdict: takes the earliest that may be taken; the full ones before it lose
// their turns.
std::optional<uint32_t> RoundRobin::take_best_judged() {
    steps_total_ += turns_.size();
    const Turn* best = nullptr;
    for (const Turn& turn : turns_) {
        if (turn.verdict == Verdict::take && (best == nullptr || is_before(turn, *best))) {
            best = &turn;
        }
    }
    if (best == nullptr) {
        return std::nullopt;
    }
    const Turn taken = *best;
    advance_clock(taken.at);
    for (Turn& turn : turns_) {
        const bool has_lost_its_turn = turn.verdict == Verdict::full && is_before(turn, taken);
        if (has_lost_its_turn || turn.index == taken.index) {
            const auto phase = static_cast<uint32_t>(turn.at.position);
            turn.at = first_turn_after(taken.at, turn.at.weight, phase);
        }
    }
    rebuild();
    return taken.index;
}

void RoundRobin::sift_down(size_t hole) {
    const size_t count = turns_.size();
    const Turn turn = turns_[hole];
    for (size_t child = 2 * hole + 1; child < count; child = 2 * hole + 1) {
        ++steps_total_;
        if (child + 1 < count && is_before(turns_[child + 1], turns_[child])) {
            ++child;
        }
        if (!is_before(turns_[child], turn)) {
            break;
        }
        turns_[hole] = turns_[child];
        hole = child;
    }
    turns_[hole] = turn;
}

void RoundRobin::push(const Turn& turn) {
    turns_.push_back(turn);
    size_t hole = turns_.size() - 1;
    while (hole > 0) {
        ++steps_total_;
        const size_t parent = (hole - 1) / 2;
        if (!is_before(turn, turns_[parent])) {
            break;
        }
        turns_[hole] = turns_[parent];
        hole = parent;
    }
    turns_[hole] = turn;
}

void RoundRobin::remove_first() {
    turns_.front() = turns_.back();
    turns_.pop_back();
    if (!turns_.empty()) {
        sift_down(0);
    }
}

void RoundRobin::rebuild() {
    for (size_t hole = turns_.size() / 2; hole > 0; --hole) {
        sift_down(hole - 1);
    }
}

}  // namespace upstream
