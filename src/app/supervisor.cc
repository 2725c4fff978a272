#include "app/supervisor.h"

#include <algorithm>
#include <format>
#include <utility>

#include "app/instance.h"
#include "app/listening_socket.h"
#include "child/memory_groups.h"
#include "runtime/file.h"
#include "runtime/privileges.h"

namespace app {

using core::ErrorKind;
using core::fail;
using runtime::Outcome;

namespace {

// Each slot has its instance, and during a rolling restart one has two.
constexpr size_t kFibersMax = kInstancesMax + 2;

}  // namespace

// A rolling restart that runs, and who awaits its end.
struct RollingRestart {
    explicit RollingRestart(runtime::Reactor& reactor) : done(reactor), changed(reactor) {}

    runtime::Event done;
    runtime::Event changed;  // the state of some instance
    bool is_awaited = true;
    std::optional<core::Result<std::vector<std::string>>> result{};
};

// Awaits the end of all instances, even where the awaiting fiber is stopped: what was begun in order is ended
// in order. Each instance bounds its own end.
class AllEnded final : public runtime::Waiter {
public:
    AllEnded(runtime::Reactor& reactor, AllEnded*& place, bool has_ended)
        : Waiter(reactor), place_(place), has_ended_(has_ended) {}

    [[nodiscard]] bool await_ready() const noexcept { return has_ended_; }

    template <class P>
    void await_suspend(std::coroutine_handle<P> handle) {
        begin_always(handle, core::Instant::never());
        place_ = this;
    }

    static void await_resume() noexcept {}

    void on_stop() override {}

private:
    void detach() override { place_ = nullptr; }

    AllEnded*& place_;
    bool has_ended_;
};

Supervisor::Supervisor(
    runtime::Reactor& reactor,
    core::Log& log,
    Config config,
    SupervisorOptions options,
    Surroundings& surroundings
)
    : reactor_(reactor),
      log_(log),
      config_(std::move(config)),
      options_(std::move(options)),
      surroundings_(surroundings),
      fibers_(reactor, kFibersMax),
      rolling_fibers_(reactor, 1),
      stopping_(reactor) {
    if (config_.limits.memory > 0 || config_.limits.processes > 0) {
        find_groups();
    }
    const std::string& place = config_.directory.empty() ? options_.base_directory : config_.directory;
    directory_ = runtime::Descriptor(runtime::open_directory(place.c_str()));
    world_ = std::make_unique<InstanceWorld>(
        reactor_,
        log_,
        config_,
        options_,
        surroundings_,
        groups_.get(),
        directory_.get(),
        [this] { note_change(); }
    );
}

Supervisor::~Supervisor() = default;

void Supervisor::find_groups() {
    // Those of the system are root's to give away, whoever's files are opened just now.
    runtime::FileRights rights(runtime::root_account());
    auto groups = child::MemoryGroups::find();
    if (groups && options_.becomes) {
        if (auto given = groups->hand_over(*options_.becomes); !given) {
            groups = core::fail(std::move(given).error());
        }
    }
    if (groups) {
        groups_ = std::make_unique<child::MemoryGroups>(*std::move(groups));
        return;
    }
    log_.info(
        "app",
        "no cgroup can be made for an instance: its memory is looked at once a second",
        {{"reason", groups.error().context()}}
    );
}

void Supervisor::request_stop() {
    is_stopping_ = true;
    stopping_.set();
}

void Supervisor::hurry() {
    is_hurried_ = true;
    if (is_stopping_) {
        for (const auto& instance : instances_) {
            instance->hurry();
        }
    }
}

size_t Supervisor::instance_count() const {
    size_t wanted = config_.instances == 0 ? options_.cores : config_.instances;
    return std::clamp<size_t>(wanted, 1, kInstancesMax);
}

Instance& Supervisor::add_instance(std::unique_ptr<Instance> added) {
    Instance& instance = *instances_.emplace_back(std::move(added));
    fibers_.spawn(run_instance(instance));
    return instance;
}

runtime::Task<void> Supervisor::run_instance(Instance& instance) {
    co_await instance.serve();
    instance.is_joined = true;
    note_change();
}

void Supervisor::remove(const Instance& instance) {
    std::erase_if(instances_, [&](const auto& held) { return held.get() == &instance; });
}

std::vector<upstream::BackendConfig> Supervisor::endpoints() const {
    std::vector<upstream::BackendConfig> found;
    bool is_any_up = healthy_count() > 0;
    for (const Instance* instance : slots_) {
        if (instance->takes_requests() && !(is_any_up && instance->is_down_for_long())) {
            found.push_back({.name = instance->name(), .address = instance->address()});
        }
    }
    return found;
}

void Supervisor::note_change() {
    auto now = is_stopping_ ? std::vector<upstream::BackendConfig>{} : endpoints();
    if (now != published_) {
        published_ = now;
        surroundings_.publish(std::move(now));
    }
    if (rolling_) {
        rolling_->changed.set();
    }
    if (all_ended_ != nullptr && have_all_ended()) {
        all_ended_->finish_later(Outcome::ready);
    }
}

bool Supervisor::have_all_ended() const {
    return std::ranges::all_of(instances_, [](const auto& instance) { return instance->is_joined; });
}

runtime::Task<void> Supervisor::serve() {
    remove_stale_sockets(reactor_.os(), options_.runtime_directory, options_.server);
    for (size_t slot = 1; slot <= instance_count() && !is_stopping_; ++slot) {
        auto instance = std::make_unique<Instance>(*world_, slot, 1, Instance::Kind::lasting);
        slots_.push_back(instance.get());
        [[maybe_unused]] Instance& started = add_instance(std::move(instance));
    }
    if (!is_stopping_) {
        [[maybe_unused]] Outcome woken = co_await stopping_.wait();
    }
    is_stopping_ = true;
    rolling_fibers_.request_stop();
    co_await rolling_fibers_.join();
    for (const auto& instance : instances_) {
        instance->request_stop();
    }
    if (is_hurried_) {
        hurry();
    }
    note_change();
    co_await AllEnded(reactor_, all_ended_, have_all_ended());
    co_await fibers_.join();
}

runtime::Task<core::Result<std::vector<std::string>>> Supervisor::restart() {
    if (is_stopping_) {
        co_return fail(ErrorKind::cancelled, "the server stops");
    }
    if (rolling_) {
        co_return fail(ErrorKind::conflict, "a rolling restart runs already: wait for its end");
    }
    rolling_ = std::make_unique<RollingRestart>(reactor_);
    rolling_fibers_.spawn(roll());
    [[maybe_unused]] Outcome woken = co_await rolling_->done.wait();
    if (!rolling_->result) {
        rolling_->is_awaited = false;
        co_return fail(ErrorKind::cancelled, "nobody waits for the rolling restart any more; it goes on");
    }
    auto result = *std::move(rolling_->result);
    rolling_.reset();
    co_return result;
}

runtime::Task<void> Supervisor::roll() {
    std::vector<std::string> sentences;
    std::optional<core::Error> failed;
    log_.info("app", "a rolling restart begins", {{"instances", std::to_string(slots_.size())}});
    for (size_t slot = 0; slot < slots_.size() && !failed; ++slot) {
        auto replaced = co_await replace(slot);
        if (replaced) {
            sentences.push_back(*std::move(replaced));
        } else {
            failed = std::move(replaced).error();
        }
    }
    if (failed) {
        std::string replaced =
            std::format("{} of {} instances were replaced", sentences.size(), slots_.size());
        log_.error("app", "the rolling restart failed: " + failed->context(), {{"replaced", replaced}});
        rolling_->result = fail(failed->kind(), std::format("{}; {}", failed->context(), replaced));
    } else {
        log_.info("app", "the rolling restart is done");
        rolling_->result = std::move(sentences);
    }
    if (rolling_->is_awaited) {
        rolling_->done.set();
    } else {
        rolling_.reset();
    }
}

// Until it is up, or has failed. False: the restart is to stop, because the server does.
runtime::Task<bool> Supervisor::await_first_state(const Instance& instance) {
    while (instance.state() == InstanceState::starting) {
        if (co_await rolling_->changed.wait() != Outcome::ready) {
            co_return false;
        }
    }
    co_return true;
}

runtime::Task<bool> Supervisor::await_joined(const Instance& instance) {
    while (!instance.is_joined) {
        if (co_await rolling_->changed.wait() != Outcome::ready) {
            co_return false;
        }
    }
    co_return true;
}

runtime::Task<core::Result<std::string>> Supervisor::replace(size_t slot) {
    Instance& old = *slots_[slot];
    core::Instant began = reactor_.now();
    Instance& fresh = add_instance(
        std::make_unique<Instance>(*world_, slot + 1, old.generation() + 1, Instance::Kind::trial)
    );
    if (!co_await await_first_state(fresh)) {
        co_return fail(ErrorKind::cancelled, "the server stops");
    }
    if (fresh.state() != InstanceState::up) {
        std::string sentence =
            std::format("{}: {}; the old instance stays", fresh.name(), fresh.last_failure());
        fresh.request_stop();
        if (!co_await await_joined(fresh)) {
            co_return fail(ErrorKind::cancelled, "the server stops");
        }
        remove(fresh);
        co_return fail(ErrorKind::refused, std::move(sentence));
    }
    core::Instant healthy = reactor_.now();
    slots_[slot] = &fresh;
    note_change();
    co_await surroundings_.drained(old.address(), reactor_.now() + options_.drain_within);
    old.request_stop();
    if (!co_await await_joined(old)) {
        co_return fail(ErrorKind::cancelled, "the server stops");
    }
    remove(old);
    co_return std::format(
        "{}: replaced, pid {}, healthy after {}ms",
        fresh.name(),
        fresh.status().pid,
        std::chrono::duration_cast<std::chrono::milliseconds>(healthy - began).count()
    );
}

std::vector<InstanceStatus> Supervisor::status() const {
    std::vector<InstanceStatus> found;
    for (const Instance* instance : slots_) {
        found.push_back(instance->status());
    }
    return found;
}

size_t Supervisor::healthy_count() const {
    return static_cast<size_t>(std::ranges::count(slots_, InstanceState::up, [](const Instance* instance) {
        return instance->state();
    }));
}

}  // namespace app
