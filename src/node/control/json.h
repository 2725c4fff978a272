// The JSON bodies of the control socket: orders that verbs send, and the replies of the server. Read and
// written here on both sides.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "node/control/stop_stage.h"

namespace node {

// An order has a few keys; the bound also bounds how deep it can nest.
inline constexpr size_t kOrderBytesMax = 4 << 10;

// POST /v1/weight
struct WeightOrder {
    std::string name;     // a backend, POOL/BACKEND or a server; not empty
    uint32_t weight = 0;  // 0 to upstream::kWeightMax

    friend bool operator==(const WeightOrder&, const WeightOrder&) = default;
};

// POST /v1/drain, /v1/disable, /v1/enable
struct BackendOrder {
    std::string name;

    friend bool operator==(const BackendOrder&, const BackendOrder&) = default;
};

// POST /v1/undo
struct UndoOrder {
    std::string name;  // empty: all

    friend bool operator==(const UndoOrder&, const UndoOrder&) = default;
};

// Strict: an unknown key, a missing one or a value of the wrong kind is ErrorKind::invalid (answer 400), an
// order above kOrderBytesMax too_large (413); the error is the sentence for format_error().
[[nodiscard]] core::Result<WeightOrder> parse_weight_order(std::string_view body);
[[nodiscard]] core::Result<BackendOrder> parse_backend_order(std::string_view body);
[[nodiscard]] core::Result<UndoOrder> parse_undo_order(std::string_view body);
// POST /v1/reload and /v1/restart: an empty body or {}.
[[nodiscard]] core::Result<void> parse_empty_order(std::string_view body);

[[nodiscard]] std::string format_order(const WeightOrder& order);
[[nodiscard]] std::string format_order(const BackendOrder& order);
[[nodiscard]] std::string format_order(const UndoOrder& order);

// One backend that an order changed.
struct BackendChange {
    std::string backend;   // "origin/b2"
    std::string sentence;  // "weight 50 → 200 (configured 50; …)", without the backend's name

    friend bool operator==(const BackendChange&, const BackendChange&) = default;
};

// What an order about backends changed here.
struct OrderReply {
    std::vector<BackendChange> changes;
    std::string server;                // not empty: the order's name was that of this server of the site
    std::vector<std::string> remarks;  // what goes on at that server although nothing here is sent to it

    friend bool operator==(const OrderReply&, const OrderReply&) = default;
};

// 200: {"changed":[{"backend":"origin/b2","sentence":"…"}]}, of a server also
// "server":"web1","remarks":["…"]; an order that finds all as it should be has changed nothing.
[[nodiscard]] std::string format_changes(const OrderReply& reply);
[[nodiscard]] core::Result<OrderReply> parse_changes(std::string_view body);

// 4xx, 5xx: {"error":"sentence"}.
[[nodiscard]] std::string format_error(std::string_view sentence);

// POST /v1/restart: an empty body or {}; 200: {"restart":NUMBER}, by which the status tells what became of
// it.
[[nodiscard]] std::string format_restart(uint64_t number);
[[nodiscard]] core::Result<uint64_t> parse_restart(std::string_view body);

// POST /v1/stop: {"stage":"web"}, one of kStopStageNames but the first; 200: {"reached":"balancer"}.
[[nodiscard]] core::Result<StopStage> parse_stop_order(std::string_view body);
[[nodiscard]] std::string format_stop_order(StopStage stage);
[[nodiscard]] std::string format_stopped(StopStage reached);
[[nodiscard]] core::Result<StopStage> parse_stopped(std::string_view body);

// What a reload did. applied: all of `changes` (200). Else nothing was applied, because of `needs_restart`
// (409) or `errors` (422).
struct ReloadReply {
    std::vector<std::string> changes;        // "pools.origin.backends.b2.weight: 50 → 200"
    std::vector<std::string> needs_restart;  // keys: "balancer.threads"
    std::vector<std::string> errors;         // "FILE:LINE:COLUMN: message"

    [[nodiscard]] bool is_applied() const { return needs_restart.empty() && errors.empty(); }

    // The status of the reply.
    [[nodiscard]] uint16_t http_status() const {
        return !errors.empty() ? 422 : !needs_restart.empty() ? 409 : 200;
    }

    friend bool operator==(const ReloadReply&, const ReloadReply&) = default;
};

// {"applied":true,"changes":[…]}, {"error":"needs restart: balancer.threads","needs_restart":[…]} or
// {"error":"FILE:1:2: …","errors":[…]}.
[[nodiscard]] std::string format_reload(const ReloadReply& report);
[[nodiscard]] core::Result<ReloadReply> parse_reload(std::string_view body);

// The sentence of format_error() or format_reload(); a reply that is no such object gives itself, cut to a
// line.
[[nodiscard]] std::string parse_error_sentence(std::string_view body);

}  // namespace node
