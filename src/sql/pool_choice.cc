#include "sql/pool_choice.h"

namespace sql {

namespace {

constexpr uint32_t kNever = UINT32_MAX;
constexpr uint32_t kOpening = 100;

// The lower the sooner.
uint32_t rank_of(const PoolOffer& offer) {
    if (offer.likeness == Likeness::unusable) {
        return kNever;
    }
    auto distance = static_cast<uint32_t>(offer.likeness);
    bool is_long = offer.idle >= kLongIdle;
    switch (offer.tenure) {
        case Tenure::none: return distance;
        case Tenure::soft: return distance + (is_long ? 10 : kOpening + 10);
        case Tenure::kept: return distance + (is_long ? kOpening + 20 : kOpening + 30);
        case Tenure::hard: return offer.idle >= kTenureMax ? distance + kOpening + 40 : kNever;
    }
    return kNever;
}

}  // namespace

std::optional<size_t> choose_connection(std::span<const PoolOffer> offers, OpenPlace place) {
    uint32_t best = place == OpenPlace::free ? kOpening : kNever;
    std::optional<size_t> chosen;
    for (size_t at = 0; at < offers.size(); ++at) {
        uint32_t rank = rank_of(offers[at]);
        if (rank < best) {
            best = rank;
            chosen = at;
        }
    }
    return chosen;
}

}  // namespace sql
