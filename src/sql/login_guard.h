// Slows down whoever guesses passwords: counts failed logins by client address.
#pragma once

#include <array>
#include <cstdint>
#include <unordered_map>

#include "core/units.h"
#include "net/address.h"

namespace sql {

// Of one core. Pure: the caller has the clock.
class LoginGuard {
public:
    // An address that has failed `failures_max` times within a minute is blocked until that minute is over.
    explicit LoginGuard(uint32_t failures_max) : failures_max_(failures_max) {}

    // From now on, also for those that have failed before.
    void set_failures_max(uint32_t failures_max) { failures_max_ = failures_max; }

    [[nodiscard]] bool is_blocked(const net::Address& client, core::Instant now) const;

    // Remembers at most kAddressesMax addresses; beyond that the oldest minutes are forgotten, and if all are
    // young, all.
    void note_failure(const net::Address& client, core::Instant now);

    static constexpr size_t kAddressesMax = 10'000;

private:
    struct Failures {
        core::Instant first{};
        uint32_t count = 0;
    };

    struct Hash {
        size_t operator()(const std::array<uint8_t, 16>& key) const;
    };

    uint32_t failures_max_;
    std::unordered_map<std::array<uint8_t, 16>, Failures, Hash> failures_;
};

}  // namespace sql
