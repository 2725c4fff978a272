#include "node/serve/control_routes.h"

#include <array>

#include "node/control/database_order.h"
#include "node/control/json.h"
#include "node/control/refusal.h"
#include "node/metrics/page.h"
#include "node/status/json.h"

namespace node {

namespace {

ControlReply refuse(uint16_t status, std::string_view sentence) { return error_reply(status, sentence); }

ControlReply refuse(const core::Error& error) { return error_reply(error); }

ControlReply reply_to(const core::Result<OrderReply>& reply) {
    return reply ? ControlReply{.body = format_changes(*reply)} : refuse(reply.error());
}

ControlReply weight(Node& node, std::string_view body) {
    auto order = parse_weight_order(body);
    return order ? reply_to(node.set_weight(order->name, order->weight)) : refuse(order.error());
}

ControlReply admin(Node& node, std::string_view body, upstream::AdminState state) {
    auto order = parse_backend_order(body);
    return order ? reply_to(node.set_admin(order->name, state)) : refuse(order.error());
}

ControlReply drain(Node& node, std::string_view body) {
    return admin(node, body, upstream::AdminState::draining);
}

ControlReply disable(Node& node, std::string_view body) {
    return admin(node, body, upstream::AdminState::disabled);
}

ControlReply enable(Node& node, std::string_view body) {
    return admin(node, body, upstream::AdminState::enabled);
}

ControlReply undo(Node& node, std::string_view body) {
    auto order = parse_undo_order(body);
    if (!order) {
        return refuse(order.error());
    }
    return reply_to(order->name.empty() ? node.undo_all() : node.undo(order->name));
}

ControlReply reload(Node& node, std::string_view body) {
    if (auto order = parse_empty_order(body); !order) {
        return refuse(order.error());
    }
    ReloadReply reply = node.reload();
    return {.status = reply.http_status(), .body = format_reload(reply)};
}

ControlReply restart(Node& node, std::string_view body) {
    if (auto order = parse_empty_order(body); !order) {
        return refuse(order.error());
    }
    auto number = node.begin_restart();
    return number ? ControlReply{.body = format_restart(*number)} : refuse(number.error());
}

ControlReply stop(Node& node, std::string_view body) {
    auto stage = parse_stop_order(body);
    return stage ? ControlReply{.body = format_stopped(node.stop_through(*stage))} : refuse(stage.error());
}

ControlReply order_database(Node& node, cluster::OrderKind kind, std::string_view body) {
    auto order = parse_database_order(kind, body);
    if (!order) {
        return refuse(order.error());
    }
    if (node.database() == nullptr) {
        return refuse(404, "the site keeps no databases");
    }
    if (order->is_dry) {
        auto plan = node.database()->plan(order->order);
        return plan ? ControlReply{.body = format_order_plan(*plan)} : refuse(plan.error());
    }
    auto number = node.database()->begin(order->order);
    return number ? ControlReply{.body = format_order_number(*number)} : refuse(number.error());
}

ControlReply switchover(Node& node, std::string_view body) {
    return order_database(node, cluster::OrderKind::switchover, body);
}

ControlReply failover(Node& node, std::string_view body) {
    return order_database(node, cluster::OrderKind::failover, body);
}

ControlReply rejoin(Node& node, std::string_view body) {
    return order_database(node, cluster::OrderKind::rejoin, body);
}

ControlReply metrics(const Node& node) {
    return {.content_type = kMetricsContentType, .body = metrics_page(node.status())};
}

struct Order {
    std::string_view path;
    ControlReply (*answer)(Node&, std::string_view body);
};

constexpr std::array kOrders{
    Order{"/v1/weight", weight},
    Order{"/v1/drain", drain},
    Order{"/v1/disable", disable},
    Order{"/v1/enable", enable},
    Order{"/v1/undo", undo},
    Order{"/v1/reload", reload},
    Order{"/v1/restart", restart},
    Order{"/v1/switchover", switchover},
    Order{"/v1/failover", failover},
    Order{"/v1/rejoin", rejoin},
    Order{"/v1/stop", stop},
};

}  // namespace

ControlReply answer_control(Node& node, const ControlRequest& request) {
    bool is_reading = request.method == http::Method::get || request.method == http::Method::head;
    if (request.path == "/v1/status" || request.path == "/v1/metrics") {
        if (!is_reading) {
            return refuse(405, "this path is read with GET");
        }
        return request.path == "/v1/metrics" ? metrics(node)
                                             : ControlReply{.body = status_json(node.status()) + "\n"};
    }
    for (const Order& order : kOrders) {
        if (order.path == request.path) {
            return request.method == http::Method::post ? order.answer(node, request.body)
                                                        : refuse(405, "an order is given with POST");
        }
    }
    return refuse(404, "there is no such path; docs/control.md lists them");
}

ControlReply answer_admin(const Node& node, const ControlRequest& request) {
    if (request.method != http::Method::get && request.method != http::Method::head) {
        return refuse(405, "only GET is answered here");
    }
    if (request.path == "/metrics") {
        return metrics(node);
    }
    if (request.path == "/healthz") {
        bool is_leaving = node.is_shutting_down();
        return {
            .status = static_cast<uint16_t>(is_leaving ? 503 : 200),
            .content_type = "text/plain",
            .body = is_leaving ? "draining\n" : "ok\n",
        };
    }
    return refuse(404, "only /metrics and /healthz are answered here");
}

}  // namespace node
