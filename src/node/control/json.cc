#include "node/control/json.h"

#include <algorithm>
#include <array>
#include <format>
#include <initializer_list>

#include <nlohmann/json.hpp>

#include "core/joined.h"
#include "upstream/config.h"

namespace node {

using core::ErrorKind;
using core::fail;
using core::Result;

namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kBackendNameBytesMax = 256;  // of POOL/BACKEND
constexpr size_t kSentenceBytesMax = 500;

std::string dump(const Json& document) {
    return document.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// The order as an object with no other keys than these.
Result<Json> parse_order(std::string_view body, std::initializer_list<std::string_view> keys) {
    if (body.size() > kOrderBytesMax) {
        return fail(ErrorKind::too_large, std::format("an order has at most {} bytes", kOrderBytesMax));
    }
    Json order = Json::parse(body, nullptr, false);
    if (order.is_discarded()) {
        return fail(ErrorKind::invalid, "the body is not JSON");
    }
    if (!order.is_object()) {
        return fail(ErrorKind::invalid, "the body is not a JSON object");
    }
    for (const auto& entry : order.items()) {
        if (std::ranges::find(keys, std::string_view(entry.key())) == keys.end()) {
            return fail(ErrorKind::invalid, std::format("\"{}\" is not a key of this order", entry.key()));
        }
    }
    return order;
}

Result<std::string> take_name(const Json& order) {
    auto name = order.find("name");
    if (name == order.end() || !name->is_string() || name->get_ref<const std::string&>().empty()) {
        return fail(ErrorKind::invalid, R"("name" must be the name of a backend, or POOL/BACKEND)");
    }
    if (name->get_ref<const std::string&>().size() > kBackendNameBytesMax) {
        return fail(ErrorKind::invalid, std::format("\"name\" has more than {} bytes", kBackendNameBytesMax));
    }
    return name->get<std::string>();
}

Result<Json> parse_reply(std::string_view body) {
    Json reply = Json::parse(body, nullptr, false);
    if (!reply.is_object()) {
        return fail(ErrorKind::invalid, "the server's reply is not a JSON object");
    }
    return reply;
}

// The texts of a list; none where there is no such list.
std::vector<std::string> texts(const Json& reply, const char* key) {
    std::vector<std::string> found;
    if (auto list = reply.find(key); list != reply.end() && list->is_array()) {
        for (const Json& text : *list) {
            if (text.is_string()) {
                found.push_back(text.get<std::string>());
            }
        }
    }
    return found;
}

std::string text_or_empty(const Json& object, const char* key) {
    auto found = object.find(key);
    return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

}  // namespace

Result<WeightOrder> parse_weight_order(std::string_view body) {
    TRY(Json order, parse_order(body, {"name", "weight"}));
    TRY(std::string name, take_name(order));
    auto weight = order.find("weight");
    if (weight == order.end() || !weight->is_number_unsigned() ||
        weight->get<uint64_t>() > upstream::kWeightMax) {
        return fail(
            ErrorKind::invalid,
            std::format("\"weight\" must be a whole number from 0 to {}", upstream::kWeightMax)
        );
    }
    return WeightOrder{.name = std::move(name), .weight = weight->get<uint32_t>()};
}

Result<BackendOrder> parse_backend_order(std::string_view body) {
    TRY(Json order, parse_order(body, {"name"}));
    TRY(std::string name, take_name(order));
    return BackendOrder{.name = std::move(name)};
}

Result<UndoOrder> parse_undo_order(std::string_view body) {
    TRY(Json order, parse_order(body, {"name", "all"}));
    if (!order.contains("all")) {
        TRY(std::string name, take_name(order));
        return UndoOrder{.name = std::move(name)};
    }
    if (order["all"] != true || order.size() != 1) {
        return fail(ErrorKind::invalid, R"("all" must be true, and stand alone)");
    }
    return UndoOrder{};
}

Result<void> parse_empty_order(std::string_view body) {
    if (!body.empty()) {
        TRY([[maybe_unused]] Json order, parse_order(body, {}));
    }
    return {};
}

std::string format_order(const WeightOrder& order) {
    return dump({{"name", order.name}, {"weight", order.weight}});
}

std::string format_order(const BackendOrder& order) { return dump({{"name", order.name}}); }

std::string format_order(const UndoOrder& order) {
    return order.name.empty() ? dump({{"all", true}}) : dump({{"name", order.name}});
}

std::string format_changes(const OrderReply& order) {
    Json list = Json::array();
    for (const BackendChange& change : order.changes) {
        list.push_back({{"backend", change.backend}, {"sentence", change.sentence}});
    }
    Json reply = Json::object();
    reply["changed"] = std::move(list);
    if (!order.server.empty()) {
        reply["server"] = order.server;
        reply["remarks"] = order.remarks;
    }
    return dump(reply);
}

Result<OrderReply> parse_changes(std::string_view body) {
    TRY(Json reply, parse_reply(body));
    auto list = reply.find("changed");
    if (list == reply.end() || !list->is_array()) {
        return fail(ErrorKind::invalid, "the server's reply does not say what changed");
    }
    OrderReply order{
        .changes = {},
        .server = text_or_empty(reply, "server"),
        .remarks = texts(reply, "remarks"),
    };
    for (const Json& change : *list) {
        if (change.is_object()) {
            order.changes.push_back(
                {.backend = text_or_empty(change, "backend"), .sentence = text_or_empty(change, "sentence")}
            );
        }
    }
    return order;
}

std::string format_restart(uint64_t number) { return dump({{"restart", number}}); }

Result<uint64_t> parse_restart(std::string_view body) {
    TRY(Json reply, parse_reply(body));
    auto number = reply.find("restart");
    if (number == reply.end() || !number->is_number_unsigned()) {
        return fail(ErrorKind::invalid, "the server's reply does not say which restart it began");
    }
    return number->get<uint64_t>();
}

namespace {

Result<StopStage> stage_of(const Json& object, const char* key) {
    auto name = std::ranges::find(kStopStageNames, text_or_empty(object, key));
    if (name == kStopStageNames.end()) {
        return fail(ErrorKind::invalid, std::format("\"{}\" is no stage of a stop", key));
    }
    return static_cast<StopStage>(name - kStopStageNames.begin());
}

}  // namespace

Result<StopStage> parse_stop_order(std::string_view body) {
    TRY(Json order, parse_order(body, {"stage"}));
    TRY(StopStage stage, stage_of(order, "stage"));
    if (stage == StopStage::none) {
        return fail(ErrorKind::invalid, "\"stage\" is no stage of a stop");
    }
    return stage;
}

std::string format_stop_order(StopStage stage) { return dump({{"stage", stop_stage_name(stage)}}); }

std::string format_stopped(StopStage reached) { return dump({{"reached", stop_stage_name(reached)}}); }

Result<StopStage> parse_stopped(std::string_view body) {
    TRY(Json reply, parse_reply(body));
    return stage_of(reply, "reached");
}

std::string format_error(std::string_view sentence) {
    Json reply = Json::object();
    reply["error"] = sentence;
    return dump(reply);
}

std::string format_reload(const ReloadReply& reply) {
    Json document = Json::object();
    if (reply.is_applied()) {
        document["applied"] = true;
        document["changes"] = reply.changes;
    } else if (!reply.errors.empty()) {
        document["error"] = reply.errors.front();
        document["errors"] = reply.errors;
    } else {
        document["error"] = "needs restart: " + core::joined(reply.needs_restart);
        document["needs_restart"] = reply.needs_restart;
    }
    return dump(document);
}

Result<ReloadReply> parse_reload(std::string_view body) {
    TRY(Json document, parse_reply(body));
    ReloadReply reply{
        .changes = texts(document, "changes"),
        .needs_restart = texts(document, "needs_restart"),
        .errors = texts(document, "errors"),
    };
    bool says_applied = document.value("applied", Json()) == true;
    if (reply.is_applied() && !says_applied) {
        reply.errors.push_back(parse_error_sentence(body));
    }
    return reply;
}

std::string parse_error_sentence(std::string_view body) {
    Json reply = Json::parse(body, nullptr, false);
    std::string sentence = reply.is_object() ? text_or_empty(reply, "error") : "";
    if (sentence.empty()) {
        sentence = body.substr(0, kSentenceBytesMax);
        std::ranges::replace_if(sentence, [](char byte) { return byte >= 0 && byte < ' '; }, ' ');
    }
    return sentence.empty() ? "the server gave no reason" : sentence;
}

}  // namespace node
