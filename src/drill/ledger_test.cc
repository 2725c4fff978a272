// What is found wrong with a drill's writes, and what is not.
#include "drill/ledger.h"

#include <vector>

#include <doctest/doctest.h>

namespace drill {

namespace {

const std::vector<LedgerRow> kWritten{{1, 10}, {2, 20}, {3, 30}, {4, 40}};
const std::vector<LedgerRow> kAcknowledged{{1, 10}, {2, 20}, {3, 30}};

}  // namespace

TEST_CASE("each acknowledged write once is right, whether or not others are there") {
    LedgerCheck without =
        check_ledger(kWritten, kAcknowledged, std::vector<LedgerRow>{{3, 30}, {1, 10}, {2, 20}});
    CHECK(without.wrong() == 0);
    CHECK(without.acknowledged == 3);
    CHECK(without.sum_acknowledged == 60);
    CHECK(without.sum_found == 60);
    CHECK(check_ledger(kWritten, kAcknowledged, kWritten).wrong() == 0);
    CHECK(check_ledger({}, {}, {}).wrong() == 0);
}

TEST_CASE("what is not there is lost") {
    LedgerCheck check = check_ledger(kWritten, kAcknowledged, std::vector<LedgerRow>{{1, 10}, {4, 40}});
    CHECK(check.lost == 2);
    CHECK(check.wrong() == 2);
    CHECK(check.sum_found == 10);
}

TEST_CASE("what is there twice is wrong, also where it was not acknowledged") {
    LedgerCheck check = check_ledger(
        kWritten,
        kAcknowledged,
        std::vector<LedgerRow>{{1, 10}, {2, 20}, {2, 20}, {3, 30}, {4, 40}, {4, 40}}
    );
    CHECK(check.doubled == 2);
    CHECK(check.wrong() == 2);
}

TEST_CASE("another value is wrong, and so is a row that nobody wrote") {
    CHECK(
        check_ledger(kWritten, kAcknowledged, std::vector<LedgerRow>{{1, 10}, {2, 21}, {3, 30}}).changed == 1
    );
    LedgerCheck check =
        check_ledger(kWritten, kAcknowledged, std::vector<LedgerRow>{{1, 10}, {2, 20}, {3, 30}, {9, 1}});
    CHECK(check.strange == 1);
    CHECK(check.wrong() == 1);
}

TEST_CASE("sums that differ are wrong by themselves") {
    LedgerCheck check;
    check.sum_acknowledged = 1;
    CHECK(check.wrong() == 1);
}

}  // namespace drill
