#include "node/switchover_order.h"

#include <chrono>
#include <optional>

#include <nlohmann/json.hpp>

#include "node/running_site.h"
#include "node/status_json.h"

namespace node {

using core::ErrorKind;
using core::fail;
using core::Result;

namespace {

using OrderJson = nlohmann::ordered_json;

constexpr core::Duration kFollowPause = std::chrono::milliseconds(50);
constexpr int kSwitchoverDone = 0;
constexpr int kSwitchoverFailed = 1;

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

Result<DatabaseStatus::Switchover> follow_switchover(
    const RunningSite& leader,
    uint64_t number,
    Console& console
) {
    for (;;) {
        TRY(ServerStatus status, status_of(leader, console));
        if (!status.database || status.database->switchover.number != number) {
            return fail(ErrorKind::conflict, "another server leads now: see trilith status");
        }
        if (!status.database->switchover.is_running) {
            return status.database->switchover;
        }
        pause(console.os, kFollowPause);
    }
}

Result<void> order_switchover(const SwitchoverOptions& options, Console& console) {
    TRY(RunningSite site, RunningSite::find(options.site, console));
    TRY(RunningSite leader, find_leader(site, console));
    OrderJson order = OrderJson::object();
    if (!options.to.empty()) {
        order["to"] = options.to;
    }
    if (options.is_dry) {
        order["dry_run"] = true;
    }
    std::vector<ServerAnswer> answers = leader.ask(
        console.os,
        {.method = http::Method::post, .path = "/v1/switchover", .body = one_line(order)}
    );
    if (!answers.front().is_good()) {
        return fail(std::move(answers.front().body).error());
    }
    OrderJson reply = OrderJson::parse(*answers.front().body, nullptr, false);
    bool is_json = options.site.format == OutputFormat::json;
    if (options.is_dry) {
        std::string text;
        for (const OrderJson& sentence : reply.value("plan", OrderJson::array())) {
            text += sentence.is_string() ? sentence.get<std::string>() + "\n" : "";
        }
        console.out(is_json ? one_line(reply) + "\n" : text);
        return {};
    }
    TRY(auto ended, follow_switchover(leader, reply.value("switchover", uint64_t{0}), console));
    if (!ended.error.empty()) {
        return fail(ErrorKind::refused, std::move(ended.error));
    }
    console.out(is_json ? one_line({{"done", ended.sentence}}) + "\n" : ended.sentence + "\n");
    return {};
}

}  // namespace

Result<SwitchoverOrder> parse_switchover_order(std::string_view body) {
    SwitchoverOrder order;
    if (body.empty()) {
        return order;
    }
    OrderJson document = OrderJson::parse(body, nullptr, false);
    auto refuse = [] {
        return fail(
            ErrorKind::invalid,
            R"(expected {"to": "SERVER", "dry_run": true}, both may be left out)"
        );
    };
    if (!document.is_object()) {
        return refuse();
    }
    for (const auto& [key, value] : document.items()) {
        if (key == "to" && value.is_string()) {
            order.to = value.get<std::string>();
        } else if (key == "dry_run" && value.is_boolean()) {
            order.is_dry = value.get<bool>();
        } else {
            return refuse();
        }
    }
    return order;
}

std::string format_switchover(uint64_t number) { return one_line({{"switchover", number}}); }

std::string format_switchover_plan(const std::string& to, const std::vector<std::string>& plan) {
    return one_line({{"to", to}, {"plan", plan}});
}

int run(const SwitchoverOptions& options, Console& console) {
    auto done = order_switchover(options, console);
    if (!done) {
        console.err("trilith: " + done.error().context() + "\n");
    }
    return done ? kSwitchoverDone : kSwitchoverFailed;
}

}  // namespace node
