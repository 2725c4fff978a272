#include "node/status/site_facts.h"

#include <algorithm>
#include <format>

#include "node/status/table.h"
#include "node/terminal/quantity_text.h"

namespace node {

namespace {

template <class Weighted>
void add_weight(std::vector<TextCell>& facts, const Weighted& one) {
    if (one.override.weight) {
        facts.push_back({std::format("weight {}→{}", one.configured_weight, one.weight), Ink::bold});
    }
}

TextCell instances_of(const AppStatus& app) {
    auto up = std::ranges::count(app.instances, std::string_view("up"), &InstanceStatus::state);
    auto all = std::ssize(app.instances);
    std::string text = std::format("{} of {} up", up, all);
    if (app.restart.is_running) {
        return {text + ", restarts", Ink::yellow};
    }
    return {text, up == all ? Ink::green : up == 0 ? Ink::red : Ink::yellow};
}

}  // namespace

Ink ink_of_flow(Flow flow) {
    return flow == Flow::running ? Ink::green : flow == Flow::resting ? Ink::yellow : Ink::red;
}

Flow flow_of(const BackendStatus& backend) {
    if (backend.is_in_rotation) {
        return Flow::running;
    }
    return backend.state == "down" ? Flow::broken : Flow::resting;
}

Flow flow_of(const RouterNodeStatus& node) {
    if (node.state == "primary" || node.is_in_rotation) {
        return Flow::running;
    }
    return node.is_fit || node.override.admin || node.state == "checking" ? Flow::resting : Flow::broken;
}

// How a backend that gets nothing is told, or one that gets a share.
std::string flow_label_of(const PoolStatus& pool, const BackendStatus& backend) {
    if (!backend.is_in_rotation) {
        bool is_waiting = backend.state == "up" || backend.state == "checking";
        return !is_waiting ? printable(backend.state) : backend.weight == 0 ? "weight 0" : "stands by";
    }
    double total = 0;
    for (const BackendStatus& one : pool.backends) {
        total += one.is_in_rotation ? one.effective_weight : 0;
    }
    return total > 0 ? std::format("{:.0f}%", 100 * backend.effective_weight / total) : "";
}

std::vector<TextCell> node_facts(const RouterNodeStatus& node) {
    std::vector<TextCell> facts;
    bool is_primary = node.state == "primary";
    bool is_good = is_primary || node.is_fit;
    facts.push_back({printable(node.state), is_primary ? Ink::bold : is_good ? Ink::green : Ink::red});
    if (node.override.admin) {
        facts.push_back({*node.override.admin == "drain" ? "drained" : "disabled", Ink::yellow});
    }
    if (node.lag) {
        facts.push_back({"lag " + latency_text(*node.lag), node.is_fit ? Ink::plain : Ink::red});
    }
    add_weight(facts, node);
    return facts;
}

SiteFacts::Pair SiteFacts::pair_of(std::string_view server) const {
    Pair pair{.now = site_.find(server)};
    for (const ServerStatus& one : earlier_) {
        bool is_same = pair.now != nullptr && one.server == server && one.pid == pair.now->pid;
        pair.before = is_same ? &one : pair.before;
    }
    return pair;
}

void SiteFacts::add_traffic(std::vector<TextCell>& facts, const Pair& pair, std::string_view tier) {
    auto is_asked = [&](const FrontStatus& front) { return front.tier == tier; };
    auto now = std::ranges::find_if(pair.now->fronts, is_asked);
    if (now == pair.now->fronts.end()) {
        return;
    }
    if (pair.before == nullptr) {
        facts.push_back({std::format("{} req", now->requests_total)});
        return;
    }
    auto before = std::ranges::find_if(pair.before->fronts, is_asked);
    const FrontStatus& was = before == pair.before->fronts.end() ? *now : *before;
    core::Duration between = pair.now->uptime - pair.before->uptime;
    facts.push_back({rate_text(now->requests_total, was.requests_total, between) + "/s"});
    std::string p99 = quantile_text(difference(now->request_time, was.request_time), 0.99);
    if (p99 != "-") {
        facts.push_back({"p99 " + p99});
    }
}

void SiteFacts::add_router(std::vector<TextCell>& facts, const Pair& pair) {
    const RouterStatus& now = *pair.now->router;
    if (pair.before != nullptr && pair.before->router) {
        core::Duration between = pair.now->uptime - pair.before->uptime;
        facts.push_back({rate_text(now.questions_total, pair.before->router->questions_total, between) + "/s"}
        );
    }
    facts.push_back({counted(now.clients, "client")});
}

TextCell SiteFacts::state(const PlannedServer& planned) const {
    const Pair pair = pair_of(planned.server);
    if (pair.now != nullptr) {
        return pair.now->is_draining ? TextCell{"stopping", Ink::yellow} : TextCell{"up", Ink::green};
    }
    bool is_silent = std::ranges::contains(site_.silent, planned.server, &SilentServer::server);
    return is_silent || planned.is_local ? TextCell{"no answer", Ink::red} : TextCell{"elsewhere", Ink::dim};
}

std::vector<TextCell> SiteFacts::of_role(const PlannedServer& planned, std::string_view role) const {
    const Pair pair = pair_of(planned.server);
    if (role == "database") {
        return database_facts(planned);
    }
    std::vector<TextCell> facts;
    if (pair.now == nullptr) {
        return facts;
    }
    if (role == "app" && pair.now->app) {
        facts.push_back(instances_of(*pair.now->app));
    } else if (role == "router" && pair.now->router) {
        add_router(facts, pair);
    }
    bool is_first_role = role == "web" || (role == "app" && !planned.has("web"));
    if (const Fed fed = this->fed(planned.server); is_first_role && fed.backend != nullptr) {
        add_weight(facts, *fed.backend);
    }
    if (role != "app" || !planned.has("web")) {
        add_traffic(facts, pair, role);
    }
    return facts;
}

const RouterNodeStatus* SiteFacts::node(std::string_view name) const {
    for (const ServerStatus& server : site_.servers) {
        if (server.router) {
            auto found = std::ranges::find(server.router->nodes, name, &RouterNodeStatus::name);
            if (found != server.router->nodes.end()) {
                return &*found;
            }
        }
    }
    return nullptr;
}

std::vector<TextCell> SiteFacts::database_facts(const PlannedServer& planned) const {
    const Pair pair = pair_of(planned.server);
    const RouterNodeStatus* seen = node(planned.server);
    if (pair.now != nullptr && pair.now->database && pair.now->database->agent &&
        pair.now->database->agent->state != "running") {
        return {{printable(pair.now->database->agent->state), Ink::red}};
    }
    std::string standing;
    for (const ServerStatus& server : site_.servers) {
        for (const DatabaseServerStatus& one : server.database.value_or(DatabaseStatus{}).servers) {
            standing = one.server == planned.server ? one.standing : standing;
        }
    }
    if (standing == "diverged") {
        return {{"went apart", Ink::red}};
    }
    return seen == nullptr ? std::vector<TextCell>{} : node_facts(*seen);
}

Fed SiteFacts::fed(std::string_view name) const {
    Fed found;
    for (const ServerStatus& server : site_.servers) {
        for (const PoolStatus& pool : server.pools) {
            auto backend = std::ranges::find(pool.backends, name, &BackendStatus::name);
            if (backend == pool.backends.end() ||
                (found.backend != nullptr && found.backend->is_in_rotation)) {
                continue;
            }
            found = {.pool = &pool, .backend = &*backend};
        }
    }
    return found;
}

std::vector<TextCell> SiteFacts::of_backend(
    const PoolStatus& pool,
    const BackendStatus& backend,
    std::string_view server
) const {
    std::vector<TextCell> facts{{flow_label_of(pool, backend), ink_of_flow(flow_of(backend))}};
    add_weight(facts, backend);
    const Pair pair = pair_of(server);
    if (pair.before == nullptr) {
        return facts;
    }
    for (const PoolStatus& was : pair.before->pools) {
        auto before = std::ranges::find(was.backends, backend.name, &BackendStatus::name);
        if (was.name == pool.name && before != was.backends.end()) {
            core::Duration between = pair.now->uptime - pair.before->uptime;
            facts.push_back({rate_text(backend.requests_total, before->requests_total, between) + "/s"});
        }
    }
    return facts;
}

}  // namespace node
