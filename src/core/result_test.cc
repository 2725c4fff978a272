// Errors: the kind that belongs to an errno value, the context that callers add, and the macros that pass
// them on.
#include "core/result.h"

#include <cerrno>
#include <memory>
#include <string>

#include <doctest/doctest.h>

namespace core {
namespace {

Result<std::unique_ptr<int>> make_number(int number) {
    if (number < 0) {
        return fail(ErrorKind::invalid, "a number below zero");
    }
    return std::make_unique<int>(number);
}

Result<int> sum(int a, int b) {
    TRY(std::unique_ptr<int> first, make_number(a));
    TRY(std::unique_ptr<int> second, make_number(b));
    return *first + *second;
}

Result<void> check_sum(int a, int b, int& reached) {
    TRY_VOID(sum(a, b));
    ++reached;
    return {};
}

TEST_CASE("an errno value becomes the kind that callers decide by") {
    struct Case {
        int code;
        ErrorKind kind;
    };
    constexpr Case kCases[] = {
        {ECONNREFUSED, ErrorKind::refused},
        {EHOSTUNREACH, ErrorKind::refused},
        {ECONNRESET, ErrorKind::reset},
        {EPIPE, ErrorKind::reset},
        {ETIMEDOUT, ErrorKind::timed_out},
        {EADDRINUSE, ErrorKind::conflict},
        {EACCES, ErrorKind::permission},
        {ENOENT, ErrorKind::not_found},
        {EMFILE, ErrorKind::exhausted},
        {ENFILE, ErrorKind::exhausted},
        {EIO, ErrorKind::io},
    };
    for (const Case& row : kCases) {
        Error error = Error::of_errno(row.code, "doing it");
        CHECK(error_kind_name(error.kind()) == std::string(error_kind_name(row.kind)));
        CHECK(error.context().starts_with("doing it: "));
        CHECK(error.context().size() > std::string("doing it: ").size());
    }
}

TEST_CASE("a caller puts its operation before what the callee said") {
    Error error = Error(ErrorKind::closed, "the end came").within("reading the head").within("127.0.0.1:80");
    CHECK(error.kind() == ErrorKind::closed);
    CHECK(error.context() == "127.0.0.1:80: reading the head: the end came");
}

TEST_CASE("TRY gives the value or returns the error at once") {
    Result<int> good = sum(2, 3);
    REQUIRE(good);
    CHECK(*good == 5);
    for (auto [a, b] : {std::pair(-1, 3), std::pair(2, -1)}) {
        Result<int> bad = sum(a, b);
        REQUIRE_FALSE(bad);
        CHECK(bad.error().kind() == ErrorKind::invalid);
        CHECK(bad.error().context() == "a number below zero");
    }
    int reached = 0;
    CHECK(check_sum(1, 1, reached));
    CHECK_FALSE(check_sum(1, -1, reached));
    CHECK(reached == 1);
}

}  // namespace
}  // namespace core
