// Orders about the databases: what is read is what was written, and the rest is refused in words.
#include "node/control/database_order.h"

#include <doctest/doctest.h>

#include "core/result.h"

namespace node {

using cluster::OrderKind;

TEST_CASE("an order that was formatted is read back as it was") {
    for (OrderKind kind : {OrderKind::switchover, OrderKind::failover, OrderKind::rejoin}) {
        for (bool is_set : {false, true}) {
            DatabaseOrder order{.order = {.kind = kind, .server = "db2"}, .is_dry = is_set};
            order.order.kills = is_set && kind == OrderKind::switchover;
            order.order.accepts_loss = is_set && kind == OrderKind::failover;
            order.order.discards_extra = is_set && kind == OrderKind::rejoin;
            auto read = parse_database_order(kind, format_database_order(order));
            REQUIRE(read);
            CHECK(read->order == order.order);
            CHECK(read->is_dry == order.is_dry);
        }
    }
}

TEST_CASE("what is left out of an order is the leader's to choose, but for whom a rejoin is about") {
    CHECK(format_database_order({.order = {.kind = OrderKind::switchover}}) == "{}");
    CHECK(parse_database_order(OrderKind::switchover, ""));
    CHECK(parse_database_order(OrderKind::failover, "{}"));
    CHECK_FALSE(parse_database_order(OrderKind::rejoin, "{}"));
}

TEST_CASE("a body that says something else is refused with what was expected") {
    for (const char* body :
         {"[]", "{", R"({"to":1})", R"({"kill":"yes"})", R"({"accept_loss":true})", "null"}) {
        auto read = parse_database_order(OrderKind::switchover, body);
        REQUIRE_FALSE(read);
        CHECK(read.error().context() == R"(expected {"to": "SERVER", "kill": true, "dry_run": true})");
    }
}

}  // namespace node
