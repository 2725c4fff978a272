// The statements of a drill through the SQL routers: writes of one row each, and reads outside of
// transactions.
#pragma once

#include <span>
#include <vector>

#include "core/random.h"
#include "drill/config.h"
#include "drill/database_place.h"
#include "drill/ledger.h"
#include "drill/pacer.h"
#include "drill/record.h"

namespace drill {

// What was written. Ids are given out once.
struct WriteBook {
    explicit WriteBook(uint64_t seed) : random(seed) {}

    core::Random random;
    std::vector<LedgerRow> written;
    std::vector<LedgerRow> acknowledged;
};

// One kind of statement, over connections of its own: worker by worker to the next place.
class StatementLoad final : public Work {
public:
    struct World {
        runtime::Reactor& reactor;
        net::SharedReadBuffer& shared;
        std::span<const DatabasePlace> places;  // at least one
        core::Duration timeout;
        WriteBook& book;
        Record& record;
    };

    // `kind` is write or read. All that `world` refers to outlives it.
    StatementLoad(const World& world, Kind kind, size_t workers);

    [[nodiscard]] runtime::Task<void> work(size_t worker, Turn turn) override;
    void give_up(Turn turn) override;

private:
    [[nodiscard]] runtime::Task<mariadb::ServerResult<void>> open(size_t worker, core::Instant deadline);
    [[nodiscard]] std::string next_write();
    [[nodiscard]] std::string next_read();
    void add(const Sample& sample) { world_.record.add(sample); }

    World world_;
    Kind kind_;
    std::vector<Connection> connections_;  // a worker; null: not open
};

}  // namespace drill
