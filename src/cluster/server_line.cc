#include "cluster/server_line.h"

#include <format>
#include <utility>

#include "cluster/data_origin.h"
#include "cluster/fence.h"
#include "net/hangup_guard.h"

namespace cluster {

using mariadb::QueryAnswer;
using mariadb::ServerResult;
using runtime::Outcome;
using runtime::Task;

namespace {

constexpr core::Duration kLookInterval = std::chrono::milliseconds(150);
// One that does not answer is looked at again sooner: it may be starting, and whether it has ended decides.
constexpr core::Duration kSilentInterval = std::chrono::milliseconds(30);
constexpr core::Duration kLookTimeout = std::chrono::seconds(1);
constexpr core::Duration kLockPoll = std::chrono::milliseconds(3);

std::string text_of(const mariadb::ServerFailure& failure) {
    return failure.is_from_server() ? std::format("error {}: {}", failure.number, failure.message)
                                    : failure.message;
}

core::Duration since(core::Instant from, core::Instant now) {
    return from.is_never() || from > now ? core::Duration{} : now - from;
}

}  // namespace

ServerLine::ServerLine(
    runtime::Reactor& reactor,
    net::SharedReadBuffer& shared,
    Place place,
    const mariadb::LoginAccount& account,
    runtime::Event& changed
)
    : reactor_(reactor),
      shared_(shared),
      place_(std::move(place)),
      account_(account),
      changed_(changed),
      wake_(reactor),
      looks_(reactor, shared, place_.manager),
      orders_(reactor, shared, place_.manager),
      writes_(reactor, shared, place_.manager) {}

void ServerLine::forget() {
    sight_.reset();
    is_proven_ = false;
    has_ended_ = is_starting_ = false;
    outdated_ = look_;
    answered_ = reactor_.now();
    answering_since_ = steady_since_ = stopped_since_ = parked_since_ = core::Instant::never();
}

void ServerLine::forget_before_now() {
    outdated_ = look_;
    stopped_since_ = core::Instant::never();
}

View ServerLine::view() const {
    core::Instant now = reactor_.now();
    View view{
        .server = place_.server,
        .has_ended = has_ended_ || fence_.is_open(),
        .is_fenced = fence_.is_open(),
        .silent_for = since(answered_, now),
        .is_starting = is_starting_,
        .answering_for = since(answering_since_, now),
        .is_proven = is_proven_,
        .stopped_for = since(stopped_since_, now),
        .parked_for = since(parked_since_, now),
        .extra = {},
        .renewal = renewal_,
        .why = why_,
    };
    if (sight_ && !fence_.is_open() && sight_look_ > outdated_) {
        view.sight = sight_;
        view.has_ended = false;
    }
    return view;
}

void ServerLine::take_sight(Sight sight) {
    core::Instant now = reactor_.now();
    bool is_steady = sight.replicates() && sight.receiver == Thread::running && sight.receiver_error == 0 &&
                     sight.applier_error == 0;
    bool was_same = sight_ && sight_->source == sight.source;
    if (!is_steady || !was_same || steady_since_.is_never()) {
        steady_since_ = is_steady ? now : core::Instant::never();
    }
    // What was proven stays so while it applies from that source, whatever becomes of the source.
    bool is_kept = is_proven_ && was_same && sight.applier != Thread::stopped && sight.applier_error == 0;
    is_proven_ = is_kept || since(steady_since_, now) >= kSteadyTime;
    bool is_stopped = sight.applier == Thread::stopped;
    stopped_since_ = !is_stopped ? core::Instant::never() : stopped_since_.is_never() ? now : stopped_since_;
    // Where something is written meanwhile, what waits is acknowledged with it.
    bool is_parked = sight.parked > 0 && sight.ackers > 0;
    bool was_stuck = !parked_since_.is_never() && sight_ && sight_->written == sight.written;
    parked_since_ = !is_parked ? core::Instant::never() : was_stuck ? parked_since_ : now;
    if (answering_since_.is_never()) {
        answering_since_ = now;
        // Data are replaced only while no mariadbd runs.
        renewal_ = origin_of(place_.directory + "/data").renewal;
    }
    answered_ = now;
    has_ended_ = is_starting_ = false;
    why_.clear();
    sight_ = std::move(sight);
    sight_look_ = look_;
}

void ServerLine::take_silence(std::string why) {
    sight_.reset();
    is_proven_ = false;
    answering_since_ = steady_since_ = stopped_since_ = parked_since_ = core::Instant::never();
    has_ended_ = !fence_.is_open() && cluster::has_ended(place_);
    if (has_ended_ || fence_.is_open()) {
        // What does not run is not mute: its silence begins when it starts.
        is_starting_ = true;
        answered_ = reactor_.now();
    }
    why_ = std::move(why);
}

void ServerLine::take(const ServerResult<QueryAnswer>& answer, const NameSource& name_source) {
    if (!answer) {
        take_silence(text_of(answer.error()));
        return;
    }
    auto sight = read_sight(*answer, name_source);
    if (sight) {
        take_sight(*std::move(sight));
    } else {
        take_silence(sight.error().context());
    }
}

// The end of its connection, as of a mariadbd that dies, and a wish bring the next look forward.
Task<void> ServerLine::await_next() {
    runtime::Fiber& fiber = co_await runtime::CurrentFiber{};
    // Those that answer are looked at together.
    core::Instant due = sight_ ? reactor_.housekeeping_in(look_began_ + kLookInterval - reactor_.now())
                               : look_began_ + kSilentInterval;
    std::optional<net::HangupGuard> guard;
    if (net::Socket* socket = looks_.socket()) {
        guard.emplace(*socket, fiber);
        if (guard->has_fired()) {
            co_return;
        }
    }
    [[maybe_unused]] Outcome outcome = co_await wake_.wait(due);
}

Task<void> ServerLine::watch(const NameSource& name_source) {
    forget();
    const runtime::Fiber& fiber = co_await runtime::CurrentFiber{};
    while (!fiber.is_stopped) {
        ++look_;
        look_began_ = reactor_.now();
        auto answer = co_await looks_.ask(account_, std::string(kLookStatements), look_began_ + kLookTimeout);
        if (fiber.is_stopped) {
            break;
        }
        take(answer, name_source);
        changed_.set();
        co_await await_next();
    }
    looks_.close();
    orders_.close();
    fence_.close();
}

Task<ServerResult<QueryAnswer>> ServerLine::order(std::string statements, core::Duration within) {
    auto answer = co_await orders_.ask(account_, std::move(statements), reactor_.now() + within);
    forget_before_now();
    wake_.set();
    if (answer && answer->failure) {
        co_return std::unexpected(*answer->failure);
    }
    co_return answer;
}

Task<ServerResult<QueryAnswer>> ServerLine::ask_apart(std::string statements, core::Duration within) {
    mariadb::KeptConnection apart(reactor_, shared_, place_.manager);
    auto answer = co_await apart.ask(account_, std::move(statements), reactor_.now() + within);
    apart.close();
    co_return answer;
}

Task<ServerResult<QueryAnswer>> ServerLine::try_write(std::string statements, core::Duration within) {
    co_return co_await writes_.ask(account_, std::move(statements), reactor_.now() + within);
}

Task<ServerResult<QueryAnswer>> ServerLine::order_apart(std::string statements, core::Duration within) {
    auto answer = co_await ask_apart(std::move(statements), within);
    forget_before_now();
    wake_.set();
    co_return answer;
}

Task<bool> ServerLine::fence(core::Duration within) {
    core::Instant deadline = reactor_.now() + within;
    fence_ = lock_database(place_);
    while (!fence_.is_open() && reactor_.now() < deadline) {
        [[maybe_unused]] size_t killed = kill_database(place_);
        if (co_await reactor_.sleep_for(kLockPoll) != Outcome::ready) {
            break;
        }
        fence_ = lock_database(place_);
    }
    forget_before_now();
    if (fence_.is_open()) {
        // Proven: from here on it is no silence, though it may be started before the next look finds it
        // ended.
        is_starting_ = true;
        answered_ = reactor_.now();
    }
    co_return fence_.is_open();
}

}  // namespace cluster
