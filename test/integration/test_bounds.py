"""Nothing that clients do makes the process grow or starves another client."""

import socket

import pytest

from balancer_site import balancer_config
from http_scripts import is_stalled
from origins import response
from raw_client import GET, RawClient, raw_request, wait_until


def answer_or_close(client):
    """True when a request on the connection is answered 200; False when it is answered 503 or the connection is closed."""
    try:
        return client.request().status == 200
    except Exception:
        return False


def test_connections_have_a_limit_and_come_back(site, origin):
    lb = site([origin()], limits={"connections": 10})
    clients = [RawClient(lb.port) for _ in range(10)]
    assert all(answer_or_close(client) for client in clients)
    assert lb.status()["connections"]["current"] == 10
    with RawClient(lb.port, timeout=1) as extra:
        # Refused, or left waiting in the backlog; served it must not be.
        assert not answer_or_close(extra)
    assert all(answer_or_close(client) for client in clients)
    for client in clients:
        client.close()
    wait_until(lambda: lb.status()["connections"]["current"] == 0, 10, "no connection")
    assert raw_request(lb.port, GET).responses()[0].status == 200


def test_connections_of_one_client_have_a_limit(site, origin):
    lb = site([origin()], limits={"connections_per_client": 3})
    clients = [RawClient(lb.port) for _ in range(3)]
    assert all(answer_or_close(client) for client in clients)
    with RawClient(lb.port, timeout=1) as extra:
        assert not answer_or_close(extra)
    with RawClient(lb.port, source="127.0.0.77") as other:
        assert answer_or_close(other), "another client is not concerned"
    clients.pop().close()
    wait_until(lambda: lb.status()["connections"]["current"] == 2, 10, "a free place")
    with RawClient(lb.port) as again:
        assert answer_or_close(again)
    for client in clients:
        client.close()


@pytest.mark.parametrize(
    ("limits", "fits", "too_much", "status"),
    [
        ({"headers": 20}, b"A: b\r\n" * 15, b"A: b\r\n" * 21, 431),
        ({"request_head": "2KiB", "uri": "1KiB"}, b"A: " + b"b" * 1500 + b"\r\n", b"A: " + b"b" * 2100 + b"\r\n", 431),
    ],
    ids=["headers", "request_head"],
)
def test_bounds_of_the_head_are_the_configured_ones(site, origin, limits, fits, too_much, status):
    lb = site([origin()], limits=limits)
    head = b"GET / HTTP/1.1\r\nHost: a.test\r\n"
    assert raw_request(lb.port, head + fits + b"\r\n").responses()[0].status == 200
    assert raw_request(lb.port, head + too_much + b"\r\n").responses()[0].status == status


def test_the_bound_of_the_uri_is_the_configured_one(site, origin):
    lb = site([origin()], limits={"uri": "100B"})
    for length, status in ((100, 200), (101, 414)):
        path = "/" + "a" * (length - 1)
        assert raw_request(lb.port, f"GET {path} HTTP/1.1\r\nHost: a.test\r\n\r\n".encode()).responses()[0].status == status


@pytest.mark.parametrize("chunked", [False, True])
def test_the_bound_of_the_body_is_the_configured_one(site, origin, chunked):
    o = origin()
    lb = site([o], limits={"body": "1000B"})

    def post(size):
        framing = b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % size if chunked else b"Content-Length: %d\r\n\r\n" % size
        end = b"\r\n0\r\n\r\n" if chunked else b""
        return raw_request(lb.port, b"POST / HTTP/1.1\r\nHost: a.test\r\n" + framing + b"x" * size + end)

    assert post(1000).responses()[0].status == 200
    assert post(1001).responses()[0].status == 413
    assert len(o.requests) == 1


def test_a_chunk_that_announces_too_much_is_refused_before_it_comes(site, origin):
    o = origin()
    lb = site([o], limits={"body": "1000B"})
    head = b"POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n"
    pieces = [[head + b"3e9\r\n"], [head, b"3e9\r\n"], [head + b"3e8\r\n" + b"x" * 1000, b"\r\n1\r\n"]]
    for first, *rest in pieces:
        with RawClient(lb.port) as client:
            client.send(first)
            for piece in rest:
                wait_until(lambda: lb.status()["requests_active"] == 1, 15, "the request on its way")
                client.send(piece)
            assert client.response().status == 413
    assert len(o.requests) == 0


def test_idle_connections_cost_little(site, origin):
    lb = site([origin()])
    warm = [RawClient(lb.port) for _ in range(100)]
    assert all(answer_or_close(client) for client in warm)
    before = lb.rss_kib()
    crowd = [RawClient(lb.port) for _ in range(500)]
    assert all(answer_or_close(client) for client in crowd)
    wait_until(lambda: lb.status()["connections"]["current"] == 600, 10, "600 connections")
    lb.assert_grew_less(before, 500 * 4, "500 idle connections")
    for client in warm + crowd:
        client.close()


def test_a_crowd_of_slow_heads_does_not_stop_a_good_client(site, origin):
    lb = site([origin()], timeouts={"request_head": "3s"})
    before = lb.rss_kib()
    crowd = [RawClient(lb.port) for _ in range(300)]
    for client in crowd:
        client.send(b"GET / HTTP/1.1\r\nHost: a.test\r\nA: " + b"b" * 1000)
    with RawClient(lb.port) as good:
        for _ in range(50):
            assert good.request().status == 200
        for client in crowd[:50]:
            client.send(b"b")
        for _ in range(50):
            assert good.request().status == 200
    lb.assert_grew_less(before, 300 * 24, "300 slow heads")
    for client in crowd:
        assert client.response().status == 408
        client.close()


def test_pipelined_requests_of_a_client_that_does_not_read_are_bounded(site, origin):
    lb = site([origin(answer=lambda request: response(b"x" * 20000))])
    raw_request(lb.port, GET)
    before = lb.rss_kib()
    with RawClient(lb.port, receive_buffer=4096) as greedy:
        greedy.sock.setblocking(False)
        sent = 0
        try:
            while sent < 50_000_000:
                sent += greedy.sock.send(GET * 100)
        except BlockingIOError:
            pass
        wait_until(lambda: is_stalled(lb), 10, "back-pressure")
        lb.assert_grew_less(before, 6000, "a client that does not read")
        assert raw_request(lb.port, GET).responses()[0].status == 200


def test_connections_that_reset_leave_nothing(site, origin):
    lb = site([origin()])
    raw_request(lb.port, GET)
    files = lb.open_files()
    for i in range(300):
        client = RawClient(lb.port)
        if i % 3:
            client.send(b"GET / HT" if i % 2 else GET)
        client.reset()
    wait_until(lambda: lb.status()["connections"]["current"] == 0, 10, "no connection")
    wait_until(lambda: lb.open_files() <= files + 8, 10, "no file descriptor left behind")


def test_a_crowd_larger_than_all_limits_is_survived(stage, origin):
    """A crowd larger than the limits: some wait or are refused, and all is well afterwards."""
    o = origin()
    lb = stage.text(balancer_config([o], limits={"connections": 20}, pool={"connections_max": 10}))
    lb.start(nofile=400).wait_up()
    crowd = [socket.create_connection(("127.0.0.1", lb.port)) for _ in range(500)]
    for sock in crowd:
        sock.close()
    wait_until(lambda: raw_request(lb.port, GET).responses()[0].status == 200, 10, "an answer after the crowd")
