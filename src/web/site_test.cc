// Requests to a site: steps in order, directories, methods, refusals and what is passed on.
#include "web/site.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <string>

#include <doctest/doctest.h>

#include "web/site_client.h"
#include "web/site_tree.h"

namespace web {
namespace {

using enum http::LocalOutcome;

TEST_CASE("a file is answered with all that a client needs") {
    const SiteTree tree;
    tree.write("a.css", "body{}");
    tree.set_modified("a.css", 784'111'777);
    SiteClient client({.root = tree.path()});
    const Reply reply = client.get("/a.css");
    CHECK(reply.outcome == answered);
    CHECK(reply.status == 200);
    CHECK(reply.body == "body{}");
    CHECK(
        reply.fields ==
        "Content-Length: 6\r\n"
        "Content-Type: text/css; charset=utf-8\r\n"
        "Accept-Ranges: bytes\r\n"
        "ETag: \"ae1b981bc490a00-6\"\r\n"
        "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
    );
    const Reply head = client.ask("HEAD", "/a.css");
    CHECK(head.status == 200);
    CHECK(head.fields == reply.fields);
}

TEST_CASE("an empty file has an empty body") {
    const SiteTree tree;
    tree.write("a.txt", "");
    SiteClient client({.root = tree.path()});
    const Reply reply = client.get("/a.txt");
    CHECK(reply.status == 200);
    CHECK(reply["Content-Length"] == "0");
    CHECK(reply.body.empty());
}

TEST_CASE("escaped names are found, and names with special characters") {
    const SiteTree tree;
    tree.write("a b%20c?.txt", "x");
    tree.write("\xC3\xA4/\xFF.txt", "y");
    SiteClient client({.root = tree.path()});
    CHECK(client.get("/a%20b%2520c%3F.txt").body == "x");
    CHECK(client.get("/%c3%a4/%ff.txt?query").body == "y");
}

TEST_CASE("a directory is answered with its index, in the order of the names") {
    const SiteTree tree;
    tree.write("index.html", "root");
    tree.write("both/index.htm", "second");
    tree.write("both/index.html", "first");
    tree.write("old/index.htm", "old");
    tree.make_directory("none");
    SiteClient client({.root = tree.path(), .index = {"index.html", "index.htm"}});
    CHECK(client.get("/").body == "root");
    CHECK(client.get("/both/").body == "first");
    CHECK(client.get("/old/").body == "old");
    CHECK(client.get("/none/").status == 404);
    CHECK(client.get("/none").status == 404);
    CHECK(client.get("/index.html/").status == 404);
}

TEST_CASE("a directory without slash is redirected to itself with one, and never elsewhere") {
    const SiteTree tree;
    tree.write("a b/index.html", "x");
    tree.write("evil.example/index.html", "x");
    SiteClient client({.root = tree.path()});
    const Reply reply = client.get("/a%20b?q=1&r");
    CHECK(reply.outcome == answered);
    CHECK(reply.status == 301);
    CHECK(reply["Location"] == "/a%20b/?q=1&r");
    CHECK(reply["Content-Length"] == "0");
    CHECK(reply.body.empty());
    CHECK(client.get("/evil.example")["Location"] == "/evil.example/");
    for (const std::string_view target : {"//evil.example", "///evil.example", "//evil.example/..", "//"}) {
        CAPTURE(target);
        const Reply refused_reply = client.get(target);
        CHECK(refused_reply.status != 301);
        CHECK(refused_reply["Location"].empty());
    }
}

TEST_CASE("methods other than GET and HEAD are refused for what is there") {
    const SiteTree tree;
    tree.write("a.txt", "x");
    tree.write("d/index.html", "x");
    SiteClient client({.root = tree.path()});
    for (const std::string_view method : {"POST", "PUT", "DELETE", "OPTIONS", "PATCH", "BREW"}) {
        for (const std::string_view target : {"/a.txt", "/d/", "/d"}) {
            CAPTURE(method);
            CAPTURE(target);
            const Reply reply = client.ask(method, target);
            CHECK(reply.outcome == refused);
            CHECK(reply.status == 405);
            CHECK(reply.fields == "Allow: GET, HEAD\r\n");
            CHECK_FALSE(reply.reason.empty());
        }
    }
    CHECK(client.ask("POST", "/nothing").status == 404);
}

TEST_CASE("with @app last, what is no file goes on by any method") {
    const SiteTree tree;
    tree.write("a.txt", "x");
    tree.write(".env", "secret");
    SiteClient client({.root = tree.path(), .try_files = default_try_files(Fallback::app)});
    CHECK(client.get("/a.txt").outcome == answered);
    CHECK(client.ask("POST", "/a.txt").status == 405);
    CHECK(client.get("/api").outcome == passed);
    CHECK(client.ask("POST", "/api").outcome == passed);
    CHECK(client.ask("OPTIONS", "/api/").outcome == passed);
    CHECK(client.get("/").outcome == passed);
    CHECK(client.get("/a//b").outcome == passed);
    CHECK(client.get("/.env").outcome == passed);
}

TEST_CASE("a site without a root passes everything on") {
    SiteClient client({.root = "", .try_files = {{.kind = TryStep::Kind::app}}});
    CHECK(client.get("/").outcome == passed);
    CHECK(client.ask("POST", "/etc/passwd").outcome == passed);
    CHECK(client.log_text().empty());
}

TEST_CASE("steps are tried in the order written") {
    const SiteTree tree;
    tree.write("index.html", "shell");
    tree.write("about.html", "about");
    tree.write("both", "plain");
    tree.write("both.html", "ending");
    SiteClient client({
        .root = tree.path(),
        .try_files =
            {
                {.kind = TryStep::Kind::path},
                {.kind = TryStep::Kind::path, .text = ".html"},
                {.kind = TryStep::Kind::file, .text = "/index.html"},
            },
    });
    CHECK(client.get("/about").body == "about");
    CHECK(client.get("/both").body == "plain");
    const Reply shell = client.get("/some/client/route?x");
    CHECK(shell.status == 200);
    CHECK(shell.body == "shell");
    CHECK(shell["Content-Type"] == "text/html; charset=utf-8");
    CHECK(client.get("/about/").body == "shell");
    CHECK(client.get("/.env").body == "shell");
    tree.remove("index.html");
    client.advance(std::chrono::seconds(2));
    CHECK(client.get("/some/client/route").status == 404);
}

TEST_CASE("a step's status is refused with, or answered with its page") {
    const SiteTree tree;
    tree.write("404.html", "gone");
    tree.write("a.txt", "x");
    Config config{
        .root = tree.path(),
        .cache_control = {{.match = "*", .value = "max-age=9"}},
        .error_pages =
            {
                {.status = 404, .path = "/404.html"},
                {.status = 405, .path = "/nothing.html"},
                {.status = 416, .path = "/404.html"},
            },
    };
    SiteClient client(config);
    const Reply reply = client.get("/nothing", "If-None-Match: *\r\nRange: bytes=0-1\r\n");
    CHECK(reply.outcome == answered);
    CHECK(reply.status == 404);
    CHECK(reply.body == "gone");
    CHECK(reply.fields == "Content-Type: text/html; charset=utf-8\r\nContent-Length: 4\r\n");

    const Reply method = client.ask("PUT", "/a.txt");  // its page is not there
    CHECK(method.outcome == refused);
    CHECK(method.status == 405);
    CHECK(method["Allow"] == "GET, HEAD");

    const Reply range = client.get("/a.txt", "Range: bytes=5-\r\n");
    CHECK(range.outcome == answered);
    CHECK(range.status == 416);
    CHECK(range.body == "gone");
    CHECK(range["Content-Range"] == "bytes */1");
    CHECK(range["ETag"].empty());

    config.try_files = {{.kind = TryStep::Kind::status, .status = 410}};
    CHECK(SiteClient(config).get("/a.txt").status == 410);
}

TEST_CASE("Cache-Control is that of the first rule that fits the file") {
    const SiteTree tree;
    tree.write("index.html", "x");
    tree.write("assets/a.css", "x");
    tree.write("b.css", "x");
    tree.write("c.js", "x");
    SiteClient client({
        .root = tree.path(),
        .cache_control =
            {
                {.match = "/assets/*", .value = "public, max-age=31536000, immutable"},
                {.match = "*.css", .value = "max-age=60"},
                {.match = "index.html", .value = "no-cache"},
            },
    });
    CHECK(client.get("/assets/a.css")["Cache-Control"] == "public, max-age=31536000, immutable");
    CHECK(client.get("/b.css")["Cache-Control"] == "max-age=60");
    CHECK(client.get("/")["Cache-Control"] == "no-cache");
    CHECK(client.get("/c.js")["Cache-Control"].empty());
}

TEST_CASE("a site whose root is not there answers 503 and recovers by itself") {
    const SiteTree tree;
    SiteClient client({.root = tree / "later"});
    CHECK(client.get("/a.txt").status == 503);
    CHECK(client.log_text().contains("root cannot be opened"));
    tree.write("later/a.txt", "x");
    client.advance(std::chrono::seconds(2));
    CHECK(client.get("/a.txt").body == "x");
}

TEST_CASE("a file without rights is 403, told once") {
    if (::geteuid() == 0) {
        return;  // root may read everything
    }
    const SiteTree tree;
    tree.write("a.txt", "x");
    REQUIRE(::chmod((tree / "a.txt").c_str(), 0) == 0);
    SiteClient client({.root = tree.path(), .try_files = default_try_files(Fallback::app)});
    CHECK(client.get("/a.txt").status == 403);
    CHECK(client.get("/a.txt").status == 403);
    CHECK(std::ranges::count(client.log_text(), '\n') == 1);
}

TEST_CASE("without descriptors a request is 503, and what is known is served on") {
    const SiteTree tree;
    tree.write("known.txt", "x");
    tree.write("new.txt", "y");
    SiteClient client({.root = tree.path()});
    CHECK(client.get("/known.txt").status == 200);
    rlimit before{};
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
    rlimit none = before;
    none.rlim_cur = 0;
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
    const Reply reply = client.get("/new.txt");
    const Reply again = client.get("/new.txt");
    const Reply known = client.get("/known.txt");
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
    CHECK(reply.outcome == refused);
    CHECK(reply.status == 503);
    CHECK(again.status == 503);
    CHECK(known.body == "x");
    CHECK(std::ranges::count(client.log_text(), '\n') == 1);
    CHECK(client.get("/new.txt").body == "y");  // the failure was not kept
}

TEST_CASE("a maker's sites serve after the maker is gone") {
    const SiteTree tree;
    tree.write("a.txt", "x");
    core::Log log([] { return core::WallTime{}; }, [](std::string_view) {});
    std::unique_ptr<http::LocalHandler> handler;
    {
        auto maker = SiteMaker::create({.root = tree.path()}, log, 1);
        REQUIRE(maker.has_value());
        CHECK((*maker)->config().root == tree.path());
        handler = (*maker)->make();
    }
    http::FieldTable fields(8);
    http::LocalAnswer answer;
    const http::LocalRequest request{
        .method = http::Method::get,
        .path = "/a.txt",
        .query = {},
        .fields = fields,
        .base = nullptr,
        .now = {},
    };
    CHECK(handler->handle(request, answer).outcome == answered);
    handler.reset();
    CHECK(answer.shared_body == "x");  // kept by the answer alone
}

}  // namespace
}  // namespace web
