#include "drill/load.h"

namespace drill {

namespace {

constexpr uint32_t kAnswerFieldsMax = 200;

std::vector<DatabasePlace> places_of(const LoadOptions& options) {
    std::vector<DatabasePlace> places;
    if (options.config.statements > 0) {
        for (const mariadb::DatabaseUrl& url : options.databases) {
            places.emplace_back(url);
        }
    }
    return places;
}

}  // namespace

Load::Load(runtime::Reactor& reactor, LoadOptions options)
    : reactor_(reactor),
      options_(std::move(options)),
      shared_(buffers_),
      fields_(kAnswerFieldsMax),
      client_world_{reactor, shared_, fields_, options_.address, options_.host},
      places_(places_of(options_)),
      book_(options_.seed),
      table_(reactor, shared_, places_),
      clients_(client_world_, options_.config, record_, options_.first_number) {
    const Config& config = options_.config;
    auto add = [&](Work& work, uint32_t rate, size_t workers) {
        Pacer::Options pace{.rate = rate, .workers = workers, .timeout = config.timeout};
        pacers_.push_back(std::make_unique<Pacer>(reactor, work, pace));
    };
    add(clients_, config.rate, config.connections);
    if (places_.empty()) {
        return;
    }
    StatementLoad::World world{reactor, shared_, places_, config.timeout, book_, record_};
    uint32_t reads = config.statements * config.reads / 100;
    if (reads > 0) {
        add(reads_.emplace(world, Kind::read, kStatementConnections), reads, kStatementConnections);
    }
    if (reads < config.statements) {
        StatementLoad& writes = writes_.emplace(world, Kind::write, kStatementConnections);
        add(writes, config.statements - reads, kStatementConnections);
    }
}

runtime::Task<core::Result<void>> Load::prepare(core::Instant deadline) {
    if (has_statements()) {
        CO_TRY_VOID(co_await table_.make(book_.random.below(uint64_t{1} << 32), deadline));
    }
    co_return core::Result<void>();
}

runtime::Task<void> Load::run() {
    runtime::TaskGroup group(reactor_, pacers_.size());
    for (const std::unique_ptr<Pacer>& pacer : pacers_) {
        group.spawn(pacer->run());
    }
    co_await group.join();
}

void Load::finish() {
    for (const std::unique_ptr<Pacer>& pacer : pacers_) {
        pacer->finish();
    }
}

runtime::Task<core::Result<LedgerCheck>> Load::check(core::Instant deadline) {
    CO_TRY(std::vector<LedgerRow> found, co_await table_.read(deadline));
    LedgerCheck check = check_ledger(book_.written, book_.acknowledged, found);
    CO_TRY_VOID(co_await table_.drop(deadline));
    co_return check;
}

}  // namespace drill
