// The lines are what MariaDB 10.11 was seen to write.
#include "cluster/cures.h"

#include <doctest/doctest.h>

#include "cluster/programs.h"

namespace cluster {
namespace {

Place place() {
    auto address = [](std::string_view text) {
        auto parsed = net::Address::parse(text);
        REQUIRE(parsed);
        return *parsed;
    };
    return {
        .server = "db2",
        .database = address("127.0.0.12:3307"),
        .manager = address("127.0.0.12:3308"),
        .directory = "/srv/db2",
    };
}

TEST_CASE("what keeps a mariadbd from running is told with its cure") {
    struct {
        std::string_view line;
        std::string_view told;
    } const kCases[]{
        {"[ERROR] Can't start server: Bind on TCP/IP port. Got error: 98: Address already in use",
         "port 3307 or 3308"},
        {"[ERROR] mariadbd: Error writing file './binlog.000003' (Errcode: 28 \"No space left on device\")",
         "the disk is full: make room where /srv/db2 is"},
        {"[ERROR] InnoDB: The data file './ibdata1' must be writable", "chown"},
        {"[ERROR] InnoDB: Unable to lock ./ibdata1 error: 11", "another mariadbd"},
        {"[ERROR] InnoDB: Inconsistent tablespace ID in ./ibdata1\n"
         "[ERROR] InnoDB: Plugin initialization aborted with error Data structure corruption",
         "trilith rejoin db2 --discard-extra"},
        {"[ERROR] InnoDB: Database creation was aborted with error Generic error.", "damaged"},
    };
    for (const auto& [line, told] : kCases) {
        CHECK(cure_of(line, place()).contains(told));
    }
    CHECK(cure_of("[ERROR] something new", place()).empty());
    CHECK(cure_of("", place()).empty());
    CHECK(cannot_take_back(
        "[ERROR] Cannot truncate the binary log to file:binlog.000002 pos:1 as unsafe statement"
    ));
    CHECK_FALSE(cannot_take_back("[ERROR] Can't init tc log"));
}

TEST_CASE("a server program that is missing, too old or not MariaDB's is refused with the way out") {
    auto missing = find_program("no-such-program-of-mariadb");
    REQUIRE_FALSE(missing);
    CHECK(missing.error().context().contains("apt-get install"));
    CHECK(check_mariadbd_version("mariadbd  Ver 10.11.19-MariaDB-0+deb12u1 for debian-linux-gnu on x86_64"));
    CHECK(check_mariadbd_version("mariadbd  Ver 11.4.2-MariaDB for Linux"));
    for (std::string_view text :
         {"mariadbd  Ver 10.6.19-MariaDB for Linux",
          "mysqld  Ver 10.11.19 for Linux",
          "mysqld  Ver 8.0.36",
          "Ver",
          ""}) {
        auto checked = check_mariadbd_version(text);
        REQUIRE_FALSE(checked);
        CHECK(checked.error().context().contains("10.11 or newer"));
    }
}

}  // namespace
}  // namespace cluster
