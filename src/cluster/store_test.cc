// What a store's readers see, however fast the record is replaced.
#include "cluster/store.h"

#include <filesystem>

#include <doctest/doctest.h>

#include "cluster/durable_file.h"
#include "runtime/linux_os.h"
#include "runtime/temporary_directory.h"

namespace cluster {

namespace {

using namespace std::chrono_literals;

// Every file has been there for long.
class LateOs final : public runtime::LinuxOs {
public:
    core::WallTime wall_time() override { return {runtime::LinuxOs::wall_time().since_epoch + 10s}; }
};

upstream::Topology of_epoch(uint64_t epoch) {
    upstream::Topology topology;
    topology.epoch = epoch;
    return topology;
}

}  // namespace

TEST_CASE("a reader sees each record that replaces the one that it knows") {
    runtime::TemporaryDirectory directory;
    runtime::LinuxOs os;
    Store leader(os, directory.path());
    Store reader(os, directory.path());
    REQUIRE(leader.try_lead());
    CHECK(reader.read()->version == 0);
    for (uint64_t version = 0; version < 20; ++version) {
        auto replaced = leader.replace(of_epoch(version + 7), version, "one more");
        REQUIRE_MESSAGE(replaced, replaced.error().context());
        for (int times = 0; times < 3; ++times) {
            auto read = reader.read();
            REQUIRE(read);
            CHECK(read->version == version + 1);
            CHECK(read->epoch == version + 7);
        }
    }
}

TEST_CASE("a record that is known is damaged all the same when the file is") {
    runtime::TemporaryDirectory directory;
    LateOs os;
    Store store(os, directory.path());
    REQUIRE(store.try_lead());
    REQUIRE(store.replace(of_epoch(1), 0, "the first"));
    REQUIRE(store.read()->epoch == 1);
    REQUIRE(store.replace(of_epoch(2), 1, "the second"));
    REQUIRE(store.read()->epoch == 2);
    REQUIRE(store.read()->epoch == 2);
    REQUIRE(replace_durably(directory.path() + "/topology", "what is this"));
    auto damaged = store.read();
    REQUIRE_FALSE(damaged);
    CHECK(damaged.error().context().contains("is damaged"));
    std::filesystem::remove(directory.path() + "/topology");
    CHECK(store.read()->version == 0);
}

}  // namespace cluster
