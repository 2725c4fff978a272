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
      table_(reactor, shared_, places_) {
    const Config& config = options_.config;
    uint32_t asking = config.forms.empty() ? 100 : config.reads;
    auto clients = [&](std::optional<ClientLoad>& load, Kind kind, uint32_t percent) {
        if (percent > 0) {
            load.emplace(client_world_, kind, config, record_, options_.first_number);
            add(*load, config.rate, percent, config.connections);
        }
    };
    clients(asking_, Kind::request, asking);
    clients(sending_, Kind::form, 100 - asking);
    StatementLoad::World world{reactor, shared_, places_, config.timeout, book_, record_};
    auto statements = [&](std::optional<StatementLoad>& load, Kind kind, uint32_t percent) {
        if (has_statements() && percent > 0) {
            load.emplace(world, kind, kStatementConnections);
            add(*load, config.statements, percent, kStatementConnections);
        }
    };
    statements(reads_, Kind::read, config.reads);
    statements(writes_, Kind::write, 100 - config.reads);
}

void Load::add(Work& work, uint32_t rate, uint32_t percent, size_t workers) {
    constexpr core::Duration kHundredSeconds = std::chrono::seconds(100);
    Pacer::Options pace{
        .step = kHundredSeconds / (uint64_t{rate} * percent),
        .workers = workers,
        .timeout = options_.config.timeout,
    };
    pacers_.push_back(std::make_unique<Pacer>(reactor_, work, pace));
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
