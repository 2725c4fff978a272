// What is decided of a cluster survives the way to the disk and back, and nothing else is taken for it.
#include "upstream/topology.h"

#include <doctest/doctest.h>

namespace upstream {
namespace {

Topology sample() {
    return {
        .version = 12,
        .epoch = 3,
        .primary = "db1",
        .gate = Gate::held,
        .durability = Durability::async,
        .move = "db2",
        .floor = "0-1-270,1-2-3",
        .members =
            {{.server = "db1", .standing = Standing::primary},
             {.server = "db2", .standing = Standing::acker},
             {.server = "db3", .standing = Standing::former},
             {.server = "db4", .standing = Standing::diverged},
             {.server = "db5", .standing = Standing::bystander},
             {.server = "db6", .standing = Standing::renewing, .renewal = 12}},
    };
}

TEST_CASE("what is written is read again the same") {
    for (const Topology& topology : {sample(), Topology{}}) {
        auto read = read_topology(write_topology(topology));
        REQUIRE(read);
        CHECK(*read == topology);
    }
}

TEST_CASE("a text that is cut anywhere is refused") {
    std::string text = write_topology(sample());
    for (size_t size = 0; size < text.size(); ++size) {
        CHECK_FALSE(read_topology(std::string_view(text).substr(0, size)));
    }
    CHECK_FALSE(read_topology(text + "\n"));
}

TEST_CASE("what does not belong there is refused and named") {
    for (std::string_view line :
         {"epoch x",
          "epoch -1",
          "gate ajar",
          "durability",
          "member db1",
          "member db1 king",
          "member db1 renewing",
          "member db1 renewing 0",
          "member db1 renewing one",
          "member db1 acker 7",
          "member db 1 primary",
          "primary ",
          "colour red"}) {
        auto read = read_topology("trilith-topology 1\n" + std::string(line) + "\nend\n");
        REQUIRE_FALSE(read);
        CHECK(read.error().context().contains("line 2"));
    }
    CHECK_FALSE(read_topology("trilith-topology 1\nmember a acker\nmember a acker\nend\n"));
}

TEST_CASE("a renewal has the number of the record that begins it, until another standing ends it") {
    Topology topology = sample();
    topology.renew("db4");
    CHECK(topology.standing_of("db4") == Standing::renewing);
    CHECK(topology.renewal_of("db4") == topology.version + 1);
    topology.set_standing("db4", Standing::bystander);
    CHECK(topology.renewal_of("db4") == 0);
    CHECK(topology.renewal_of("db9") == 0);
}

TEST_CASE("a server that is no member stands by") {
    Topology topology = sample();
    CHECK(topology.standing_of("db9") == Standing::bystander);
    topology.set_standing("db9", Standing::acker);
    topology.set_standing("db3", Standing::acker);
    CHECK(topology.with_standing(Standing::acker) == std::vector<std::string>{"db2", "db3", "db9"});
}

}  // namespace
}  // namespace upstream
