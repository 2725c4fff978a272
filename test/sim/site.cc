// Putting a site together and breaking it; see site.h.
#include "sim/site.h"

#include <algorithm>
#include <format>

#include "core/panic.h"

namespace sim {

namespace {

const Host kBalancer = host_of("10.0.0.1");
constexpr uint16_t kOriginPort = 9001;
// What may take long in a simulated site, at the very most: then somebody hangs.
constexpr core::Duration kPatience = std::chrono::minutes(30);

net::Address address(const std::string& text) {
    auto parsed = net::Address::parse(text);
    ASSERT(parsed.has_value());
    return *parsed;
}

std::string origin_host(size_t index) { return std::format("10.0.1.{}", index + 1); }

std::string origin_name(size_t index) { return std::format("b{}", index); }

core::Duration milliseconds(uint64_t count) { return std::chrono::milliseconds(count); }

}  // namespace

SitePlan SitePlan::drawn(uint64_t seed, Roughness roughness) {
    core::Random random(seed);
    SitePlan plan;
    plan.roughness = roughness;
    plan.wire = WireConfig::drawn(random);
    plan.cores = 1 + random.below(4);
    plan.weights.resize(2 + random.below(5));
    for (uint32_t& weight : plan.weights) {
        weight = static_cast<uint32_t>(1 + random.below(4));
    }
    plan.clients = 2 + random.below(5);
    if (roughness == Roughness::rough) {
        plan.mode = random.below(4) == 0 ? upstream::Mode::active_passive : upstream::Mode::active_active;
        plan.is_reversed = random.below(2) == 0;
        for (size_t index = 0; index < plan.weights.size(); ++index) {
            plan.are_backups.push_back(random.below(5) == 0);
        }
        plan.connections_max = random.below(4) == 0 ? 2 : 1000;
    }
    return plan;
}

Site::Site(uint64_t seed, SitePlan plan)
    : plan_(std::move(plan)),
      world_(seed, plan_.wire),
      log_([this] { return world_.os().wall_time(); }, [this](std::string_view line) { log_text_ += line; }) {
    add_origins();
    open_node();
    add_clients();
}

Site::~Site() = default;

void Site::add_origins() {
    for (size_t index = 0; index < plan_.weights.size(); ++index) {
        runtime::Reactor& reactor = world_.add_reactor(host_of(origin_host(index)));
        net::Address own = address(std::format("{}:{}", origin_host(index), kOriginPort));
        uint64_t seed = world_.random().next();
        origins_.push_back(std::make_unique<SimOrigin>(reactor, own, origin_name(index), seed, ledger_));
        OriginScript& script = origins_.back()->script();
        script.interim_percent = plan_.interim_percent;
        script.until_close_percent = plan_.until_close_percent;
        if (plan_.roughness == Roughness::rough) {
            script.may_fail = index != 0;
            script.until_close_percent = 10;
            script.close_after_percent = static_cast<uint32_t>(world_.random().below(40));
            script.close_before_percent = index == 0 ? 0 : static_cast<uint32_t>(world_.random().below(20));
        }
        world_.start(reactor, origins_.back()->serve());
        origin_reactors_.push_back(&reactor);
    }
}

node::Config Site::config(size_t origins) const {
    node::Config config;
    config.servers.push_back(
        {.name = "lb1", .address = address("10.0.0.1:8101"), .roles = {node::Role::balancer}}
    );
    balancer::Config& own = config.balancer;
    own.listen.push_back(address("10.0.0.1:8101"));
    own.threads = static_cast<uint32_t>(plan_.cores);
    own.timeouts.connect = milliseconds(500);
    own.timeouts.first_byte = std::chrono::seconds(2);
    own.timeouts.body = std::chrono::seconds(5);
    own.timeouts.drain = plan_.drain;
    own.limits.retries = plan_.retries;
    own.limits.retry_budget_percent = 100;
    own.access_log.is_enabled = true;
    upstream::PoolConfig pool{.name = "origin", .backends = {}, .health = {}};
    for (size_t index = 0; index < origins; ++index) {
        pool.backends.push_back({
            .name = origin_name(index),
            .address = origins_[index]->address(),
            .weight = plan_.weights[index],
            .is_backup = index < plan_.are_backups.size() && plan_.are_backups[index],
        });
    }
    if (plan_.is_reversed) {
        std::ranges::reverse(pool.backends);
    }
    pool.mode = plan_.mode;
    pool.connections_max = plan_.connections_max;
    pool.health.path = "/healthz";
    pool.health.interval = milliseconds(200);
    own.pools.push_back(std::move(pool));
    own.routes.push_back({.host = "", .path = "", .pool = 0});
    return config;
}

void Site::open_node() {
    node::NodeWorld node_world{
        .control = world_.add_reactor(kBalancer),
        .cores = {},
        .log = log_,
        .access_log = access_log_,
        .overrides = nullptr,
    };
    balancer_reactors_.push_back(&node_world.control);
    for (size_t index = 0; index < plan_.cores; ++index) {
        node_world.cores.push_back(&world_.add_reactor(kBalancer));
        balancer_reactors_.push_back(node_world.cores.back());
    }
    world_.os().run_as(kBalancer);
    auto opened = node::Node::open(config(origins_.size()), "lb1", "trilith.toml", node_world);
    ASSERT(opened.has_value());
    node_ = *std::move(opened);
    world_.start(*balancer_reactors_[0], node_->serve_control());
    for (size_t index = 0; index < plan_.cores; ++index) {
        world_.start(*balancer_reactors_[index + 1], node_->serve_core(index));
    }
}

void Site::add_clients() {
    for (size_t index = 0; index < plan_.clients; ++index) {
        client_reactors_.push_back(&world_.add_reactor(host_of(std::format("10.0.2.{}", index + 1))));
        ClientPlan own{
            .target = address("10.0.0.1:8101"),
            .first_id = 1 + index * 100'000,
            .requests = plan_.requests,
            .post_percent = plan_.post_percent,
            .leave_percent = static_cast<uint32_t>(world_.random().below(30)),
            .old_percent = plan_.old_percent,
            .expect_percent = 20,
        };
        if (plan_.roughness == Roughness::rough) {
            own.think_max = milliseconds(1 + world_.random().below(200));
            own.abandon_percent = static_cast<uint32_t>(world_.random().below(20));
        }
        uint64_t seed = world_.random().next();
        clients_.push_back(std::make_unique<SimClient>(*client_reactors_.back(), std::move(own), seed));
    }
}

bool Site::begin() {
    auto are_known = [this] {
        node::ServerStatus status = node_->status();
        return std::ranges::all_of(status.pools[0].backends, [](const auto& each) {
            return each.state == "up";
        });
    };
    if (!world_.run_until(are_known, kPatience)) {
        return false;
    }
    if (plan_.roughness == Roughness::rough) {
        plan_faults();
    }
    for (size_t index = 0; index < clients_.size(); ++index) {
        world_.start(*client_reactors_[index], clients_[index]->run());
    }
    return true;
}

bool Site::finish_clients() {
    auto are_done = [this] { return std::ranges::all_of(client_reactors_, &runtime::Reactor::is_done); };
    return world_.run_until(are_done, kPatience);
}

bool Site::shut_down() {
    world_.os().run_as(kBalancer);
    node_->shut_down();
    auto has_ended = [this] { return std::ranges::all_of(balancer_reactors_, &runtime::Reactor::is_done); };
    bool is_node_down = world_.run_until(has_ended, kPatience);
    bool are_clients_done = finish_clients();
    for (size_t index = 0; index < origin_reactors_.size(); ++index) {
        Host host = host_of(origin_host(index));
        world_.os().resume_host(host);
        world_.os().heal(host, kBalancer);
        origin_reactors_[index]->request_stop();
    }
    auto have_stopped = [this] { return std::ranges::all_of(origin_reactors_, &runtime::Reactor::is_done); };
    return world_.run_until(have_stopped, kPatience) && is_node_down && are_clients_done;
}

std::vector<Answer> Site::answers() const {
    std::vector<Answer> all;
    for (const auto& client : clients_) {
        all.insert(all.end(), client->answers().begin(), client->answers().end());
    }
    return all;
}

size_t Site::access_log_lines() const {
    return static_cast<size_t>(std::ranges::count(access_log_.text, '\n'));
}

std::string Site::access_log_line(uint64_t id) const {
    size_t found = access_log_.text.find(std::format("/things/{}\"", id));
    if (found == std::string::npos) {
        return "";
    }
    size_t begin = access_log_.text.rfind('\n', found) + 1;
    return access_log_.text.substr(begin, access_log_.text.find('\n', found) - begin);
}

// Origin 0 is left alone: it is the one that was healthy throughout.
void Site::plan_faults() {
    core::Random& random = world_.random();
    core::Instant now = world_.os().now();
    for (size_t index = 1; index < origins_.size(); ++index) {
        core::Instant when = now;
        for (uint64_t outages = random.below(4); outages > 0; --outages) {
            when = when + milliseconds(random.below(1500));
            core::Duration length = milliseconds(1 + random.below(3000));
            plan_outage(index, when, length);
            when = when + length;
        }
    }
    for (uint64_t orders = random.below(6); orders > 0; --orders) {
        plan_order(now + milliseconds(random.below(4000)));
    }
}

void Site::plan_outage(size_t origin, core::Instant when, core::Duration length) {
    SimOs& os = world_.os();
    Host host = host_of(origin_host(origin));
    switch (world_.random().below(4)) {
        case 0:
        case 1:
            world_.at(when, [&os, host] { os.kill_host(host); });
            world_.at(when + length, [&os, host] { os.revive_host(host); });
            break;
        case 2:
            world_.at(when, [&os, host] { os.cut(host, kBalancer); });
            world_.at(when + length, [&os, host] { os.heal(host, kBalancer); });
            break;
        default:
            world_.at(when, [&os, host] { os.pause_host(host); });
            world_.at(when + length, [&os, host] { os.resume_host(host); });
            break;
    }
}

// The operator does something to an origin that is not the healthy one, or reloads.
void Site::plan_order(core::Instant when) {
    core::Random& random = world_.random();
    std::string name = origin_name(1 + random.below(origins_.size() - 1));
    uint64_t choice = random.below(5);
    auto weight = static_cast<uint32_t>(random.below(257));
    size_t kept = 1 + random.below(origins_.size());
    world_.at(when, [this, name, choice, weight, kept] {
        if (node_->is_shutting_down()) {
            return;
        }
        // An order for a backend that a reload has removed is refused, which is right.
        core::Result<node::OrderReply> done = node_->undo(name);
        if (choice == 0) {
            done = node_->set_weight(name, weight);
        } else if (choice == 1) {
            done = node_->set_admin(name, upstream::AdminState::draining);
        } else if (choice == 2) {
            done = node_->set_admin(name, upstream::AdminState::disabled);
        } else if (choice == 3) {
            world_.os().run_as(kBalancer);
            ASSERT(node_->apply(config(kept)).is_applied());
        }
    });
}

}  // namespace sim
