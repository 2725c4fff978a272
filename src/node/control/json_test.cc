// Orders and replies of the control socket: what is read is what was written, and nonsense is refused in
// words.
#include "node/control/json.h"

#include <array>
#include <utility>

#include <doctest/doctest.h>

namespace node {

namespace {

using core::ErrorKind;

template <class Order>
void check_refused(core::Result<Order> order, std::string_view words) {
    REQUIRE_FALSE(order);
    CHECK_MESSAGE(order.error().context().contains(words), order.error().context());
}

}  // namespace

TEST_CASE("orders are read as they were written") {
    const WeightOrder weight{.name = "origin/b\"2", .weight = 256};
    CHECK(format_order(weight) == R"({"name":"origin/b\"2","weight":256})");
    CHECK(parse_weight_order(format_order(weight)) == weight);
    const BackendOrder backend{.name = "[::1]:80"};
    CHECK(format_order(backend) == R"({"name":"[::1]:80"})");
    CHECK(parse_backend_order(format_order(backend)) == backend);
    const UndoOrder one{.name = "b2"};
    CHECK(parse_undo_order(format_order(one)) == one);
    CHECK(format_order(UndoOrder{}) == R"({"all":true})");
    CHECK(parse_undo_order(format_order(UndoOrder{})) == UndoOrder{});
    CHECK(
        parse_weight_order(" {\n\"weight\" : 0,\t\"name\":\"b\\u0032\"} ") ==
        WeightOrder{.name = "b2", .weight = 0}
    );
    CHECK(parse_empty_order(""));
    CHECK(parse_empty_order("{}"));
}

TEST_CASE("a wrong order is refused with what is wrong") {
    for (const char* body :
         {"", "{", "nul", "{\"name\":\"b\"", "{'name':'b'}", "{\"name\":\"\xff\"}", "{} {}"}) {
        CAPTURE(body);
        check_refused(parse_backend_order(body), "is not JSON");
    }
    for (const char* body : {"[]", "null", "5", "\"name\"", "[{\"name\":\"b\"}]"}) {
        CAPTURE(body);
        check_refused(parse_backend_order(body), "not a JSON object");
    }
    for (const char* body :
         {"{}", R"({"name":5})", R"({"name":null})", R"({"name":""})", R"({"name":["b"]})"}) {
        CAPTURE(body);
        check_refused(parse_backend_order(body), "\"name\" must be");
    }
    check_refused(parse_backend_order(R"({"name":"b","weight":5})"), "\"weight\" is not a key");
    check_refused(parse_backend_order("{\"name\":\"" + std::string(300, 'b') + "\"}"), "more than 256 bytes");
    for (const char* weight :
         {"257", "-1", "1.5", "\"5\"", "null", "true", "1e2", "99999999999999999999", "[]"}) {
        CAPTURE(weight);
        check_refused(
            parse_weight_order(std::string(R"({"name":"b","weight":)") + weight + "}"),
            "from 0 to 256"
        );
    }
    check_refused(parse_weight_order(R"({"name":"b"})"), "from 0 to 256");
    check_refused(parse_undo_order(R"({"all":false})"), "\"all\" must be true");
    check_refused(parse_undo_order(R"({"all":true,"name":"b"})"), "stand alone");
    check_refused(parse_undo_order("{}"), "\"name\" must be");
    check_refused(parse_empty_order(R"({"force":true})"), "\"force\" is not a key");
    check_refused(parse_empty_order("[]"), "not a JSON object");
}

TEST_CASE("an order is bounded in size, and so in depth") {
    auto large = parse_backend_order(std::string(kOrderBytesMax + 1, '['));
    REQUIRE_FALSE(large);
    CHECK(large.error().kind() == ErrorKind::too_large);
    check_refused(parse_backend_order(std::string(kOrderBytesMax, '[')), "is not JSON");
    size_t half = kOrderBytesMax / 2;
    check_refused(parse_backend_order(std::string(half, '[') + std::string(half, ']')), "not a JSON object");
}

TEST_CASE("a whole order that is cut anywhere is refused") {
    std::string whole = format_order(WeightOrder{.name = "origin/b2", .weight = 200});
    for (size_t size = 0; size < whole.size(); ++size) {
        CHECK_FALSE(parse_weight_order(whole.substr(0, size)));
    }
}

TEST_CASE("a stop's stages are read as they were written") {
    CHECK(format_stop_order(StopStage::web) == R"({"stage":"web"})");
    for (StopStage stage : {StopStage::balancer, StopStage::primary, StopStage::all}) {
        CHECK(parse_stop_order(format_stop_order(stage)) == stage);
        CHECK(parse_stopped(format_stopped(stage)) == stage);
    }
    CHECK(parse_stopped(format_stopped(StopStage::none)) == StopStage::none);
    for (const char* body : {"{}", R"({"stage":"none"})", R"({"stage":"wbe"})", R"({"stage":1})"}) {
        CAPTURE(body);
        check_refused(parse_stop_order(body), "no stage of a stop");
    }
    check_refused(parse_stop_order(R"({"stage":"web","now":true})"), "\"now\" is not a key");
}

TEST_CASE("changes are read as they were written") {
    const OrderReply reply{
        .changes =
            {
                {.backend = "origin/b2", .sentence = "weight 50 → 200 (configured 50)"},
                {.backend = "x/\"y\"", .sentence = "back\\slash\n"},
            },
        .server = {},
        .remarks = {},
    };
    std::string text = format_changes(reply);
    CHECK(text.starts_with(R"({"changed":[{"backend":"origin/b2","sentence":"weight 50 → 200)"));
    CHECK(parse_changes(text) == reply);
    CHECK(format_changes({}) == R"({"changed":[]})");
    CHECK(parse_changes(format_changes({})) == OrderReply{});
    const OrderReply of_server{.changes = {}, .server = "web1", .remarks = {"it is a balancer"}};
    CHECK(format_changes(of_server) == R"({"changed":[],"server":"web1","remarks":["it is a balancer"]})");
    CHECK(parse_changes(format_changes(of_server)) == of_server);
    CHECK_FALSE(parse_changes(""));
    CHECK_FALSE(parse_changes("{}"));
    CHECK_FALSE(parse_changes(R"({"changed":5})"));
}

TEST_CASE("a reload's reply says one of three things, with its status") {
    const ReloadReply applied{
        .changes = {"pools.origin.backends.b2.weight: 50 → 200"},
        .needs_restart = {},
        .errors = {}
    };
    CHECK(applied.http_status() == 200);
    CHECK(
        format_reload(applied) ==
        R"({"applied":true,"changes":["pools.origin.backends.b2.weight: 50 → 200"]})"
    );
    const ReloadReply restart{.changes = {}, .needs_restart = {"balancer.threads", "site"}, .errors = {}};
    CHECK(restart.http_status() == 409);
    CHECK(
        format_reload(restart) ==
        R"({"error":"needs restart: balancer.threads, site","needs_restart":["balancer.threads","site"]})"
    );
    const ReloadReply wrong{.changes = {}, .needs_restart = {}, .errors = {"a.toml:1:2: x", "a.toml:3:4: y"}};
    CHECK(wrong.http_status() == 422);
    CHECK(format_reload(wrong) == R"({"error":"a.toml:1:2: x","errors":["a.toml:1:2: x","a.toml:3:4: y"]})");
    for (const ReloadReply& reply : {applied, restart, wrong, ReloadReply{}}) {
        CHECK(parse_reload(format_reload(reply)) == reply);
    }
    CHECK(parse_reload(R"({"error":"no"})")->errors == std::vector<std::string>{"no"});
    CHECK_FALSE(parse_reload("oops"));
}

TEST_CASE("an error's sentence is found, or the reply is one") {
    CHECK(format_error("no \"b9\"") == R"({"error":"no \"b9\""})");
    CHECK(parse_error_sentence(format_error("no \"b9\"")) == "no \"b9\"");
    CHECK(parse_error_sentence("Bad\r\n\x1b[2JGateway") == "Bad   [2JGateway");
    CHECK(parse_error_sentence("") == "the server gave no reason");
    CHECK(parse_error_sentence(std::string(1000, 'x')).size() == 500);
    // A name that is not UTF-8 still gives JSON.
    CHECK(parse_error_sentence(format_error("\xff")).size() > 0);
    CHECK(format_error("\xff").starts_with("{\"error\":\""));
}

}  // namespace node
