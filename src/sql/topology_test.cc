// Who is primary and who serves reads: tables of what was seen.
#include "sql/topology.h"

#include <algorithm>
#include <format>

#include <doctest/doctest.h>

using namespace std::chrono_literals;
using sql::ChangeKind;
using sql::Look;
using sql::LookFailure;
using sql::NodeSight;
using sql::NodeState;
using sql::ReplicationSource;
using sql::ThreadState;
using sql::Topology;
using sql::TopologyChange;

namespace {

std::string address(size_t place) { return std::format("10.0.0.{}:3306", place + 1); }

NodeSight writable(size_t place, std::string_view written = "0-1-10") {
    return {
        .version = "10.11.19-MariaDB",
        .server_id = static_cast<uint32_t>(place + 1),
        .uptime = 100s,
        .applied = mysql::GtidPosition(),
        .written = *mysql::GtidPosition::read(written),
    };
}

NodeSight read_only(size_t place) {
    NodeSight sight = writable(place);
    sight.is_read_only = true;
    return sight;
}

NodeSight replica(size_t place, size_t source, std::string_view applied = "0-1-10") {
    NodeSight sight = read_only(place);
    sight.applied = *mysql::GtidPosition::read(applied);
    sight.sources.push_back({
        .address = address(source),
        .server_id = static_cast<uint32_t>(source + 1),
        .receiver = ThreadState::running,
        .applier = ThreadState::running,
        .behind = 0s,
    });
    return sight;
}

Look failure(core::ErrorKind kind) {
    return std::unexpected(LookFailure{.kind = kind, .sentence = "no answer"});
}

// Nodes at 10.0.0.1, 10.0.0.2 …, and a clock that each look moves on by a tenth of a second.
struct Site {
    explicit Site(size_t count, core::Duration max_lag = 5s) : topology(config(count, max_lag)) {}

    static sql::TopologyConfig config(size_t count, core::Duration max_lag) {
        sql::TopologyConfig config{.max_lag = max_lag};
        for (size_t place = 0; place < count; ++place) {
            config.members.push_back({
                .address = *net::Address::parse(address(place)),
                .name = address(place),
            });
        }
        return config;
    }

    std::vector<TopologyChange> look(size_t place, const Look& seen) {
        now = now + 100ms;
        return topology.on_look(place, seen, now);
    }

    // All sentences of looks at all nodes.
    std::string look_at_all(const std::vector<Look>& seen) {
        std::string sentences;
        for (size_t place = 0; place < seen.size(); ++place) {
            for (const TopologyChange& change : look(place, seen[place])) {
                sentences += change.sentence + "\n";
            }
        }
        return sentences;
    }

    [[nodiscard]] const sql::Node& node(size_t place) const { return topology.nodes()[place]; }

    Topology topology;
    core::Instant now{};
};

std::string sentences(const std::vector<TopologyChange>& changes) {
    std::string text;
    for (const TopologyChange& change : changes) {
        text += change.sentence + "\n";
    }
    return text;
}

}  // namespace

TEST_CASE("the only writable node that replicates from nobody is primary, its replicas serve reads") {
    Site site(3);
    CHECK(site.topology.primary_why() == "not all nodes have been asked yet");
    std::string said = site.look_at_all({writable(0), replica(1, 0), replica(2, 0)});
    CHECK(site.topology.primary() == 0);
    CHECK(site.topology.primary_why().empty());
    CHECK(site.node(0).state == NodeState::primary);
    CHECK(!site.node(0).is_fit);
    for (size_t place : {size_t{1}, size_t{2}}) {
        CHECK(site.node(place).state == NodeState::replica);
        CHECK(site.node(place).is_fit);
        CHECK(site.node(place).why.empty());
    }
    CHECK(said.contains("primary is 10.0.0.1:3306 (server id 1)\n"));
    CHECK(said.contains("replica 10.0.0.2:3306 serves reads\n"));
    CHECK(site.look_at_all({writable(0), replica(1, 0), replica(2, 0)}).empty());
}

TEST_CASE("no node is primary before all have been asked") {
    Site site(2);
    CHECK(site.look(0, writable(0)).empty());
    CHECK(!site.topology.primary());
    CHECK(site.node(1).state == NodeState::checking);
    CHECK(sentences(site.look(1, failure(core::ErrorKind::timed_out))).contains("primary is 10.0.0.1:3306"));
}

TEST_CASE("of two writable nodes none is trusted, and both are named") {
    Site site(2);
    std::string said = site.look_at_all({writable(0), writable(1)});
    CHECK(!site.topology.primary());
    CHECK(
        site.topology.primary_why() ==
        "10.0.0.1:3306 and 10.0.0.2:3306 are writable at the same time: none is trusted until all but one "
        "have "
        "read_only=1"
    );
    CHECK(said.contains("no primary: 10.0.0.1:3306 and 10.0.0.2:3306 are writable"));
    CHECK(site.node(0).state == NodeState::unfit);
    CHECK(site.node(1).state == NodeState::unfit);
    SUBCASE("also where one of them was primary before") {
        site.look_at_all({writable(0), replica(1, 0)});
        REQUIRE(site.topology.primary() == 0);
        said = sentences(site.look(1, writable(1)));
        CHECK(!site.topology.primary());
        CHECK(said.contains("no primary"));
    }
    SUBCASE("until one is read-only") {
        said = site.look_at_all({read_only(0)});
        CHECK(site.topology.primary() == 1);
        CHECK(said.contains("primary is 10.0.0.2:3306"));
    }
}

TEST_CASE("where all nodes are read-only there is no primary") {
    Site site(2);
    site.look_at_all({read_only(0), replica(1, 0)});
    CHECK(!site.topology.primary());
    CHECK(site.topology.primary_why() == "all nodes that answer are read-only");
    CHECK(site.node(0).state == NodeState::unfit);
    CHECK(site.node(0).why == "is read-only and replicates from nobody");
    CHECK(site.node(1).state == NodeState::replica);
    CHECK(site.node(1).is_fit);
}

TEST_CASE("a writable node that replicates is no primary") {
    Site site(2);
    NodeSight circular = replica(0, 1);
    circular.is_read_only = false;
    site.look_at_all({circular, replica(1, 0)});
    CHECK(!site.topology.primary());
    CHECK(site.topology.primary_why() == "10.0.0.1:3306 is writable, but replicates from 10.0.0.2:3306");
    SUBCASE("unless its receiver is stopped") {
        circular.sources[0].receiver = ThreadState::stopped;
        site.look(0, circular);
        CHECK(site.topology.primary() == 0);
    }
    SUBCASE("a receiver that tries to connect counts as replicating") {
        circular.sources[0].receiver = ThreadState::connecting;
        site.look(0, circular);
        CHECK(!site.topology.primary());
    }
}

TEST_CASE("a replica of somebody else gets no reads") {
    Site site(2);
    NodeSight foreign = replica(1, 0);
    foreign.sources[0].server_id = 77;
    foreign.sources[0].address = "10.9.9.9:3306";
    std::string said = site.look_at_all({writable(0), foreign});
    CHECK(site.node(1).state == NodeState::unfit);
    CHECK(!site.node(1).is_fit);
    CHECK(said.contains(
        "10.0.0.2:3306 gets no reads: replicates from 10.9.9.9:3306 (server id 77), which does not lead to "
        "the primary"
    ));
    SUBCASE("whether there is a primary or not") {
        site.look(0, read_only(0));
        CHECK(site.node(1).state == NodeState::unfit);
    }
}

TEST_CASE("a replica is known by its source's server id, or by the address where that is not known") {
    Site site(2);
    NodeSight by_name = replica(1, 0);
    by_name.sources[0].address = "db1.example:3306";
    site.look_at_all({writable(0), by_name});
    CHECK(site.node(1).is_fit);
    NodeSight by_address = replica(1, 0);
    by_address.sources[0].server_id = 0;
    site.look(1, by_address);
    CHECK(site.node(1).is_fit);
    by_address.sources[0].address = "10.0.0.9:3306";
    site.look(1, by_address);
    CHECK(!site.node(1).is_fit);
}

TEST_CASE("a replica of a replica of the primary serves reads, a circle of replicas does not") {
    Site site(4);
    site.look_at_all({writable(0), replica(1, 0), replica(2, 1), replica(3, 3)});
    CHECK(site.node(2).is_fit);
    CHECK(site.node(3).state == NodeState::unfit);
}

TEST_CASE("a primary that vanished stays primary until enough looks have failed") {
    Site site(2);
    site.look_at_all({writable(0), replica(1, 0)});
    uint32_t generation = site.node(0).generation;
    CHECK(site.look(0, failure(core::ErrorKind::timed_out)).empty());
    CHECK(site.topology.primary() == 0);
    std::string said = sentences(site.look(0, failure(core::ErrorKind::timed_out)));
    CHECK(!site.topology.primary());
    CHECK(site.node(0).state == NodeState::unreachable);
    CHECK(site.node(0).generation > generation);
    CHECK(said.contains("10.0.0.1:3306 does not answer: no answer\n"));
    CHECK(said.contains(
        "no primary: all nodes that answer are read-only; 10.0.0.1:3306 does not answer (no answer)\n"
    ));
    SUBCASE("and its replica goes on serving reads") {
        site.look(1, replica(1, 0));
        CHECK(site.node(1).is_fit);
    }
    SUBCASE("and comes back by itself") {
        said = sentences(site.look(0, writable(0)));
        CHECK(site.topology.primary() == 0);
        CHECK(said.contains("10.0.0.1:3306 answers again\n"));
        CHECK(said.contains("primary is 10.0.0.1:3306"));
    }
    SUBCASE("and its replica may take its place") {
        said = sentences(site.look(1, writable(1)));
        CHECK(site.topology.primary() == 1);
        CHECK(said.contains("primary is 10.0.0.2:3306 (server id 2), after 10.0.0.1:3306\n"));
    }
}

TEST_CASE("a refused connection counts at once") {
    Site site(2);
    site.look_at_all({writable(0), replica(1, 0)});
    site.look(0, failure(core::ErrorKind::refused));
    CHECK(!site.topology.primary());
    CHECK(site.node(0).state == NodeState::unreachable);
}

TEST_CASE("a replica that does not answer gets no reads at once, and again after two good looks") {
    Site site(2);
    site.look_at_all({writable(0), replica(1, 0)});
    std::string said = sentences(site.look(1, failure(core::ErrorKind::timed_out)));
    CHECK(!site.node(1).is_fit);
    CHECK(said == "replica 10.0.0.2:3306 gets no reads: did not answer the last look: no answer\n");
    CHECK(site.look(1, replica(1, 0)).empty());
    CHECK(!site.node(1).is_fit);
    CHECK(sentences(site.look(1, replica(1, 0))) == "replica 10.0.0.2:3306 serves reads\n");
    CHECK(site.node(1).is_fit);
}

TEST_CASE("a replica with a stopped thread gets no reads") {
    Site site(2);
    site.look_at_all({writable(0), replica(1, 0)});
    NodeSight broken = replica(1, 0);
    broken.sources[0].error = "Duplicate entry";
    SUBCASE("the applier") {
        broken.sources[0].applier = ThreadState::stopped;
        CHECK(
            sentences(site.look(1, broken)) ==
            "replica 10.0.0.2:3306 gets no reads: its applier (Slave_SQL_Running) is stopped: Duplicate "
            "entry\n"
        );
        site.look(0, failure(core::ErrorKind::refused));
        CHECK(!site.node(1).is_fit);
    }
    SUBCASE("the receiver, which without a primary has nothing to receive") {
        broken.sources[0].receiver = ThreadState::stopped;
        site.look(1, broken);
        CHECK(!site.node(1).is_fit);
        site.look(0, failure(core::ErrorKind::refused));
        site.look(1, broken);
        site.look(1, broken);
        CHECK(site.node(1).is_fit);
    }
}

TEST_CASE("a replica that lags more than allowed gets no reads until it has caught up") {
    Site site(2, 1s);
    site.look_at_all({writable(0, "0-1-10"), replica(1, 0, "0-1-10")});
    CHECK(site.node(1).lag == 0s);
    std::string said;
    for (int sequence = 11; sequence < 40; ++sequence) {
        said += sentences(site.look(0, writable(0, "0-1-" + std::to_string(sequence))));
        said += sentences(site.look(1, replica(1, 0, "0-1-10")));
    }
    CHECK(!site.node(1).is_fit);
    CHECK(*site.node(1).lag > 5s);
    // One sentence only, from the moment on.
    CHECK(said == "replica 10.0.0.2:3306 gets no reads: lags 1.1 s, more than 1s\n");
    site.look(1, replica(1, 0, "0-1-39"));
    CHECK(!site.node(1).is_fit);
    site.look(1, replica(1, 0, "0-1-39"));
    CHECK(site.node(1).is_fit);
}

TEST_CASE("a replica that lagged when the primary vanished does not serve reads then") {
    Site site(2, 1s);
    site.look_at_all({writable(0, "0-1-10"), replica(1, 0, "0-1-10")});
    for (int sequence = 11; sequence < 40; ++sequence) {
        site.look_at_all({writable(0, "0-1-" + std::to_string(sequence)), replica(1, 0, "0-1-10")});
    }
    site.look(0, failure(core::ErrorKind::refused));
    site.look(1, replica(1, 0, "0-1-10"));
    CHECK(!site.node(1).is_fit);
    CHECK(site.node(1).why == "lagged when the primary was last seen");
}

TEST_CASE("without positions Seconds_Behind_Master decides, and a heartbeat over both") {
    Site site(2);
    NodeSight blind = replica(1, 0);
    blind.applied.reset();
    blind.sources[0].behind = 3s;
    site.look_at_all({writable(0), blind});
    CHECK(site.node(1).lag == 3s);
    CHECK(site.node(1).is_fit);
    blind.sources[0].behind = 9s;
    site.look(1, blind);
    CHECK(!site.node(1).is_fit);
    blind.sources[0].behind.reset();
    site.look(1, blind);
    CHECK(!site.node(1).is_fit);
    CHECK(site.node(1).why == "its lag is not known");
    blind.beat_age = 200ms;
    site.look(1, blind);
    site.look(1, blind);
    CHECK(site.node(1).is_fit);
    CHECK(site.node(1).lag == 200ms);
}

TEST_CASE("a generation ends with the role and with a restart") {
    Site site(2);
    site.look_at_all({writable(0), replica(1, 0)});
    uint32_t primary_generation = site.node(0).generation;
    uint32_t replica_generation = site.node(1).generation;
    site.look_at_all({writable(0), replica(1, 0)});
    CHECK(site.node(0).generation == primary_generation);
    CHECK(site.node(1).generation == replica_generation);
    NodeSight restarted = replica(1, 0);
    restarted.uptime = 1s;
    site.look(1, restarted);
    CHECK(site.node(1).generation == replica_generation + 1);
    site.look_at_all({read_only(0), writable(1)});
    CHECK(site.node(0).generation > primary_generation);
    CHECK(site.node(1).generation > replica_generation + 1);
}

TEST_CASE("between looks a node tells its position") {
    Site site(2);
    site.look_at_all({writable(0), replica(1, 0, "0-1-10")});
    site.topology.on_applied(1, *mysql::GtidPosition::read("0-1-12"));
    CHECK(site.node(1).applied == *mysql::GtidPosition::read("0-1-12"));
}

TEST_CASE("a reload keeps what is known of a node with the same address") {
    Site site(3);
    site.look_at_all({writable(0), replica(1, 0), replica(2, 0)});
    uint32_t generation = site.node(1).generation;
    sql::TopologyConfig config = Site::config(4, 5s);
    config.members.erase(config.members.begin() + 2);
    std::swap(config.members[0], config.members[1]);
    config.members[1].name = "one";
    Topology after(config, site.topology);
    CHECK(after.primary() == 1);
    CHECK(after.nodes()[1].name == "one");
    CHECK(after.nodes()[1].state == NodeState::primary);
    CHECK(after.nodes()[0].is_fit);
    CHECK(after.nodes()[0].generation == generation);
    CHECK(after.nodes()[2].state == NodeState::checking);
    // The new node does not unseat the primary before it is asked.
    CHECK(after.on_look(1, writable(0), site.now).empty());
    CHECK(after.primary() == 1);
}

TEST_CASE("what an operator changes holds over looks, changes of role and reloads") {
    Site site(3);
    site.look_at_all({writable(0), replica(1, 0), replica(2, 0)});
    uint64_t shares = site.topology.shares();
    site.topology.set_override(1, {.weight = 30});
    CHECK(site.topology.shares() == shares + 1);
    site.topology.set_override(1, {.weight = 30});
    CHECK(site.topology.shares() == shares + 1);
    site.topology.set_override(2, {.weight = 50, .admin = upstream::AdminState::disabled});
    CHECK(site.look_at_all({writable(0), replica(1, 0), replica(2, 0)}).empty());
    CHECK(site.node(1).weight() == 30);
    CHECK(site.node(1).share() == 30);
    CHECK(site.node(1).configured_weight == 100);
    CHECK(site.node(2).is_fit);
    CHECK(site.node(2).weight() == 50);
    CHECK(site.node(2).share() == 0);
    CHECK(site.node(2).is_closed());
    sql::TopologyConfig config = Site::config(3, 5s);
    std::swap(config.members[1], config.members[2]);
    config.members[2].weight = 70;
    Topology after(config, site.topology);
    CHECK(after.shares() > site.topology.shares());
    CHECK(after.nodes()[1].is_closed());
    CHECK(after.nodes()[2].share() == 30);
    after.set_override(2, {});
    CHECK(after.nodes()[2].share() == 70);
}

TEST_CASE("a disabled primary keeps its connections, a draining replica too") {
    Site site(2);
    site.look_at_all({writable(0), replica(1, 0)});
    site.topology.set_override(0, {.admin = upstream::AdminState::disabled});
    site.topology.set_override(1, {.admin = upstream::AdminState::draining});
    CHECK(site.topology.primary() == 0);
    CHECK(site.node(0).share() == 0);
    CHECK_FALSE(site.node(0).is_closed());
    CHECK_FALSE(site.node(1).is_closed());
}

TEST_CASE("a node that comes with a reload has what is kept of it") {
    Site site(2);
    site.look_at_all({writable(0), replica(1, 0)});
    sql::TopologyConfig config = Site::config(3, 5s);
    config.members[1].override.weight = 9;  // it was there: what it has now is newer
    config.members[2].override.admin = upstream::AdminState::draining;
    config.members[2].generation = 7;
    Topology after(config, site.topology);
    CHECK(after.nodes()[1].override == sql::NodeOverride{});
    CHECK(after.nodes()[2].share() == 0);
    CHECK(after.nodes()[2].generation == 7);
}

TEST_CASE("a node that a reload removed is closed, whatever it was") {
    sql::Node node{.state = sql::NodeState::removed};
    CHECK(node.is_closed());
    CHECK(sql::node_state_name(node.state) == "removed");
}

TEST_CASE("a site without nodes has no primary, and says so") {
    CHECK(Topology(sql::TopologyConfig{}).primary_why() == "no node answers");
}
