#include "drill/client_load.h"

#include "core/panic.h"

namespace drill {

namespace {

constexpr size_t kTokenBytesMax = 4096;

}  // namespace

ClientLoad::ClientLoad(
    ClientWorld& world,
    Kind kind,
    const Config& config,
    Record& record,
    uint64_t first_number
)
    : world_(world), kind_(kind), config_(config), record_(record), first_number_(first_number) {
    ASSERT(kind == Kind::request ? !config.requests.empty() : kind == Kind::form && !config.forms.empty());
    for (uint32_t at = 0; at < config.connections; ++at) {
        people_.push_back(std::make_unique<Person>(world));
        people_.back()->tokens.resize(config.forms.size());
    }
}

runtime::Task<void> ClientLoad::work(size_t worker, Turn turn) {
    Person& person = *people_[worker];
    if (kind_ == Kind::request) {
        co_await get(person, turn.number % config_.requests.size(), turn.due);
    } else {
        co_await send_form(person, turn.number, turn.due);
    }
}

void ClientLoad::give_up(Turn turn) { add(kind_, {.outcome = Outcome::timed_out}, turn.due); }

runtime::Task<void> ClientLoad::get(Person& person, size_t path, core::Instant due) {
    ClientAnswer answer = co_await person.client.ask({.path = config_.requests[path]}, due + config_.timeout);
    add(Kind::request, answer, due);
}

runtime::Task<void> ClientLoad::send_form(Person& person, uint64_t number, core::Instant due) {
    size_t at = number % config_.forms.size();
    const FormConfig& form = config_.forms[at];
    if (!form.token.empty() && person.tokens[at].empty()) {
        if (!co_await load_token(person, at, due)) {
            co_return;
        }
        due = world_.reactor.now();
    }
    ClientAnswer answer = co_await person.client.ask(
        {.method = form.method,
         .path = form.path,
         .body = fill_form(form.body, first_number_ + number, person.tokens[at]),
         .content_type = form.content_type},
        due + config_.timeout
    );
    add(Kind::form, answer, due);
}

runtime::Task<bool> ClientLoad::load_token(Person& person, size_t form, core::Instant due) {
    const FormConfig& config = config_.forms[form];
    ClientAnswer answer = co_await person.client.ask(
        {.path = config.page.empty() ? config.path : config.page, .wanted = Body::kept},
        due + config_.timeout
    );
    auto token = hidden_field(answer.body, config.token);
    if (answer.outcome == Outcome::good && (!token || token->empty() || token->size() > kTokenBytesMax)) {
        answer.outcome = Outcome::malformed;
    }
    add(Kind::request, answer, due);
    if (answer.outcome != Outcome::good) {
        co_return false;
    }
    person.tokens[form] = *std::move(token);
    co_return true;
}

void ClientLoad::add(Kind kind, const ClientAnswer& answer, core::Instant due) {
    record_.add({
        .kind = kind,
        .outcome = answer.outcome,
        .code = answer.status,
        .due = due,
        .ended = world_.reactor.now(),
    });
}

}  // namespace drill
