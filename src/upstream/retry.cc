// The rules of sending a request again, in the order in which they bind.
#include "upstream/retry.h"

#include "core/panic.h"

namespace upstream {

namespace {

RetryDecision no(std::string_view why) { return {.target = RetryTarget::none, .why = why}; }

// The request may be sent again: decides to whom.
RetryDecision send_again(const RetryFacts& facts) {
    if (facts.connection == Connection::reused && facts.failure == Failure::lost) {
        return {.target = RetryTarget::fresh_connection, .why = "the pooled connection was stale"};
    }
    if (facts.attempt >= facts.attempts_max) {
        return no("every allowed attempt was made");
    }
    if (facts.sent == Sent::some) {
        return {.target = RetryTarget::other_backend, .why = "the request may be repeated and had no answer"};
    }
    return {.target = RetryTarget::other_backend, .why = "the backend has read nothing of the request"};
}

}  // namespace

RetryDecision may_retry(const RetryFacts& facts) {
    ASSERT(facts.attempt >= 1);
    ASSERT(facts.attempts_max >= 1);
    if (facts.answer == Answer::begun || facts.failure == Failure::malformed) {
        return no("an answer had begun");
    }
    if (facts.body == RequestBody::gone) {
        return no("a part of the request body is no longer held");
    }
    if (facts.sent != Sent::some) {
        return send_again(facts);
    }
    if (facts.method == MethodClass::other) {
        return no("the backend may have carried it out, and the method may not be repeated");
    }
    // The first backend may still be at work: two at once are harmless only where nothing is changed.
    if (facts.failure == Failure::timed_out && facts.method != MethodClass::safe) {
        return no("the backend may still be carrying it out");
    }
    return send_again(facts);
}

MethodClass method_class(std::string_view method) noexcept {
    if (method == "GET" || method == "HEAD" || method == "OPTIONS" || method == "TRACE") {
        return MethodClass::safe;
    }
    if (method == "PUT" || method == "DELETE") {
        return MethodClass::idempotent;
    }
    return MethodClass::other;
}

}  // namespace upstream
