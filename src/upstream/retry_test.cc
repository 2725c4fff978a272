// The retry rules: every combination of facts against a table written by hand.
#include "upstream/retry.h"

#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

namespace upstream {

namespace {

// N: none, F: fresh_connection, O: other_backend.
char letter(const RetryFacts& facts) {
    switch (may_retry(facts).target) {
        case RetryTarget::none: return 'N';
        case RetryTarget::fresh_connection: return 'F';
        case RetryTarget::other_backend: return 'O';
    }
    return '?';
}

// The answers for connect, lost, timed_out, malformed, in this order.
std::string answers(RetryFacts facts) {
    std::string letters;
    for (const Failure failure : {Failure::connect, Failure::lost, Failure::timed_out, Failure::malformed}) {
        facts.failure = failure;
        letters += letter(facts);
    }
    return letters;
}

struct Row {
    Sent sent;
    MethodClass method;
    Connection connection;
    const char* with_attempts_left;
    const char* at_the_last_attempt;
};

// With no answer byte and a body that can be sent again.
constexpr Row kTable[] = {
    {Sent::nothing, MethodClass::safe, Connection::fresh, "OOON", "NNNN"},
    {Sent::nothing, MethodClass::safe, Connection::reused, "OFON", "NFNN"},
    {Sent::nothing, MethodClass::idempotent, Connection::fresh, "OOON", "NNNN"},
    {Sent::nothing, MethodClass::idempotent, Connection::reused, "OFON", "NFNN"},
    {Sent::nothing, MethodClass::other, Connection::fresh, "OOON", "NNNN"},
    {Sent::nothing, MethodClass::other, Connection::reused, "OFON", "NFNN"},
    {Sent::unread, MethodClass::safe, Connection::fresh, "OOON", "NNNN"},
    {Sent::unread, MethodClass::safe, Connection::reused, "OFON", "NFNN"},
    {Sent::unread, MethodClass::idempotent, Connection::fresh, "OOON", "NNNN"},
    {Sent::unread, MethodClass::idempotent, Connection::reused, "OFON", "NFNN"},
    {Sent::unread, MethodClass::other, Connection::fresh, "OOON", "NNNN"},
    {Sent::unread, MethodClass::other, Connection::reused, "OFON", "NFNN"},
    {Sent::some, MethodClass::safe, Connection::fresh, "OOON", "NNNN"},
    {Sent::some, MethodClass::safe, Connection::reused, "OFON", "NFNN"},
    {Sent::some, MethodClass::idempotent, Connection::fresh, "OONN", "NNNN"},
    {Sent::some, MethodClass::idempotent, Connection::reused, "OFNN", "NFNN"},
    {Sent::some, MethodClass::other, Connection::fresh, "NNNN", "NNNN"},
    {Sent::some, MethodClass::other, Connection::reused, "NNNN", "NNNN"},
};

RetryFacts facts_of(const Row& row) {
    return {
        .attempt = 1,
        .attempts_max = 3,
        .sent = row.sent,
        .method = row.method,
        .connection = row.connection
    };
}

}  // namespace

TEST_CASE("every_combination_is_answered_as_the_table_says") {
    for (const Row& row : kTable) {
        CAPTURE(std::to_underlying(row.sent));
        CAPTURE(std::to_underlying(row.method));
        CAPTURE(std::to_underlying(row.connection));
        RetryFacts facts = facts_of(row);
        CHECK(answers(facts) == row.with_attempts_left);
        facts.attempt = 2;
        CHECK(answers(facts) == row.with_attempts_left);
        facts.attempt = 3;
        CHECK(answers(facts) == row.at_the_last_attempt);
        facts.attempts_max = 1;
        facts.attempt = 1;
        CHECK(answers(facts) == row.at_the_last_attempt);
    }
}

TEST_CASE("nothing_is_sent_again_once_an_answer_byte_came") {
    for (const Row& row : kTable) {
        RetryFacts facts = facts_of(row);
        facts.answer = Answer::begun;
        CHECK(answers(facts) == "NNNN");
    }
}

TEST_CASE("nothing_is_sent_again_when_a_part_of_the_body_is_gone") {
    for (const Row& row : kTable) {
        RetryFacts facts = facts_of(row);
        facts.body = RequestBody::gone;
        CHECK(answers(facts) == "NNNN");
    }
}

TEST_CASE("a_stale_pooled_connection_is_replaced_even_with_retries_off") {
    const RetryDecision decision = may_retry({
        .attempt = 1,
        .attempts_max = 1,
        .sent = Sent::some,
        .method = MethodClass::safe,
        .connection = Connection::reused,
        .failure = Failure::lost,
    });
    CHECK(decision.target == RetryTarget::fresh_connection);
    CHECK(decision.why == "the pooled connection was stale");
}

TEST_CASE("a_post_that_a_backend_may_have_carried_out_is_never_sent_twice") {
    for (const Failure failure : {Failure::connect, Failure::lost, Failure::timed_out, Failure::malformed}) {
        for (const Connection connection : {Connection::fresh, Connection::reused}) {
            const RetryDecision decision = may_retry({
                .attempt = 1,
                .attempts_max = 11,
                .sent = Sent::some,
                .method = MethodClass::other,
                .connection = connection,
                .failure = failure,
            });
            CHECK(decision.target == RetryTarget::none);
        }
    }
}

TEST_CASE("a_decision_says_why") {
    RetryFacts facts{
        .attempt = 1,
        .attempts_max = 2,
        .sent = Sent::some,
        .method = MethodClass::other,
        .failure = Failure::lost
    };
    CHECK(may_retry(facts).why == "the backend may have carried it out, and the method may not be repeated");
    facts.method = MethodClass::safe;
    CHECK(may_retry(facts).why == "the request may be repeated and had no answer");
    facts.attempt = 2;
    CHECK(may_retry(facts).why == "every allowed attempt was made");
}

TEST_CASE("methods_are_classed_as_rfc_9110_says") {
    const std::vector<std::pair<const char*, MethodClass>> methods{
        {"GET", MethodClass::safe},
        {"HEAD", MethodClass::safe},
        {"OPTIONS", MethodClass::safe},
        {"TRACE", MethodClass::safe},
        {"PUT", MethodClass::idempotent},
        {"DELETE", MethodClass::idempotent},
        {"POST", MethodClass::other},
        {"PATCH", MethodClass::other},
        {"CONNECT", MethodClass::other},
        {"get", MethodClass::other},
        {"GETX", MethodClass::other},
        {"", MethodClass::other},
        {"PROPFIND", MethodClass::other},
    };
    for (const auto& [method, expected] : methods) {
        CAPTURE(method);
        CHECK(method_class(method) == expected);
    }
}

}  // namespace upstream
