// Cgroups: what the system's files say, and, where groups can be made here, one that keeps its limit.
#include "app/memory_groups.h"

#include <doctest/doctest.h>

#include "app/memory_watch.h"

namespace app {
namespace {

TEST_CASE("our own group is that of version 2") {
    CHECK(own_group_of("0::/system.slice/trilith.service\n") == "/system.slice/trilith.service");
    CHECK(own_group_of("4:memory:/x\n1:cpu:/y\n0::/\n") == "/");
    CHECK_FALSE(own_group_of("4:memory:/x\n1:cpu:/y\n"));
    CHECK_FALSE(own_group_of(""));
}

TEST_CASE("version 2 is found where it is mounted") {
    CHECK(
        group_mount_of("22 1 0:20 / /proc rw - proc proc rw\n"
                       "36 25 0:31 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n"
        ) == "/sys/fs/cgroup"
    );
    CHECK(
        group_mount_of("36 25 0:31 / /sys/fs/cgroup/unified rw - cgroup2 none rw") == "/sys/fs/cgroup/unified"
    );
    CHECK_FALSE(group_mount_of("36 25 0:31 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"));
}

TEST_CASE("words and keys are found whole") {
    CHECK(lists_word("cpu memory pids\n", "memory"));
    CHECK(lists_word("memory", "memory"));
    CHECK_FALSE(lists_word("memoryx cpu\n", "memory"));
    CHECK_FALSE(lists_word("", "memory"));
    CHECK(keyed_value("low 0\noom 2\noom_kill 13\n", "oom_kill") == 13);
    CHECK(keyed_value("low 0\noom 2\n", "oom_kill") == 0);
}

TEST_CASE("where groups can be made, one is made, has its limit, and is removed; elsewhere it is said why") {
    auto groups = MemoryGroups::find();
    if (!groups) {
        CHECK_FALSE(groups.error().context().empty());
        return;
    }
    auto group = groups->create("app-unit-test", {.memory = 32 << 20, .open_files = 0, .processes = 10});
    REQUIRE(group);
    CHECK_FALSE(has_hit_memory_limit(*group));
    CHECK(group_memory(*group) < 32 << 20);
    remove_group(*group);
    CHECK(groups->create("app-unit-test", {}));
    remove_group(*group);
}

TEST_CASE("the wall is well above the limit, and the limit is named as it was written") {
    CHECK(data_limit(64 << 20) == (128ULL << 20) + (256ULL << 20));
    CHECK(describe_memory_limit(64 << 20) == "over its memory limit of 64MiB");
}

}  // namespace
}  // namespace app
