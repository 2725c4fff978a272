"""Web servers behind a balancer, and files straight from a balancer: what a client gets when servers die, drain and hang."""

import gzip
import json
import os
import signal
import subprocess
import threading

import pytest

from balancer_site import BINARY, balancer_config
from origins import response
from raw_client import Load, wait_until
from raw_http import WireError, read_response_body, read_response_head
from web_site import (
    MARGIN, Cluster, WebSite, numbered_bytes, read_multipart, request_bytes, stored_brotli, toml_value, write_tree,
)

SMALL = numbered_bytes(2000)
LARGE = numbered_bytes(8 << 20)
HUGE = LARGE * 5  # more than lies in the sockets of three processes
SCRIPT = numbered_bytes(9000)
FILES = {
    "index.html": b"<p>index", "small.txt": SMALL, "large.bin": LARGE, "huge.bin": HUGE, "folder/index.html": b"<p>folder", "empty.txt": b"",
    "app.js": SCRIPT, "app.js.br": stored_brotli(SCRIPT), "app.js.gz": gzip.compress(SCRIPT, mtime=0), "static/a.css": b"a{}", "static/b/b.css": b"b{}",
}
SMALL_GET = request_bytes("/small.txt")


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    made = tmp_path_factory.mktemp("root")
    write_tree(made, FILES, 1_700_000_000)
    return made


@pytest.fixture
def cluster(stage, root):
    """cluster(**options) -> a balancer and two web servers that serve."""
    return lambda **options: Cluster(stage, root, **options).start()


# ---- the tier as the balancer sees it


def test_the_pool_of_the_web_servers_is_derived(cluster):
    site = cluster()
    pool = site.lb.pool("web")
    assert [(b["name"], b["address"], b["state"]) for b in pool["backends"]] == [
        (name, f"{site.addresses[name]}:{web.web_port}", "up") for name, web in site.webs.items()
    ]
    with site.lb.client() as client:
        for _ in range(10):
            assert client.request(SMALL_GET).body == SMALL
    wait_until(lambda: len(site.log_lines()) == 10, 15, "the lines of ten requests")
    assert [len([line for line in web.log_lines() if line["path"] == "/small.txt"]) for web in site.webs.values()] == [5, 5]


def test_one_request_is_one_line_in_both_logs(cluster):
    site = cluster(names=("web1",))
    answer = site.lb.fetch("/small.txt", "X-Forwarded-For: 203.0.113.7", "X-Request-Id: from-outside-1", "User-Agent: tester")
    assert answer.status == 200
    wait_until(lambda: site.log_lines() and site.lb.log_lines(), 15, "a line of each")
    front, back = site.lb.log_lines()[0], site.log_lines()[0]
    assert (front["tier"], back["tier"]) == ("balancer", "web")
    assert (front["backend"], front["pool"]) == ("web1", "web")
    assert front["request_id"] == back["request_id"] != ""
    assert front["client"] == "127.0.0.1"
    # The web tier logs who connects to it, the balancer from its own address; forwarded headers are for apps.
    assert back["client"] == site.addresses["lb1"]
    assert (back["path"], back["host"], back["user_agent"]) == ("/small.txt", "w.test", "tester")


QUESTIONS = {
    "whole": ("/small.txt", []),
    "large": ("/large.bin", []),
    "empty": ("/empty.txt", []),
    "index": ("/", []),
    "redirect": ("/folder?a=b", []),
    "missing": ("/missing", []),
    "brotli": ("/app.js", ["Accept-Encoding: br"]),
    "gzip": ("/app.js", ["Accept-Encoding: gzip;q=0.5"]),
    "not_acceptable": ("/app.js", ["Accept-Encoding: identity;q=0"]),
    "range": ("/large.bin", ["Range: bytes=100000-199999"]),
    "ranges": ("/large.bin", ["Range: bytes=0-9,1000000-1999999"]),
    "range_of_brotli": ("/app.js", ["Accept-Encoding: br", "Range: bytes=-20"]),
    "no_such_range": ("/small.txt", ["Range: bytes=2000-"]),
    "unmodified": ("/small.txt", ["If-Modified-Since: Tue, 14 Nov 2023 22:13:20 GMT"]),
    "any_tag": ("/large.bin", ["If-None-Match: *"]),
    "failed": ("/small.txt", ['If-Match: "a"']),
    "if_range": ("/small.txt", ["Range: bytes=0-9", 'If-Range: "a"']),
    "climbing": ("/../../etc/passwd", []),
    "hidden": ("/.env", []),
}


@pytest.fixture(scope="module")
def both(module_stage, root):
    return Cluster(module_stage, root, names=("web1",)).start()


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
@pytest.mark.parametrize("question", QUESTIONS)
def test_an_answer_through_the_balancer_is_the_answer(both, question, method):
    target, lines = QUESTIONS[question]
    lines = lines + (["Content-Length: 0"] if method == "POST" else [])
    straight = both.webs["web1"].fetch(target, *lines, method=method)
    through = both.lb.fetch(target, *lines, method=method)
    assert (through.status, through.reason) == (straight.status, straight.reason)
    if question == "ranges" and method == "GET":
        assert [part[1:] for part in read_multipart(through)] == [part[1:] for part in read_multipart(straight)]
    elif straight.status < 400:
        assert through.body == straight.body
    added = {"date", "via", "x-request-id", "connection"} | ({"content-type"} if question == "ranges" else set())
    named = [sorted((name.lower(), value) for name, value in answer.headers if name.lower() not in added) for answer in (through, straight)]
    if straight.status >= 400:  # the text may name the request
        named = [[field for field in fields if field[0] != "content-length"] for fields in named]
    assert named[0] == named[1]


def test_the_same_file_has_the_same_tag_on_every_server(cluster):
    site = cluster()
    for target in ("/small.txt", "/large.bin", "/app.js"):
        answers = [web.fetch(target) for web in site.webs.values()]
        assert len({(answer.get("etag"), answer.get("last-modified"), answer.body) for answer in answers}) == 1


# ---- health


def states(site):
    return {backend["name"]: backend["state"] for backend in site.lb.pool("web")["backends"]}


def test_health_is_seen_in_the_status(cluster):
    site = cluster()
    web1 = site.webs["web1"]
    web1.signal(signal.SIGSTOP)
    try:
        site.lb.wait_backend("web1", "down", "web")
        reply = json.loads(site.lb.verb("status", "--json").stdout)["servers"][0]
        backends = {backend["name"]: backend for pool in reply["pools"] for backend in pool["backends"]}
        assert backends["web1"]["state"] == "down" and backends["web1"]["reason"]
        assert backends["web2"]["state"] == "up" and backends["web2"]["checks_total"] > 0
        with site.lb.client() as client:
            assert client.request(SMALL_GET).body == SMALL
    finally:
        web1.signal(signal.SIGCONT)
    site.lb.wait_backend("web1", "up", "web")


def test_a_server_that_drains_says_so_to_who_asks_for_its_health(cluster):
    site = cluster(names=("web1",))
    web = site.webs["web1"]
    with web.client(receive_buffer=64 << 10) as slow, web.client() as asking:
        assert asking.request(request_bytes("/healthz")).status == 200
        slow.send(request_bytes("/large.bin"))
        head = read_response_head(slow)
        # On its way when the end begins; the others of its like are refused from then on.
        asking.send(b"GET /healthz HTTP/1.1\r\nHost: w.test\r\n")
        web.signal(signal.SIGTERM)
        web.wait_log(r"draining")
        asking.send(b"\r\n")
        answer = asking.response()
        assert answer.status == 503
        # The health may be seen a moment before its core closes; then the idle connection ends by itself.
        assert "close" in answer.tokens("connection") or asking.is_closed_within(10)
        assert read_response_body(slow, head).body == LARGE
    assert web.wait_exit() == 0


# ---- the end of a server under load


def kill_with_requests_on_it(site, name, load):
    """Stops the process until requests wait for it, then kills it: some are certainly lost with it."""
    web = site.webs[name]
    web.signal(signal.SIGSTOP)
    wait_until(lambda: site.lb.backend(name, "web")["in_flight"] > 0, 10, "a request that waits for the stopped server")
    web.kill()
    load.wait_requests(100)


def test_kill_9_of_a_web_server_under_load_fails_no_request(cluster):
    site = cluster()
    with Load(site.lb.port, clients=8, request=SMALL_GET) as load:
        load.wait_requests(100)
        for name in ("web1", "web2", "web1"):
            kill_with_requests_on_it(site, name, load)
            site.lb.wait_backend(name, "down", "web")
            load.wait_requests(100)
            site.webs[name].start()
            site.lb.wait_backend(name, "up", "web")
            load.wait_requests(100)
        load.stop()
    assert load.failures == []
    assert set(load.bodies) == {SMALL} and load.connections == 8
    assert site.lb.backend("web1", "web")["retries_away_total"] > 0, "requests were lost, and asked again"


def test_control_without_retries_the_same_kill_is_seen(cluster):
    site = cluster(limits={"retries": 0})
    with Load(site.lb.port, clients=8, request=SMALL_GET) as load:
        load.wait_requests(100)
        kill_with_requests_on_it(site, "web1", load)
        load.stop()
    assert load.failures


def test_sigterm_of_web_servers_in_turn_under_load_fails_no_request(cluster):
    site = cluster()
    with Load(site.lb.port, clients=8, request=SMALL_GET) as load:
        load.wait_requests(100)
        for name in ("web1", "web2", "web1", "web2"):
            web = site.webs[name]
            web.signal(signal.SIGTERM)
            assert web.wait_exit() == 0
            load.wait_requests(100)
            web.start()
            site.lb.wait_backend(name, "up", "web")
            load.wait_requests(100)
        load.stop()
    assert load.failures == []
    assert set(load.bodies) == {SMALL} and load.connections == 8


def test_control_the_end_of_all_web_servers_is_seen(cluster):
    site = cluster()
    with Load(site.lb.port, clients=4, request=SMALL_GET) as load:
        load.wait_requests(100)
        for web in site.webs.values():
            web.kill()
        load.wait_requests(50)
        load.stop()
    assert load.failures and all("status 50" in failure for failure in load.failures)


def test_a_large_answer_on_its_way_survives_sigterm_and_not_kill_9(cluster):
    site = cluster(names=("web1",), web={"cache": {"valid": "0s"}})
    web = site.webs["web1"]
    for end, is_whole in ((signal.SIGTERM, True), (signal.SIGKILL, False)):
        with site.lb.client(receive_buffer=64 << 10) as slow:
            slow.send(request_bytes("/huge.bin"))
            head = read_response_head(slow)
            wait_until(lambda: site.lb.backend("web1", "web")["in_flight"] == 1, 15, "the answer on its way")
            web.signal(end)
            if is_whole:
                web.wait_log("draining")
                assert read_response_body(slow, head).body == HUGE
            else:
                web.process.wait(5)
                with pytest.raises(WireError, match="too early"):
                    read_response_body(slow, head)
        web.process.wait(10)
        if is_whole:
            web.start()
            site.lb.wait_backend("web1", "up", "web")


def test_a_file_that_is_written_to_is_broken_off_through_the_balancer_too(stage, tmp_path):
    """A proxy that finished the body, or chunked it, would hide what the web server said by closing."""
    write_tree(tmp_path, {"huge.bin": HUGE})
    site = Cluster(stage, tmp_path, names=("web1",)).start()
    with site.lb.client(receive_buffer=64 << 10) as slow:
        slow.send(request_bytes("/huge.bin"))
        head = read_response_head(slow)
        assert head.get("content-length") == str(len(HUGE)) and not head.is_chunked
        wait_until(lambda: site.lb.backend("web1", "web")["in_flight"] == 1, 15, "the answer on its way")
        write_tree(tmp_path, {"huge.bin": HUGE[::-1]})
        with pytest.raises(WireError, match="too early"):
            read_response_body(slow, head)


# ---- all servers of a file in one command


class UpSite(WebSite):
    """`trilith up`: every server of the file, each a child of one process."""

    def options(self):
        return ["--state-dir", self.state, "--runtime-dir", self.runtime]

    def start(self, wait=True, nofile=None):
        with open(self._path("stdout"), "wb") as out, open(self._path("stderr"), "wb") as err:
            command = [BINARY, "up", self.file, *self.options()]
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=err)
        if wait:
            # One that ends in its first second could not start, and all are stopped.
            wait_until(lambda: [answer["uptime_seconds"] > 1.1 for answer in self.answers()] == [True] * 3, 20, "three servers that serve")
        return self

    def answers(self):
        done = self.verb("status", "--json")
        servers = json.loads(done.stdout)["servers"] if done.stdout else []
        return [answer for answer in servers if "pid" in answer]

    def pids(self):
        return {answer["server"]: answer["pid"] for answer in self.answers()}


def test_up_starts_a_killed_web_server_again_and_no_request_fails(stage, root):
    text = Cluster(stage, root).text
    up = UpSite(text, "lb1")
    stage.ends.append(up.finish)
    up.start()
    up.wait_up()
    with Load(up.port, clients=6, request=SMALL_GET) as load:
        load.wait_requests(200)
        for name in ("web1", "web2"):
            pid = up.pids()[name]
            os.kill(pid, signal.SIGKILL)
            load.wait_requests(100)
            wait_until(lambda: up.pids().get(name, pid) != pid, 20, f"another process for {name}")
            up.wait_backend(name, "up", "web")
            load.wait_requests(100)
        load.stop()
    assert load.failures == []
    up.signal(signal.SIGTERM)
    assert up.wait_exit() == 0 or "signal 9" in up.stderr()


# ---- files straight from the balancer


def start_routes(stage, pools, routes):
    text = balancer_config(pools={name: {"backends": [o]} for name, o in pools.items()}, access_log={"enabled": True})
    text += "".join("\n[[routes]]\n" + "".join(f"{key} = {toml_value(value)}\n" for key, value in route.items()) for route in routes)
    site = WebSite(text, "lb1")
    stage.ends.append(site.finish)
    site.start().wait_up()
    site.web_port = site.port
    return site


@pytest.fixture
def api(origin):
    return origin(answer=lambda request: response(f"{request.method} {request.target}".encode()))


def test_a_route_with_a_root_beside_one_with_a_pool(stage, api, root):
    lb = start_routes(stage, {"api": api}, [{"path": "/static/*", "root": str(root)}, {"path": "/", "root": str(root)}, {"pool": "api"}])
    for target, status, body in (
        ("/static/a.css", 200, b"a{}"), ("/static/b/b.css", 200, b"b{}"), ("/", 200, b"<p>index"), ("/static/missing.css", 404, None),
        ("/static/", 404, None), ("/static", 200, b"GET /static"), ("/small.txt", 200, b"GET /small.txt"), ("/other", 200, b"GET /other"),
        ("/static/../small.txt", 200, b"GET /small.txt"), ("/x/../static/a.css", 200, b"a{}"), ("/%73tatic/a.css", 200, b"a{}"),
        ("/static/%2e%2e/%2e%2e/etc/passwd", 400, None), ("/static/..%2fsmall.txt", 400, None),
    ):
        answer = lb.fetch(target)
        assert answer.status == status, (target, answer)
        assert body is None or answer.body == body, target
    assert {request.target for request in api.requests} == {"/static", "/small.txt", "/other"}
    refused = lb.fetch("/static/a.css", "Content-Length: 5", method="POST")
    assert refused.status == 405 and set(refused.tokens("allow")) == {"get", "head"}


def test_a_route_with_a_root_and_a_pool_asks_the_pool_for_what_is_no_file(stage, api, root):
    lb = start_routes(stage, {"api": api}, [{"root": str(root), "pool": "api"}])
    with lb.client() as client:
        for target, body in (
            ("/small.txt", SMALL), ("/v1/users?x=1", b"GET /v1/users?x=1"), ("/large.bin", LARGE), ("/", b"<p>index"), ("/missing.txt", b"GET /missing.txt"),
            ("/folder/", b"<p>folder"), ("/static/", b"GET /static/"), ("/.env", b"GET /.env"), ("/small.txt/x", b"GET /small.txt/x"),
        ):
            assert client.request(request_bytes(target)).body == body, target
        assert client.request(request_bytes("/folder")).status == 301
        posted = client.request(request_bytes("/v1/users", "Content-Length: 5", method="POST") + b"hello")
        assert posted.body == b"POST /v1/users" and api.requests[-1].body == b"hello"
        assert client.request(request_bytes("/small.txt", "Range: bytes=0-4")).body == SMALL[:5]
        assert client.request(request_bytes("/large.bin", "If-None-Match: *")).status == 304


def test_files_and_pool_in_one_pipeline_are_answered_in_order(stage, api, root):
    lb = start_routes(stage, {"api": api}, [{"root": str(root), "pool": "api"}])
    wanted = [("/small.txt", SMALL), ("/a", b"GET /a"), ("/large.bin", LARGE), ("/b", b"GET /b"), ("/app.js", SCRIPT), ("/empty.txt", b""), ("/c", b"GET /c")] * 3
    with lb.client() as client:
        client.send(b"".join(request_bytes(target) for target, _ in wanted))
        for target, body in wanted:
            assert client.response().body == body, target


def test_files_are_served_while_the_pool_is_down(stage, api, root):
    lb = start_routes(stage, {"api": api}, [{"root": str(root), "pool": "api"}])
    api.stop()
    lb.wait_backend(api.address, "down", "api")
    assert lb.fetch("/small.txt").body == SMALL
    assert lb.fetch("/v1").status in (502, 503)
    api.start()
    lb.wait_backend(api.address, "up", "api")
    assert lb.fetch("/v1").body == b"GET /v1"


def test_hosts_have_roots_of_their_own(stage, api, root, tmp_path):
    write_tree(tmp_path, {"small.txt": b"the other one"})
    lb = start_routes(stage, {"api": api}, [{"host": "one.test", "root": str(root)}, {"host": "two.test", "root": str(tmp_path)}, {"pool": "api"}])
    for host, body in (("one.test", SMALL), ("TWO.test", b"the other one"), ("three.test", b"GET /small.txt")):
        with lb.client() as client:
            client.send(f"GET /small.txt HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
            assert client.response().body == body


def test_the_log_tells_files_from_requests_to_the_pool(stage, api, root):
    lb = start_routes(stage, {"api": api}, [{"root": str(root), "pool": "api"}])
    lb.fetch("/small.txt")
    lb.fetch("/v1")
    wait_until(lambda: len(lb.log_lines()) == 2, 15, "two lines")
    file, passed = lb.log_lines()
    assert (file["status"], file["tier"]) == (200, "balancer") and "backend" not in file
    assert passed["backend"] == api.address


def test_a_reload_under_load_adds_and_removes_a_root(stage, api, root):
    lb = start_routes(stage, {"api": api}, [{"pool": "api"}])
    with open(lb.file, encoding="utf-8") as file:
        without = file.read()
    with_root = without.replace('pool = "api"\n', f'pool = "api"\nroot = "{root}"\n')
    with Load(lb.port, clients=4, request=SMALL_GET) as load:
        for _ in range(5):
            for text, body in ((with_root, SMALL), (without, b"GET /small.txt")):
                lb.write(text)
                lb.do("reload")
                wait_until(lambda: lb.fetch("/small.txt").body == body, MARGIN, "the new configuration")
                load.wait_requests(20)
        load.stop()
    assert load.failures == [] and load.connections == 4
    assert set(load.bodies) == {SMALL, b"GET /small.txt"}


def test_many_slow_downloads_leave_the_pool_alone(stage, api, root):
    """Files are sent by the cores that forward requests: neither waits for the other's clients."""
    lb = start_routes(stage, {"api": api}, [{"root": str(root), "pool": "api"}])
    slow = [lb.client(receive_buffer=64 << 10) for _ in range(40)]
    for client in slow:
        client.send(request_bytes("/large.bin"))
        assert read_response_head(client).status == 200
    done = threading.Event()
    threading.Thread(target=lambda: (lb.fetch("/large.bin"), done.set()), daemon=True).start()
    with lb.client() as client:
        for _ in range(100):
            assert client.request(request_bytes("/v1")).body == b"GET /v1"
    assert done.wait(10), "a fast client beside the slow ones"
    for client in slow:
        client.close()
