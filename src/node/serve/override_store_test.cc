// What is kept over a restart, and what a damaged file or a full disk does.
#include "node/serve/override_store.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <format>

#include <doctest/doctest.h>

#include "node/log/full_disk.h"
#include "runtime/temporary_directory.h"

namespace node {

namespace {

using core::ErrorKind;
using upstream::AdminState;

OverrideStore opened(const std::string& path) {
    auto store = OverrideStore::open(path);
    REQUIRE_MESSAGE(store, store.error().context());
    return *std::move(store);
}

Override weight(uint32_t value) { return {.weight = value, .admin = {}}; }

}  // namespace

TEST_CASE("without a file nothing is kept, and none is made by looking") {
    runtime::TemporaryDirectory directory;
    OverrideStore store = opened(directory / "lb1.overrides.json");
    CHECK(store.all().empty());
    CHECK(store.find("origin/b1") == Override{});
    CHECK(directory.names().empty());
}

TEST_CASE("what was set is there after a restart, and nothing beside it") {
    runtime::TemporaryDirectory directory;
    std::string path = directory / "lb1.overrides.json";
    const Override heavy = weight(200);
    const Override draining{.weight = {}, .admin = AdminState::draining};
    const Override both{.weight = 0, .admin = AdminState::disabled};
    OverrideStore store = opened(path);
    REQUIRE(store.set("origin/b2", heavy));
    REQUIRE(store.set("origin/127.0.0.1:9001", draining));
    REQUIRE(store.set("other/[::1]:80", both));
    OverrideStore again = opened(path);
    CHECK(again.all() == store.all());
    CHECK(again.all().size() == 3);
    CHECK(again.find("origin/b2") == heavy);
    CHECK(again.find("origin/127.0.0.1:9001") == draining);
    CHECK(again.find("other/[::1]:80") == both);
    CHECK(again.find("origin/b") == Override{});
    CHECK(directory.names() == std::vector<std::string>{"lb1.overrides.json"});
    struct stat state{};
    REQUIRE(::stat(path.c_str(), &state) == 0);
    CHECK((state.st_mode & 0777) == 0600);
}

TEST_CASE("an empty override forgets the backend") {
    runtime::TemporaryDirectory directory;
    OverrideStore store = opened(directory / "o.json");
    REQUIRE(store.set("origin/b2", weight(1)));
    REQUIRE(store.set("origin/b3", weight(2)));
    REQUIRE(store.set("origin/b2", {}));
    CHECK(opened(store.path()).all() == Overrides{{"origin/b3", weight(2)}});
    REQUIRE(store.replace({{"origin/b4", {}}}));
    CHECK(opened(store.path()).all().empty());
}

TEST_CASE("a damaged file is an error that names it, never silence") {
    runtime::TemporaryDirectory directory;
    std::string path = directory / "o.json";
    std::string good = R"({"version": 1, "overrides": {"a/b": {"weight": 256, "admin": "drain"}}})";
    directory.write("o.json", good);
    CHECK(opened(path).all().size() == 1);
    for (size_t cut = 0; cut < good.size(); ++cut) {
        CAPTURE(cut);
        directory.write("o.json", good.substr(0, cut));
        CHECK_FALSE(OverrideStore::open(path));
    }
    for (const char* text : {
             "null",
             "[]",
             "{}",
             R"({"version": 1})",
             R"({"version": 2, "overrides": {}})",
             R"({"version": 1, "overrides": {}, "more": 1})",
             R"({"version": 1, "overrides": []})",
             R"({"version": 1, "overrides": {"a/b": {}}})",
             R"({"version": 1, "overrides": {"a/b": 5}})",
             R"({"version": 1, "overrides": {"a/b": {"weight": 257}}})",
             R"({"version": 1, "overrides": {"a/b": {"weight": -1}}})",
             R"({"version": 1, "overrides": {"a/b": {"weight": 1.5}}})",
             R"({"version": 1, "overrides": {"a/b": {"weight": "1"}}})",
             R"({"version": 1, "overrides": {"a/b": {"admin": "drained"}}})",
             R"({"version": 1, "overrides": {"a/b": {"admin": null}}})",
             R"({"version": 1, "overrides": {"a/b": {"wieght": 1}}})",
         }) {
        CAPTURE(text);
        directory.write("o.json", text);
        auto store = OverrideStore::open(path);
        REQUIRE_FALSE(store);
        CHECK(store.error().kind() == ErrorKind::invalid);
        CHECK(store.error().context().starts_with(path + ": "));
    }
    directory.write("o.json", std::string(kOverridesFileBytesMax + 1, ' '));
    CHECK(OverrideStore::open(path).error().context().contains("more than 1048576 bytes"));
    directory.write("o.json", std::string(kOverridesFileBytesMax / 2, '['));
    CHECK_FALSE(OverrideStore::open(path));
}

TEST_CASE("a full disk leaves the file and the memory as they were") {
    runtime::TemporaryDirectory directory;
    OverrideStore store = opened(directory / "o.json");
    REQUIRE(store.set("origin/b1", weight(7)));
    std::string before = directory.read("o.json");
    {
        FullDisk disk(before.size() / 2);
        auto changed = store.set("origin/b1", weight(8));
        REQUIRE_FALSE(changed);
        CHECK(changed.error().context().starts_with(store.path() + ": "));
    }
    CHECK(store.find("origin/b1") == weight(7));
    CHECK(directory.read("o.json") == before);
    CHECK(directory.names() == std::vector<std::string>{"o.json"});
    REQUIRE(store.set("origin/b1", weight(8)));
    CHECK(opened(store.path()).find("origin/b1") == weight(8));
}

TEST_CASE("a directory that is gone is an error, and so is a file where a directory should be") {
    runtime::TemporaryDirectory directory;
    OverrideStore store = opened(directory / "missing/o.json");
    CHECK_FALSE(store.set("origin/b1", weight(8)));
    CHECK(store.all().empty());
    directory.write("file", "x");
    CHECK_FALSE(OverrideStore::open(directory / "file/o.json"));
}

TEST_CASE("what a killed process left half written does not matter") {
    runtime::TemporaryDirectory directory;
    directory.write("o.json.new", "{\"half");
    OverrideStore store = opened(directory / "o.json");
    CHECK(store.all().empty());
    REQUIRE(store.set("origin/b1", weight(8)));
    CHECK(directory.names() == std::vector<std::string>{"o.json"});
}

TEST_CASE("overrides are bounded in number and in bytes, and what is kept can be read again") {
    runtime::TemporaryDirectory directory;
    OverrideStore store = opened(directory / "o.json");
    Overrides many;
    for (size_t i = 0; i < kOverridesMax; ++i) {
        many.emplace(std::format("pool/b{}", i), weight(1));
    }
    REQUIRE(store.replace(many));
    CHECK(opened(store.path()).all().size() == kOverridesMax);
    auto further = store.set("pool/one-more", weight(1));
    REQUIRE_FALSE(further);
    CHECK(further.error().kind() == ErrorKind::exhausted);
    CHECK(store.all().size() == kOverridesMax);
    auto large = store.replace({{std::string(kOverridesFileBytesMax, 'x'), weight(1)}});
    REQUIRE_FALSE(large);
    CHECK(large.error().kind() == ErrorKind::exhausted);
    CHECK(opened(store.path()).all().size() == kOverridesMax);
}

}  // namespace node
