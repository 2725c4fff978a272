// Opening the parts of a node: what each is made of.
#include <algorithm>

#include "core/panic.h"
#include "node/config/database.h"
#include "node/config/front_plan.h"
#include "node/serve/node.h"
#include "runtime/cores.h"

namespace node {

namespace {

net::Address loopback() {
    auto address = net::Address::parse_host("127.0.0.1");
    ASSERT(address.has_value());
    return *address;
}

}  // namespace

core::Result<void> Node::open_fronts() {
    FrontWorld world{
        .control = world_.control,
        .cores = world_.cores,
        .log = world_.log,
        .access_log = world_.access_log,
        .connections_max = world_.connections_max,
        .recall = [this](std::string_view pool, std::string_view backend) { return recall(pool, backend); },
    };
    for (FrontPlan& plan : plan_fronts(config_, self(config_))) {
        TRY(auto front, Front::open(std::move(plan), world));
        fronts_.push_back(std::move(front));
        front_cores_.push_back(world_.cores.size());
    }
    return {};
}

// Before whatever uses the databases.
core::Result<void> Node::open_database() {
    if (!config_.cluster) {
        return {};
    }
    DatabaseWorld world{
        .reactor = world_.control,
        .log = world_.log,
        .shared = world_.database_directory,
    };
    TRY(database_, DatabaseKeeper::open(config_, self(config_), world));
    return {};
}

app::Config Node::program_config() const {
    app::Config program = config_.app->program;
    auto add = [&](const char* name, std::string value) {
        if (!std::ranges::contains(program.env, name, [](const auto& entry) { return entry.first; })) {
            program.env.emplace_back(name, std::move(value));
        }
    };
    add("TRILITH_SERVER", server_name_);
    if (database_ != nullptr) {
        add("DATABASE_URL", database_->program_url());
    }
    return program;
}

// Its instances are backends of the fronts that visitors or other tiers reach the program by.
core::Result<void> Node::open_program() {
    if (!runs_app(self(config_))) {
        return {};
    }
    app::SupervisorOptions options{
        .server = server_name_,
        .runtime_directory = world_.programs_directory,
        .base_directory = config_.base_directory,
        // A program that opens its port itself listens on every address or on this one.
        .host = config_.app->program.listen == app::Listen::port ? loopback() : self(config_).address,
        .cores = runtime::Cores::available(),
        .user = world_.users.program,
        .becomes = world_.users.server,
        .drain_within = fronts_.back()->plan().balancer.timeouts.drain,
    };
    std::vector<Front*> fronts;
    for (auto& front : fronts_) {
        if (front->tier() != kBalancerTier) {
            fronts.push_back(front.get());
        }
    }
    program_ = std::make_unique<SiteProgram>(
        world_.control,
        world_.log,
        program_config(),
        std::move(options),
        std::move(fronts)
    );
    return {};
}

sql::Config Node::router_config(const Config& site) const {
    sql::Config config = *site.database;
    config.listen = router_listen(site, self(site));
    if (database_ != nullptr) {
        config.account.password_file = database_->router_password_file();
        config.proxies_from = self(site).address;
    }
    return config;
}

core::Result<void> Node::open_router() {
    if (!runs_router(config_, self(config_))) {
        return {};
    }
    SqlRouterWorld world{
        .control = world_.control,
        .cores = world_.cores,
        .log = world_.log,
        .is_appointed = database_ != nullptr,
        .recall =
            [this](std::string_view name) {
        balancer::BackendOverride kept = recall(kDatabasePool, name);
        return sql::NodeOverride{.weight = kept.weight, .admin = kept.admin};
    },
    };
    TRY(router_, SqlRouter::open(router_config(config_), world));
    router_cores_ = world_.cores.size();
    return {};
}

}  // namespace node
