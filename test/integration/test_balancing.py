"""Which backend takes a request: weights, live changes, active-passive, backups, drain, queues, and what survives."""

import collections
import os
import threading

import pytest

from balancer_site import balancer_config, elapsed
from origins import response
from raw_client import GET, Load, RawClient, raw_request, wait_until


def spread(lb, count):
    """How often each backend answered `count` requests in a row on one connection."""
    with RawClient(lb.port) as client:
        return collections.Counter(client.request().body.decode() for _ in range(count))


def named(*origins, **options):
    """Backend tables with names b1, b2 …; options are lists of values for each."""
    tables = []
    for i, origin in enumerate(origins):
        table = {"address": origin.address, "name": f"b{i + 1}"}
        table.update({key: values[i] for key, values in options.items() if values[i] is not None})
        tables.append(table)
    return tables


def trio(origin):
    return [origin(name=f"b{i}") for i in (1, 2, 3)]


class Held:
    """An answer that waits until it is released; `arrived` counts the requests that wait or waited."""

    def __init__(self, name="held"):
        self.name = name.encode()
        self.release = threading.Event()

    def __call__(self, request):
        if request.target == "/hold":
            self.release.wait(30)
        return response(self.name)


HOLD = b"GET /hold HTTP/1.1\r\nHost: a.test\r\n\r\n"


# ---- round robin


@pytest.mark.parametrize("weights", [(100, 100, 100), (3, 2, 1), (256, 128, 1), (5, 0, 1), (7, 3, None)])
def test_weights_are_exact_over_full_cycles(site, origin, weights):
    lb = site(named(*trio(origin), weight=weights))
    effective = [100 if weight is None else weight for weight in weights]
    cycle = sum(effective)
    rounds = max(1, 1200 // cycle)
    counts = spread(lb, cycle * rounds)
    assert [counts[f"b{i + 1}"] for i in range(3)] == [weight * rounds for weight in effective]


def test_weights_are_smooth(site, origin):
    """A heavy backend gets no burst: between two requests of the light ones it never exceeds its share by more than one."""
    lb = site(named(*trio(origin), weight=(4, 2, 1)))
    with RawClient(lb.port) as client:
        order = [client.request().body.decode() for _ in range(70)]
    for start in range(0, 63):
        window = collections.Counter(order[start:start + 7])
        assert abs(window["b1"] - 4) <= 1 and abs(window["b2"] - 2) <= 1 and abs(window["b3"] - 1) <= 1
    assert max(len(run) for run in "".join("x" if name == "b1" else " " for name in order).split()) <= 2


def test_a_new_connection_each_request_changes_nothing(site, origin):
    lb = site(named(*trio(origin), weight=(2, 1, 1)))
    counts = collections.Counter(
        raw_request(lb.port, b"GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n").responses()[0].body for _ in range(40)
    )
    assert counts == {b"b1": 20, b"b2": 10, b"b3": 10}


def test_two_cores_share_fairly(site, origin):
    lb = site(named(*trio(origin)), balancer={"threads": 2})
    counts = collections.Counter()
    clients = [RawClient(lb.port) for _ in range(12)]
    for _ in range(30):
        for client in clients:
            counts[client.request().body] += 1
    for client in clients:
        client.close()
    assert all(abs(count - 120) <= 12 for count in counts.values()), counts


# ---- changes while it runs


@pytest.mark.parametrize("threads", [1, 2])
def test_a_weight_is_effective_for_the_next_request(site, origin, threads):
    lb = site(named(*trio(origin)), balancer={"threads": threads})
    clients = [RawClient(lb.port) for _ in range(6)]
    for weight, expected in (("0", False), ("100", True), ("0", False)):
        lb.do("weight", "b2", weight)
        counts = collections.Counter(client.request().body for _ in range(20) for client in clients)
        assert (counts[b"b2"] > 0) == expected, counts
    for client in clients:
        client.close()
    lb.do("weight", "b2", "200")
    counts = spread(lb, 400)
    assert abs(counts["b2"] - 200) <= 2, counts
    backend = lb.backend("b2")
    assert (backend["weight"], backend["configured_weight"], backend["override"]) == (200, 100, {"weight": 200})


def test_changes_under_load_lose_no_request(site, child):
    a, b, c = (child(f"b{i}") for i in (1, 2, 3))
    lb = site(named(a, b, c), balancer={"threads": 2})
    with Load(lb.port, clients=6) as load:
        for verb in (
            ("weight", "b1", "0"), ("weight", "b2", "256"), ("drain", "b3"), ("enable", "b3"), ("weight", "b1", "50"),
            ("undo", "b1"), ("drain", "b2"), ("undo", "b2"), ("weight", "b3", "1"), ("undo", "b3"),
        ):
            lb.do(*verb)
            load.wait_requests(100)
        load.stop()
    assert load.failures == []
    assert load.connections == 6
    assert set(load.bodies) == {b"b1", b"b2", b"b3"}


@pytest.mark.parametrize("value", ["-1", "257", "abc", "1.5", ""])
def test_a_bad_weight_is_refused(site, origin, value):
    lb = site(named(*trio(origin)))
    done = lb.verb("weight", "--", "b2", value) if value == "-1" else lb.verb("weight", "b2", value)
    assert done.returncode in (1, 2) and done.stderr.strip()
    assert lb.backend("b2")["weight"] == 100


# ---- drain, disable, enable, undo


def test_drain_takes_nothing_new_and_ends_with_the_last_request(site, origin):
    held = Held("b1")
    one, two = origin(answer=held), origin(name="b2")
    lb = site(named(one, two))
    with RawClient(lb.port) as client:
        while True:
            client.send(HOLD)
            wait_until(lambda: lb.backend("b1")["in_flight"] + len(two.requests) > 0, 15, "a request")
            if lb.backend("b1")["in_flight"]:
                break
            client.response()
            two.requests.clear()
        verb = lb.start_verb("drain", "b1")
        lb.wait_backend("b1", "draining")
        assert lb.backend("b1")["override"] == {"admin": "drain"}
        assert spread(lb, 20) == {"b2": 20}
        assert lb.backend("b1")["state"] == "draining"
        held.release.set()
        assert client.response().body == b"b1"
    lb.wait_backend("b1", "drained")
    text, _ = verb.communicate(timeout=10)
    assert verb.returncode == 0, text
    wait_until(lambda: "drained" in lb.stderr() + text, 15, "a word that it is drained")
    assert spread(lb, 10) == {"b2": 10}
    lb.do("enable", "b1")
    lb.wait_backend("b1", "up")
    assert spread(lb, 10) == {"b1": 5, "b2": 5}


def test_disable_is_at_once_and_undo_takes_it_back(site, origin):
    lb = site(named(*trio(origin)))
    lb.do("disable", "b2")
    assert lb.backend("b2")["state"] == "disabled" and lb.backend("b2")["override"] == {"admin": "disable"}
    assert spread(lb, 20)["b2"] == 0
    lb.do("undo", "b2")
    lb.wait_backend("b2", "up")
    assert lb.backend("b2")["override"] is None
    assert spread(lb, 30)["b2"] == 10


def test_undo_takes_a_weight_back(site, origin):
    lb = site(named(*trio(origin), weight=(10, 20, 30)))
    lb.do("weight", "b2", "250")
    lb.do("undo", "b2")
    backend = lb.backend("b2")
    assert (backend["weight"], backend["override"]) == (20, None)
    assert spread(lb, 60)["b2"] == 20


def test_overrides_survive_reload_restart_and_kill(site, origin):
    lb = site(named(*trio(origin)))
    lb.do("weight", "b1", "50")
    lb.do("drain", "b2")
    lb.do("disable", "b3")

    def overrides():
        return {b["name"]: b["override"] for b in lb.pool()["backends"]}

    expected = {"b1": {"weight": 50}, "b2": {"admin": "drain"}, "b3": {"admin": "disable"}}
    assert overrides() == expected
    lb.do("reload")
    assert overrides() == expected
    lb.stop()
    lb.start().wait_up()
    assert overrides() == expected
    lb.kill()
    lb.start().wait_up()
    assert overrides() == expected
    assert spread(lb, 10) == {"b1": 10}
    lb.do("undo", "b2")
    lb.kill()
    lb.start().wait_up()
    assert overrides() == {**expected, "b2": None}


def test_a_damaged_overrides_file_does_not_go_unnoticed(site, origin):
    """Garbage in the state directory: it starts, or says in one line why not; it never dies."""
    lb = site(named(*trio(origin)))
    lb.do("weight", "b1", "50")
    lb.stop()
    files = [os.path.join(folder, name) for folder, _, names in os.walk(lb.state) for name in names]
    assert files, "no state was written"
    for path in files:
        with open(path, "wb") as out:
            out.write(b'{"half')
    lb.start(wait=False)
    wait_until(lambda: lb.exit_code() is not None or "serving" in lb.stderr(), 10, "an outcome")
    assert lb.exit_code() in (None, 1) and len(lb.stderr()) > 0
    if lb.exit_code() is None:
        assert any(level in lb.stderr() for level in (" warn ", " error ")), "it says nothing about the damage"


# ---- active-passive, backups, health


def test_active_passive_takes_over_and_back(site, origin):
    a, b, c = trio(origin)
    lb = site(named(a, b, c), pool={"mode": "active-passive"})
    assert spread(lb, 10) == {"b1": 10}
    a.stop()
    assert spread(lb, 10) == {"b2": 10}
    b.stop()
    assert spread(lb, 10) == {"b3": 10}
    b.start()
    lb.wait_backend("b2", "up")
    assert spread(lb, 10) == {"b2": 10}
    a.start()
    lb.wait_backend("b1", "up")
    assert spread(lb, 10) == {"b1": 10}


def test_without_failback_it_stays(site, origin):
    a, b, c = trio(origin)
    lb = site(named(a, b, c), balancer={"mode": "active-passive", "failback": False})
    assert spread(lb, 5) == {"b1": 5}
    a.stop()
    lb.wait_backend("b1", "down")
    assert spread(lb, 5) == {"b2": 5}
    a.start()
    lb.wait_backend("b1", "up")
    assert spread(lb, 5) == {"b2": 5}
    b.stop()
    lb.wait_backend("b2", "down")
    assert set(spread(lb, 5)) <= {"b1", "b3"}


def test_a_backup_serves_only_when_no_other_is_up(site, origin):
    a, b, c = trio(origin)
    lb = site(named(a, b, c, backup=(None, None, True)))
    assert spread(lb, 10) == {"b1": 5, "b2": 5}
    a.stop()
    lb.wait_backend("b1", "down")
    assert spread(lb, 10) == {"b2": 10}
    b.stop()
    lb.wait_backend("b2", "down")
    assert spread(lb, 10) == {"b3": 10}
    a.start()
    lb.wait_backend("b1", "up")
    assert spread(lb, 10) == {"b1": 10}


def test_all_down_is_503_at_once_with_retry_after(site, origin):
    a = origin(name="b1")
    lb = site([a])
    a.stop()
    lb.wait_backend(a.address, "down")
    with RawClient(lb.port) as client:
        for _ in range(5):
            seconds, got = elapsed(client.request)
            assert got.status == 503 and int(got.get("retry-after")) >= 1
            assert seconds < 1
    a.start()
    lb.wait_backend(a.address, "up")
    assert spread(lb, 3) == {"b1": 3}


def test_all_drained_is_503(site, origin):
    lb = site(named(origin()))
    lb.do("disable", "b1")
    got = raw_request(lb.port, GET).responses()[0]
    assert got.status == 503 and got.get("retry-after")


def test_http_checks_judge_by_status(site, origin):
    sick = threading.Event()
    seen = []

    def answer(request):
        if request.target == "/healthz":
            seen.append(request)
            return response(b"", 500, "Sick") if sick.is_set() else response(b"", 204, "No Content")
        return response(b"b1")

    one = origin(answer=answer)
    lb = site(named(one, origin(name="b2")), health={"path": "/healthz", "interval": "100ms", "timeout": "1s", "fall": 3, "rise": 2})
    assert spread(lb, 10) == {"b1": 5, "b2": 5}
    assert seen[0].method == "GET" and seen[0].get("host")
    sick.set()
    before = len(seen)
    lb.wait_backend("b1", "down")
    assert len(seen) - before >= 3, "it fell before three checks had failed"
    assert "500" in lb.backend("b1")["reason"]
    assert spread(lb, 10) == {"b2": 10}
    sick.clear()
    before = len(seen)
    lb.wait_backend("b1", "up")
    assert len(seen) - before >= 2, "it rose before two checks had succeeded"
    assert spread(lb, 10) == {"b1": 5, "b2": 5}
    # Each change of state is one line that says why.
    lines = [line for line in lb.stderr().splitlines() if "b1" in line and " down" in line]
    assert len(lines) == 1 and "500" in lines[0], lb.stderr()


def test_a_check_that_hangs_fails_by_its_timeout(site, origin):
    hang = threading.Event()
    never = threading.Event()

    def answer(request):
        if request.target == "/healthz" and hang.is_set():
            never.wait(20)
        return response(b"b1")

    one = origin(answer=answer)
    lb = site(named(one), health={"path": "/healthz", "interval": "100ms", "timeout": "200ms", "fall": 2, "rise": 1})
    hang.set()
    lb.wait_backend("b1", "down")
    never.set()
    hang.clear()
    lb.wait_backend("b1", "up")


def test_checks_run_once_a_process(site, origin):
    checks = []
    site(
        named(origin(answer=lambda request: (checks.append(request.target), response())[1])),
        balancer={"threads": 4},
        health={"path": "/healthz", "interval": "500ms", "timeout": "400ms"},
    )
    before = len(checks)
    seconds, _ = elapsed(lambda: wait_until(lambda: len(checks) >= before + 4, 10, "four checks"))
    assert seconds > 1.2, f"four checks of one backend, every 500 ms, in {seconds:.2f} s"


def test_slow_start_grows_the_share(site, origin):
    a, b = origin(name="b1"), origin(name="b2")
    lb = site(named(a, b), health={"interval": "100ms", "timeout": "100ms", "fall": 1, "rise": 1, "slow_start": "30s"})
    a.stop()
    lb.wait_backend("b1", "down")
    a.start()
    lb.wait_backend("b1", "up")
    counts = spread(lb, 100)
    assert 1 <= counts["b1"] <= 25, counts
    assert lb.backend("b1")["effective_weight"] < lb.backend("b1")["weight"]


def test_pools_override_the_defaults(site, origin):
    a, b = origin(name="b1"), origin(name="b2")
    lb = site(
        balancer={"mode": "active-passive"},
        pools={"one": {"backends": [a, b]}, "two": {"backends": [a, b], "mode": "active-active"}},
        routes=[{"host": "one.test", "pool": "one"}, {"host": "two.test", "pool": "two"}],
    )

    def bodies(host):
        data = f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()
        with RawClient(lb.port) as client:
            return collections.Counter(client.request(data).body for _ in range(10))

    assert bodies("one.test") == {b"b1": 10}
    assert bodies("two.test") == {b"b1": 5, b"b2": 5}


# ---- bounds of a pool


def test_connections_max_queues_and_serves_in_order(site, origin):
    held = Held()
    o = origin(answer=held)
    lb = site([o], pool={"connections_max": 2, "queue_max": 10, "queue_timeout": "20s"}, health={"interval": "1h"})
    clients = [RawClient(lb.port) for _ in range(6)]
    for i, client in enumerate(clients):
        client.send(HOLD)
        if i < 2:
            o.wait_requests(i + 1)
        else:
            wait_until(lambda: lb.pool()["queued"] == i - 1, 15, f"{i - 1} in the queue")
    assert len(o.requests) == 2
    held.release.set()
    for client in clients:
        assert client.response().status == 200
        client.close()
    assert sum(1 for c in o.connections if c.requests) <= 2


def test_a_full_queue_and_a_long_wait_are_503(site, origin):
    held = Held()
    o = origin(answer=held)
    lb = site([o], pool={"connections_max": 1, "queue_max": 1, "queue_timeout": "400ms"}, health={"interval": "1h"})
    first, second, third = (RawClient(lb.port) for _ in range(3))
    first.send(HOLD)
    o.wait_requests(1)
    second.send(GET)
    wait_until(lambda: lb.pool()["queued"] == 1, 15, "one in the queue")
    seconds, got = elapsed(lambda: third.request(GET))
    assert got.status == 503 and got.get("retry-after") and seconds < 0.35, (seconds, got)
    got = second.response()
    assert got.status == 503 and got.get("retry-after")
    held.release.set()
    assert first.response().status == 200
    assert second.request(GET).status == 200
    assert len(o.requests) == 2
    for client in (first, second, third):
        client.close()


def test_a_client_that_leaves_the_queue_gives_its_place_back(site, origin):
    held = Held()
    o = origin(answer=held)
    lb = site([o], pool={"connections_max": 1, "queue_max": 1, "queue_timeout": "20s"}, health={"interval": "1h"})
    with RawClient(lb.port) as first:
        first.send(HOLD)
        o.wait_requests(1)
        second = RawClient(lb.port)
        second.send(GET)
        wait_until(lambda: lb.pool()["queued"] == 1, 15, "one in the queue")
        second.reset()
        wait_until(lambda: lb.pool()["queued"] == 0, 15, "an empty queue")
        held.release.set()
        assert first.response().status == 200
    assert raw_request(lb.port, GET).responses()[0].status == 200


def test_a_reload_keeps_round_robin_and_counters(site, origin):
    a, b, c = trio(origin)
    lb = site(named(a, b, c))
    spread(lb, 30)
    lb.write(balancer_config(named(a, b, c, weight=(100, 100, 200))))
    lb.do("reload")
    assert sum(backend["requests_total"] for backend in lb.pool()["backends"]) == 30
    assert spread(lb, 40) == {"b1": 10, "b2": 10, "b3": 20}
