#include "node/control/database_order.h"

#include <format>

#include <nlohmann/json.hpp>

namespace node {

using core::ErrorKind;
using core::fail;
using core::Result;

namespace {

using OrderBody = nlohmann::ordered_json;

constexpr const char* kDryRun = "dry_run";
constexpr const char* kKill = "kill";
constexpr const char* kAcceptLoss = "accept_loss";
constexpr const char* kDiscardExtra = "discard_extra";

std::string text_of(const OrderBody& body) {
    return body.dump(-1, ' ', false, OrderBody::error_handler_t::replace);
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
    OrderBody document = body.empty() ? OrderBody::object() : OrderBody::parse(body, nullptr, false);
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

std::string format_order_number(uint64_t number) { return text_of({{"order", number}}); }

std::string format_order_plan(const cluster::OrderPlan& plan) {
    return text_of({{"server", plan.server}, {"plan", plan.sentences}});
}

std::string format_database_order(const DatabaseOrder& order) {
    OrderWords words = words_of(order.order.kind);
    OrderBody body = OrderBody::object();
    if (!order.order.server.empty()) {
        body[words.server] = order.order.server;
    }
    if (order.order.*words.target) {
        body[words.flag] = true;
    }
    if (order.is_dry) {
        body[kDryRun] = true;
    }
    return text_of(body);
}

}  // namespace node
