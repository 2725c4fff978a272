"""Real clients of a web server: curl with its ways to save bytes, wrk, and a browser that loads a page through a balancer."""

import gzip
import json
import os
import re
import shutil
import struct
import subprocess
import zlib

import pytest

from raw_client import wait_until
from test_peers import curl, need
from web_site import Cluster, numbered_bytes, replace_file, start_web, stored_brotli, stored_zstd, write_tree

MTIME = 1_700_000_000
TEXT = numbered_bytes(30_000)
LARGE = numbered_bytes(3 << 20)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    made = tmp_path_factory.mktemp("root")
    files = {"small.txt": TEXT, "large.bin": LARGE}
    for coding, suffix, pack in (("br", ".br", stored_brotli), ("zstd", ".zst", stored_zstd), ("gzip", ".gz", lambda data: gzip.compress(data, mtime=0))):
        files[f"{coding}.txt"] = TEXT
        files[f"{coding}.txt{suffix}"] = pack(TEXT)
    write_tree(made, files, MTIME)
    return made


@pytest.fixture(scope="module")
def url(module_stage, root):
    return f"http://127.0.0.1:{start_web(module_stage, root, threads=2).web_port}"


# ---- curl


@pytest.mark.parametrize("coding", ["br", "zstd", "gzip"])
def test_curl_unpacks_what_was_sent_packed(url, coding, tmp_path):
    features = subprocess.run([need("curl"), "--version"], capture_output=True, text=True, timeout=10, check=True).stdout
    if {"br": "brotli", "zstd": "zstd", "gzip": "libz"}[coding] not in features:
        pytest.skip(f"this curl was built without {coding}")
    head = tmp_path / "head"
    assert curl("--compressed", "-D", str(head), f"{url}/{coding}.txt") == TEXT
    assert f"content-encoding: {coding}" in head.read_text().lower(), "it came packed"
    assert curl(f"{url}/{coding}.txt") == TEXT


def test_curl_goes_on_where_it_stopped(url, tmp_path):
    """-C -: the rest of what is there already."""
    for have in (0, 1, 100_000, len(LARGE) - 1):
        file = tmp_path / f"part{have}"
        file.write_bytes(LARGE[:have])
        said = curl("-C", "-", "-o", str(file), "-w", "%{http_code} %{size_download}", f"{url}/large.bin").decode()
        assert said == f"{206 if have else 200} {len(LARGE) - have}"
        assert file.read_bytes() == LARGE


def test_curl_that_was_cut_off_goes_on(url, tmp_path):
    file = tmp_path / "file"
    cut = subprocess.Popen([need("curl"), "-sS", f"{url}/large.bin"], stdout=subprocess.PIPE)
    file.write_bytes(cut.stdout.read(100_000))
    cut.kill()
    cut.wait()
    cut.stdout.close()
    curl("-C", "-", "-o", str(file), f"{url}/large.bin")
    assert file.read_bytes() == LARGE


def test_curl_asks_for_what_is_newer(url, root, tmp_path):
    """-z: by a date and by the time of a file; -R keeps the server's time, so that the next -z -R finds nothing new."""

    def ask(condition, *words):
        return curl("-z", condition, "-o", str(tmp_path / "got"), "-w", "%{http_code}", *words, f"{url}/small.txt").decode()

    assert ask("Tue, 14 Nov 2023 22:13:20 GMT") == "304"
    assert ask("Tue, 14 Nov 2023 22:13:19 GMT") == "200"
    assert ask("-Tue, 14 Nov 2023 22:13:19 GMT") == "412", "unmodified since"
    assert ask("-Tue, 14 Nov 2023 22:13:21 GMT") == "200"
    file = tmp_path / "copy"
    curl("-R", "-o", str(file), f"{url}/small.txt")
    assert int(file.stat().st_mtime) == MTIME
    assert ask(str(file)) == "304"


def test_curl_keeps_tags(url, tmp_path):
    tag, file = tmp_path / "tag", tmp_path / "file"
    curl("--etag-save", str(tag), "-o", str(file), f"{url}/large.bin")
    assert tag.read_text().strip().startswith('"')
    said = curl("--etag-compare", str(tag), "-o", str(tmp_path / "again"), "-w", "%{http_code} %{size_download}", f"{url}/large.bin")
    assert said == b"304 0"


@pytest.mark.parametrize(
    ("wanted", "piece"),
    [
        ("0-0", slice(0, 1)), ("1000-2999", slice(1000, 3000)), ("-500", slice(-500, None)), ("3145727-", slice(3145727, None)),
        ("2000000-", slice(2000000, None)), ("0-99999999", slice(None)),
    ],
)
def test_curl_gets_ranges(url, wanted, piece):
    assert curl("-r", wanted, f"{url}/large.bin") == LARGE[piece]


def test_curl_keeps_one_connection_and_asks_for_heads(url):
    done = subprocess.run(
        [need("curl"), "-sv", "--max-time", "10", "-o", "/dev/null", f"{url}/small.txt", "-o", "/dev/null", f"{url}/large.bin", "-o", "/dev/null", f"{url}/missing"],
        capture_output=True, text=True, timeout=20, check=True,
    )
    assert len(re.findall("Re-using existing connection", done.stderr)) == 2
    head = curl("-I", f"{url}/large.bin").decode()
    assert head.startswith("HTTP/1.1 200 OK") and f"Content-Length: {len(LARGE)}" in head
    assert curl("--http1.0", f"{url}/small.txt") == TEXT
    assert curl("--path-as-is", "-o", "/dev/null", "-w", "%{http_code}", f"{url}/../../etc/passwd") == b"400"


# ---- wrk


@pytest.mark.parametrize(("name", "least"), [("small.txt", 300), ("large.bin", 15)])
def test_wrk_sees_no_error(url, name, least):
    done = subprocess.run(
        [need("wrk"), "-t1", "-c32", "-d1s", "--timeout", "10s", f"{url}/{name}"], capture_output=True, text=True, timeout=30, check=True
    )
    assert int(re.search(r"(\d+) requests in", done.stdout).group(1)) > least, done.stdout
    assert "Socket errors" not in done.stdout and "Non-2xx" not in done.stdout, done.stdout


def test_control_wrk_reports_what_is_missing(url):
    done = subprocess.run([need("wrk"), "-t1", "-c2", "-d1s", f"{url}/missing"], capture_output=True, text=True, timeout=30, check=True)
    assert "Non-2xx" in done.stdout


def test_wrk_sees_no_error_while_files_are_replaced(stage, tmp_path):
    write_tree(tmp_path, {"page.html": b"0" * 3000})
    server = start_web(stage, tmp_path, cache={"valid": "20ms"}, threads=2)
    wrk = subprocess.Popen(
        [need("wrk"), "-t1", "-c16", "-d1s", f"http://127.0.0.1:{server.web_port}/page.html"], stdout=subprocess.PIPE, text=True
    )
    replaced = 0
    while wrk.poll() is None:
        replace_file(tmp_path / "page.html", b"%d" % (replaced % 10) * 3000)
        replaced += 1
    text = wrk.stdout.read()
    wrk.stdout.close()
    assert replaced > 50
    assert "Socket errors" not in text and "Non-2xx" not in text, text


# ---- a browser

PAGE = b"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>before</title>
<link rel="icon" href="/favicon.ico"><link rel="stylesheet" href="css/site.css">
<script type="module" src="/js/main.mjs"></script></head>
<body><h1 id="head">head \xe2\x82\xac</h1><img id="image" src="img/dot.png" alt=""><p class="fancy">text in a font of our own</p>
<iframe id="frame" src="/docs"></iframe><pre id="result">nothing ran</pre></body></html>
"""
MAIN = b"""import { add } from "./lib.mjs";
const data = await (await fetch("/api/data.json?x=1")).json();
const part = await fetch("/big.bin", { headers: { Range: "bytes=10-19" } });
const missing = await fetch("/missing.json");
const fonts = await Promise.race([document.fonts.load("16px Ours"), new Promise((done) => setTimeout(done, 3000))]).then(() => 1, () => 0);
if (document.readyState !== "complete") await new Promise((done) => addEventListener("load", done));
document.getElementById("result").textContent = JSON.stringify({
    sum: add(data.a, data.b), color: getComputedStyle(document.getElementById("head")).color, image: document.getElementById("image").naturalWidth,
    part: [part.status, await part.text()], missing: missing.status, frame: document.getElementById("frame").contentDocument.title, font: fonts,
    type: document.contentType, charset: document.characterSet,
});
"""


def png(width, height):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + b"\xff\0\0" * width for _ in range(height))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


SITE = {
    "index.html": PAGE,
    "css/site.css": b'@import "more.css"; @font-face { font-family: Ours; src: url("/fonts/ours.woff2"); } .fancy { font-family: Ours; }',
    "css/more.css": b"h1 { color: rgb(1, 2, 3); }",
    "js/main.mjs": MAIN, "js/main.mjs.br": stored_brotli(MAIN), "js/main.mjs.gz": gzip.compress(MAIN, mtime=0), "js/main.mjs.zst": stored_zstd(MAIN),
    "js/lib.mjs": b"export const add = (a, b) => a + b;\n",
    "img/dot.png": png(7, 5),
    "fonts/ours.woff2": b"no real font: it is asked for all the same",
    "api/data.json": b'{"a": 40, "b": 2}',
    "docs/index.html": b"<!doctype html><title>the framed one</title>",
    "big.bin": numbered_bytes(200_000),
    "favicon.ico": png(1, 1),
}
ASKED = {
    "/": {200, 304}, "/css/site.css": {200, 304}, "/css/more.css": {200, 304}, "/js/main.mjs": {200, 304}, "/js/lib.mjs": {200, 304},
    "/img/dot.png": {200, 304}, "/fonts/ours.woff2": {200, 304}, "/api/data.json?x=1": {200, 304}, "/big.bin": {206, 304}, "/docs": {301}, "/docs/": {200, 304},
    "/missing.json": {404},
}


def chromium(profile, address):
    """The document as it is when its scripts have run."""
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("chromium is not installed: scripts/install-dependencies test brings it")
    flags = [
        "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update",
        "--disable-sync", "--disable-dev-shm-usage", "--no-proxy-server", f"--user-data-dir={profile}",
    ]
    done = subprocess.run(
        [program, *flags, "--virtual-time-budget=20000", "--dump-dom", address], capture_output=True, text=True, timeout=60, check=False,
        stdin=subprocess.DEVNULL, env={**os.environ, "HOME": str(profile)},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def test_a_browser_loads_a_page_through_the_balancer(stage, tmp_path):
    root, profile = tmp_path / "root", tmp_path / "profile"
    write_tree(root, SITE, MTIME)
    profile.mkdir()
    rules = [{"match": "*", "value": "no-cache"}]
    site = Cluster(stage, root, web={"cache_control": rules}).start()
    for visit in (1, 2):
        dom = chromium(profile, f"http://127.0.0.1:{site.lb.port}/")
        result = json.loads(re.search(r'<pre id="result">(.*?)</pre>', dom, re.DOTALL).group(1))
        result.pop("font")
        assert result == {
            "sum": 42, "color": "rgb(1, 2, 3)", "image": 7, "part": [206, SITE["big.bin"][10:20].decode()], "missing": 404, "frame": "the framed one",
            "type": "text/html", "charset": "UTF-8",
        }
        assert "head \u20ac" in dom
        wait_until(lambda: len([line for line in site.lb.log_lines() if line["path"] == "/missing.json"]) >= visit, 15, "the log of the visit")
    asked = {}
    for line in site.lb.log_lines():
        asked.setdefault(line["path"], set()).add(line["status"])
    assert {path: asked.get(path, set()) - statuses for path, statuses in ASKED.items()} == {path: set() for path in ASKED}, asked
    assert set(ASKED) <= set(asked)
    assert asked["/css/site.css"] == {200, 304}, "the second visit found it unchanged"
    names = {line["backend"] for line in site.lb.log_lines()}
    assert names == {"web1", "web2"}
    wait_until(lambda: len(site.log_lines()) == len(site.lb.log_lines()), 15, "the same lines in the logs of the web servers")
