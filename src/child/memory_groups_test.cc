// Cgroups: what the system's files say, and, where groups can be made here, one that keeps its limit.
#include "child/memory_groups.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <ranges>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "child/memory_watch.h"

namespace child {
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

TEST_CASE("what root hands over is the group and its controls, and never the root group") {
    if (::geteuid() != 0) {
        return;
    }
    std::string base = "/tmp/trilith-group-XXXXXX";
    REQUIRE(::mkdtemp(base.data()) != nullptr);
    const std::vector<std::string> names{"", "/cgroup.procs", "/cgroup.subtree_control", "/cgroup.threads"};
    for (const std::string& name : names | std::views::drop(1)) {
        ::close(::open((base + name).c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0644));
    }
    const runtime::Account account{.name = "site", .uid = 4711, .gid = 4711, .home = "/"};
    auto owner_of = [](const std::string& path) {
        struct stat status{};
        return ::stat(path.c_str(), &status) == 0 ? static_cast<int>(status.st_uid) : -1;
    };
    auto refused = MemoryGroups(base, GroupLevel::root).hand_over(account);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().kind() == core::ErrorKind::permission);
    CHECK(owner_of(base) == 0);
    CHECK(MemoryGroups(base).hand_over(account));
    for (const std::string& name : names) {
        CHECK(owner_of(base + name) == 4711);
    }
    ::unlink((base + names.back()).c_str());
    CHECK_FALSE(MemoryGroups(base).hand_over(account));
    for (const std::string& name : names | std::views::drop(1)) {
        ::unlink((base + name).c_str());
    }
    ::rmdir(base.c_str());
}

TEST_CASE("where groups can be made, one is made, has its limit, and is removed; elsewhere it is said why") {
    auto groups = MemoryGroups::find();
    if (!groups) {
        CHECK_FALSE(groups.error().context().empty());
        return;
    }
    auto group = groups->create("app-unit-test", {.memory = 32 << 20, .processes = 10});
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
}  // namespace child
