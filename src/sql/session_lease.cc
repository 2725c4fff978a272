// What a session keeps of its connections while others use them, and what it gives up.
#include <algorithm>
#include <array>

#include "mysql/wire.h"
#include "net/hangup_guard.h"
#include "sql/reply.h"
#include "sql/session_servers.h"
#include "sql/worker.h"

namespace sql {

namespace {

// COM_RESET_CONNECTION ends all else that pins; of these it is not certain.
constexpr std::array kPinsThatClose{
    Pin::role,
    Pin::xa,
    Pin::handler,
    Pin::table_lock,
    Pin::global_read_lock,
    Pin::backup_lock,
};

// A schema as session tracking tells it (MariaDB KB: OK_Packet).
std::string schema_track(const std::string& database) {
    std::string inner;
    mysql::PayloadWriter(inner).length_encoded_string(database);
    std::string entry;
    mysql::PayloadWriter writer(entry);
    writer.u8(static_cast<uint8_t>(mysql::SessionTrackType::schema));
    writer.length_encoded_string(inner);
    return entry;
}

}  // namespace

SessionServers::~SessionServers() {
    for (Lease* lease : {&primary_, &replica_}) {
        if (lease->link != nullptr && lease->link->is_used) {
            worker_.pool().drop(*lease);
        }
        worker_.pool().release(*lease);
    }
    has_prepared_ = false;
    state_ = {};
    count_holds();
    if (class_ != nullptr) {
        worker_.pool().leave_class(*class_);
    }
}

SessionFacts SessionServers::facts() const {
    bool is_settled = replica_shares_ == worker_.routing()->shares;
    return {
        .is_in_transaction = state_.is_in_transaction(),
        .is_autocommit = state_.is_autocommit(),
        .pins = state_.pins(),
        .database = state_.database(),
        .replica = is_settled ? replica_node_ : std::nullopt,
    };
}

bool SessionServers::holds_primary() const {
    return has_prepared_ || state_.is_in_transaction() || !state_.pins().is_empty();
}

Established SessionServers::established(uint16_t status, const std::string& database) {
    login_status_ = status;
    state_.begin(database, mysql::text_encoding_of_collation(class_->identity.collation), {.status = status});
    forget_result();
    previous_ = {};
    primary_.forget_insert_id();
    Established made{.status = status};
    if (!database.empty()) {
        made.status |= mysql::kStatusSessionStateChanged;
        made.session_track = schema_track(database);
    }
    return made;
}

// To the server at the login: it judges account and schema, unless it has done so before.
runtime::Task<ServerResult<Established>> SessionServers::introduce(size_t node, const std::string& database) {
    ServerPool& pool = worker_.pool();
    if (const ServerLink* proof = pool.find_proof(*class_, node, database)) {
        co_return established(proof->connection->login_status(), database);
    }
    ToldState base{.database = database};
    Ready taken = co_await take(primary_, node, base);
    if (!taken) {
        co_return std::unexpected(std::move(taken).error());
    }
    Established made = established(primary_.link->connection->login_status(), database);
    Ready ready = co_await pool.prepare(primary_, {.state = state_.told()});
    if (!ready) {
        co_return std::unexpected(std::move(ready).error());
    }
    pool.give(primary_, Tenure::none);
    pool.release(primary_);
    co_return made;
}

// It may have to wait, and its client may leave meanwhile.
runtime::Task<SessionServers::Ready> SessionServers::take(Lease& lease, size_t node, const ToldState& state) {
    runtime::Fiber& fiber = co_await runtime::CurrentFiber{};
    net::HangupGuard client_watch(client_.socket, fiber);
    co_return co_await worker_.pool().take(lease, *class_, node, state);
}

runtime::Task<void> SessionServers::leave() {
    ServerPool& pool = worker_.pool();
    bool is_held = primary_.link != nullptr && primary_.link->is_used;
    if (is_held) {
        PinSet pins = state_.pins();
        bool must_close = std::ranges::any_of(kPinsThatClose, [&](Pin pin) { return pins.has(pin); });
        bool is_clean = false;
        if (!must_close) {
            Ready reset = co_await reset_link(worker_, *primary_.link);
            is_clean = reset.has_value();
        }
        if (is_clean) {
            pool.give(primary_, Tenure::none);
        } else {
            pool.drop(primary_);
        }
    }
    pool.release(primary_);
    pool.release(replica_);
    has_prepared_ = false;
}

runtime::Task<Ran> SessionServers::reset() {
    uint8_t sequence = client_.requests.next_sequence();
    ServerPool& pool = worker_.pool();
    bool is_held = primary_.link != nullptr && primary_.link->is_used;
    if (is_held) {
        // Its transaction, locks and temporary tables end now, not when somebody takes the connection.
        Ready done = co_await reset_link(worker_, *primary_.link);
        if (done) {
            pool.give(primary_, Tenure::none);
        } else {
            leave_primary();
        }
    }
    pool.release(primary_);
    pool.release(replica_);
    has_prepared_ = false;
    state_.reset({.status = login_status_});
    count_holds();
    primary_.forget_insert_id();
    forget_result();
    previous_.row_count = 0;  // FOUND_ROWS() stays
    asks_of_previous_ = false;
    client_.settle_command();
    bool is_told = co_await reply_ok(worker_, client_, sequence, {.status = state_.status()});
    co_return Ran{.session_ends = !is_told, .is_done = true, .status = state_.status()};
}

// COM_SET_OPTION: from now on its connections are others'.
void SessionServers::change_capabilities(mysql::Capabilities capabilities) {
    if (capabilities == class_->identity.capabilities) {
        return;
    }
    ServerPool& pool = worker_.pool();
    Identity identity = class_->identity;
    identity.capabilities = capabilities;
    PoolClass& entered = pool.enter_class(identity);
    pool.move(primary_, entered);
    pool.leave_class(*std::exchange(class_, &entered));
}

void SessionServers::leave_primary() {
    worker_.pool().drop(primary_);
    state_.note_primary_lost();
}

void SessionServers::count_holds() {
    PinSet pins = state_.pins();
    if (pins == counted_pins_ && has_prepared_ == has_counted_prepared_) {
        return;
    }
    CoreCounters& counters = worker_.counters();
    for (size_t at = 0; at < kPinCount; ++at) {
        auto pin = static_cast<Pin>(at);
        counters.pinned_now[at].add(int64_t{pins.has(pin)} - int64_t{counted_pins_.has(pin)});
    }
    counted_pins_ = pins;
    counters.pinned_by_prepared_now.add(int64_t{has_prepared_} - int64_t{has_counted_prepared_});
    has_counted_prepared_ = has_prepared_;
}

// Nothing: nobody knows it any more.
runtime::Task<std::optional<uint64_t>> SessionServers::known_insert_id(core::Instant deadline) {
    while (primary_.insert_id.where == InsertId::Where::asked) {
        bool goes_on = co_await await_routing(deadline);
        if (!goes_on || worker_.now() >= deadline) {
            co_return std::nullopt;
        }
    }
    if (primary_.insert_id.where != InsertId::Where::here) {
        co_return std::nullopt;
    }
    co_return primary_.insert_id.value;
}

// Where LAST_INSERT_ID() is from now on.
void SessionServers::note_insert_id(const RelayOutcome& outcome, const Order& order) {
    // Of a statement that was not prepared for it, the connection has another session's.
    if (!outcome.may_have_insert_id || !order.continuity.of_insert || order.effects.is_read) {
        return;
    }
    primary_.forget_insert_id();
    primary_.insert_id.where = InsertId::Where::link;
    primary_.link->insert_id.reset();
}

}  // namespace sql
