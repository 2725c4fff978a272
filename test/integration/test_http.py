"""HTTP/1.1 on both sides: connections, framing of bodies in both directions, answers that cannot be read, old versions."""

import hashlib
import socket
import threading

import pytest

from http_scripts import POST, H, get, serve_bytes
from origins import response
from raw_client import GET, RawClient, raw_request
from raw_http import WireError

# ---- connections


def test_keep_alive_on_both_sides(site, origin):
    o = origin()
    lb = site([o])
    with RawClient(lb.port) as client:
        for _ in range(50):
            assert client.request().body == b"ok"
    assert sum(1 for c in o.connections if c.requests) == 1


def test_connection_close_is_honoured(site, origin):
    lb = site([origin()])
    exchange = raw_request(lb.port, get("/", "Connection: close"))
    assert exchange.is_closed and exchange.responses()[0].tokens("connection") == ["close"]


def test_a_clients_close_does_not_close_the_backend_connection(site, origin):
    o = origin()
    lb = site([o])
    for _ in range(10):
        raw_request(lb.port, get("/", "Connection: close"))
    assert sum(1 for c in o.connections if c.requests) == 1
    assert all("close" not in r.tokens("connection") for r in o.requests)


def test_pipelined_requests_are_answered_in_order(site, origin):
    o = origin(answer=lambda request: response(request.target.encode() + request.body))
    lb = site([o])
    data = b"".join(
        get(f"/{i}") if i % 2 else f"POST /{i} HTTP/1.1\r\nHost: a.test\r\nContent-Length: 4\r\n\r\nbody".encode()
        for i in range(100)
    )
    with RawClient(lb.port) as client:
        client.send(data)
        bodies = [client.response().body for _ in range(100)]
    assert bodies == [f"/{i}".encode() + (b"" if i % 2 else b"body") for i in range(100)]


def test_pipelined_requests_split_at_every_byte(site, origin):
    lb = site([origin(answer=lambda request: response(request.target.encode() + request.body))])
    chunked = POST + b"Transfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\nT: v\r\n\r\n"
    data = get("/1") + chunked + get("/2")
    exchange = raw_request(lb.port, data, answers=3, byte_by_byte=True)
    assert [r.body for r in exchange.responses()] == [b"/1", b"/pabc", b"/2"]


def test_half_closed_client_gets_its_answer(site, origin):
    """A client that ends its sending side after the request still reads: a FIN alone is no reason to give up."""
    release = threading.Event()
    lb = site([origin(answer=lambda request: (release.wait(10), response(b"late"))[1])])
    with RawClient(lb.port) as client:
        client.send(get("/", "Connection: close"))
        client.sock.shutdown(socket.SHUT_WR)
        release.set()
        data = client.read_to_eof()
    assert data.endswith(b"\r\n\r\nlate")


# ---- bodies


@pytest.mark.parametrize("size", [0, 1, 100, 4095, 4096, 16384, 65536, 1_000_003])
@pytest.mark.parametrize("chunked", [False, True])
def test_request_bodies_arrive_whole(site, origin, size, chunked):
    o = origin(answer=lambda request: response(hashlib.sha256(request.body).hexdigest().encode()))
    lb = site([o])
    body = bytes(i * 7 % 251 for i in range(min(size, 1000))) * (size // 1000 + 1)
    body = body[:size]
    if chunked:
        pieces = [body[i:i + 1777] for i in range(0, len(body), 1777)]
        data = POST + b"Transfer-Encoding: chunked\r\n\r\n"
        data += b"".join(b"%x\r\n" % len(piece) + piece + b"\r\n" for piece in pieces) + b"0\r\n\r\n"
    else:
        data = POST + b"Content-Length: %d\r\n\r\n" % size + body
    with RawClient(lb.port) as client:
        for _ in range(2):
            assert client.request(data).body == hashlib.sha256(body).hexdigest().encode()
    assert o.requests[0].body == body


@pytest.mark.parametrize("size", [0, 1, 4096, 65536, 1_000_003])
@pytest.mark.parametrize("kind", ["length", "chunked", "until_close"])
def test_response_bodies_arrive_whole(site, origin, size, kind):
    body = (b"0123456789abcdef" * (size // 16 + 1))[:size]

    def answer(request):
        if kind == "length":
            return response(body)
        if kind == "until_close":
            return b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + body
        pieces = [body[i:i + 1777] for i in range(0, len(body), 1777)]
        chunks = b"".join(b"%X;e=1\r\n" % len(piece) + piece + b"\r\n" for piece in pieces)
        return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n"

    def script(connection):
        while (request := connection.request()) is not None:
            connection.send(answer(request))
            if kind == "until_close":
                return

    lb = site([origin(script=script)])
    with RawClient(lb.port) as client:
        for _ in range(2):
            got = client.request()
            assert got.status == 200 and got.body == body
            if got.until_close or "close" in got.tokens("connection"):
                return


def test_request_trailers_pass(site, origin):
    o = origin()
    lb = site([o])
    data = POST + b"Transfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n2\r\nhi\r\n0\r\nX-Sum: 42\r\n\r\n"
    assert raw_request(lb.port, data).responses()[0].status == 200
    assert (o.requests[0].body, o.requests[0].trailer("x-sum")) == (b"hi", "42")


def test_response_trailers_pass(site, origin):
    answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n2\r\nhi\r\n0\r\nX-Sum: 42\r\n\r\n"
    lb = site([origin(script=serve_bytes(answer))])
    got = raw_request(lb.port, get("/", "TE: trailers", "Connection: TE")).responses()[0]
    assert (got.body, got.trailer("x-sum")) == (b"hi", "42")


@pytest.mark.parametrize(
    ("method", "answer"),
    [
        ("HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"),
        ("HEAD", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
        ("HEAD", b"HTTP/1.1 200 OK\r\n\r\n"),
        ("GET", b"HTTP/1.1 204 No Content\r\n\r\n"),
        ("GET", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 1000\r\nETag: \"x\"\r\n\r\n"),
        ("GET", b"HTTP/1.1 304 Not Modified\r\n\r\n"),
    ],
    ids=["head_length", "head_chunked", "head", "204", "304_length", "304"],
)
def test_answers_without_a_body_keep_the_connection(site, origin, method, answer):
    o = origin(script=serve_bytes(answer))
    lb = site([o])
    data = f"{method} / HTTP/1.1\r\nHost: a.test\r\n\r\n".encode()
    with RawClient(lb.port) as client:
        for _ in range(3):
            got = client.request(data)
            assert got.body == b"" and got.raw_head.split(b" ")[1] == answer.split(b" ")[1]
        if b"Content-Length" in answer:
            assert got.get("content-length") == "1000"
    assert sum(1 for c in o.connections if c.requests) == 1


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nhi!",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nhi",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA : b\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA: b\r\n c\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\nContent-Length: 0\n\n",
        b"HTTP/1.1 200 OK\r\nA: \x00\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n",
        b"garbage\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA: " + b"b" * 60000 + b"\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 500 + b"Content-Length: 0\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
    ],
    ids=[
        "two_lengths", "length_and_chunked", "negative_length", "gzip_chunked", "space_before_colon", "fold", "bare_lf", "nul",
        "version_2", "short_status", "garbage", "head_too_large", "too_many_headers", "unwanted_101",
    ],
)
def test_an_unreadable_answer_is_502_and_its_connection_is_never_used_again(site, origin, answer):
    calls = []

    def script(connection):
        request = connection.request()
        if request is None:
            return
        calls.append(request.target)
        connection.send(answer if request.target == "/bad" else response(b"fine"))
        while connection.request() is not None:
            connection.send(response(b"fine"))

    lb = site([origin(script=script)])
    with RawClient(lb.port) as client:
        assert client.request(b"POST /bad HTTP/1.1\r\n" + H + b"Content-Length: 0\r\n\r\n").status == 502
    assert raw_request(lb.port, GET).responses()[0].body == b"fine"
    assert calls.count("/bad") == 1


def test_bytes_behind_an_answer_never_reach_the_next_client(site, origin):
    """Response smuggling: a surplus answer of a backend must not be taken for the next one."""

    def script(connection):
        while (request := connection.request()) is not None:
            surplus = response(b"poison") if request.target == "/surplus" else b""
            connection.send(response(request.target.encode()) + surplus)

    lb = site([origin(script=script)])
    for i in range(6):
        assert raw_request(lb.port, get("/surplus")).responses()[0].body == b"/surplus"
        assert raw_request(lb.port, get(f"/{i}")).responses()[0].body == f"/{i}".encode()


def test_a_truncated_answer_never_looks_complete(site, origin):
    def script(connection):
        if (request := connection.request()) is not None:
            if request.target == "/length":
                connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
            else:
                connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n")

    lb = site([origin(script=script)])
    for path in ("/length", "/chunked"):
        with RawClient(lb.port) as client, pytest.raises(WireError):
            client.request(get(path))


# ---- HTTP/1.0


def test_http_1_0_client_gets_an_answer_that_it_can_read(site, origin):
    answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
    o = origin(script=serve_bytes(answer))
    lb = site([o])
    exchange = raw_request(lb.port, b"GET / HTTP/1.0\r\n\r\n")
    got = exchange.responses()[0]
    assert exchange.is_closed and not got.is_chunked and got.body == b"hello"
    assert o.requests[0].version == "1.1"


def test_http_1_0_keep_alive(site, origin):
    lb = site([origin()])
    data = b"GET / HTTP/1.0\r\nHost: a.test\r\nConnection: keep-alive\r\n\r\n"
    with RawClient(lb.port) as client:
        first = client.request(data)
        assert first.body == b"ok"
        if "keep-alive" in first.tokens("connection"):
            assert client.request(data).body == b"ok"
        else:
            assert client.is_closed_within(5)


def test_http_1_0_origin_ends_its_answer_by_closing(site, origin):
    def script(connection):
        if connection.request() is not None:
            connection.send(b"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nold")

    lb = site([origin(script=script)])
    with RawClient(lb.port) as client:
        for _ in range(3):
            got = client.request()
            assert (got.status, got.body) == (200, b"old")
            if got.until_close or "close" in got.tokens("connection"):
                break


def test_http_1_0_origin_with_a_length_is_not_kept(site, origin):
    def script(connection):
        if connection.request() is not None:
            connection.send(b"HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nold")
            assert connection.request() is None, "reused without keep-alive"

    lb = site([origin(script=script)])
    with RawClient(lb.port) as client:
        for _ in range(5):
            assert client.request().body == b"old"
