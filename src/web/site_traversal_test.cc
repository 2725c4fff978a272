// Paths of attackers against a real tree with links, hidden files, FIFOs and devices: nothing but what is
// public is given away.
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "web/site_client.h"
#include "web/site_tree.h"

namespace web {
namespace {

constexpr std::string_view kPublic = "PUBLIC";

// "root" is served; "secret.txt" and "outside" lie beside it.
void make_hostile_tree(const SiteTree& tree) {
    tree.write("secret.txt", "SECRET");
    tree.write("outside/secret.txt", "SECRET");
    tree.write("outside/index.html", "SECRET");
    for (const std::string_view name :
         {"a.txt",
          "index.html",
          "sub/a.txt",
          "sub/deep/index.html",
          ".well-known/acme",
          "..;/a.txt",
          "%2e%2e/a.txt"}) {
        tree.write("root/" + std::string(name), kPublic);
    }
    for (const std::string_view name :
         {".env",
          ".git/config",
          ".git/index.html",
          "sub/.htpasswd",
          "..data/a.txt",
          ".well-known/.key",
          ".hidden/a.txt",
          "..."}) {
        tree.write("root/" + std::string(name), "SECRET");
    }
    tree.link("a.txt", "root/link_inside");
    tree.link("sub", "root/folder_inside");
    tree.link("../secret.txt", "root/link_out");
    tree.link("link_out", "root/link_of_link");
    tree.link(tree / "secret.txt", "root/link_absolute");
    tree.link("../outside", "root/folder_out");
    tree.link(tree / "outside", "root/folder_absolute");
    tree.link("..", "root/parent");
    tree.link("../..", "root/sub/grandparent");
    tree.link("/", "root/slash");
    tree.link("/etc/passwd", "root/passwd");
    tree.link("/proc/self/environ", "root/environ");
    tree.link("/proc/self/root", "root/proc_root");
    tree.link("/proc/self/cwd", "root/proc_cwd");
    tree.link("/dev/zero", "root/zero");
    tree.link("/dev/stdin", "root/stdin");
    tree.link("loop", "root/loop");
    tree.link("nothing", "root/dangling");
    tree.make_fifo("root/fifo");
    tree.make_fifo("root/index_fifo");
    tree.link("fifo", "root/link_fifo");
    tree.make_directory("root/fifo_folder");
    tree.make_fifo("root/fifo_folder/index.html");
    tree.make_directory("root/link_folder");
    tree.link("../../secret.txt", "root/link_folder/index.html");
}

// Each way to climb, once and often, to what lies outside; all with the leading slash.
std::vector<std::string> climbing_paths() {
    constexpr std::string_view kSteps[] = {
        "../",         "..%2f",         "..%2F",
        "%2e%2e/",     "%2E%2E%2F",     "%2e./",
        ".%2e/",       "..\\",          "..%5c",
        "..%5C",       "%2e%2e%5c",     "%252e%252e/",
        "..%252f",     "%c0%ae%c0%ae/", "..%c0%af",
        "..%ef%bc%8f", "%uff0e%uff0e/", "..;/",
        "..%3b/",      "..%00/",        "..%01/",
        "..%20/",      ".../",          "....//",
        "./../",       "sub/../../",    "sub/deep/../../../",
        "//../",       "/..//",         "..%0d%0a/",
        "%00../",      "a.txt/../../",  "folder_inside/../../",
        "..%e2%88%95", "%2e%2e%2e/",    "+/../../",
    };
    std::vector<std::string> paths;
    for (const std::string_view step : kSteps) {
        for (const int times : {1, 3, 8}) {
            for (const std::string_view target : {"secret.txt", "outside/secret.txt", "etc/passwd"}) {
                std::string path = "/";
                for (int i = 0; i < times; ++i) {
                    path += step;
                }
                paths.push_back(path + std::string(target));
            }
        }
    }
    return paths;
}

// What lies in the root and is not public, and names that only look like others.
constexpr std::string_view kInnerPaths[] = {
    "/..",
    "/../",
    "/.",
    "/./",
    "/...",
    "/.../",
    "/....",
    "/%2e",
    "/%2e%2e",
    "/%2e%2e/",
    "/..%2f",
    "/.%2f",
    "/.env",
    "/%2eenv",
    "/%2Eenv",
    "/./.env",
    "/sub/../.env",
    "/.env/",
    "/.env%20",
    "/.env%00",
    "/.env%00.txt",
    "/.env;x",
    "/.env.",
    "/.ENV",
    "//.env",
    "/sub//../.env",
    "/.git",
    "/.git/",
    "/.git/config",
    "/.git/./config",
    "/%2egit/config",
    "/.git%2fconfig",
    "/.git//config",
    "/sub/.htpasswd",
    "/sub/%2ehtpasswd",
    "/folder_inside/.htpasswd",
    "/.well-known/.key",
    "/.well-known/%2ekey",
    "/.well-known/../.env",
    "/.well-known%2f..%2f.env",
    "/.hidden/a.txt",
    "/..data/a.txt",
    "/%2e.data/a.txt",
    "/link_out",
    "/link_out/",
    "/link_of_link",
    "/link_absolute",
    "/folder_out",
    "/folder_out/",
    "/folder_out/secret.txt",
    "/folder_out/index.html",
    "/folder_absolute",
    "/folder_absolute/",
    "/folder_absolute/secret.txt",
    "/parent/secret.txt",
    "/parent/outside/secret.txt",
    "/parent/root/../secret.txt",
    "/parent/",
    "/parent",
    "/sub/grandparent/secret.txt",
    "/sub/grandparent/outside/secret.txt",
    "/sub/grandparent",
    "/slash/etc/passwd",
    "/slash/",
    "/passwd",
    "/environ",
    "/proc_root/etc/passwd",
    "/proc_cwd/",
    "/zero",
    "/stdin",
    "/loop",
    "/loop/",
    "/loop/a.txt",
    "/dangling",
    "/fifo",
    "/fifo/",
    "/link_fifo",
    "/index_fifo",
    "/fifo_folder",
    "/fifo_folder/",
    "/link_folder",
    "/link_folder/",
    "/link_folder/index.html",
    "/socket",
    "/device",
    "/a.txt/",
    "/a.txt/.",
    "/a.txt%00",
    "/a.txt%00.html",
    "/a.txt%2f",
    "/a.txt/../.env",
    "/a.txt\\",
    "/sub%2fa.txt",
    "/sub%5ca.txt",
    "/sub\\..\\..\\secret.txt",
    "/C:/secret.txt",
    "/file:///etc/passwd",
    "/\\\\host\\share",
    "/~root/",
    "/~/.env",
    "/a.txt::$DATA",
    "/proc/self/environ",
    "/dev/fd/0",
    "//",
    "///",
    "//secret.txt",
    "//etc/passwd",
    "/ ",
    "/%20",
    "/%",
    "/%2",
    "/%zz",
    "/%ff%fe",
    "/\xC0\xAE\xC0\xAE/secret.txt",
    "/a.txt?../../secret.txt",
    "/*",
    "/?",
    "/#",
};

bool is_harmless(const Reply& reply) {
    if (reply.outcome == http::LocalOutcome::answered && reply.status == 200) {
        return reply.body == kPublic;
    }
    return !reply.body.contains("SECRET") && !reply.body.contains("root:");
}

// A socket, and as root a device: what else may lie in a tree.
void add_special_files(const SiteTree& tree) {
    const std::string path = tree / "root/socket";
    sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
    std::ranges::copy(path, address.sun_path);
    const int socket = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    REQUIRE(socket >= 0);
    REQUIRE(::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0);
    ::close(socket);
    if (::geteuid() == 0) {
        // /dev/zero; a container may forbid it.
        WARN(::mknod((tree / "root/device").c_str(), S_IFCHR | 0644, makedev(1, 5)) == 0);
    }
}

TEST_CASE("no path gives away what is not public") {
    const SiteTree tree;
    make_hostile_tree(tree);
    add_special_files(tree);
    std::vector<std::string> paths = climbing_paths();
    paths.insert(paths.end(), std::begin(kInnerPaths), std::end(kInnerPaths));
    REQUIRE(paths.size() >= 400);
    SiteClient client({.root = tree / "root"});
    for (const std::string& path : paths) {
        CAPTURE(path);
        // As it comes from the network, and as if nothing had been normalised before.
        CHECK(is_harmless(client.get(path)));
        CHECK(is_harmless(client.get_raw(path)));
        CHECK(is_harmless(client.get_raw(path.substr(0, path.find('?')))));
    }
}

TEST_CASE("the control: what is public is found, and the secrets are there") {
    const SiteTree tree;
    make_hostile_tree(tree);
    SiteClient client({.root = tree / "root"});
    for (const std::string_view path : {
             "/",
             "/a.txt",
             "/%61.txt",
             "/sub/a.txt",
             "/sub/../a.txt",
             "/sub/deep/",
             "/link_inside",
             "/folder_inside/a.txt",
             "/folder_inside/deep/",
             "/.well-known/acme",
             "/%2ewell-known/acme",
             "/%252e%252e/a.txt",
         }) {
        CAPTURE(path);
        const Reply reply = client.get(path);
        CHECK(reply.status == 200);
        CHECK(reply.body == kPublic);
    }
    SiteClient outside({.root = tree.path(), .hidden = HiddenFiles::serve});
    for (const std::string_view path :
         {"/secret.txt",
          "/outside/",
          "/root/.env",
          "/root/.git/config",
          "/root/...",
          "/root/link_out",
          "/root/folder_out/secret.txt"}) {
        CAPTURE(path);
        CHECK(outside.get(path).body == "SECRET");
    }
}

TEST_CASE("with hidden files served still nothing from outside is") {
    const SiteTree tree;
    make_hostile_tree(tree);
    SiteClient client({.root = tree / "root", .hidden = HiddenFiles::serve});
    for (const std::string& path : climbing_paths()) {
        CAPTURE(path);
        CHECK(is_harmless(client.get(path)));
        CHECK(is_harmless(client.get_raw(path)));
    }
    CHECK(client.get("/.env").body == "SECRET");
}

TEST_CASE("a link inside the root to a hidden name is followed: whoever may make links decides") {
    // Kubernetes mounts a volume so: "index.html" is a link to "..data/index.html".
    const SiteTree tree;
    tree.write("..data/index.html", "x");
    tree.link("..data/index.html", "index.html");
    SiteClient client({.root = tree.path()});
    CHECK(client.get("/").body == "x");
    CHECK(client.get("/..data/index.html").status == 404);
}

}  // namespace
}  // namespace web
