// Beats that the router writes into a table on the primary, and the age of the one that a replica shows. Ages
// are by the router's own clock: it knows when it wrote which beat.
//
//   trilith.heartbeat   id = 1, beat = 24 bits that are this router's, 40 bits that count
//
// Routers share the row; what another one wrote last has no age here.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "core/units.h"

namespace sql {

class Heartbeat {
public:
    static constexpr std::string_view kCreateText =
        "CREATE TABLE IF NOT EXISTS trilith.heartbeat (id INT UNSIGNED PRIMARY KEY, beat BIGINT UNSIGNED NOT "
        "NULL)";
    static constexpr std::string_view kReadText = "SELECT beat FROM trilith.heartbeat WHERE id = 1";

    // Of `random` as many bits are taken as tell this router from others.
    explicit Heartbeat(uint64_t random) : mark_(random << kCountBits) {}

    // The statement that writes the next beat. The account needs INSERT and UPDATE on the table.
    [[nodiscard]] std::string next_text();

    // That statement has ended well; it was sent at `sent`.
    void on_written(core::Instant sent);

    // Since this beat was sent: who shows it has all that the primary had committed then. Nothing for another
    // router's, and one that is too old or was never written.
    [[nodiscard]] std::optional<core::Duration> age(uint64_t beat, core::Instant now) const;

    // Another primary: the beats of before say nothing any more.
    void clear() { written_.clear(); }

private:
    static constexpr int kCountBits = 40;
    static constexpr size_t kBeatsMax = 1200;

    struct Beat {
        uint64_t number = 0;
        core::Instant sent{};
    };

    uint64_t mark_;
    uint64_t count_ = 0;
    std::deque<Beat> written_;  // oldest first
};

}  // namespace sql
