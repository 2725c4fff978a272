// The cache within its bounds: what is kept, what goes first, and that missing names push out no files.
#include "web/file_cache.h"

#include <string>

#include <doctest/doctest.h>

#include "web/site_tree.h"

namespace web {
namespace {

class Cache {
public:
    explicit Cache(CacheConfig bounds, size_t files = 0, size_t size = 1)
        : log_([] { return core::WallTime{}; }, [](std::string_view) {}),
          config_{.root = tree_.path(), .precompressed = {}, .cache = bounds},
          cache_(config_, log_) {
        for (size_t i = 0; i < files; ++i) {
            tree_.write(std::to_string(i), std::string(size, 'x'));
        }
    }

    Cache(const Cache&) = delete;
    Cache& operator=(const Cache&) = delete;

    LoadedFile find(const std::string& path) { return cache_.find(path, now_); }

    // Whether the path is kept: what is removed behind the cache's back is found all the same.
    bool is_kept(const std::string& path) {
        tree_.rename(path, "away");
        const bool is_there = find(path).miss == FileMiss::none;
        tree_.rename("away", path);
        return is_there;
    }

    void advance(core::Duration duration) { now_ = now_ + duration; }

    [[nodiscard]] const CacheUse& use() const { return cache_.use(); }

    [[nodiscard]] const SiteTree& tree() const { return tree_; }

private:
    SiteTree tree_;
    core::Log log_;
    Config config_;
    FileCache cache_;
    core::Instant now_{std::chrono::hours(1)};
};

TEST_CASE("a hit is the same record, without a look at the file") {
    Cache cache({}, 1);
    const LoadedFile first = cache.find("0");
    REQUIRE(first.record);
    cache.tree().remove("0");
    CHECK(cache.find("0").record == first.record);
    CHECK(cache.use().files == 1);
}

TEST_CASE("a file that did not change is read twice and then stays the same record") {
    Cache cache({}, 1);
    const LoadedFile first = cache.find("0");
    cache.advance(std::chrono::seconds(1));
    const LoadedFile second = cache.find("0");
    CHECK(second.record != first.record);  // the second reading, see FileIdentity
    for (int i = 0; i < 3; ++i) {
        cache.advance(std::chrono::seconds(1));
        CHECK(cache.find("0").record == second.record);
    }
    CHECK(cache.use().files == 1);
}

TEST_CASE("entries stay within their bound, and the longest unused goes first") {
    Cache cache({.entries_max = 10}, 12);
    for (int i = 0; i < 9; ++i) {
        CHECK(cache.find(std::to_string(i)).record);
    }
    CHECK(cache.use().files == 9);
    CHECK(cache.find("0").record);  // used again
    CHECK(cache.find("9").record);
    CHECK(cache.use().files == 9);
    CHECK(cache.is_kept("0"));
    CHECK(cache.is_kept("9"));
    CHECK_FALSE(cache.is_kept("1"));
}

TEST_CASE("missing names are a tenth, and push out no files") {
    Cache cache({.entries_max = 100}, 50);
    for (int i = 0; i < 50; ++i) {
        CHECK(cache.find(std::to_string(i)).record);
    }
    for (int i = 0; i < 1000; ++i) {
        CHECK(cache.find("missing" + std::to_string(i)).miss == FileMiss::absent);
    }
    CHECK(cache.use().missing == 10);
    CHECK(cache.use().files == 50);
    CHECK(cache.is_kept("0"));
}

TEST_CASE("missing names are bounded in bytes too") {
    Cache cache({.entries_max = 10000, .bytes_max = 64 << 10});
    for (int i = 0; i < 1000; ++i) {
        const std::string folder(200, 'a');
        CHECK(cache.find(folder + "/" + folder + "/" + std::to_string(i)).miss == FileMiss::absent);
        CHECK(cache.use().missing_bytes <= (64 << 10) / 10);
    }
    CHECK(cache.use().missing > 1);
}

TEST_CASE("a missing name is remembered, and forgotten when it is old") {
    Cache cache({});
    CHECK(cache.find("0").miss == FileMiss::absent);
    cache.tree().write("0", "x");
    CHECK(cache.find("0").miss == FileMiss::absent);
    cache.advance(std::chrono::seconds(1));
    CHECK(cache.find("0").record);
    CHECK(cache.use().missing == 0);
    CHECK(cache.use().files == 1);
}

TEST_CASE("bytes stay within their bound") {
    constexpr uint64_t kBytes = 256 << 10;
    Cache cache({.bytes_max = kBytes}, 20, 32 << 10);
    for (int i = 0; i < 20; ++i) {
        CHECK(cache.find(std::to_string(i)).record);
        CHECK(cache.use().file_bytes <= kBytes);
    }
    CHECK(cache.use().files >= 5);
    CHECK(cache.use().files <= 7);
    CHECK(cache.is_kept("19"));
    CHECK_FALSE(cache.is_kept("0"));
}

TEST_CASE("a file that does not fit is served, and not kept") {
    Cache cache({.bytes_max = 64 << 10, .memory_max = 1 << 20}, 2, 100 << 10);
    CHECK(cache.find("0").record->plain().bytes.size() == 100 << 10);
    CHECK(cache.use().files == 0);
    CHECK(cache.use().file_bytes == 0);
    CHECK_FALSE(cache.is_kept("0"));
}

TEST_CASE("open files stay within their bound, and do not push out those in memory") {
    Cache cache({.memory_max = 10, .open_files_max = 3}, 8, 100);
    cache.tree().write("small", "x");
    CHECK(cache.find("small").record);
    for (int i = 0; i < 8; ++i) {
        const LoadedFile file = cache.find(std::to_string(i));
        REQUIRE(file.record);
        CHECK(file.record->plain().descriptor.is_open());
        CHECK(cache.use().open_files <= 3);
    }
    CHECK(cache.use().files == 4);
    CHECK(cache.is_kept("small"));
    CHECK(cache.is_kept("7"));
    CHECK_FALSE(cache.is_kept("0"));
}

TEST_CASE("of open files and files in memory the older goes") {
    Cache cache({.entries_max = 10, .memory_max = 1}, 9, 1);
    cache.tree().write("large", "xx");
    CHECK(cache.find("large").record);
    for (int i = 0; i < 9; ++i) {
        CHECK(cache.find(std::to_string(i)).record);
    }
    CHECK(cache.use().files == 9);
    CHECK(cache.use().open_files == 0);
    CHECK(cache.is_kept("0"));
}

}  // namespace
}  // namespace web
