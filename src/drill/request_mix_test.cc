// How reads and others are mixed.
#include "drill/request_mix.h"

#include <doctest/doctest.h>

namespace drill {

TEST_CASE("of any hundred in a row so many percent are reads, and each kind is numbered without gaps") {
    for (uint32_t reads : {0U, 1U, 33U, 50U, 80U, 99U, 100U}) {
        uint64_t read_count = 0;
        uint64_t other_count = 0;
        for (uint64_t at = 0; at < 1000; ++at) {
            MixedTurn turn = turn_of(at, reads);
            CHECK(turn.number == (turn.is_read ? read_count : other_count));
            ++(turn.is_read ? read_count : other_count);
            if (at % 100 == 99) {
                CHECK(read_count == (at + 1) / 100 * reads);
            }
        }
    }
}

TEST_CASE("they are spread evenly: with 80 percent every fifth is none") {
    for (uint64_t at = 0; at < 100; ++at) {
        CHECK(turn_of(at, 80).is_read == (at % 5 != 0));
    }
}

}  // namespace drill
