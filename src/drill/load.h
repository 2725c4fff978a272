// The whole load of a drill on one reactor: clients, writes and reads, each at its rate, until it is told to
// finish.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/result.h"
#include "drill/client_load.h"
#include "drill/drill_table.h"
#include "drill/statement_load.h"

namespace drill {

struct LoadOptions {
    Config config;         // requests is not empty
    net::Address address;  // of the site
    std::string host;
    std::vector<mariadb::DatabaseUrl> databases;  // none: no statements are run
    uint64_t seed = 0;
    uint64_t first_number = 0;  // of forms
};

class Load {
public:
    // At most so many connections for writes, and as many for reads.
    static constexpr size_t kStatementConnections = 8;

    // `reactor` outlives it.
    Load(runtime::Reactor& reactor, LoadOptions options);

    [[nodiscard]] bool has_statements() const { return !places_.empty(); }

    // Makes the table of the drill, where there are statements.
    [[nodiscard]] runtime::Task<core::Result<void>> prepare(core::Instant deadline);

    // Until finish(); what was due then has its outcome.
    [[nodiscard]] runtime::Task<void> run();
    // On the reactor.
    void finish();

    // After run(): compares what was acknowledged with what the primary has, and drops the table.
    [[nodiscard]] runtime::Task<core::Result<LedgerCheck>> check(core::Instant deadline);

    // After run() all of it; before, its counters.
    [[nodiscard]] const Record& record() const { return record_; }

private:
    // `percent` of `rate` a second, at least 1 of 100.
    void add(Work& work, uint32_t rate, uint32_t percent, size_t workers);

    runtime::Reactor& reactor_;
    LoadOptions options_;
    net::BufferPool buffers_;
    net::SharedReadBuffer shared_;
    http::FieldTable fields_;
    ClientWorld client_world_;
    std::vector<DatabasePlace> places_;
    Record record_;
    WriteBook book_;
    DrillTable table_;
    std::optional<ClientLoad> asking_;
    std::optional<ClientLoad> sending_;
    std::optional<StatementLoad> writes_;
    std::optional<StatementLoad> reads_;
    std::vector<std::unique_ptr<Pacer>> pacers_;
};

}  // namespace drill
