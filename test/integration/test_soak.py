"""Minutes of mixed load: no growth of memory or descriptors; chaos without a failed safe request. Run with -m long."""

import os
import random
import time

import pytest

from balancer_site import balancer_config, is_instrumented
from raw_client import Load, RawClient, wait_until

pytestmark = pytest.mark.long
SECONDS = int(os.environ.get("SOAK_SECONDS", "300"))
POST = b"POST /p HTTP/1.1\r\nHost: a.test\r\nContent-Length: 5\r\n\r\nhello"
CHUNKED = b"PUT /c HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
BAD = b"GET / HTTP/1.1\r\nHost: a.test\r\nA : b\r\n\r\n"


def test_mixed_load_does_not_grow(site, child):
    children = [child(f"c{i}") for i in range(3)]
    lb = site(children, balancer={"threads": 2}, access_log={"enabled": True, "file": "/dev/null"})
    loads = [
        Load(lb.port, clients=4), Load(lb.port, clients=2, fresh=True), Load(lb.port, clients=2, request=POST),
        Load(lb.port, clients=2, request=CHUNKED), Load(lb.port, clients=1, request=BAD, expected=400),
    ]
    for load in loads:
        load.__enter__()
    try:
        loads[0].wait_requests(1000, 60)
        samples = []
        end = time.monotonic() + SECONDS
        warm = time.monotonic() + SECONDS / 5
        while time.monotonic() < end:
            loads[0].wait_requests(200, 60)
            with RawClient(lb.port) as leaver:  # a client that leaves in the middle
                leaver.send(b"POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 100\r\n\r\nhalf")
            if time.monotonic() > warm:
                samples.append((lb.rss_kib(), lb.open_files()))
    finally:
        for load in loads:
            load.stop()
    assert [load.failures[:5] for load in loads] == [[]] * len(loads)
    quarter = max(1, len(samples) // 4)
    early, late = samples[:quarter], samples[-quarter:]
    grown = max(rss for rss, _ in late) - max(rss for rss, _ in early)
    assert grown < 1024 or is_instrumented(), f"grew by {grown} KiB"
    assert max(files for _, files in late) <= max(files for _, files in early) + 10
    wait_until(lambda: lb.status()["connections"]["current"] == 0, 20, "no connection left")
    assert all(b["in_flight"] == 0 for b in lb.pool()["backends"])


def chaos(site, child, limits, is_over):
    """Kills, reloads, weights, drains in random order, until is_over(load); one backend is always left alone."""
    seed = int(os.environ.get("CHAOS_SEED", str(random.randrange(1 << 30))))
    print(f"CHAOS_SEED={seed}")
    dice = random.Random(seed)
    children = [child(f"c{i}", delay_ms=3) for i in range(4)]
    victims = children[1:]
    options = {"balancer": {"threads": 2}}
    lb = site(children, limits=limits, **options)
    configs = [balancer_config(children, limits=limits, timeouts={"idle": f"{n}s"}, **options) for n in (40, 50)]

    def kill(victim):
        victim.kill()
        load.wait_requests(30, 60)
        victim.start()
        lb.wait_backend(victim.address, ["up", "draining", "drained", "disabled"])

    def reload(_):
        lb.write(dice.choice(configs))
        lb.do("reload")

    steps = [
        kill, reload,
        lambda victim: lb.do("weight", victim.address, str(dice.randrange(257))),
        lambda victim: lb.do("drain", victim.address),
        lambda victim: lb.do("undo", victim.address),
        lambda victim: lb.do("enable", victim.address),
        lambda victim: lb.do("disable", victim.address),
    ]
    with Load(lb.port, clients=8) as load:
        end = time.monotonic() + SECONDS
        while time.monotonic() < end and not is_over(load):
            dice.choice(steps)(dice.choice(victims))
            load.wait_requests(20, 60)
        load.stop()
    return load, seed


def test_chaos_fails_no_safe_request(site, child):
    load, seed = chaos(site, child, {}, lambda load: False)
    assert load.failures == [], f"CHAOS_SEED={seed}"
    assert load.requests > SECONDS


def test_control_chaos_without_retries_fails_requests(site, child):
    load, seed = chaos(site, child, {"retries": 0}, lambda load: load.failures)
    assert load.failures, f"CHAOS_SEED={seed}"
