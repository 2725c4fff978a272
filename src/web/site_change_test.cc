// Files that change under a site: replaced, overwritten, cut off, removed, and a whole root that is switched.
#include <algorithm>
#include <string>

#include <doctest/doctest.h>

#include "web/site_client.h"
#include "web/site_tree.h"

namespace web {
namespace {

constexpr core::Duration kValid = std::chrono::seconds(1);

TEST_CASE("a replaced file is believed for as long as `valid`, then seen") {
    for (const uint64_t memory_max : kMemoryBounds) {
        CAPTURE(memory_max);
        const SiteTree tree;
        tree.write("a.txt", "first");
        SiteClient client({.root = tree.path(), .cache = {.memory_max = memory_max}});
        const Reply first = client.get("/a.txt");
        CHECK(first.body == "first");
        tree.write("a.txt", "second one");
        client.advance(kValid - std::chrono::nanoseconds(1));
        CHECK(client.get("/a.txt").body == "first");
        client.advance(std::chrono::nanoseconds(1));
        const Reply second = client.get("/a.txt");
        CHECK(second.body == "second one");
        CHECK(second["Content-Length"] == "10");
        CHECK(second["ETag"] != first["ETag"]);
        CHECK(client.get("/a.txt", "If-None-Match: " + first["ETag"] + "\r\n").status == 200);
    }
}

TEST_CASE("an answer that is being sent keeps the file that it began with") {
    for (const uint64_t memory_max : kMemoryBounds) {
        CAPTURE(memory_max);
        const SiteTree tree;
        tree.write("a.txt", "first");
        SiteClient client({.root = tree.path(), .cache = {.memory_max = memory_max}});
        CHECK(client.get("/a.txt").status == 200);
        const http::LocalAnswer answer = std::move(client.answer());
        tree.write("a.txt", "second");
        client.advance(kValid);
        CHECK(client.get("/a.txt").body == "second");
        tree.remove("a.txt");
        client.advance(kValid);
        CHECK(client.get("/a.txt").status == 404);
        CHECK(SiteClient::body_of(answer) == "first");
        CHECK(answer.shared_fields.starts_with("Content-Length: 5\r\n"));
    }
}

TEST_CASE("a file that is overwritten in place or cut off has a new length") {
    for (const uint64_t memory_max : kMemoryBounds) {
        CAPTURE(memory_max);
        const SiteTree tree;
        tree.write("a.txt", "0123456789");
        SiteClient client({.root = tree.path(), .cache = {.memory_max = memory_max}});
        CHECK(client.get("/a.txt").body == "0123456789");
        tree.truncate("a.txt", 3);
        client.advance(kValid);
        CHECK(client.get("/a.txt").body == "012");
        CHECK(client.get("/a.txt")["Content-Length"] == "3");
        tree.overwrite("a.txt", "abcdef");
        client.advance(kValid);
        CHECK(client.get("/a.txt").body == "abcdef");
        tree.truncate("a.txt", 0);
        client.advance(kValid);
        CHECK(client.get("/a.txt").body.empty());
    }
}

TEST_CASE("an open file that was written to is opened anew at once, for it could not be sent to its end") {
    const SiteTree tree;
    tree.write("a.txt", "0123456789");
    SiteClient client({.root = tree.path(), .cache = {.memory_max = 0}});
    const Reply first = client.get("/a.txt");
    CHECK(first.body == "0123456789");
    tree.truncate("a.txt", 3);
    const Reply cut = client.get("/a.txt");
    CHECK(cut.body == "012");
    CHECK(cut["Content-Length"] == "3");
    CHECK(cut["ETag"] != first["ETag"]);
    tree.overwrite("a.txt", "abcdef");
    CHECK(client.get("/a.txt", "Range: bytes=4-\r\n").body == "ef");
    tree.remove("a.txt");
    CHECK(client.get("/a.txt").body == "abcdef");  // its bytes are still those that are known
    client.advance(kValid);
    CHECK(client.get("/a.txt").status == 404);
}

TEST_CASE("what was overwritten within one tick of the disk's clock is found by the second reading") {
    const SiteTree tree;
    tree.write("a.txt", "first");
    SiteClient client({.root = tree.path()});
    CHECK(client.get("/a.txt").body == "first");
    // Of the same length and inode, and perhaps of the same times.
    tree.overwrite("a.txt", "other");
    client.advance(kValid);
    CHECK(client.get("/a.txt").body == "other");
}

TEST_CASE("a removed file is gone, and one that comes is found") {
    const SiteTree tree;
    tree.write("a.txt", "x");
    SiteClient client({.root = tree.path()});
    CHECK(client.get("/b.txt").status == 404);
    CHECK(client.get("/a.txt").status == 200);
    tree.rename("a.txt", "b.txt");
    CHECK(client.get("/b.txt").status == 404);
    client.advance(kValid);
    CHECK(client.get("/a.txt").status == 404);
    CHECK(client.get("/b.txt").body == "x");
}

TEST_CASE("with valid 0s every request looks") {
    const SiteTree tree;
    SiteClient client({.root = tree.path(), .cache = {.valid = core::Duration(0)}});
    CHECK(client.get("/a.txt").status == 404);
    tree.write("a.txt", "first");
    CHECK(client.get("/a.txt").body == "first");
    tree.write("a.txt", "second one");
    CHECK(client.get("/a.txt").body == "second one");
    tree.remove("a.txt");
    CHECK(client.get("/a.txt").status == 404);
}

TEST_CASE("a file becomes a directory, a FIFO, a link that leads out, and a file again") {
    const SiteTree tree;
    const SiteTree other;
    other.write("secret", "secret");
    tree.write("a", "first");
    SiteClient client({.root = tree.path()});
    CHECK(client.get("/a").body == "first");
    tree.remove("a");
    tree.write("a/index.html", "folder");
    client.advance(kValid);
    CHECK(client.get("/a").status == 301);
    tree.remove("a");
    tree.make_fifo("a");
    client.advance(kValid);
    CHECK(client.get("/a").status == 404);
    tree.remove("a");
    tree.link(other / "secret", "a");
    client.advance(kValid);
    CHECK(client.get("/a").status == 404);
    CHECK(client.log_text().contains("link leads out of the root"));
    tree.remove("a");
    tree.write("a", "again");
    client.advance(kValid);
    CHECK(client.get("/a").body == "again");
}

TEST_CASE("a root that is a link is followed when it is switched") {
    const SiteTree tree;
    tree.write("releases/6/a.txt", "six");
    tree.write("releases/6/only.txt", "six");
    tree.write("releases/7/a.txt", "seven");
    tree.link("releases/6", "current");
    SiteClient client({.root = tree / "current"});
    CHECK(client.get("/a.txt").body == "six");
    CHECK(client.get("/only.txt").body == "six");
    tree.link("releases/7", "next");
    tree.rename("next", "current");
    client.advance(kValid);
    CHECK(client.get("/a.txt").body == "seven");
    CHECK(client.get("/only.txt").status == 404);
}

TEST_CASE("a root that goes missing leaves what was there, and is told once") {
    const SiteTree tree;
    tree.write("root/a.txt", "x");
    SiteClient client({.root = tree / "root"});
    CHECK(client.get("/a.txt").body == "x");
    tree.rename("root", "moved");
    for (int i = 0; i < 3; ++i) {
        client.advance(kValid);
        CHECK(client.get("/a.txt").body == "x");
    }
    CHECK(std::ranges::count(client.log_text(), '\n') == 1);
    tree.write("root/a.txt", "new");
    client.advance(kValid);
    CHECK(client.get("/a.txt").body == "new");
}

}  // namespace
}  // namespace web
