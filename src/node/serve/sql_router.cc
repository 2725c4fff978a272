#include "node/serve/sql_router.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "core/panic.h"
#include "node/config/database.h"
#include "node/serve/port_holder.h"
#include "runtime/file.h"

namespace node {

namespace {

constexpr size_t kPasswordBytesMax = 1024;
constexpr mode_t kSocketMask = 0111;  // whoever may go there may knock: the password decides

// One line; its end is no part of the password.
core::Result<std::string> read_password(const std::string& file) {
    if (file.empty()) {
        return std::string();
    }
    std::string operation = "database.account.password_file: reading " + file;
    int opened = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (opened < 0) {
        return core::fail(core::Error::of_errno(errno, operation));
    }
    std::string text(kPasswordBytesMax + 1, '\0');
    ssize_t count = runtime::read_file_at(opened, text, 0);
    ::close(opened);
    if (count < 0) {
        return core::fail(core::Error::of_errno(static_cast<int>(-count), operation));
    }
    text.resize(static_cast<size_t>(count));
    if (text.size() > kPasswordBytesMax) {
        return core::fail(
            core::ErrorKind::too_large,
            "database.account.password_file: " + file + " is no password: it has more than a line"
        );
    }
    while (text.ends_with('\n') || text.ends_with('\r')) {
        text.pop_back();
    }
    return text;
}

// Whether reads are spread over it. What no replica can take goes to the primary in any case.
bool takes_reads(const sql::Node& node, sql::Reads reads) {
    bool is_primary = node.state == sql::NodeState::primary;
    bool is_one =
        reads == sql::Reads::primary ? is_primary : node.is_fit || (reads == sql::Reads::all && is_primary);
    return is_one && node.share() > 0;
}

RouterNodeStatus describe(const sql::Node& node, sql::Reads reads) {
    RouterNodeStatus status{
        .name = node.name,
        .address = node.address.to_string(),
        .state = std::string(sql::node_state_name(node.state)),
        .reason = node.why,
        .is_fit = node.is_fit,
        .is_in_rotation = takes_reads(node, reads),
        .weight = node.weight(),
        .configured_weight = node.configured_weight,
        .lag = node.lag,
    };
    status.override = override_status(node.override.weight, node.override.admin);
    return status;
}

sql::WatchConfig watch_config(const sql::Config& config, std::string password, const SqlRouterWorld& world) {
    sql::WatchConfig watch{
        .user = config.account.user,
        .password = std::move(password),
        .max_lag = config.max_lag,
        .is_appointed = world.is_appointed,
    };
    for (const sql::NodeConfig& node : config.nodes) {
        watch.nodes.push_back({.config = node, .override = world.recall(node.name)});
    }
    return watch;
}

}  // namespace

core::Result<std::unique_ptr<SqlRouter>> SqlRouter::open(sql::Config config, const SqlRouterWorld& world) {
    ASSERT(!world.cores.empty());
    std::unique_ptr<SqlRouter> router(new SqlRouter(std::move(config), world));
    TRY(Staged staged, router->stage(router->config()));
    for (const net::Address& address : router->config().listen) {
        TRY_VOID(
            address.family() == AF_UNIX ? router->open_unix_listener(address) : router->open_listener(address)
        );
    }
    router->slots_ = std::move(staged.slots);
    router->watch_->apply(staged.watch);
    return router;
}

SqlRouter::SqlRouter(sql::Config config, const SqlRouterWorld& world)
    : world_(world), config_(std::move(config)), shared_(config_, world.cores.size(), world.log, *this) {
    watch_ = std::make_unique<sql::ServerWatch>(
        world_.control,
        world_.log,
        [this](const std::shared_ptr<const sql::Routing>& routing) { publish(routing); }
    );
    for (size_t index = 0; index < world_.cores.size(); ++index) {
        workers_.push_back(std::make_unique<sql::Worker>(*world_.cores[index], index, config_, shared_));
    }
}

SqlRouter::~SqlRouter() {
    for (const std::string& file : socket_files_) {
        ::unlink(file.c_str());
    }
}

core::Result<SqlRouter::Staged> SqlRouter::stage(sql::Config config) const {
    TRY(std::string password, read_password(config.account.password_file));
    sql::WatchConfig watch = watch_config(config, std::move(password), world_);
    TRY(std::vector<net::Address> slots, assign_slots(watch));
    return Staged{.config = std::move(config), .watch = std::move(watch), .slots = std::move(slots)};
}

void SqlRouter::commit(Staged staged) {
    config_ = std::move(staged.config);
    slots_ = std::move(staged.slots);
    shared_.set_limits(config_);
    for (size_t index = 0; index < workers_.size(); ++index) {
        world_.cores[index]->post([worker = workers_[index].get(), config = config_] {
            worker->apply_config(config);
        });
    }
    watch_->apply(staged.watch);
}

// The slot that it has, or had; else a new one, or one of a node that was removed and has nothing left.
core::Result<std::vector<net::Address>> SqlRouter::assign_slots(sql::WatchConfig& watch) const {
    std::vector<net::Address> slots = slots_;
    auto is_listed = [&](const net::Address& address) {
        return std::ranges::any_of(watch.nodes, [&](const auto& node) {
            return node.config.address == address;
        });
    };
    for (sql::WatchedNode& node : watch.nodes) {
        auto found = std::ranges::find(slots, node.config.address);
        if (found == slots.end() && slots.size() == sql::kNodeSlotsMax) {
            found = std::ranges::find_if(slots, [&](const net::Address& address) {
                return !is_listed(address) && is_empty(static_cast<size_t>(&address - slots.data()));
            });
            if (found == slots.end()) {
                return core::fail(
                    core::ErrorKind::conflict,
                    "database.nodes: too many servers were removed that sessions have not left yet: try "
                    "again "
                    "later"
                );
            }
            *found = node.config.address;
        } else if (found == slots.end()) {
            found = slots.insert(slots.end(), node.config.address);
        }
        node.slot = static_cast<size_t>(found - slots.begin());
    }
    return slots;
}

// Nobody has a connection there, or waits for one.
bool SqlRouter::is_empty(size_t slot) const {
    const sql::NodePlaces& places = shared_.places[slot];
    return places.connections.used() == 0 && !places.is_waited_for();
}

core::Result<void> SqlRouter::open_listener(const net::Address& address) {
    // Cores share the port, and so would another process of ours: this one must find it free first.
    if (auto free = net::Listener::check_free(world_.control, address); !free) {
        bool is_taken = free.error().kind() == core::ErrorKind::conflict;
        return core::fail(
            free.error().kind(),
            "database.listen: " + free.error().context() + (is_taken ? port_cure(address) : "")
        );
    }
    net::Address wanted = address;
    for (size_t core = 0; core < world_.cores.size(); ++core) {
        // A client of this protocol waits for the server's first bytes.
        TRY(auto listener, net::Listener::open(*world_.cores[core], wanted, {.is_shared = true}));
        wanted = listener.address();
        hand_over(std::move(listener), core);
    }
    listening_.push_back(wanted);
    return {};
}

// On the first core alone: unix sockets cannot be shared. One that a dead process left is removed.
core::Result<void> SqlRouter::open_unix_listener(const net::Address& address) {
    std::string path = database_listen_text(address).substr(std::string_view("unix:").size());
    struct stat found{};
    if (::lstat(path.c_str(), &found) == 0) {
        bool is_socket = S_ISSOCK(found.st_mode);
        auto probe = net::Socket::connect(world_.control, address);
        if (!is_socket || probe || probe.error().kind() != core::ErrorKind::refused) {
            return core::fail(
                core::ErrorKind::conflict,
                "database.listen: " + path + " is there already, " +
                    (is_socket ? "and somebody listens there" : "and is no socket")
            );
        }
        ::unlink(path.c_str());
    }
    mode_t before = ::umask(kSocketMask);
    auto listener = net::Listener::open(*world_.cores.front(), address, {});
    ::umask(before);
    if (!listener) {
        return core::fail(std::move(listener).error().within("database.listen"));
    }
    socket_files_.push_back(std::move(path));
    hand_over(*std::move(listener), 0);
    listening_.push_back(address);
    return {};
}

void SqlRouter::hand_over(net::Listener listener, size_t core) {
    auto take = [worker = workers_[core].get(), opened = std::move(listener)]() mutable {
        worker->add_listener(std::move(opened));
    };
    world_.cores[core]->post(std::move(take));
}

void SqlRouter::publish(const std::shared_ptr<const sql::Routing>& routing) {
    for (size_t index = 0; index < workers_.size(); ++index) {
        world_.cores[index]->post([worker = workers_[index].get(), routing] { worker->apply(routing); });
    }
}

// A core takes messages in the order in which they were posted: behind this one it has the snapshot that was
// published before it.
void SqlRouter::appoint(const sql::Appointment& appointment, std::function<void()> then) {
    watch_->appoint(appointment);
    appointed_.push_back(
        std::make_unique<Appointed>(Appointed{.cores_left = workers_.size(), .then = std::move(then)})
    );
    Appointed* waiting = appointed_.back().get();
    for (runtime::Reactor* core : world_.cores) {
        core->post([this, waiting] {
            world_.control.post([this, waiting] {
                if (--waiting->cores_left > 0) {
                    return;
                }
                std::function<void()> confirmed = std::move(waiting->then);
                std::erase_if(appointed_, [waiting](const auto& each) { return each.get() == waiting; });
                confirmed();
            });
        });
    }
}

void SqlRouter::drain(core::Instant deadline) {
    for (size_t index = 0; index < workers_.size(); ++index) {
        world_.cores[index]->post([worker = workers_[index].get(), deadline] { worker->drain(deadline); });
    }
}

RouterStatus SqlRouter::status() const {
    RouterStatus status;
    status.clients_max = shared_.clients.limit();
    status.connections_max = config_.pool.connections;
    status.queue_max = config_.pool.queue;
    std::vector<size_t> slots;  // of status.nodes
    for (size_t place = 0; place < nodes().size(); ++place) {
        status.nodes.push_back(describe(nodes()[place], config_.reads));
        slots.push_back(watch_->slot(place));
    }
    const std::vector<sql::Node>& published = watch_->routing()->nodes;
    for (size_t slot = 0; slot < published.size(); ++slot) {
        if (published[slot].state == sql::NodeState::removed && !is_empty(slot)) {
            status.nodes.push_back(describe(published[slot], config_.reads));
            slots.push_back(slot);
        }
    }
    for (const sql::CoreCounters& core : shared_.counters) {
        status.clients += core.clients.value();
        status.clients_total += core.clients_total.value();
        status.clients_refused_total += core.clients_refused.value();
        status.clients_lost_total += core.clients_lost.value();
        status.logins_failed_total += core.logins_failed.value();
        status.questions_total += core.questions.value();
        status.reads_on_replicas_total += core.reads_on_replicas.value();
        status.reads_on_primary_total += core.reads_on_primary.value();
        status.own_writes_covered_total += core.own_writes_covered.value();
        status.own_writes_waited_total += core.own_writes_waited.value();
        status.own_writes_to_primary_total += core.own_writes_to_primary.value();
        status.repeated_total += core.repeated.value();
        status.held_total += core.held.value();
        status.held_in_vain_total += core.held_in_vain.value();
        for (size_t verb = 0; verb < status.verbs.size(); ++verb) {
            status.verbs[verb] += core.verbs[verb].value();
        }
        for (size_t pin = 0; pin < status.pinned.size(); ++pin) {
            status.pinned[pin] += core.pinned[pin].value();
            status.pinned_now[pin] += core.pinned_now[pin].value();
        }
        status.pinned_by_prepared_now += core.pinned_by_prepared_now.value();
        for (size_t at = 0; at < status.nodes.size(); ++at) {
            const sql::NodeCounters& node = core.nodes[slots[at]];
            status.nodes[at].connections += node.connections.value();
            status.nodes[at].connections_idle += node.idle.value();
            status.nodes[at].waiting += node.waiting.value();
            status.nodes[at].waited_total += node.waited.value();
            status.nodes[at].waited_in_vain_total += node.waited_in_vain.value();
            status.nodes[at].connections_total += node.connections_total.value();
            status.nodes[at].connections_failed_total += node.connections_failed.value();
            status.nodes[at].statements_total += node.statements.value();
            status.nodes[at].prepared_total += node.prepared.value();
            status.nodes[at].bytes_in_total += node.bytes_in.value();
            status.nodes[at].bytes_out_total += node.bytes_out.value();
        }
    }
    return status;
}

void SqlRouter::on_failed_login() {
    world_.control.post([this] { watch_->on_failed_login(); });
}

void SqlRouter::on_tokens_outstanding() {
    world_.control.post([this] { watch_->on_tokens_outstanding(); });
}

void SqlRouter::on_node_failure(const net::Address& address) {
    world_.control.post([this, address] { watch_->on_node_failure(address); });
}

}  // namespace node
