// Which connection a session takes.
#include "sql/pool_choice.h"

#include <vector>

#include <doctest/doctest.h>

namespace sql {
namespace {

using namespace std::chrono_literals;
using enum Tenure;
using enum Likeness;

std::optional<size_t> choice(const std::vector<PoolOffer>& offers, OpenPlace place) {
    return choose_connection(offers, place);
}

}  // namespace

TEST_CASE("a connection is taken where least is lost, and then where least is to be said") {
    struct Row {
        std::vector<PoolOffer> offers;
        std::optional<size_t> with_place;
        std::optional<size_t> without;
    };
    const Row rows[] = {
        {{}, std::nullopt, std::nullopt},
        {{{none, resettable, 0s}, {none, addable, 0s}, {none, same, 0s}}, 2, 2},
        {{{soft, same, 2s}, {none, resettable, 0s}}, 1, 1},
        {{{soft, same, 100ms}}, std::nullopt, 0},
        {{{soft, addable, 2s}, {soft, same, 100ms}}, 0, 0},
        {{{kept, same, 2s}, {soft, resettable, 10ms}}, std::nullopt, 1},
        {{{kept, same, 10ms}, {kept, same, 2s}}, std::nullopt, 1},
        {{{hard, same, 4s}}, std::nullopt, std::nullopt},
        {{{hard, same, 6s}}, std::nullopt, 0},
        {{{hard, same, 6s}, {kept, resettable, 0s}}, std::nullopt, 1},
        {{{none, unusable, 9s}, {hard, unusable, 9s}}, std::nullopt, std::nullopt},
        // Of equals the first.
        {{{none, same, 1s}, {none, same, 2s}}, 0, 0},
    };
    for (const Row& row : rows) {
        CAPTURE(row.offers.size());
        CHECK(choice(row.offers, OpenPlace::free) == row.with_place);
        CHECK(choice(row.offers, OpenPlace::none) == row.without);
    }
}

}  // namespace sql
