#include "node/verbs/database_verbs.h"

#include <chrono>
#include <format>
#include <utility>

#include <nlohmann/json.hpp>

#include "node/control/database_order.h"
#include "node/status/json.h"

namespace node {

using core::ErrorKind;
using core::fail;
using core::Result;

namespace {

using OrderJson = nlohmann::ordered_json;

constexpr core::Duration kFollowPause = std::chrono::milliseconds(50);
constexpr int kOrderDone = 0;
constexpr int kOrderFailed = 1;

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

Result<OrderJson> ask_leader(const RunningSite& leader, const DatabaseOrder& order, Console& console) {
    std::vector<ServerAnswer> answers = leader.ask(
        console.os,
        {.method = http::Method::post,
         .path = std::string("/v1/") + cluster::order_name(order.order.kind),
         .body = format_database_order(order)}
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

Result<void> give_order(const SiteOptions& options, const DatabaseOrder& order, Console& console) {
    TRY(RunningSite site, RunningSite::find(options, console));
    TRY(RunningSite leader, find_leader(site, console));
    TRY(OrderJson reply, ask_leader(leader, order, console));
    bool is_json = options.format == OutputFormat::json;
    if (order.is_dry) {
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

int run_order(const SiteOptions& options, const DatabaseOrder& order, Console& console) {
    auto done = give_order(options, order, console);
    if (!done) {
        console.err("trilith: " + done.error().context() + "\n");
    }
    return done ? kOrderDone : kOrderFailed;
}

}  // namespace

Result<std::string> order_switchover(const RunningSite& leader, const std::string& to, Console& console) {
    DatabaseOrder order{.order = {.kind = cluster::OrderKind::switchover, .server = to}};
    TRY(OrderJson reply, ask_leader(leader, order, console));
    return follow_reply(leader, reply, console);
}

int run(const SwitchoverOptions& options, Console& console) {
    cluster::Order order{
        .kind = cluster::OrderKind::switchover,
        .server = options.to,
        .kills = options.is_killing,
    };
    return run_order(options.site, {.order = std::move(order), .is_dry = options.is_dry}, console);
}

int run(const FailoverOptions& options, Console& console) {
    cluster::Order order{
        .kind = cluster::OrderKind::failover,
        .server = options.to,
        .accepts_loss = options.is_loss_accepted,
    };
    return run_order(options.site, {.order = std::move(order), .is_dry = options.is_dry}, console);
}

int run(const RejoinOptions& options, Console& console) {
    cluster::Order order{
        .kind = cluster::OrderKind::rejoin,
        .server = options.server,
        .discards_extra = options.is_extra_discarded,
    };
    return run_order(options.site, {.order = std::move(order), .is_dry = options.is_dry}, console);
}

}  // namespace node
