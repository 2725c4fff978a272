"""From a path to a file: folders and their redirects, the steps of `try`, error pages, methods, types and rules for caches."""

import os
import re
import urllib.parse

import pytest

from raw_client import RawClient, wait_until
from web_site import numbered_bytes, request_bytes, start_web, write_tree

PAGE = b"<p>the page for what is missing"
LARGE_PAGE = numbered_bytes(100_000)
ALLOWED = {"get", "head"}
FILES = {
    "index.html": b"<p>index",
    "a.txt": b"a",
    "folder/index.html": b"<p>index of folder",
    "folder/second.html": b"<p>second",
    "old/index.htm": b"<p>index of old",
    "both/index.html": b"first", "both/index.htm": b"second",
    "no_index/a.txt": b"a",
    "no_index/deep/index.html": b"deep",
    "evil.com/index.html": b"not another host",
    "a b/index.html": b"a space", "\u00e9/index.html": b"an accent", "50%/index.html": b"a percent sign",
    "x;y/index.html": b"a semicolon", "q?/index.html": b"a question mark",
    "errors/404.html": PAGE, "errors/405.html": LARGE_PAGE, "errors/416.html": b"<p>no such range",
    "healthz": b"a file that nobody can reach",
}


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    made = tmp_path_factory.mktemp("root")
    write_tree(made, FILES)
    return made


@pytest.fixture(scope="module")
def server(module_stage, root):
    """Folders have index.html, else index.htm; what is not there has a page."""
    return start_web(
        module_stage,
        root,
        index=["index.html", "index.htm"],
        error_pages={404: "/errors/404.html", 405: "/errors/405.html", 416: "/errors/416.html", 412: "/errors/missing.html"},
    )


# ---- folders


@pytest.mark.parametrize(
    ("target", "status", "body"),
    [
        ("/", 200, b"<p>index"),
        ("/index.html", 200, b"<p>index"),
        ("/folder/", 200, b"<p>index of folder"),
        ("/folder/.", 200, b"<p>index of folder"),
        ("/no_index/../folder/", 200, b"<p>index of folder"),
        ("/%66older/", 200, b"<p>index of folder"),
        ("/folder/?a=b", 200, b"<p>index of folder"),
        ("/folder/second.html?a=/../x", 200, b"<p>second"),
        ("/old/", 200, b"<p>index of old"),
        ("/both/", 200, b"first"),
        ("/no_index/deep/", 200, b"deep"),
        ("/a%20b/", 200, b"a space"),
        ("/%C3%A9/", 200, b"an accent"),
        ("/%c3%a9/", 200, b"an accent"),
        ("/50%25/", 200, b"a percent sign"),
        ("/x;y/", 200, b"a semicolon"),
        ("/x%3By/", 200, b"a semicolon"),
        ("/q%3F/", 200, b"a question mark"),
        ("/q?/", 404, PAGE),
        ("/no_index/", 404, PAGE),
        ("/no_index", 404, PAGE),
        ("/missing/", 404, PAGE),
        ("/a.txt/", 404, PAGE),
        ("/folder/index.html/", 404, PAGE),
        ("/Folder/", 404, PAGE),
        ("/a.txt/index.html", 404, PAGE),
        ("/folder//", 404, PAGE),
        ("//folder/", 404, PAGE),
        ("//", 404, PAGE),
    ],
)
def test_folders_and_their_index(server, target, status, body):
    response = server.fetch(target)
    assert (response.status, response.body) == (status, body)


@pytest.mark.parametrize(
    ("target", "location"),
    [
        ("/folder", "/folder/"),
        ("/folder?a=b&c=%2F", "/folder/?a=b&c=%2F"),
        ("/folder?a?b", "/folder/?a?b"),
        ("/folder?//evil.com", "/folder/?//evil.com"),
        ("/old", "/old/"),
        ("/no_index/deep", "/no_index/deep/"),
        ("/no_index/../folder", "/folder/"),
        ("/./folder", "/folder/"),
        ("/a%20b", "/a%20b/"),
        ("/%c3%a9", "/%C3%A9/"),
        ("/50%25", "/50%25/"),
        ("/q%3F?x", "/q%3F/?x"),
        ("/evil.com", "/evil.com/"),
        ("http://w.test/folder?x", "/folder/?x"),
    ],
)
def test_a_folder_without_its_slash_is_a_redirect(server, target, location):
    for method in ("GET", "HEAD"):
        response = server.fetch(target, method=method)
        assert (response.status, response.get("location")) == (301, location)
        assert response.get("content-length") == "0"


@pytest.mark.parametrize(
    "target",
    [
        "//evil.com", "//evil.com/", "//evil.com/..", "//evil.com/.", "//evil.com/folder", "///evil.com", "////evil.com//",
        "/.//evil.com", "/..//evil.com", "/folder/..//evil.com", "/././/evil.com", "/%2e//evil.com", "/%2fevil.com", "/%2Fevil.com/..",
        "/%2f%2fevil.com", "/\\evil.com", "/\\\\evil.com", "/%5cevil.com", "/%5C%5Cevil.com", "/folder//evil.com", "/folder/\\evil.com",
        "/%09/evil.com", "/%0d%0aLocation:%20//evil.com", "/folder%0d%0aLocation:%20http:%2f%2fevil.com", "/folder\tx", "/@evil.com",
        "/folder@evil.com", "/;//evil.com", "/.;//evil.com", "http://evil.com//evil.com", "http://evil.com/folder", "http://evil.com/evil.com",
        "http://w.test//evil.com", "http://w.test/..//evil.com", "/evil.com", "/evil.com?//evil.com", "/folder?%0d%0aX:y", "//evil.com?/", "//evil.com%2f",
        "/evil.com%2f..", "//w.test@evil.com", "//evil.com:80/", "/%252fevil.com", "//folder", "//folder/../folder",
    ],
)
@pytest.mark.parametrize("host", ["w.test", "evil.com"])
def test_no_redirect_leads_to_another_host(server, target, host):
    with server.client() as client:
        client.send(f"GET {target} HTTP/1.1\r\nHost: {host}\r\nX-Forwarded-Host: evil.com\r\n\r\n".encode())
        response = client.response()
    location = response.get("location")
    assert len(response.all("location")) == (1 if 300 <= response.status < 400 else 0)
    assert response.get("x") is None
    if location is not None:
        assert re.fullmatch(r"/(?![/\\])[\x21-\x7e]*", location), location
        assert urllib.parse.urlsplit(urllib.parse.urljoin("http://w.test/", location)).netloc == "w.test"


def test_without_index_a_folder_is_not_there(stage, root):
    server = start_web(stage, root, index=[])
    for target in ("/", "/folder", "/folder/"):
        response = server.fetch(target)
        assert response.status == 404
        assert b"second.html" not in response.body, "no list of files"


# ---- the steps of try


@pytest.mark.parametrize(
    ("steps", "target", "status", "body"),
    [
        (["{path}"], "/folder/", 404, None),
        (["{path}"], "/folder", 404, None),
        (["{path}"], "/a.txt", 200, b"a"),
        (["{path}/"], "/a.txt", 404, None),
        (["{path}/"], "/folder/", 200, FILES["folder/index.html"]),
        (["{path}", "{path}.html", "=404"], "/folder/second", 200, b"<p>second"),
        (["{path}", "{path}.html", "=404"], "/folder/second.html", 200, b"<p>second"),
        (["{path}", "{path}.html", "=404"], "/folder/second/", 404, None),
        (["{path}", "{path}.html", "{path}/", "=410"], "/nothing", 410, None),
        (["{path}", "{path}/", "/index.html"], "/some/page/of/the/app", 200, FILES["index.html"]),
        (["{path}", "{path}/", "/index.html"], "/some/page/of/the/app/", 200, FILES["index.html"]),
        (["{path}", "{path}/", "/index.html"], "/folder/", 200, FILES["folder/index.html"]),
        (["{path}", "{path}/", "/index.html"], "/.env", 200, FILES["index.html"]),
        (["{path}", "/missing.html", "/a.txt"], "/nothing", 200, b"a"),
        (["{path}", "/missing.html"], "/nothing", 404, None),
        (["{path}", "=503"], "/nothing", 503, None),
        (["=451"], "/a.txt", 451, None),
        (["/a.txt"], "/folder/", 200, b"a"),
    ],
)
def test_steps_are_tried_in_order(stage, root, steps, target, status, body):
    server = start_web(stage, root, **{"try": steps})
    for method in ("GET", "HEAD"):
        response = server.fetch(target, method=method)
        assert response.status == status
        if body is not None:
            assert response.body == (body if method == "GET" else b"")
            assert response.get("content-length") == str(len(body))


def test_a_fallback_is_a_whole_answer_with_its_own_validators(stage, root):
    server = start_web(stage, root, **{"try": ["{path}", "/index.html"]})
    direct, fallback = server.fetch("/index.html"), server.fetch("/app/page")
    assert fallback.get("etag") == direct.get("etag")
    assert fallback.get("content-type") == "text/html; charset=utf-8"
    assert server.fetch("/app/other", f"If-None-Match: {direct.get('etag')}").status == 304
    response = server.fetch("/app/page", "Content-Length: 0", method="POST")
    assert response.status == 405 and set(response.tokens("allow")) == ALLOWED


# ---- error pages


def test_an_error_page_has_the_status_of_the_error(server):
    for target in ("/missing", "/missing/", "/no_index/", "/.env", "/" + "x" * 300):
        response = server.fetch(target)
        assert (response.status, response.body) == (404, PAGE)
        assert response.get("content-type") == "text/html; charset=utf-8"
        for field in ("etag", "last-modified", "accept-ranges", "content-range"):
            assert response.get(field) is None, f"{field}: it would be taken for the file that is missing"
        head = server.fetch(target, method="HEAD")
        assert (head.status, head.body, head.get("content-length")) == (404, b"", str(len(PAGE)))
    assert server.fetch("/errors/404.html").status == 200


def test_an_error_page_is_never_a_part_or_unchanged(server):
    tag = server.fetch("/errors/404.html").get("etag")
    for line in ("Range: bytes=0-3", f"If-None-Match: {tag}", "If-None-Match: *", 'If-Match: "x"', "If-Modified-Since: Fri, 01 Jan 2100 00:00:00 GMT"):
        response = server.fetch("/missing", line)
        assert (response.status, response.body) == (404, PAGE), line


def test_a_large_error_page_comes_from_the_disk(server):
    response = server.fetch("/a.txt", "Content-Length: 0", method="DELETE")
    assert (response.status, response.body) == (405, LARGE_PAGE)
    assert set(response.tokens("allow")) == ALLOWED


def test_the_page_of_416_keeps_the_range(server):
    response = server.fetch("/a.txt", "Range: bytes=5-")
    assert (response.status, response.body, response.get("content-range")) == (416, b"<p>no such range", "bytes */1")


def test_an_error_page_that_is_missing_is_a_plain_text(server):
    response = server.fetch("/a.txt", 'If-Match: "x"')
    assert response.status == 412 and response.body.startswith(b"412 Precondition Failed\n")


def test_a_plain_refusal_tells_nothing_of_the_machine(stage, root):
    server = start_web(stage, root)
    response = server.fetch("/missing/<script>alert(1)</script>?<b>")
    assert response.status in (400, 404)
    assert str(root).encode() not in response.body and b"script" not in response.body
    assert response.get("content-type").startswith("text/plain")


# ---- methods


@pytest.mark.parametrize("target", ["/a.txt", "/folder/", "/folder", "/healthz"])
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND", "get"])
def test_other_methods_are_refused_with_those_that_are_not(server, target, method):
    with server.client() as client:
        lines, body = ([], b"") if method == "TRACE" else (["Content-Length: 5"], b"hello")  # TRACE has no body
        response = client.request(request_bytes(target, *lines, method=method) + body)
        assert response.status == 405
        assert set(response.tokens("allow")) == ALLOWED
        if "close" not in response.tokens("connection"):
            assert client.request(request_bytes("/a.txt")).body == b"a", "the body was not taken for a request"


def test_a_method_does_not_make_a_file(server):
    assert server.fetch("/missing", "Content-Length: 0", method="PUT").status in (404, 405)
    assert server.fetch("/missing").status == 404


@pytest.mark.parametrize("framing", ["length", "chunked", "large", "expect"])
def test_a_body_that_nobody_wants_spoils_nothing(server, framing):
    bodies = {
        "length": (["Content-Length: 11"], b"GET / HTTP/"),
        "chunked": (["Transfer-Encoding: chunked"], b"5\r\nhello\r\n0\r\n\r\n"),
        "large": (["Content-Length: 300000"], b"x" * 300_000),
        "expect": (["Content-Length: 5", "Expect: 100-continue"], b""),
    }
    lines, body = bodies[framing]
    for method, status in (("GET", 200), ("POST", 405)):
        with server.client() as client:
            response = client.request(request_bytes("/a.txt", *lines, method=method) + body)
            assert response.status == status
            if "close" in response.tokens("connection"):
                assert client.is_closed_within(5)
            else:
                assert framing != "expect", "the client may send the body or not: nobody knows where the next request begins"
                assert client.request(request_bytes("/folder/")).body == FILES["folder/index.html"]


# ---- types

TYPES = {
    "a.html": "text/html; charset=utf-8", "a.htm": "text/html; charset=utf-8", "a.css": "text/css; charset=utf-8",
    "a.js": "text/javascript; charset=utf-8", "a.mjs": "text/javascript; charset=utf-8", "a.txt": "text/plain; charset=utf-8",
    "a.csv": "text/csv; charset=utf-8", "a.json": "application/json", "a.map": "application/json", "a.webmanifest": "application/manifest+json",
    "a.svg": "image/svg+xml", "a.png": "image/png", "a.jpg": "image/jpeg", "a.jpeg": "image/jpeg", "a.gif": "image/gif", "a.webp": "image/webp",
    "a.avif": "image/avif", "a.woff": "font/woff", "a.woff2": "font/woff2", "a.ttf": "font/ttf", "a.wasm": "application/wasm",
    "a.pdf": "application/pdf", "a.zip": "application/zip", "a.tar.gz": "application/gzip", "a.mp4": "video/mp4", "a.webm": "video/webm",
    "a.mp3": "audio/mpeg", "a.HTML": "text/html; charset=utf-8", "a.JpG": "image/jpeg", "a.min.js": "text/javascript; charset=utf-8",
    "plain": "application/octet-stream", "a.unknown": "application/octet-stream", "a.": "application/octet-stream", "html": "application/octet-stream",
    "a.html.unknown": "application/octet-stream", "a.log": "text/x-log; charset=utf-8", "a.LOG": "text/x-log; charset=utf-8",
    "a.latin": "text/plain; charset=iso-8859-1", "a.data": "application/x-data", "folder.css/a": "application/octet-stream",
}


@pytest.fixture(scope="module")
def typed(module_stage, tmp_path_factory):
    root = tmp_path_factory.mktemp("typed")
    write_tree(root, {name: b"x" for name in TYPES})
    own = {"log": "text/x-log", "latin": "text/plain; charset=iso-8859-1", "data": "application/x-data"}
    return start_web(module_stage, root, mime_types=own)


@pytest.mark.parametrize("name", TYPES)
def test_types(typed, name):
    response = typed.fetch(f"/{name}")
    assert (response.status, response.get("content-type")) == (200, TYPES[name])
    assert len(response.all("content-type")) == 1


NGINX_TYPES = "/etc/nginx/mime.types"
# Where ours is another one: what IANA has registered since, and in the place of x- types.
OTHER_TYPES = {
    "xml": "application/xml", "js": "text/javascript; charset=utf-8", "bmp": "image/bmp", "prc": "application/x-mobipocket-ebook",
    "pdb": "application/vnd.palm", "deb": "application/vnd.debian.binary-package", "m4a": "audio/mp4", "m4v": "video/mp4",
}


@pytest.mark.skipif(not os.path.exists(NGINX_TYPES), reason="nginx's table is not installed")
def test_every_type_that_nginx_knows_is_known(stage, tmp_path):
    with open(NGINX_TYPES, encoding="ascii") as table:
        rows = re.findall(r"^\s*([\w.+-]+/[\w.+-]+)\s+([^;]+);", table.read(), re.MULTILINE)
    known = {extension: kind for kind, extensions in rows for extension in extensions.split()}
    assert len(known) > 100
    write_tree(tmp_path, {f"a.{extension}": b"x" for extension in known})
    server = start_web(stage, tmp_path)
    for extension, kind in known.items():
        expected = OTHER_TYPES.get(extension) or (f"{kind}; charset=utf-8" if kind.startswith("text/") else kind)
        assert server.fetch(f"/a.{extension}").get("content-type") == expected, extension


@pytest.mark.parametrize(("charset", "expected"), [("", "text/plain"), ("iso-8859-15", "text/plain; charset=iso-8859-15")])
def test_the_charset_is_the_configured_one(stage, root, charset, expected):
    assert start_web(stage, root, charset=charset).fetch("/a.txt").get("content-type") == expected


# ---- caches


def test_rules_for_caches(stage, tmp_path):
    names = ["index.html", "app.css", "assets/app.css", "assets/deep/x.bin", "other.bin", "sub/app.css", "sub/special.css", "large/a.bin"]
    write_tree(tmp_path, {name: b"x" for name in names} | {"large/a.bin": numbered_bytes(70_000)})
    rules = [
        {"match": "special.css", "value": "no-store"},
        {"match": "/assets/*", "value": "public, max-age=31536000, immutable"},
        {"match": "*.css", "value": "max-age=3600"},
        {"match": "/large/*.bin", "value": "max-age=1"},
        {"match": "*.html", "value": "no-cache"},
    ]
    server = start_web(stage, tmp_path, cache_control=rules)
    expected = {
        "/": "no-cache", "/index.html": "no-cache", "/app.css": "max-age=3600", "/sub/app.css": "max-age=3600", "/sub/special.css": "no-store",
        "/assets/app.css": rules[1]["value"], "/assets/deep/x.bin": rules[1]["value"], "/other.bin": None, "/large/a.bin": "max-age=1",
    }
    for target, value in expected.items():
        whole = server.fetch(target)
        tag = f"If-None-Match: {whole.get('etag')}"
        answers = [whole, server.fetch(target, method="HEAD"), server.fetch(target, tag), server.fetch(target, "Range: bytes=0-0")]
        assert [answer.status for answer in answers] == [200, 200, 304, 206]
        for answer in answers:
            assert answer.all("cache-control") == ([value] if value else []), (target, answer)
    assert server.fetch("/assets/missing.css").get("cache-control") is None, "what is missing today may be there tomorrow"


# ---- the health path


def test_the_health_path_answers_by_itself(server):
    response = server.fetch("/healthz")
    assert (response.status, response.body, response.get("cache-control")) == (200, b"ok\n", "no-store")
    assert server.fetch("/healthz?x").status == 200
    assert server.fetch("/healthz/").status == 404


def test_the_health_path_may_be_another(stage, root):
    server = start_web(stage, root, health="/up")
    assert server.fetch("/up").body == b"ok\n"
    assert server.fetch("/healthz").body == FILES["healthz"]


# ---- the access log, and a reload


def test_the_access_log_tells_what_was_asked(stage, root):
    server = start_web(stage, root, access_log={"enabled": True})
    server.fetch("/folder/second.html?a=b", "User-Agent: tester", "Referer: http://w.test/")
    server.fetch("/missing", method="HEAD")
    server.fetch("/a.txt", "Content-Length: 5", method="POST")
    wait_until(lambda: len(server.log_lines()) == 3, 15, "three lines")
    first, second, third = server.log_lines()
    assert (first["tier"], first["method"], first["path"], first["status"]) == ("web", "GET", "/folder/second.html?a=b", 200)
    assert (first["client"], first["host"], first["user_agent"], first["referer"]) == ("127.0.0.1", "w.test", "tester", "http://w.test/")
    assert first["ended"] == "complete" and first["bytes_out"] > len(FILES["folder/second.html"])
    assert (second["method"], second["status"], third["status"]) == ("HEAD", 404, 405)
    assert "backend" not in first and "pool" not in first


def test_a_reload_changes_what_files_are_served_and_keeps_connections(stage, root, tmp_path):
    write_tree(tmp_path, {"a.txt": b"other root"})
    server = start_web(stage, root)
    with RawClient(server.web_port) as client:
        assert client.request(request_bytes("/a.txt")).body == b"a"
        with open(server.file, encoding="utf-8") as file:
            text = file.read()
        server.write(text.replace(str(root), str(tmp_path)))
        assert "root" in server.do("reload")
        assert client.request(request_bytes("/a.txt")).body == b"other root"
        server.write(text.replace(str(root), str(tmp_path / "missing")))
        refused = server.verb("reload")
        assert refused.returncode == 1 and "missing" in refused.stderr + refused.stdout
        assert client.request(request_bytes("/a.txt")).body == b"other root", "a reload that is refused changes nothing"
