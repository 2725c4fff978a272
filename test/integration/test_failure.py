"""Backends, networks and clients that fail: what is safe is tried again, what is not is sent once, every wait has an end."""

import socket
import threading

import pytest

import websocket_tools as ws
from balancer_site import elapsed
from origins import response
from raw_client import GET, Load, RawClient, raw_request, wait_until
from raw_http import WireError

H = b"Host: a.test\r\n"
POST = b"POST /p HTTP/1.1\r\n" + H + b"Content-Length: 5\r\n\r\nhello"
QUIET = {"interval": "1h", "timeout": "1s"}  # health checks that do not take part


# ---- kill -9 of a backend


def kill_under_load(lb, children, rounds, request=GET, up=True):
    """Kills and revives one backend after the other under load; the load with what it saw."""
    with Load(lb.port, clients=8, request=request) as load:
        load.wait_requests(50)
        for i in range(rounds):
            victim = children[i % len(children)]
            victim.kill()
            load.wait_requests(60)
            victim.start()
            if up:
                lb.wait_backend(victim.address, "up")
            load.wait_requests(20)
        load.stop()
    return load


def test_kill_9_of_a_backend_fails_no_safe_request(site, child):
    children = [child("c1", delay_ms=20), child("c2", delay_ms=20)]
    lb = site(children)
    load = kill_under_load(lb, children, 4)
    assert load.failures == []
    assert load.bodies[b"c1"] > 0 and load.bodies[b"c2"] > 0


def test_control_without_retries_kill_9_fails_requests(site, child):
    children = [child("c1", delay_ms=20), child("c2", delay_ms=20)]
    lb = site(children, limits={"retries": 0})
    load = kill_under_load(lb, children, 4)
    assert load.failures, "the test above would pass without retries, so it proves nothing"


def test_a_backend_that_dies_between_requests_costs_no_post(site, child):
    """Nobody listens any more: nothing was sent, so even a POST may go elsewhere."""
    children = [child("c1"), child("c2")]
    lb = site(children, health=QUIET)
    children[0].kill()
    with RawClient(lb.port) as client:
        for _ in range(20):
            assert client.request(POST).body == b"c2"


def test_a_retry_never_goes_to_the_same_backend_first(site, origin):
    """A refused connection leads to the other one, and not to a second try at the dead one."""
    dead, alive = origin(name="dead"), origin(name="alive")
    lb = site([dead, alive], health=QUIET)
    dead.stop()
    with RawClient(lb.port) as client:
        for _ in range(20):
            assert client.request().body == b"alive"


# ---- never twice


def drop_after_request(name="o"):
    """An origin's script that reads a whole request and ends the connection without an answer."""

    def script(connection):
        connection.request()

    return script


@pytest.mark.parametrize("method", ["POST", "PATCH", "FOO"])
def test_what_is_not_safe_is_never_sent_twice(site, origin, method):
    a, b = origin(script=drop_after_request()), origin(script=drop_after_request())
    lb = site([a, b], health=QUIET)
    data = f"{method} /p HTTP/1.1\r\nHost: a.test\r\nContent-Length: 5\r\n\r\nhello".encode()
    for i in range(10):
        with RawClient(lb.port) as client:
            assert client.request(data).status == 502
        assert len(a.requests) + len(b.requests) == i + 1


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "DELETE"])
def test_what_is_safe_to_repeat_is_repeated_elsewhere(site, origin, method):
    a, b = origin(script=drop_after_request()), origin(name="b")
    lb = site([a, b], health=QUIET)
    for _ in range(4):
        with RawClient(lb.port) as client:
            assert client.request(f"{method} / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 0\r\n\r\n".encode()).status == 200
    assert len(b.requests) == 4 and a.requests


def test_retries_are_bounded(site, origin):
    origins = [origin(script=drop_after_request()) for _ in range(5)]
    lb = site(origins, health={**QUIET, "fall": 100}, limits={"retries": 2})
    with RawClient(lb.port) as client:
        assert client.request(GET).status == 502
    assert sum(len(o.requests) for o in origins) == 3


def test_the_retry_budget_bounds_retries_of_many(site, origin):
    """When everything fails, the backends see little more than what the clients sent."""
    origins = [origin(script=drop_after_request()) for _ in range(4)]
    lb = site(origins, health={**QUIET, "fall": 100}, limits={"retries": 3, "retry_budget_percent": 10})

    def fail_often():
        for _ in range(1000):
            with RawClient(lb.port) as client:
                assert client.request().status in (502, 503)

    seconds, _ = elapsed(fail_often)
    # A tenth, and the few a second that are always allowed.
    seen = sum(len(o.requests) for o in origins)
    assert seen <= 1000 * 1.1 + 20 * (seconds + 10), f"{seen} requests reached backends for 1000 of clients in {seconds} s"


def test_an_answer_that_has_begun_is_not_repeated(site, origin):
    def script(connection):
        if connection.request() is not None:
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")

    a, b = origin(script=script), origin(script=script)
    lb = site([a, b], health=QUIET)
    with RawClient(lb.port) as client, pytest.raises(WireError):
        client.request()
    assert len(a.requests) + len(b.requests) == 1


# ---- stale pooled connections


def test_connections_that_the_origin_closed_cost_no_request_not_even_a_post(site, origin):
    """The origin closes each connection after its answer without a word, and the close is there before the next request."""
    closed = threading.Semaphore(0)

    def script(connection):
        if connection.request() is not None:
            connection.send(response(b"once"))
            connection.close()
            closed.release()

    o = origin(script=script)
    lb = site([o], health=QUIET)
    with RawClient(lb.port) as client:
        for i in range(150):
            got = client.request(POST if i % 2 else GET)
            assert (got.status, got.body) == (200, b"once"), f"request {i}"
            assert closed.acquire(timeout=5)
    assert len(o.requests) == 150


def test_a_close_that_races_with_the_next_get_costs_nothing(site, origin):
    def script(connection):
        if connection.request() is not None:
            connection.send(response(b"once"))

    o = origin(script=script)
    lb = site([o], health=QUIET)
    with Load(lb.port, clients=4) as load:
        load.wait_requests(400)
    assert load.failures == []


def test_a_connection_that_is_reset_on_reuse_costs_no_get(site, origin):
    """The next request reaches the origin's kernel and is answered by a reset: stale, and safe to repeat."""

    def script(connection):
        if connection.request() is not None:
            connection.send(response(b"once"))
            connection.sock.settimeout(20)
            connection.sock.recv(1, socket.MSG_PEEK)
            connection.reset()

    lb = site([origin(script=script)], health=QUIET)
    with RawClient(lb.port) as client:
        for _ in range(100):
            assert client.request().body == b"once"


def test_idle_backend_connections_are_closed_by_their_timeout(site, origin):
    o = origin()
    lb = site([o], health=QUIET, pool={"idle_timeout": "1s"})
    raw_request(lb.port, GET)
    used = next(c for c in o.connections if c.requests)
    wait_until(lambda: used.at_eof, 15, "the end of the idle connection")
    assert raw_request(lb.port, GET).responses()[0].status == 200


# ---- timeouts


def blackhole(origin):
    """Makes an origin's port swallow connections: it listens, and its backlog stays full."""
    origin.refuse()
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    listener.bind(("127.0.0.1", origin.port))
    listener.listen(0)
    fillers = []
    for _ in range(20):
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        sock.settimeout(0.2)
        fillers.append(sock)
        try:
            sock.connect(("127.0.0.1", origin.port))
        except TimeoutError:
            return [listener, *fillers]
    raise AssertionError("the backlog does not fill")


def once_closing(connection):
    """Answers one request and says that it closes, so that no connection stays pooled."""
    if connection.request() is not None:
        connection.send(response(b"once", headers=["Connection: close"]))


def test_connect_timeout(site, origin):
    o = origin(script=once_closing)
    lb = site([o], health=QUIET, timeouts={"connect": "300ms"}, limits={"retries": 0})
    raw_request(lb.port, GET)
    sockets = blackhole(o)
    try:
        seconds, exchange = elapsed(lambda: raw_request(lb.port, GET))
        assert exchange.responses()[0].status in (502, 503, 504)
        assert 0.25 <= seconds < 3, seconds
    finally:
        for sock in sockets:
            sock.close()


def test_connect_timeout_leads_to_the_other_backend_even_a_post(site, origin):
    o, other = origin(script=once_closing), origin(name="other")
    lb = site([o, other], health=QUIET, timeouts={"connect": "300ms"})
    sockets = blackhole(o)
    try:
        with RawClient(lb.port) as client:
            for _ in range(4):
                assert client.request(POST).body == b"other"
    finally:
        for sock in sockets:
            sock.close()


@pytest.mark.parametrize("data", [b"G", b"GET / HTTP/1.1\r\n", b"GET / HTTP/1.1\r\nHost: a.test\r\nA: b\r\n"])
def test_an_unfinished_head_is_408_and_closed(site, origin, data):
    o = origin()
    lb = site([o], timeouts={"request_head": "400ms"})
    seconds, exchange = elapsed(lambda: raw_request(lb.port, data))
    assert exchange.responses()[0].status == 408 and exchange.is_closed
    assert 0.3 <= seconds < 4 and o.requests == []


def test_a_head_that_trickles_is_408_all_the_same(site, origin):
    """The bound is of the whole head, and a byte now and then does not extend it."""
    lb = site([origin()], timeouts={"request_head": "500ms"})
    with RawClient(lb.port) as client:
        stop = threading.Event()

        def trickle():
            try:
                client.send(b"GET / HTTP/1.1\r\nHost: a.test\r\nA: ")
                while not stop.wait(0.05):
                    client.send(b"b")
            except OSError:
                pass

        thread = threading.Thread(target=trickle)
        thread.start()
        seconds, got = elapsed(client.response)
        stop.set()
        thread.join()
    assert got.status == 408 and seconds < 4


def test_an_idle_connection_is_closed_without_a_word(site, origin):
    lb = site([origin()], timeouts={"idle": "400ms"})
    with RawClient(lb.port) as client:
        client.request()
        seconds, closed = elapsed(lambda: client.is_closed_within(5))
        assert closed and 0.3 <= seconds < 4


@pytest.mark.long
def test_a_connection_that_never_says_a_word_is_closed(site, origin):
    """The kernel keeps it until its first byte, for some seconds more than the configured timeout."""
    lb = site([origin()], timeouts={"request_head": "400ms"})
    with RawClient(lb.port) as client:
        assert client.is_closed_within(60)


def test_no_first_byte_is_504(site, origin):
    release = threading.Event()
    o = origin(answer=lambda request: (release.wait(10), response())[1])
    lb = site([o], timeouts={"first_byte": "400ms"}, health=QUIET)
    seconds, exchange = elapsed(lambda: raw_request(lb.port, POST))
    release.set()
    assert exchange.responses()[0].status == 504 and 0.3 <= seconds < 4
    assert len(o.requests) == 1


def test_an_answer_that_stalls_is_cut(site, origin):
    never = threading.Event()

    def script(connection):
        if connection.request() is not None:
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
            never.wait(20)

    lb = site([origin(script=script)], timeouts={"body": "400ms"}, health=QUIET)
    with RawClient(lb.port) as client:
        client.send(GET)
        seconds, _ = elapsed(client.read_to_eof)
        assert client.received.endswith(b"half") and seconds < 4
    never.set()


def test_an_upload_that_stalls_is_408_and_its_backend_sees_no_whole_request(site, origin):
    whole = []

    def script(connection):
        request = connection.head()
        if request is not None:
            connection.body(request)
            whole.append(request)

    o = origin(script=script)
    lb = site([o], timeouts={"body": "400ms"}, health=QUIET)
    seconds, exchange = elapsed(lambda: raw_request(lb.port, b"POST / HTTP/1.1\r\n" + H + b"Content-Length: 100\r\n\r\nhalf"))
    assert exchange.is_closed and seconds < 4
    if exchange.received:
        assert exchange.responses()[0].status in (408, 504)
    assert whole == []


def test_a_whole_answer_has_a_bound(site, origin):
    stop = threading.Event()

    def script(connection):
        if connection.request() is not None:
            connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            for _ in range(200):
                if stop.wait(0.05):
                    return
                connection.send(b"1\r\nx\r\n")

    lb = site([origin(script=script)], timeouts={"response": "800ms"}, health=QUIET)
    with RawClient(lb.port) as client:
        client.send(GET)
        seconds, _ = elapsed(client.read_to_eof)
    stop.set()
    assert 0.5 <= seconds < 5


def test_a_quiet_tunnel_is_closed(site, origin):
    lb = site([origin(script=ws.echo_script)], timeouts={"tunnel": "500ms"}, health=QUIET)
    with RawClient(lb.port) as client:
        client.send(ws.handshake()[1])
        assert client.response().status == 101
        ws.read_frame(client, False)
        seconds, closed = elapsed(lambda: client.is_closed_within(5))
        assert closed and seconds < 4


# ---- clients that leave


def test_a_client_that_leaves_frees_its_backend(site, origin):
    release = threading.Event()
    o = origin(answer=lambda request: (release.wait(20), response())[1])
    lb = site([o], health=QUIET, access_log={"enabled": True})
    client = RawClient(lb.port)
    client.send(GET)
    o.wait_requests(1)
    assert lb.backend(o.address)["in_flight"] == 1
    client.reset()
    wait_until(lambda: lb.backend(o.address)["in_flight"] == 0, 10, "the request gone")
    release.set()
    line = wait_until(lambda: lb.log_lines(), 15, "a line in the log")[0]
    assert line["ended"] == "client_gone"


def test_a_client_that_leaves_in_the_middle_of_an_answer_spoils_nothing(site, origin):
    o = origin(answer=lambda request: response(b"x" * 3_000_000 if request.target == "/big" else b"small"))
    lb = site([o], health=QUIET)
    for _ in range(10):
        with RawClient(lb.port, receive_buffer=4096) as client:
            client.send(b"GET /big HTTP/1.1\r\nHost: a.test\r\n\r\n")
            client.fill(1000)
        assert raw_request(lb.port, GET).responses()[0].body == b"small"
    wait_until(lambda: lb.backend(o.address)["in_flight"] == 0, 10, "no request in flight")


def test_a_backend_that_resets_is_502_once(site, origin):
    def script(connection):
        if connection.request() is not None:
            connection.reset()

    o = origin(script=script)
    lb = site([o], health=QUIET)
    with RawClient(lb.port) as client:
        assert client.request(POST).status == 502
    assert len(o.requests) == 1


def test_passive_checks_take_a_dead_backend_out_at_once(site, origin):
    a, b = origin(name="a"), origin(name="b")
    lb = site([a, b], health={"interval": "1h", "timeout": "1s", "fall": 1, "rise": 1})
    a.stop()
    with RawClient(lb.port) as client:
        for _ in range(6):
            assert client.request().body == b"b"
    assert lb.backend(a.address)["state"] == "down"
    assert lb.backend(a.address)["reason"]
