// Whom the server and the program run as, against a table.
#include "node/serve/user_rule.h"

#include <unistd.h>

#include <string_view>
#include <vector>

#include <doctest/doctest.h>

namespace node {
namespace {

const Account kRoot{.name = "root", .uid = 0, .gid = 0, .home = "/root"};
const Account kAnna{.name = "anna", .uid = 1000, .gid = 1000, .home = "/home/anna"};
const Account kSite{.name = "site", .uid = 1001, .gid = 1001, .home = "/srv"};
const Account kTrilith{.name = "trilith", .uid = 990, .gid = 990, .home = "/"};
const Account kNobody{.name = "nobody", .uid = 65534, .gid = 65534, .home = "/"};

using Found = std::optional<Account>;
constexpr std::nullopt_t kNone = std::nullopt;

struct Row {
    const char* situation;
    UserFacts facts;
    Found server;
    Found program;
    std::string_view told;  // a part of the warning, or (with `is_refused`) of the refusal; empty: none
    bool is_refused = false;
};

void check_rows(const std::vector<Row>& rows) {
    for (const Row& row : rows) {
        CAPTURE(row.situation);
        auto chosen = choose_users(row.facts);
        CHECK(chosen.has_value() != row.is_refused);
        if (chosen) {
            CHECK(chosen->server == row.server);
            CHECK(chosen->program == row.program);
            CHECK(chosen->warning.empty() == row.told.empty());
            CHECK(chosen->warning.contains(row.told));
        } else {
            CHECK(chosen.error().context().contains(row.told));
        }
    }
}

TEST_CASE("server and program run as whom the file says") {
    check_rows({
        {"user written", {kRoot, "site", kSite, "", kNone, kAnna, kTrilith, kNobody}, kSite, kSite, ""},
        {"both written", {kRoot, "site", kSite, "anna", kAnna, kRoot, kTrilith, kNobody}, kSite, kAnna, ""},
        {"app.user alone", {kRoot, "", kNone, "anna", kAnna, kRoot, kTrilith, kNobody}, kTrilith, kAnna, ""},
        {"program asked to be root",
         {kRoot, "site", kSite, "root", kRoot, kRoot, kTrilith, kNobody},
         kSite,
         kRoot,
         ""},
        {"server asked to be root",
         {kRoot, "root", kRoot, "", kNone, kRoot, kTrilith, kNobody},
         kNone,
         kNone,
         "user = \"root\""},
        {"root named by a file of anna",
         {kRoot, "root", kRoot, "", kNone, kAnna, kTrilith, kNobody, false},
         kNone,
         kNone,
         "user: only a file that is root's alone can name root",
         true},
        {"program as root by a file of anna",
         {kRoot, "", kNone, "root", kRoot, kAnna, kTrilith, kNobody, false},
         kNone,
         kNone,
         "app.user: only a file that is root's alone",
         true},
        {"another named by a file of anna",
         {kRoot, "site", kSite, "", kNone, kAnna, kTrilith, kNobody, false},
         kSite,
         kSite,
         ""},
        {"server root, program not",
         {kRoot, "root", kRoot, "anna", kAnna, kRoot, kTrilith, kNobody},
         kNone,
         kAnna,
         "user = \"root\""},
        {"unknown user",
         {kRoot, "sitee", kNone, "", kNone, kAnna, kTrilith, kNobody},
         kNone,
         kNone,
         "user: this system knows no user \"sitee\": create it (adduser --system --group sitee)",
         true},
        {"unknown app.user",
         {kRoot, "", kNone, "sitee", kNone, kAnna, kTrilith, kNobody},
         kNone,
         kNone,
         "app.user: this system knows no user",
         true},
    });
}

TEST_CASE("server and program run as whom the rule says where the file says nothing") {
    check_rows({
        {"file of anna", {kRoot, "", kNone, "", kNone, kAnna, kTrilith, kNobody}, kAnna, kAnna, ""},
        {"file of root", {kRoot, "", kNone, "", kNone, kRoot, kTrilith, kNobody}, kTrilith, kTrilith, ""},
        {"owner unknown", {kRoot, "", kNone, "", kNone, kNone, kTrilith, kNobody}, kTrilith, kTrilith, ""},
        {"a fresh machine",
         {kRoot, "", kNone, "", kNone, kRoot, kNone, kNobody},
         kNobody,
         kNobody,
         "adduser --system --group trilith"},
        {"nobody there at all",
         {kRoot, "", kNone, "", kNone, kRoot, kNone, kNone},
         kNone,
         kNone,
         "adduser --system --group trilith",
         true},
        {"anna, nothing written", {kAnna, "", kNone, "", kNone, kRoot, kTrilith, kNobody}, kNone, kNone, ""},
        {"anna, herself", {kAnna, "anna", kAnna, "anna", kAnna, kRoot, kTrilith, kNobody}, kNone, kNone, ""},
        {"anna, another",
         {kAnna, "site", kSite, "", kNone, kRoot, kTrilith, kNobody},
         kNone,
         kNone,
         "only root",
         true},
    });
}

TEST_CASE("two users are two only where the server is not root") {
    CHECK(Users{.server = kSite, .program = kAnna, .warning = {}}.are_two());
    CHECK(Users{.server = kSite, .program = kRoot, .warning = {}}.are_two());
    CHECK_FALSE(Users{.server = kSite, .program = kSite, .warning = {}}.are_two());
    CHECK_FALSE(Users{.server = kNone, .program = kAnna, .warning = {}}.are_two());
}

TEST_CASE("accounts are looked up") {
    Config config;
    config.user = "no-such-user-of-this-system";
    auto unknown = find_users(config);
    REQUIRE_FALSE(unknown);
    CHECK(unknown.error().kind() == core::ErrorKind::not_found);
    config.user = "";
    if (::geteuid() != 0) {
        CHECK(find_users(config) == Users{});
        return;
    }
    config.user = "nobody";
    auto nobody = find_users(config);
    REQUIRE(nobody);
    REQUIRE(nobody->server);
    CHECK(nobody->server->uid != 0);
    config.user = "";
    config.origin = {.owner = nobody->server->uid};
    CHECK(find_users(config)->server == nobody->server);
    config.user = "root";
    CHECK_FALSE(find_users(config));
}

}  // namespace
}  // namespace node
