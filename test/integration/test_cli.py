"""The verbs, what they print, how they fail; status, metrics and the access log as their readers need them."""

import json
import os
import re
import signal
import socket
import subprocess
import threading

import pytest

from balancer_site import BINARY, Site, balancer_config, run_trilith
from metrics_text import check_histogram, parse_metrics
from origins import response
from raw_client import GET, RawClient, raw_request, wait_until

GOOD = balancer_config(["127.0.0.1:9001", {"address": "127.0.0.1:9002", "name": "b2", "weight": 50}])


@pytest.fixture
def file(tmp_path, trilith):
    """file(text) -> the path of a file with it."""

    def write(text):
        path = tmp_path / "site.toml"
        path.write_text(text, encoding="utf-8")
        return str(path)

    return write


# ---- check


def test_check_accepts_the_file_of_the_whiteboard(file):
    text = """site = "api.foobar.com"
[servers]
lb1 = { address = "127.0.0.1", roles = ["balancer"] }
[balancer]
listen    = ["http://127.0.0.1:8101"]
threads   = 1                    # default: one a core
algorithm = "round-robin"
mode      = "active-active"
[balancer.health]
path = "/healthz"                # without it: a TCP connect
interval = "2s"
timeout = "1s"
fall = 3
rise = 2
[balancer.access_log]
enabled = true                   # JSON lines, to stdout or file = "..."
[pools.origin]
backends = ["127.0.0.1:9001", { address = "127.0.0.1:9002", name = "b2", weight = 50 }, { address = "127.0.0.1:9003", backup = true }]
[[routes]]
host = "api.foobar.com"          # exact, "*.foobar.com", or left out
path = "/v1/*"                   # exact or prefix
pool = "origin"
"""
    done = run_trilith("check", file(text))
    assert done.returncode == 0, done.stderr
    explained = run_trilith("check", file(text), "--explain")
    assert explained.returncode == 0
    for word in ("127.0.0.1:9003", "retry_budget_percent", "api.foobar.com", "first_byte"):
        assert word in explained.stdout
    as_json = run_trilith("check", file(text), "--explain", "--json")
    assert as_json.returncode == 0 and json.loads(as_json.stdout)


def test_what_explain_prints_is_a_configuration_that_means_the_same(file, tmp_path):
    first = run_trilith("check", file(GOOD), "--explain").stdout
    again = tmp_path / "again.toml"
    again.write_text(first, encoding="utf-8")
    done = run_trilith("check", str(again), "--explain")
    assert done.returncode == 0, done.stderr
    assert done.stdout == first


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("threads = 1", "treads = 1", ["treads", "threads"]),
        ("threads = 1", "threads = \"one\"", ["threads"]),
        ("threads = 1", "threads = -1", ["threads"]),
        ("threads = 1", "mode = \"active-activ\"", ["active-active"]),
        ("threads = 1", "algorithm = \"roundrobin\"", ["round-robin"]),
        ("threads = 1", "listen = [\"http://127.0.0.1:1\"]", []),
        ("threads = 1", "threads = 1 1", []),
        ("\"200ms\"", "200", ["interval"]),
        ("\"200ms\"", "\"200\"", ["interval"]),
        ("\"200ms\"", "\"200 parsecs\"", ["interval"]),
        ("\"200ms\"", "\"1ms\"", ["interval"]),
        ("weight = 50", "weight = 257", ["256"]),
        ("weight = 50", "wieght = 50", ["weight"]),
        ("127.0.0.1:9001", "127.0.0.1", []),
        ("127.0.0.1:9001", "127.0.0.1:99999", []),
        ("127.0.0.1:9001", "origin.foobar.com:80", []),
        ("name = \"b2\"", "name = \"127.0.0.1:9001\"", []),
        ("http://127.0.0.1:0", "https://127.0.0.1:0", []),
        ("http://127.0.0.1:0", "127.0.0.1:0", ["http://"]),
        ("[pools.origin]", "[pool.origin]", ["pools"]),
        ("roles = [\"balancer\"]", "roles = [\"balanser\"]", ["balancer"]),
    ],
)
def test_check_names_place_expectation_and_nearest_key(file, before, after, words):
    assert before in GOOD
    text = GOOD.replace(before, after)
    path = file(text)
    done = run_trilith("check", path)
    assert done.returncode == 2, (done.stdout, done.stderr)
    places = []
    for line in done.stderr.splitlines():
        match = re.match(re.escape(path) + r":(\d+):(\d+): (\S.*)$", line)
        assert match, done.stderr
        places.append((int(match.group(1)), int(match.group(2))))
    changed = next(n + 1 for n, (a, b) in enumerate(zip(GOOD.splitlines(), text.splitlines())) if a != b)
    columns = [column for line, column in places if line == changed]
    assert columns, done.stderr
    if after.startswith("treads"):
        assert columns == [1]
    assert all(word in done.stderr for word in words), done.stderr


def test_check_refuses_routes_that_never_match_and_unknown_pools(file):
    base = {"pools": {"a": {"backends": ["127.0.0.1:1"]}, "b": {"backends": ["127.0.0.1:2"]}}}
    unreachable = balancer_config(**base, routes=[{"path": "/v1/*", "pool": "a"}, {"path": "/v1/x", "pool": "b"}])
    done = run_trilith("check", file(unreachable))
    assert done.returncode == 2 and "never" in done.stderr
    nowhere = balancer_config(**base, routes=[{"path": "/", "pool": "c"}])
    done = run_trilith("check", file(nowhere))
    assert done.returncode == 2 and '"c"' in done.stderr or "c" in done.stderr
    assert run_trilith("check", file(balancer_config(**base))).returncode == 2, "two pools and no route"


def test_check_of_a_missing_file_is_one_line(trilith):
    done = run_trilith("check", "/nonexistent/site.toml")
    assert done.returncode in (1, 2)
    assert "/nonexistent/site.toml" in done.stderr and len(done.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize(
    "text",
    [b"\xff\xfe\x00", b"a" * 100000, b"[" * 5000, b"a = " + b"[" * 5000, b"\x00", b"a = \"" + b"x" * 70000, b"a.b" * 20000, b"[=", b"[\n"],
    ids=["bytes", "word", "brackets", "arrays", "nul", "open", "dotted", "equals", "line"],
)
def test_check_of_garbage_is_refused_and_survived(tmp_path, trilith, text):
    path = tmp_path / "bad.toml"
    path.write_bytes(text)
    done = run_trilith("check", str(path))
    assert done.returncode == 2 and str(path) in done.stderr


# ---- usage


@pytest.mark.parametrize("words", [["dance"], ["weight"], ["weight", "b1"], ["serve", "--nosuch"], ["undo"], ["status", "extra", "words"]])
def test_wrong_usage_is_exit_2(tmp_path, trilith, words):
    done = run_trilith(*words, env={**os.environ, "HOME": str(tmp_path)})
    assert done.returncode == 2 and done.stderr.strip()


def test_help_names_every_verb(trilith):
    done = run_trilith("--help")
    assert done.returncode == 0
    for verb in ("up", "serve", "check", "status", "weight", "drain", "disable", "enable", "undo", "reload", "metrics"):
        assert re.search(rf"\b{verb}\b", done.stdout), verb


def test_serve_of_an_unknown_server_names_the_known_ones(file):
    done = run_trilith("serve", "--server", "lb9", file(GOOD))
    assert done.returncode == 2 and "lb9" in done.stderr and "lb1" in done.stderr


def test_serve_of_a_bad_file_starts_nothing(file):
    done = run_trilith("serve", "--server", "lb1", file(GOOD.replace("threads", "treads")))
    assert done.returncode == 2 and ":8:1: " in done.stderr


def test_a_verb_without_a_running_site_says_so(tmp_path, trilith):
    done = run_trilith("status", "--runtime-dir", str(tmp_path), "--state-dir", str(tmp_path))
    assert done.returncode == 1 and len(done.stderr.strip().splitlines()) == 1


def test_an_occupied_port_is_one_line_and_exit_1(stage):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        lb = stage.text(balancer_config(["127.0.0.1:1"], balancer={"listen": [f"http://{address}"]}))
        lb.start(wait=False)
        assert lb.wait_exit() == 1
        errors = [line for line in lb.stderr().splitlines() if address in line]
        assert len(errors) == 1 and re.search("in use|occupied|taken", errors[0]), lb.stderr()


def test_too_few_file_descriptors_are_one_line(stage, origin):
    lb = stage.text(balancer_config([origin()], limits={"connections": 1_000_000}))
    lb.start(wait=False, nofile=64)
    assert lb.wait_exit() in (1, 2)
    assert re.search("file descriptors|open files|nofile", lb.stderr()), lb.stderr()


def test_one_process_a_server(stage, origin):
    lb = stage.site([origin()])
    done = run_trilith("serve", "--server", "lb1", lb.file, *lb.options())
    assert done.returncode == 1 and done.stderr.strip()
    assert raw_request(lb.port, GET).responses()[0].status == 200


def test_a_socket_left_by_a_killed_process_is_no_obstacle(stage, origin):
    lb = stage.site([origin()])
    lb.kill()
    assert os.path.exists(lb.socket_path)
    lb.start().wait_up()
    assert raw_request(lb.port, GET).responses()[0].status == 200


def test_a_runtime_path_too_long_is_refused(file, tmp_path):
    deep = tmp_path / ("d" * 60) / ("e" * 60)
    deep.mkdir(parents=True)
    done = run_trilith("serve", "--server", "lb1", file(GOOD), "--runtime-dir", str(deep), "--state-dir", str(deep))
    assert done.returncode in (1, 2) and "socket" in done.stderr


def test_the_control_socket_is_private(stage, origin):
    lb = stage.site([origin()])
    assert os.stat(lb.socket_path).st_mode & 0o777 == 0o600


# ---- status


def test_status_as_json_has_the_contract(stage, origin):
    one, two = origin(name="one"), origin(name="two")
    lb = stage.site([{"address": one, "name": "b1"}, {"address": two, "name": "b2", "weight": 50, "backup": True}])
    with RawClient(lb.port) as client:
        for _ in range(5):
            client.request()
        status = json.loads(lb.do("status", "--json"))
        (status,) = status["servers"]
        assert (status["site"], status["server"], status["pid"]) == ("it.foobar.com", "lb1", lb.pid)
        assert status["connections"]["current"] == 1 and status["connections"]["limit"] == 2000
        assert status["requests_total"] == 5 and status["uptime_seconds"] >= 0
        assert [listener.removeprefix("http://") for listener in status["listeners"]] == [f"127.0.0.1:{lb.port}"]
        (pool,) = status["pools"]
        assert (pool["name"], pool["mode"], pool["algorithm"]) == ("origin", "active-active", "round-robin")
        first, second = pool["backends"]
        expected = {"name": "b1", "address": one.address, "state": "up", "weight": 100, "configured_weight": 100,
                    "backup": False, "override": None, "in_flight": 0, "requests_total": 5, "errors_total": 0, "connections_idle": 1}
        assert {key: first[key] for key in expected} == expected
        assert {"reason", "effective_weight", "last_change_seconds"} <= set(first)
        assert (second["name"], second["backup"], second["requests_total"]) == ("b2", True, 0)


def test_status_is_a_table_with_a_line_for_each_backend(stage, origin):
    one, two = origin(), origin()
    lb = stage.site([{"address": one, "name": "b1"}, {"address": two, "name": "b2"}])
    lb.do("weight", "b1", "77")
    two.stop()
    lb.wait_backend("b2", "down")
    text = lb.do("status")
    row1 = next(line for line in text.splitlines() if re.search(r"\bb1\b", line))
    row2 = next(line for line in text.splitlines() if re.search(r"\bb2\b", line))
    assert "up" in row1 and "77" in row1 and "down" in row2
    assert one.address in text and "\x1b" not in text, "no colours where nobody watches"


def test_an_unknown_backend_gets_the_nearest_name(stage, origin):
    lb = stage.site([{"address": origin(), "name": "blue-1"}, {"address": origin(), "name": "green-1"}])
    for verb in (("weight", "bleu-1", "5"), ("drain", "bleu-1"), ("undo", "bleu-1")):
        done = lb.verb(*verb)
        assert done.returncode in (1, 2) and "bleu-1" in done.stderr and "blue-1" in done.stderr.replace("bleu-1", ""), done.stderr


def test_an_ambiguous_name_needs_its_pool(stage, origin):
    a, b = origin(), origin()
    lb = stage.site(
        pools={"x": {"backends": [{"address": a, "name": "b1"}]}, "y": {"backends": [{"address": b, "name": "b1"}]}},
        routes=[{"path": "/x", "pool": "x"}, {"path": "/y", "pool": "y"}],
    )
    done = lb.verb("weight", "b1", "5")
    assert done.returncode in (1, 2) and "x/b1" in done.stderr and "y/b1" in done.stderr
    lb.do("weight", "y/b1", "5")
    assert (lb.backend("b1", "x")["weight"], lb.backend("b1", "y")["weight"]) == (100, 5)


def test_a_backend_without_a_name_goes_by_its_address(stage, origin):
    o = origin()
    lb = stage.site([o])
    lb.do("weight", o.address, "9")
    assert lb.backend(o.address)["weight"] == 9


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [("POST", "/v1/weight", {"name": "nosuch", "weight": 1}), ("POST", "/v1/weight", {}), ("POST", "/v1/weight", []),
     ("POST", "/v1/weight", {"name": "b1", "weight": 1000}), ("POST", "/v1/weight", {"name": "b1", "weight": "x"}),
     ("GET", "/v1/nosuch", None), ("DELETE", "/v1/status", None), ("POST", "/v1/drain", {"name": 5})],
)
def test_the_control_socket_refuses_nonsense_in_words(stage, origin, method, path, body):
    lb = stage.site([{"address": origin(), "name": "b1"}])
    status, text = lb.control(method, path, body)
    assert 400 <= status < 600 and json.loads(text)["error"]
    assert lb.backend("b1")["override"] is None


# ---- metrics

def test_metrics_are_prometheus_text_with_histograms(stage, origin):
    one = origin(answer=lambda request: response(b"x", 404 if request.target == "/404" else 200))
    lb = stage.site([{"address": one, "name": "b1"}])
    with RawClient(lb.port) as client:
        for path in ("/", "/", "/404"):
            client.request(f"GET {path} HTTP/1.1\r\nHost: a.test\r\n\r\n".encode())
    families = parse_metrics(lb.do("metrics"))
    histograms = {name: check_histogram(name, samples) for name, (kind, samples) in families.items() if kind == "histogram"}
    assert histograms, "no histogram"
    assert any(entry["count"] == 3 for series in histograms.values() for entry in series.values())
    assert any(
        labels.get("server", labels.get("backend")) == "b1" or "b1" in labels.values()
        for _, samples in families.values() for _, labels, _ in samples
    )
    totals = [value for kind, samples in families.values() if kind == "counter" for _, _, value in samples]
    assert 3 in totals
    assert any(name.startswith("haproxy_") for name in families), "no name that HAProxy's dashboards know"
    before = {(n, tuple(sorted(l.items()))): v for k, s in families.values() if k == "counter" for n, l, v in s}
    raw_request(lb.port, GET)
    after = {(n, tuple(sorted(l.items()))): v for k, s in parse_metrics(lb.metrics()).values() if k == "counter" for n, l, v in s}
    assert all(after[key] >= value for key, value in before.items()), "a counter went back"


def test_metrics_on_the_admin_listener_and_not_on_the_public_one(stage, origin):
    lb = stage.site([origin()], admin={"listen": "http://127.0.0.1:0"})
    match = lb.wait_log(r"admin[^\n]*?(127\.0\.0\.1:\d+)")
    port = int(match.group(1).rsplit(":", 1)[1])
    got = raw_request(port, b"GET /metrics HTTP/1.1\r\nHost: a.test\r\n\r\n").responses()[0]
    assert got.status == 200 and got.get("content-type", "").startswith("text/plain")
    parse_metrics(got.body.decode())
    assert raw_request(port, b"POST /v1/reload HTTP/1.1\r\nHost: a.test\r\nContent-Length: 0\r\n\r\n").responses()[0].status >= 400
    assert raw_request(lb.port, b"GET /metrics HTTP/1.1\r\nHost: a.test\r\n\r\n").responses()[0].body == b"ok"


# ---- the access log

KEYS = {
    "time", "tier", "request_id", "client", "method", "host", "path", "protocol", "status", "bytes_in", "bytes_out", "pool", "backend",
    "retries", "queue_us", "connect_us", "first_byte_us", "total_us", "ended", "route", "user_agent", "referer",
}


def test_the_access_log_has_one_whole_line_a_request(stage, origin):
    o = origin(name="hello")
    lb = stage.site([{"address": o, "name": "b1"}], access_log={"enabled": True})
    request = (
        b'POST /a%20b?q="x\\ HTTP/1.1\r\nHost: a.test\r\nX-Request-Id: my-id\r\nUser-Agent: t"\\\x80\xff\r\nReferer: http://r/\r\n'
        b"Content-Length: 4\r\n\r\nbody"
    ).replace(b'"x\\ HTTP', b"x HTTP")
    raw_request(lb.port, request)
    raw_request(lb.port, b"GET /second HTTP/1.1\r\nHost: a.test\r\n\r\n")
    lines = wait_until(lambda: len(lb.log_lines()) == 2 and lb.log_lines(), 15, "two lines")
    assert all(set(line) == KEYS for line in lines), set(lines[0]) ^ KEYS
    first = lines[0]
    expected = {"request_id": "my-id", "method": "POST", "host": "a.test", "protocol": "HTTP/1.1", "status": 200,
                "pool": "origin", "backend": "b1", "retries": 0, "ended": "complete", "referer": "http://r/"}
    assert {key: first[key] for key in expected} == expected
    assert first["client"].startswith("127.0.0.1") and first["path"].startswith("/a%20b")
    assert first["bytes_in"] >= 4 and first["bytes_out"] >= 5
    assert 0 <= first["first_byte_us"] <= first["total_us"] < 10_000_000
    assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", first["time"])
    assert lines[1]["request_id"] == o.requests[1].get("x-request-id")


def test_the_log_says_why_a_request_ended(stage, origin):
    def script(connection):
        while (request := connection.request()) is not None:
            if request.target == "/half":
                connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
                return
            if request.target == "/dead":
                return
            if request.target == "/slow":
                stop.wait(10)
                return
            connection.send(response(b"x"))

    stop = threading.Event()
    lb = stage.site(
        [origin(script=script)], access_log={"enabled": True}, timeouts={"first_byte": "300ms"}, health={"interval": "1h", "fall": 100}
    )
    seen = 0

    def ended(data):
        nonlocal seen
        raw_request(lb.port, data)
        seen += 1
        lines = wait_until(lambda: len(lb.log_lines()) >= seen and lb.log_lines(), 15, f"line {seen}")
        return lines[seen - 1]

    post = "POST {} HTTP/1.1\r\nHost: a.test\r\nContent-Length: 0\r\n\r\n"
    assert ended(GET)["ended"] == "complete"
    line = ended(post.format("/half").encode())
    assert (line["ended"], line["status"]) == ("backend_failed", 200)
    line = ended(post.format("/dead").encode())
    assert (line["ended"], line["status"]) == ("backend_failed", 502)
    line = ended(post.format("/slow").encode())
    assert (line["ended"], line["status"]) == ("timeout", 504)
    line = ended(b"GET / HTTP/1.1\r\nHost: a.test\r\nA : b\r\n\r\n")
    assert (line["ended"], line["status"]) == ("refused", 400)
    line = ended(b"GET /dead HTTP/1.1\r\nHost: a.test\r\n\r\n")
    assert line["retries"] >= 1
    stop.set()


def test_nothing_a_client_sends_breaks_a_line_of_the_log(stage, origin):
    lb = stage.site([origin()], access_log={"enabled": True})
    agents = [bytes([byte]) * 3 for byte in [9, *range(32, 127), *range(128, 256)]]
    with RawClient(lb.port) as client:
        for agent in agents:
            client.request(b"GET / HTTP/1.1\r\nHost: a.test\r\nUser-Agent: x" + agent + b"x\r\n\r\n")
    lines = wait_until(lambda: len(lb.log_lines()) == len(agents) and lb.log_lines(), 15, "every line")
    assert all(line["status"] == 200 for line in lines)


def test_the_log_goes_to_a_file(stage, origin, tmp_path):
    path = str(tmp_path / "access.log")
    lb = stage.site([origin()], access_log={"enabled": True, "file": path})
    raw_request(lb.port, GET)
    wait_until(lambda: os.path.exists(path) and len(lb.log_lines(path)) == 1, 15, "a line in the file")
    assert lb.stdout() == ""
    lb.stop()
    lb.start().wait_up()
    raw_request(lb.port, GET)
    wait_until(lambda: len(lb.log_lines(path)) == 2, 15, "a second line behind the first")


def test_no_log_without_being_asked(stage, origin):
    lb = stage.site([origin()])
    raw_request(lb.port, GET)
    lb.stop()
    assert lb.stdout() == ""


def test_the_last_lines_are_written_before_the_end(stage, origin):
    lb = stage.site([origin()], access_log={"enabled": True})
    with RawClient(lb.port) as client:
        for _ in range(200):
            client.request()
    lb.stop()
    assert len(lb.log_lines()) == 200


# ---- up


def test_up_runs_the_servers_of_the_file_until_told_to_stop(stage, origin):
    o = origin()
    lb = Site(balancer_config([o]))
    stage.ends.append(lb.finish)
    out = open(lb.file + ".out", "w+", encoding="utf-8")
    process = subprocess.Popen([BINARY, "up", lb.file, *lb.options()], stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
    try:
        wait_until(lambda: lb.answers() or process.poll() is not None, 15, "the server's socket")
        assert process.poll() is None
        wait_until(lambda: lb.wait_up() and raw_request(lb.port, GET).responses()[0].status == 200, 10, "an answer")
        pid = lb.status()["pid"]
        process.send_signal(signal.SIGINT)
        assert process.wait(15) == 0
        assert not os.path.exists(f"/proc/{pid}") or pid == process.pid
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        out.close()
