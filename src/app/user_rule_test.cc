// Whom the program runs as, against a table.
#include "app/user_rule.h"

#include <unistd.h>

#include <string_view>
#include <vector>

#include <doctest/doctest.h>

namespace app {
namespace {

const Account kRoot{.name = "root", .uid = 0, .gid = 0, .home = "/root"};
const Account kAnna{.name = "anna", .uid = 1000, .gid = 1000, .home = "/home/anna"};
const Account kSite{.name = "site", .uid = 1001, .gid = 1001, .home = "/srv"};
const Account kTrilith{.name = "trilith", .uid = 990, .gid = 990, .home = "/"};

struct Row {
    const char* situation;
    UserFacts facts;
    std::optional<Account> chosen;
    std::string_view refusal;  // a part of the sentence; empty: none
};

TEST_CASE("the program runs as whom the rule says") {
    const std::vector<Row> rows{
        {"root, user wanted", {kRoot, "site", kSite, kAnna, kTrilith}, kSite, ""},
        {"root, wants root", {kRoot, "root", kRoot, kAnna, kTrilith}, std::nullopt, ""},
        {"root, unknown user",
         {kRoot, "sitee", std::nullopt, kAnna, kTrilith},
         std::nullopt,
         "useradd --system sitee"},
        {"root, file of anna", {kRoot, "", std::nullopt, kAnna, kTrilith}, kAnna, ""},
        {"root, file of root", {kRoot, "", std::nullopt, kRoot, kTrilith}, kTrilith, ""},
        {"root, file of nobody known", {kRoot, "", std::nullopt, std::nullopt, kTrilith}, kTrilith, ""},
        {"root, nobody",
         {kRoot, "", std::nullopt, kRoot, std::nullopt},
         std::nullopt,
         "useradd --system trilith"},
        {"anna, nothing said", {kAnna, "", std::nullopt, kRoot, kTrilith}, std::nullopt, ""},
        {"anna, herself", {kAnna, "anna", kAnna, kRoot, kTrilith}, std::nullopt, ""},
        {"anna, another", {kAnna, "site", kSite, kRoot, kTrilith}, std::nullopt, "only root"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.situation);
        auto chosen = choose_user(row.facts);
        CHECK(chosen.has_value() == row.refusal.empty());
        if (chosen) {
            CHECK(*chosen == row.chosen);
        } else {
            CHECK(chosen.error().context().starts_with("[app] user: "));
            CHECK(chosen.error().context().contains(row.refusal));
        }
    }
}

TEST_CASE("accounts are looked up") {
    auto unknown = find_user("no-such-user-of-this-system", "/");
    REQUIRE_FALSE(unknown);
    CHECK(unknown.error().kind() == core::ErrorKind::not_found);
    if (::geteuid() == 0) {
        auto nobody = find_user("nobody", "/");
        REQUIRE(nobody);
        REQUIRE(nobody->has_value());
        CHECK((*nobody)->uid != 0);
        CHECK_FALSE(find_user("", "/no/such/file"));
    } else {
        CHECK(find_user("", "/no/such/file") == std::nullopt);
    }
}

}  // namespace
}  // namespace app
