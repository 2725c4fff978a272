// What is missing on this machine is found at its key; rights are tested with real users in test/integration.
#include "node/serve/site_places.h"

#include <sys/stat.h>

#include <string>

#include <doctest/doctest.h>

#include "node/config/file.h"
#include "runtime/linux_os.h"
#include "runtime/temporary_directory.h"

namespace node {
namespace {

constexpr std::string_view kText = R"([web]
root = "public"
error_pages = { 404 = "/404.html", 500 = "/500.html" }

[app]
command = ["./program"]

[[routes]]
path = "/static/*"
root = "static"

[[routes]]
pool = "web"
)";

class Place {
public:
    Place() { directory.write("site.toml", kText); }

    [[nodiscard]] PlaceFindings look(RoleSet roles = {Role::balancer, Role::web, Role::app}) const {
        auto config = load_config(file());
        REQUIRE(config);
        return look_at_places(*config, file(), roles, {});
    }

    void make_folder(const char* name) const { REQUIRE(::mkdir((directory / name).c_str(), 0755) == 0); }

    [[nodiscard]] std::string file() const { return directory / "site.toml"; }

    runtime::TemporaryDirectory directory;
};

TEST_CASE("a missing root is a problem, at its key, with the cure") {
    Place place;
    auto found = place.look();
    REQUIRE(found.problems.size() == 2);
    CHECK(found.problems[0].to_string().starts_with(place.file() + ":2:8: web.root: "));
    CHECK(found.problems[0].message.contains("create it"));
    CHECK(found.problems[1].to_string().starts_with(place.file() + ":10:8: routes.root: "));
}

TEST_CASE("missing error pages and programs are warned of, at their keys") {
    Place place;
    place.make_folder("public");
    place.make_folder("static");
    place.directory.write("public/404.html", "x");
    auto found = place.look();
    CHECK(found.problems.empty());
    REQUIRE(found.warnings.size() == 2);
    CHECK(found.warnings[0].to_string().starts_with(place.file() + ":3:42: web.error_pages.500: "));
    CHECK(found.warnings[1].to_string().starts_with(place.file() + ":6:11: app.command: "));
    CHECK(found.warnings[1].message.contains("build it"));
    place.directory.write("public/500.html", "x");
    place.directory.write("program", "x");
    found = place.look();
    REQUIRE(found.warnings.size() == 1);
    CHECK(found.warnings[0].message.contains("chmod a+rx"));
    REQUIRE(::chmod((place.directory / "program").c_str(), 0755) == 0);
    found = place.look();
    CHECK(found.problems.empty());
    CHECK(found.warnings.empty());
}

TEST_CASE("what only other servers serve is not looked for") {
    Place place;
    CHECK(place.look({Role::app}).problems.empty());
    CHECK(place.look({Role::web}).problems.size() == 1);
    CHECK(place.look({Role::web}).warnings.empty());
    CHECK(place.look({}).warnings.empty());
}

TEST_CASE("a server is of this machine where its address is") {
    runtime::LinuxOs os;
    auto at = [](const char* host) {
        return ServerConfig{.name = "s", .address = *net::Address::parse_host(host), .roles = {Role::web}};
    };
    CHECK(is_of_this_machine(os, at("127.0.0.12")));
    CHECK_FALSE(is_of_this_machine(os, at("192.0.2.1")));  // RFC 5737: nobody's
}

}  // namespace
}  // namespace node
