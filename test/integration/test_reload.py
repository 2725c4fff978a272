"""Reload swaps the configuration and disturbs nobody; SIGTERM lets running requests end."""

import os
import signal
import socket
import threading

import pytest

from balancer_site import balancer_config, elapsed
from origins import response
from raw_client import GET, Load, RawClient, raw_request, wait_until
from raw_http import WireError

HOLD = b"GET /hold HTTP/1.1\r\nHost: a.test\r\n\r\n"


@pytest.fixture
def held(origin):
    """An origin that answers /hold when `release` is set, and everything else at once."""
    release = threading.Event()

    def answer(request):
        if request.target == "/hold":
            release.wait(30)
        return response(b"held")

    made = origin(answer=answer)
    made.release = release
    return made


@pytest.fixture
def free_port():
    """free_port() -> a port that nobody else is given while the test runs: it stays bound, without listening, to the end."""
    holders = []

    def take():
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(("127.0.0.1", 0))
        holders.append(sock)
        return sock.getsockname()[1]

    yield take
    for sock in holders:
        sock.close()


def is_refused(port):
    try:
        RawClient(port, timeout=2).close()
        return False
    except (ConnectionRefusedError, ConnectionResetError):
        return True


# ---- reload


@pytest.mark.parametrize("threads", [1, 2])
def test_reload_under_load_loses_no_request_and_closes_no_connection(site, child, threads):
    a, b, c = child("a"), child("b"), child("c")
    options = {"balancer": {"threads": threads}}
    lb = site([a, b], **options)
    variants = [
        balancer_config([a, b, c], **options),
        balancer_config([c], **options),
        balancer_config([b, {"address": a, "weight": 7}], pool={"mode": "active-passive"}, **options),
        balancer_config(pools={"new": {"backends": [c, a]}, "old": {"backends": [b]}}, routes=[{"path": "/", "pool": "new"}], **options),
        balancer_config([a, b], timeouts={"idle": "20s"}, limits={"headers": 50}, **options),
    ]
    with Load(lb.port, clients=6) as load:
        load.wait_requests(50)
        for i in range(20):
            lb.write(variants[i % len(variants)])
            lb.do("reload")
            load.wait_requests(30)
        load.stop()
    assert load.failures == []
    assert load.connections == 6
    assert set(load.bodies) == {b"a", b"b", b"c"}


def test_control_a_restart_under_load_is_seen_by_the_same_clients(site, child, free_port):
    """The load of the test above is not blind: what a restart does to it, it reports."""
    lb = site([child("a")], balancer={"listen": [f"http://127.0.0.1:{free_port()}"]})
    with Load(lb.port, clients=6) as load:
        load.wait_requests(50)
        lb.kill()
        lb.start()
        load.wait_requests(50)
        load.stop()
    assert load.failures and load.connections > 6


def test_reload_keeps_a_running_request_and_its_backend(site, held, origin):
    other = origin(name="other")
    lb = site([held])
    with RawClient(lb.port) as client:
        client.send(HOLD)
        held.wait_requests(1)
        lb.write(balancer_config([other]))
        lb.do("reload")
        assert raw_request(lb.port, GET).responses()[0].body == b"other"
        held.release.set()
        assert client.response().body == b"held"
        assert client.request(GET).body == b"other"
    wait_until(lambda: [b["address"] for b in lb.pool()["backends"]] == [other.address], 10, "the removed backend gone")


def test_reload_applies_what_changed_and_says_so(site, origin):
    a, b = origin(name="a"), origin(name="b")
    lb = site([a])
    assert raw_request(lb.port, GET).responses()[0].body == b"a"
    lb.write(balancer_config([b]))
    text = lb.do("reload")
    assert "pools" in text or b.address in text or "backend" in text, text
    assert raw_request(lb.port, GET).responses()[0].body == b"b"


def test_reload_where_file_descriptors_are_few(stage, origin):
    """The default number of connections gave way to the system's limit at the start: that is no change that needs a restart."""
    a, b = origin(name="a"), origin(name="b")

    def config(o):
        return balancer_config([o]).replace("connections = 2000\n", "")

    lb = stage.text(config(a)).start(nofile=4000).wait_up()
    lb.write(config(b))
    lb.do("reload")
    assert raw_request(lb.port, GET).responses()[0].body == b"b"


def test_reload_without_a_change_says_so(site, origin):
    lb = site([origin()])
    assert lb.do("reload").strip()


@pytest.mark.parametrize(
    ("line", "place", "words"),
    [
        ("[balancer]\nalgoritm = \"round-robin\"\n", 2, ["algorithm"]),
        ("site = \n", 1, []),
        ("[pools.origin]\nbackends = [\"127.0.0.1\"]\n", 2, []),
        ("[balancer.timeouts]\nconnect = 3\n", 2, []),
    ],
)
def test_a_bad_file_changes_nothing_and_names_the_place(site, origin, line, place, words):
    o = origin()
    lb = site([o])
    before = lb.status()
    lb.write(line)
    done = lb.verb("reload")
    assert done.returncode in (1, 2)
    message = done.stderr + done.stdout
    assert f"{lb.file}:{place}:" in message and all(word in message for word in words), message
    after = lb.status()
    assert [p["name"] for p in after["pools"]] == [p["name"] for p in before["pools"]]
    assert raw_request(lb.port, GET).responses()[0].body == b"ok"


def test_a_missing_file_changes_nothing(site, origin):
    lb = site([origin()])
    os.rename(lb.file, lb.file + ".away")
    done = lb.verb("reload")
    assert done.returncode in (1, 2) and lb.file in done.stderr + done.stdout
    assert raw_request(lb.port, GET).responses()[0].status == 200


def test_what_needs_a_restart_is_named_and_nothing_is_applied(site, origin):
    a, b = origin(name="a"), origin(name="b")
    lb = site([a])
    lb.write(balancer_config([b], balancer={"threads": 2}))
    done = lb.verb("reload")
    assert done.returncode == 1, done.stdout
    assert "needs restart" in done.stderr + done.stdout and "balancer.threads" in done.stderr + done.stdout
    assert raw_request(lb.port, GET).responses()[0].body == b"a"


def test_listeners_come_and_go(site, origin, free_port):
    o = origin()
    one, two = free_port(), free_port()
    both = [f"http://127.0.0.1:{one}", f"http://127.0.0.1:{two}"]
    lb = site([o], balancer={"listen": both[:1]})
    lb.write(balancer_config([o], balancer={"listen": both}))
    lb.do("reload")
    assert lb.ports == [one, two]
    with RawClient(one) as old, RawClient(two) as new:
        assert old.request().body == new.request().body == b"ok"
        lb.write(balancer_config([o], balancer={"listen": both[1:]}))
        lb.do("reload")
        wait_until(lambda: is_refused(one), 15, "a refused connection")
        # What was accepted before may end in peace.
        assert old.request().body == b"ok"
        assert new.request().body == b"ok"
    assert lb.ports == [two]


def test_a_listener_that_cannot_be_bound_changes_nothing(site, origin):
    a, b = origin(name="a"), origin(name="b")
    lb = site([a])
    lb.write(balancer_config([b], balancer={"listen": ["http://127.0.0.1:0", f"http://{a.address}"]}))
    done = lb.verb("reload")
    assert done.returncode == 1 and a.address in done.stderr + done.stdout
    assert raw_request(lb.port, GET).responses()[0].body == b"a"


def test_health_and_counters_survive(site, origin):
    a, b = origin(name="a"), origin(name="b")
    lb = site([a, b], health={"interval": "1h", "timeout": "1s", "fall": 1, "rise": 1})
    b.stop()
    with RawClient(lb.port) as client:
        for _ in range(10):
            assert client.request().body == b"a"
    assert lb.backend(b.address)["state"] == "down"
    total = lb.status()["requests_total"]
    lb.write(balancer_config([a, b], health={"interval": "1h", "timeout": "1s", "fall": 1, "rise": 1}, timeouts={"idle": "30s"}))
    lb.do("reload")
    assert lb.backend(b.address)["state"] == "down"
    assert lb.backend(a.address)["requests_total"] == 10
    assert lb.status()["requests_total"] == total


def test_sighup_reloads(site, origin):
    a, b = origin(name="a"), origin(name="b")
    lb = site([a])
    lb.write(balancer_config([b]))
    lb.signal(signal.SIGHUP)
    wait_until(lambda: [x["address"] for x in lb.pool()["backends"]] == [b.address], 10, "the new backend")
    assert raw_request(lb.port, GET).responses()[0].body == b"b"


def test_sighup_with_a_bad_file_is_logged_and_survived(site, origin):
    lb = site([origin()])
    lb.write("[balancer]\nalgoritm = 1\n")
    lb.signal(signal.SIGHUP)
    lb.wait_log(r" error .*site\.toml:\d+:\d+: ")
    assert raw_request(lb.port, GET).responses()[0].status == 200


def test_reloads_do_not_leak(site, origin):
    o = origin()
    lb = site([o])
    variants = [balancer_config([o], limits={"headers": n}) for n in (50, 60)]

    def reload_often(count):
        for i in range(count):
            lb.write(variants[i % 2])
            assert lb.control("POST", "/v1/reload")[0] == 200

    reload_often(40)
    raw_request(lb.port, GET)
    files, memory = lb.open_files(), lb.rss_kib()
    reload_often(150)
    raw_request(lb.port, GET)
    assert lb.open_files() <= files + 2
    lb.assert_grew_less(memory, 2048, "150 reloads")


# ---- the end


def test_sigterm_lets_running_requests_end_and_takes_no_new_ones(site, held):
    lb = site([held])
    port = lb.port
    with RawClient(port) as busy, RawClient(port) as idle:
        idle.request()
        busy.send(HOLD)
        held.wait_requests(2)
        lb.signal(signal.SIGTERM)
        wait_until(lambda: is_refused(port), 15, "a refused connection")
        assert idle.is_closed_within(5), "an idle connection is closed at once"
        assert lb.exit_code() is None
        held.release.set()
        got = busy.response()
        assert got.body == b"held" and "close" in got.tokens("connection")
        assert busy.is_closed_within(5)
    assert lb.wait_exit() == 0


def test_sigterm_when_idle_ends_at_once(site, origin):
    lb = site([origin()])
    raw_request(lb.port, GET)
    lb.signal(signal.SIGTERM)
    seconds, code = elapsed(lb.wait_exit)
    assert code == 0 and seconds < 3


def test_control_a_tiny_drain_deadline_cuts_requests(site, held):
    lb = site([held], timeouts={"drain": "200ms"})
    with RawClient(lb.port) as busy:
        busy.send(HOLD)
        held.wait_requests(1)
        lb.signal(signal.SIGTERM)
        seconds, code = elapsed(lb.wait_exit)
        assert seconds < 5 and code in (0, 1)
        with pytest.raises((WireError, OSError, AssertionError)):
            got = busy.response()
            assert got.status == 200
    held.release.set()


def test_a_second_sigterm_stops_at_once(site, held):
    lb = site([held], timeouts={"drain": "60s"})
    with RawClient(lb.port) as busy:
        busy.send(HOLD)
        held.wait_requests(1)
        lb.signal(signal.SIGTERM)
        lb.wait_log(r"drain")
        assert lb.exit_code() is None
        lb.signal(signal.SIGTERM)
        seconds, code = elapsed(lb.wait_exit)
        assert code == 1 and seconds < 3
    held.release.set()


def test_sigterm_under_load_with_short_requests_ends_clean(site, child):
    """Every request that was sent whole before the end is answered: no client sees half an answer."""
    lb = site([child("a", delay_ms=5)])
    with Load(lb.port, clients=4) as load:
        load.wait_requests(100)
        lb.signal(signal.SIGTERM)
        assert lb.wait_exit() == 0
        load.stop()
    torn = [f for f in load.failures if "too early" in f or "ends before" in f or "status" in f]
    assert torn == []
