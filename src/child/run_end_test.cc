// How an end is told.
#include "child/run_end.h"

#include <csignal>

#include <doctest/doctest.h>

namespace child {
namespace {

TEST_CASE("a wait status is told in words") {
    CHECK(describe_wait_status(3 << 8) == "exited with status 3");
    CHECK(describe_wait_status(SIGKILL) == "killed by signal 9 (SIGKILL)");
    CHECK(describe_wait_status(SIGSEGV | 0x80) == "killed by signal 11 (SIGSEGV)");
}

}  // namespace
}  // namespace child
