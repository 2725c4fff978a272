// The mark in a data directory, and what is read of the files around it.
#include "cluster/data_origin.h"

#include <filesystem>

#include <doctest/doctest.h>

#include "runtime/temporary_directory.h"

namespace cluster {
namespace {

TEST_CASE("an origin survives the way to the disk, and nothing else is taken for one") {
    for (const DataOrigin& origin :
         {DataOrigin{},
          DataOrigin{.renewal = 17},
          DataOrigin{.renewal = 18, .source = "db1", .position = "0-1-5,1-2-3"},
          DataOrigin{.renewal = 0, .source = "db1", .position = ""}}) {
        CHECK(parse_origin(write_origin(origin)) == origin);
    }
    std::string text = write_origin({.renewal = 18, .source = "db1", .position = "0-1-5"});
    for (size_t size = 0; size + 1 < text.size(); ++size) {
        auto read = parse_origin(std::string_view(text).substr(0, size));
        CHECK((!read || read->source.empty()));  // cut behind a line it is another, which has no copy
    }
    for (std::string_view wrong : {"", "trilith-origin 2\nrenewal 1\n", "trilith-origin 1\nrenewal x\n"}) {
        CHECK_FALSE(parse_origin(wrong));
    }
    runtime::TemporaryDirectory folder;
    CHECK(origin_of(folder.path()) == DataOrigin{});
    REQUIRE(record_origin(folder.path(), {.renewal = 3}));
    CHECK(origin_of(folder.path()).renewal == 3);
}

TEST_CASE("a history is whole from its first binlog, short by its size, and never that of a copy") {
    runtime::TemporaryDirectory folder;
    folder.write("binlog.000002", std::string(100, 'x'));
    CHECK_FALSE(has_short_whole_history(folder.path(), 1000));
    folder.write("binlog.000001", std::string(500, 'x'));
    CHECK(has_short_whole_history(folder.path(), 1000));
    CHECK_FALSE(has_short_whole_history(folder.path(), 599));
    REQUIRE(record_origin(folder.path(), {.renewal = 0, .source = "db1", .position = "0-1-5"}));
    CHECK_FALSE(has_short_whole_history(folder.path(), 1000));
    CHECK_FALSE(has_short_whole_history(folder.path() + "/nothing", 1000));
}

TEST_CASE("bytes are counted in all depths, and there is room in a temporary directory") {
    runtime::TemporaryDirectory folder;
    std::filesystem::create_directory(folder.path() + "/shop");
    folder.write("ibdata1", std::string(1000, 'x'));
    folder.write("shop/t.ibd", std::string(234, 'x'));
    CHECK(bytes_below(folder.path()) == 1234);
    CHECK(bytes_below(folder.path() + "/nothing") == 0);
    CHECK(free_bytes(folder.path()).value_or(0) > 0);
    CHECK_FALSE(free_bytes(folder.path() + "/nothing"));
}

}  // namespace
}  // namespace cluster
