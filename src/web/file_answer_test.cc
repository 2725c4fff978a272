// What of a file is sent: conditions, ranges and encodings, of files in memory and of files from the disk.
#include "web/file_answer.h"

#include <algorithm>
#include <string>

#include <doctest/doctest.h>

#include "web/site_client.h"
#include "web/site_tree.h"

namespace web {
namespace {

using enum http::LocalOutcome;

constexpr std::string_view kModified = "Sun, 06 Nov 1994 08:49:37 GMT";

TEST_CASE("a client that has the file is told so, with what RFC 9110 section 15.4.5 asks for") {
    for (const uint64_t memory_max : kMemoryBounds) {
        CAPTURE(memory_max);
        const SiteTree tree;
        tree.write("a.txt", "0123456789");
        tree.write("a.txt.gz", "packed");
        tree.set_modified("a.txt", 784'111'777);
        SiteClient client({
            .root = tree.path(),
            .cache_control = {{.match = "*", .value = "max-age=1"}},
            .cache = {.memory_max = memory_max},
        });
        const std::string tag = client.get("/a.txt")["ETag"];
        const std::string expected = "ETag: " + tag + "\r\nLast-Modified: " + std::string(kModified) +
                                     "\r\nCache-Control: max-age=1\r\nVary: Accept-Encoding\r\n";
        for (const std::string& lines : {
                 "If-None-Match: " + tag + "\r\n",
                 "If-None-Match: W/" + tag + "\r\n",
                 "If-None-Match: \"x\"\r\nIf-None-Match: " + tag + "\r\n",
                 "If-Modified-Since: " + std::string(kModified) + "\r\n",
                 "If-None-Match: " + tag + "\r\nRange: bytes=0-1\r\n",
             }) {
            for (const std::string_view method : {"GET", "HEAD"}) {
                CAPTURE(lines);
                const Reply reply = client.ask(method, "/a.txt", lines);
                CHECK(reply.outcome == answered);
                CHECK(reply.status == 304);
                CHECK(reply.fields == expected);
                CHECK(reply.body.empty());
                CHECK(client.answer().file.descriptor == -1);
            }
        }
        CHECK(client.get("/a.txt", "If-Match: \"x\"\r\n").status == 412);
        CHECK(client.get("/a.txt", "If-Match: \"x\"\r\nIf-Match: " + tag + "\r\n").status == 200);
        CHECK(client.get("/a.txt", "If-None-Match: \"x\"\r\n").status == 200);
        // Two dates say nothing.
        const std::string line = "If-Modified-Since: " + std::string(kModified) + "\r\n";
        CHECK(client.get("/a.txt", line + line).status == 200);
    }
}

TEST_CASE("one range is sent alone") {
    for (const uint64_t memory_max : kMemoryBounds) {
        CAPTURE(memory_max);
        const SiteTree tree;
        tree.write("a.txt", "0123456789");
        tree.set_modified("a.txt", 784'111'777);
        SiteClient client({.root = tree.path(), .cache = {.memory_max = memory_max}});
        const std::string tag = client.get("/a.txt")["ETag"];
        const Reply reply = client.get("/a.txt", "Range: bytes=2-4\r\n");
        CHECK(reply.outcome == answered);
        CHECK(reply.status == 206);
        CHECK(reply.body == "234");
        CHECK(reply["Content-Range"] == "bytes 2-4/10");
        CHECK(reply["Content-Length"] == "3");
        CHECK(reply["Content-Type"] == "text/plain; charset=utf-8");
        CHECK(reply["ETag"] == tag);
        CHECK(std::ranges::count(reply.fields, '\n') == 6);

        CHECK(client.get("/a.txt", "Range: bytes=-1\r\n").body == "9");
        CHECK(client.get("/a.txt", "Range: bytes=0-\r\n").body == "0123456789");
        const Reply none = client.get("/a.txt", "Range: bytes=10-\r\n");
        CHECK(none.outcome == refused);
        CHECK(none.status == 416);
        CHECK(none.fields == "Content-Range: bytes */10\r\n");

        // The whole, with 200.
        for (const std::string& lines : {
                 std::string("Range: lines=1-2\r\n"),
                 std::string("Range: bytes=4-2\r\n"),
                 std::string("Range: bytes=0-1\r\nRange: bytes=0-1\r\n"),
                 std::string("Range: bytes=0-1\r\nIf-Range: \"x\"\r\n"),
                 "Range: bytes=0-1\r\nIf-Range: W/" + tag + "\r\n",
                 "Range: bytes=0-1\r\nIf-Range: " + tag + "\r\nIf-Range: " + tag + "\r\n",
                 "If-Range: " + tag + "\r\n",
             }) {
            CAPTURE(lines);
            const Reply whole = client.get("/a.txt", lines);
            CHECK(whole.status == 200);
            CHECK(whole.body == "0123456789");
        }
        for (const std::string& condition : {tag, std::string(kModified)}) {
            CAPTURE(condition);
            const std::string lines = "Range: bytes=0-1\r\nIf-Range: " + condition + "\r\n";
            CHECK(client.get("/a.txt", lines).body == "01");
        }
        const Reply head = client.ask("HEAD", "/a.txt", "Range: bytes=0-1\r\n");
        CHECK(head.status == 200);
        CHECK(head["Content-Length"] == "10");
    }
}

TEST_CASE("several ranges are sent as parts") {
    for (const uint64_t memory_max : kMemoryBounds) {
        CAPTURE(memory_max);
        const SiteTree tree;
        tree.write("a.txt", "0123456789");
        SiteClient client({.root = tree.path(), .cache = {.memory_max = memory_max}});
        const Reply reply = client.get("/a.txt", "Range: bytes=8-, 0-1\r\n");
        CHECK(reply.status == 206);
        CHECK(reply["Content-Range"].empty());
        const std::string type = reply["Content-Type"];
        constexpr std::string_view kType = "multipart/byteranges; boundary=";
        REQUIRE(type.starts_with(kType));
        const std::string boundary = type.substr(kType.size());
        const std::string head = "\r\n--" + boundary + "\r\nContent-Type: text/plain; charset=utf-8\r\n";
        CHECK(
            reply.body == head + "Content-Range: bytes 8-9/10\r\n\r\n89" + head +
                              "Content-Range: bytes 0-1/10\r\n\r\n01\r\n--" + boundary + "--\r\n"
        );
        CHECK(reply["Content-Length"] == std::to_string(reply.body.size()));
        CHECK(client.get("/a.txt", "Range: bytes=0-0,1-1\r\n").body == "01");
        CHECK(client.get("/a.txt", "Range: bytes=0-,0-,0-,0-\r\n").status == 200);
    }
}

TEST_CASE("a sibling is sent to who takes it, as a file of its own") {
    for (const uint64_t memory_max : kMemoryBounds) {
        CAPTURE(memory_max);
        const SiteTree tree;
        tree.write("a.js", "plain text");
        tree.write("a.js.br", "brotli");
        tree.write("a.js.gz", "gzipped");
        SiteClient client({.root = tree.path(), .cache = {.memory_max = memory_max}});
        const Reply plain = client.get("/a.js");
        CHECK(plain.body == "plain text");
        CHECK(plain["Vary"] == "Accept-Encoding");
        CHECK(plain["Content-Encoding"].empty());

        const Reply brotli = client.get("/a.js", "Accept-Encoding: gzip, deflate, br, zstd\r\n");
        CHECK(brotli.body == "brotli");
        CHECK(brotli["Content-Encoding"] == "br");
        CHECK(brotli["Content-Type"] == "text/javascript; charset=utf-8");
        CHECK(brotli["Content-Length"] == "6");
        CHECK(brotli["Vary"] == "Accept-Encoding");
        CHECK(brotli["ETag"].ends_with("-br\""));

        const Reply gzip = client.get("/a.js", "Accept-Encoding: br;q=0.1\r\nAccept-Encoding: gzip\r\n");
        CHECK(gzip.body == "gzipped");
        CHECK(gzip["ETag"] != brotli["ETag"]);
        CHECK(gzip["ETag"] != plain["ETag"]);

        // Conditions and ranges are those of what would be sent.
        const std::string lines = "Accept-Encoding: br\r\n";
        CHECK(client.get("/a.js", lines + "If-None-Match: " + brotli["ETag"] + "\r\n").status == 304);
        CHECK(client.get("/a.js", lines + "If-None-Match: " + plain["ETag"] + "\r\n").status == 200);
        const Reply part = client.get("/a.js", lines + "Range: bytes=0-1\r\n");
        CHECK(part.body == "br");
        CHECK(part["Content-Range"] == "bytes 0-1/6");
        CHECK(part["Content-Encoding"] == "br");

        const Reply refusal = client.get("/a.js", "Accept-Encoding: identity;q=0, zstd\r\n");
        CHECK(refusal.outcome == refused);
        CHECK(refusal.status == 406);
        CHECK(refusal["Vary"] == "Accept-Encoding");
        CHECK(client.get("/a.js.br")["Content-Encoding"].empty());
        CHECK(client.get("/a.js.br")["Vary"].empty());
    }
}

TEST_CASE("which siblings count is configured, and stale ones do not") {
    const SiteTree tree;
    tree.write("a.js", "plain");
    tree.write("a.js.br", "brotli");
    tree.write("a.js.zst", "zstandard");
    tree.write("old.js", "plain");
    tree.write("old.js.br", "old brotli");
    tree.set_modified("old.js.br", 784'111'777);
    tree.write("odd.js", "plain");
    tree.make_directory("odd.js.br");
    tree.make_fifo("odd.js.gz");
    const std::string lines = "Accept-Encoding: br, zstd, gzip\r\n";
    SiteClient client({.root = tree.path(), .precompressed = {Encoding::zstandard, Encoding::brotli}});
    CHECK(client.get("/a.js", lines).body == "zstandard");
    CHECK(client.get("/old.js", lines).body == "plain");
    CHECK(client.get("/old.js", lines)["Vary"].empty());
    CHECK(SiteClient({.root = tree.path()}).get("/odd.js", lines).body == "plain");
    SiteClient without({.root = tree.path(), .precompressed = {}});
    CHECK(without.get("/a.js", lines).body == "plain");
    CHECK(without.get("/a.js", lines)["Vary"].empty());
}

TEST_CASE("a sibling that comes, changes or goes is seen when the file is looked at again") {
    const SiteTree tree;
    const std::string lines = "Accept-Encoding: gzip\r\n";
    tree.write("a.js", "plain");
    SiteClient client({.root = tree.path()});
    CHECK(client.get("/a.js", lines).body == "plain");
    tree.write("a.js.gz", "one");
    client.advance(std::chrono::seconds(1));
    CHECK(client.get("/a.js", lines).body == "one");
    client.advance(std::chrono::seconds(1));
    CHECK(client.get("/a.js", lines).body == "one");
    tree.write("a.js.gz", "two and more");
    client.advance(std::chrono::seconds(1));
    CHECK(client.get("/a.js", lines).body == "two and more");
    tree.remove("a.js.gz");
    client.advance(std::chrono::seconds(1));
    CHECK(client.get("/a.js", lines).body == "plain");
}

TEST_CASE("a file from the disk is described with what it must still be when it is sent") {
    const SiteTree tree;
    tree.write("a.bin", "0123456789");
    SiteClient client({.root = tree.path(), .cache = {.memory_max = 4}});
    CHECK(client.get("/a.bin").body == "0123456789");
    runtime::FileStatus status;
    REQUIRE(runtime::file_status_of((tree / "a.bin").c_str(), status) == 0);
    CHECK(client.answer().file.size == 10);
    CHECK(client.answer().file.modified_ns == status.identity.modified_ns);
    CHECK(client.answer().shared_body.empty());
}

}  // namespace
}  // namespace web
