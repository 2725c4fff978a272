#include "node/database_order.h"

#include <chrono>
#include <format>
#include <utility>

#include <nlohmann/json.hpp>

#include "node/status_json.h"

namespace node {

using core::ErrorKind;
using core::fail;
using core::Result;

namespace {

using OrderJson = nlohmann::ordered_json;

constexpr core::Duration kFollowPause = std::chrono::milliseconds(50);
constexpr int kOrderDone = 0;
constexpr int kOrderFailed = 1;
constexpr const char* kDryRun = "dry_run";
constexpr const char* kKill = "kill";
constexpr const char* kAcceptLoss = "accept_loss";
constexpr const char* kDiscardExtra = "discard_extra";

std::string one_line(const OrderJson& document) {
    return document.dump(-1, ' ', false, OrderJson::error_handler_t::replace);
}

Result<ServerStatus> status_of(const RunningSite& server, Console& console) {
    std::vector<ServerAnswer> answers =
        server.ask(console.os, {.method = http::Method::get, .path = "/v1/status", .body = {}});
    if (!answers.front().is_good()) {
        return fail(std::move(answers.front().body).error());
    }
    return parse_status_json(*answers.front().body);
}

// The server that decides about the databases.
Result<RunningSite> find_leader(const RunningSite& site, Console& console) {
    bool has_databases = false;
    for (const ServerSocket& socket : site.servers()) {
        RunningSite server = site;
        TRY_VOID(server.choose(socket.server));
        auto status = status_of(server, console);
        has_databases = has_databases || (status && status->database);
        if (status && status->database && status->database->leads) {
            return server;
        }
    }
    return fail(
        ErrorKind::not_found,
        has_databases ? "no server leads the database cluster just now"
                      : "no server of the site keeps a database"
    );
}

Result<DatabaseOrderStatus> follow_order(const RunningSite& leader, uint64_t number, Console& console) {
    for (;;) {
        TRY(ServerStatus status, status_of(leader, console));
        if (!status.database || status.database->order.number != number) {
            return fail(ErrorKind::conflict, "another server leads now: see trilith status");
        }
        if (!status.database->order.is_running) {
            return status.database->order;
        }
        pause(console.os, kFollowPause);
    }
}

struct GivenOrder {
    const SiteOptions& site;
    cluster::OrderKind kind;
    OrderJson body;
};

Result<OrderJson> ask_leader(
    const RunningSite& leader,
    cluster::OrderKind kind,
    const OrderJson& body,
    Console& console
) {
    std::vector<ServerAnswer> answers = leader.ask(
        console.os,
        {.method = http::Method::post,
         .path = std::string("/v1/") + cluster::order_name(kind),
         .body = one_line(body)}
    );
    if (!answers.front().is_good()) {
        return fail(std::move(answers.front().body).error());
    }
    return OrderJson::parse(*answers.front().body, nullptr, false);
}

// To its end; gives how it went.
Result<std::string> follow_reply(const RunningSite& leader, const OrderJson& reply, Console& console) {
    TRY(auto ended, follow_order(leader, reply.value("order", uint64_t{0}), console));
    if (!ended.error.empty()) {
        return fail(ErrorKind::refused, std::move(ended.error));
    }
    return std::move(ended.sentence);
}

Result<void> give_order(const GivenOrder& given, Console& console) {
    TRY(RunningSite site, RunningSite::find(given.site, console));
    TRY(RunningSite leader, find_leader(site, console));
    TRY(OrderJson reply, ask_leader(leader, given.kind, given.body, console));
    bool is_json = given.site.format == OutputFormat::json;
    if (given.body.contains(kDryRun)) {
        std::string text;
        for (const OrderJson& sentence : reply.value("plan", OrderJson::array())) {
            text += sentence.is_string() ? sentence.get<std::string>() + "\n" : "";
        }
        console.out(is_json ? one_line(reply) + "\n" : text);
        return {};
    }
    TRY(std::string sentence, follow_reply(leader, reply, console));
    console.out(is_json ? one_line({{"done", sentence}}) + "\n" : sentence + "\n");
    return {};
}

int run_order(const GivenOrder& given, Console& console) {
    auto done = give_order(given, console);
    if (!done) {
        console.err("trilith: " + done.error().context() + "\n");
    }
    return done ? kOrderDone : kOrderFailed;
}

void add_flag(OrderJson& body, const char* key, bool is_set) {
    if (is_set) {
        body[key] = true;
    }
}

OrderJson body_of(const char* key, const std::string& server, bool is_dry) {
    OrderJson body = OrderJson::object();
    if (!server.empty()) {
        body[key] = server;
    }
    add_flag(body, kDryRun, is_dry);
    return body;
}

// How an order's server is called in its body, and the flag that it may have.
struct OrderWords {
    const char* server;
    const char* flag;
    bool cluster::Order::* target;
};

constexpr OrderWords words_of(cluster::OrderKind kind) {
    switch (kind) {
        case cluster::OrderKind::switchover: return {"to", kKill, &cluster::Order::kills};
        case cluster::OrderKind::failover: return {"to", kAcceptLoss, &cluster::Order::accepts_loss};
        case cluster::OrderKind::rejoin: break;
    }
    return {"server", kDiscardExtra, &cluster::Order::discards_extra};
}

}  // namespace

Result<DatabaseOrder> parse_database_order(cluster::OrderKind kind, std::string_view body) {
    OrderWords words = words_of(kind);
    auto refuse = [&words] {
        return fail(
            ErrorKind::invalid,
            std::format(
                R"(expected {{"{}": "SERVER", "{}": true, "dry_run": true}})",
                words.server,
                words.flag
            )
        );
    };
    DatabaseOrder order{.order = {.kind = kind}};
    OrderJson document = body.empty() ? OrderJson::object() : OrderJson::parse(body, nullptr, false);
    if (!document.is_object()) {
        return refuse();
    }
    for (const auto& [key, value] : document.items()) {
        if (key == words.server && value.is_string()) {
            order.order.server = value.get<std::string>();
        } else if (key == words.flag && value.is_boolean()) {
            order.order.*words.target = value.get<bool>();
        } else if (key == kDryRun && value.is_boolean()) {
            order.is_dry = value.get<bool>();
        } else {
            return refuse();
        }
    }
    if (kind == cluster::OrderKind::rejoin && order.order.server.empty()) {
        return refuse();
    }
    return order;
}

std::string format_order_number(uint64_t number) { return one_line({{"order", number}}); }

std::string format_order_plan(const cluster::OrderPlan& plan) {
    return one_line({{"server", plan.server}, {"plan", plan.sentences}});
}

Result<std::string> order_switchover(const RunningSite& leader, const std::string& to, Console& console) {
    OrderJson body = body_of("to", to, false);
    TRY(OrderJson reply, ask_leader(leader, cluster::OrderKind::switchover, body, console));
    return follow_reply(leader, reply, console);
}

int run(const SwitchoverOptions& options, Console& console) {
    OrderJson body = body_of("to", options.to, options.is_dry);
    add_flag(body, kKill, options.is_killing);
    return run_order({options.site, cluster::OrderKind::switchover, std::move(body)}, console);
}

int run(const FailoverOptions& options, Console& console) {
    OrderJson body = body_of("to", options.to, options.is_dry);
    add_flag(body, kAcceptLoss, options.is_loss_accepted);
    return run_order({options.site, cluster::OrderKind::failover, std::move(body)}, console);
}

int run(const RejoinOptions& options, Console& console) {
    OrderJson body = body_of("server", options.server, options.is_dry);
    add_flag(body, kDiscardExtra, options.is_extra_discarded);
    return run_order({options.site, cluster::OrderKind::rejoin, std::move(body)}, console);
}

}  // namespace node
