// Which prepared statements mean the same, and which of them a connection keeps.
#include "sql/prepared_statements.h"

#include <doctest/doctest.h>

namespace sql {
namespace {

SharedState said(std::vector<StateEntry> entries) {
    return std::make_shared<const CarriedState>(std::move(entries));
}

StateEntry system_variable(std::string name, std::string value) {
    return {.name = name, .statement = "SET SESSION " + name + " = " + value};
}

std::shared_ptr<const PreparedText> prepared(std::string_view text, ToldState context = {}) {
    return make_prepared_text(text, context, StatementClass{});
}

LinkStatement on_link(std::string_view text, uint32_t id) { return {.prepared = prepared(text), .id = id}; }

TEST_CASE("text, schema and what changes literals make a statement") {
    ToldState plain{.database = "shop"};
    auto base = prepared("SELECT ?", plain);
    CHECK(base->means_same(*prepared("SELECT ?", plain)));
    CHECK_FALSE(base->means_same(*prepared("SELECT ? ", plain)));
    CHECK_FALSE(base->means_same(*prepared("SELECT ?", {.database = "other"})));
    ToldState zoned{.carried = said({system_variable("time_zone", "'+01:00'")}), .database = "shop"};
    CHECK(base->means_same(*prepared("SELECT ?", zoned)));
    CHECK(base->is_read_alike(zoned));
    ToldState ansi{.carried = said({system_variable("sql_mode", "'ANSI'")}), .database = "shop"};
    CHECK_FALSE(base->means_same(*prepared("SELECT ?", ansi)));
    CHECK_FALSE(base->is_read_alike(ansi));
    CHECK(prepared("SELECT ?", ansi)->means_same(*prepared("SELECT ?", ansi)));
}

TEST_CASE("a connection keeps those that were used last, and tells which to close") {
    LinkStatements statements;
    statements.add(on_link("a", 1), 2);
    statements.add(on_link("b", 2), 2);
    CHECK(statements.find(*prepared("a")) != nullptr);
    statements.add(on_link("c", 3), 2);
    CHECK(statements.size() == 2);
    CHECK(statements.find(*prepared("b")) == nullptr);
    REQUIRE(statements.find(*prepared("a")) != nullptr);
    CHECK(statements.find(*prepared("a"))->id == 1);
    using namespace std::string_view_literals;
    CHECK(statements.take_closing() == "\x05\0\0\0\x19\x02\0\0\0"sv);
    CHECK(statements.take_closing().empty());
}

TEST_CASE("one that means the same is replaced, and one that is taken is not closed") {
    LinkStatements statements;
    statements.add(on_link("a", 1), 2);
    statements.add(on_link("a", 5), 2);
    CHECK(statements.size() == 1);
    CHECK_FALSE(statements.take_closing().empty());
    auto taken = statements.take(*prepared("a"));
    REQUIRE(taken);
    CHECK(taken->id == 5);
    CHECK(statements.size() == 0);
    CHECK(statements.take_closing().empty());
}

}  // namespace
}  // namespace sql
