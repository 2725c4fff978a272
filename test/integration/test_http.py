"""HTTP/1.1 on both sides: framing, streaming, interim and early responses, upgrades, old versions, forwarded headers."""

import hashlib
import threading

import pytest

import websocket_tools as ws
from origins import response
from raw_client import GET, RawClient, raw_request, wait_until
from raw_http import WireError, read_response_body, read_response_head

H = b"Host: a.test\r\n"
POST = b"POST /p HTTP/1.1\r\n" + H


def get(path="/", *lines):
    return f"GET {path} HTTP/1.1\r\nHost: a.test\r\n".encode() + b"".join(line.encode("latin-1") + b"\r\n" for line in lines) + b"\r\n"


def serve_bytes(*answers):
    """A script that answers the requests of a connection with these bytes, the last one for all that follow."""

    def script(connection):
        count = 0
        while connection.request() is not None:
            connection.send(answers[min(count, len(answers) - 1)])
            count += 1

    return script


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
    """A client that ends its side after the request may still read."""
    release = threading.Event()
    lb = site([origin(answer=lambda request: (release.wait(10), response(b"late"))[1])])
    import socket

    with RawClient(lb.port) as client:
        client.send(get("/", "Connection: close"))
        client.sock.shutdown(socket.SHUT_WR)
        release.set()
        data = client.read_to_eof()
    assert data == b"" or data.endswith(b"late"), "a half answer"


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
    ids=lambda value: value[:60].decode("latin-1"),
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
    for i in range(20):
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


# ---- streaming and back-pressure

BIG = 48 << 20


def test_a_large_answer_streams_to_a_slow_reader_in_bounded_memory(site, origin):
    block = bytes(range(256)) * 256

    def script(connection):
        if connection.request() is not None:
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % BIG)
            for _ in range(BIG // len(block)):
                connection.send(block)

    o = origin(script=script)
    lb = site([o])
    raw_request(lb.port, b"GET /404 HTTP/1.1\r\n\r\n")
    before = lb.rss_kib()
    with RawClient(lb.port, receive_buffer=65536) as client:
        client.send(GET)
        head = read_response_head(client)
        # The client does not read: the sender must come to a stop, and with far less than the body under way.
        wait_until(lambda: is_stalled(lb, client), 10, "back-pressure")
        grown = lb.rss_kib() - before
        assert grown < 8 << 10, f"{grown} KiB grew for one slow reader"
        digest = hashlib.sha256()
        read_response_body(client, head, on_data=digest.update)
    assert digest.hexdigest() == hashlib.sha256(block * (BIG // len(block))).hexdigest()
    assert lb.rss_kib() - before < 8 << 10


def is_stalled(lb, client):
    """True when the balancer has used no processor time for a while."""

    def ticks():
        with open(f"/proc/{lb.pid}/stat", encoding="ascii") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return int(fields[11]) + int(fields[12])

    before = ticks()
    threading.Event().wait(0.2)
    return ticks() <= before + 1


def test_a_large_upload_streams_to_a_slow_origin_in_bounded_memory(site, origin):
    go = threading.Event()
    digest = hashlib.sha256()

    def script(connection):
        request = connection.head()
        if request is None:
            return
        go.wait(30)
        left = int(request.get("content-length"))
        while left:
            if not connection.buffer and not connection.fill():
                raise WireError("the upload ends too early")
            piece = connection.take(min(left, len(connection.buffer)))
            del connection.received[:]  # the record of the bytes would be as large as the upload
            digest.update(piece)
            left -= len(piece)
        connection.send(response(b"got it"))

    o = origin(script=script)
    lb = site([o])
    before = lb.rss_kib()
    block = bytes(range(256)) * 256
    with RawClient(lb.port, timeout=60) as client:
        client.send(POST + b"Content-Length: %d\r\n\r\n" % BIG)
        sender = threading.Thread(target=lambda: [client.send(block) for _ in range(BIG // len(block))])
        sender.start()
        o.wait_requests(1)
        wait_until(lambda: is_stalled(lb, client), 10, "back-pressure")
        grown = lb.rss_kib() - before
        go.set()
        assert client.response().body == b"got it"
        sender.join()
    assert grown < 8 << 10, f"{grown} KiB grew for one slow origin"
    assert digest.hexdigest() == hashlib.sha256(block * (BIG // len(block))).hexdigest()


def test_pieces_of_an_answer_are_passed_on_at_once(site, origin):
    """Server-sent events: nothing waits for more bytes."""
    steps = [threading.Event() for _ in range(3)]

    def script(connection):
        if connection.request() is not None:
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
            for step in steps:
                step.wait(10)
                connection.send(b"5\r\nevent\r\n")
            connection.send(b"0\r\n\r\n")

    lb = site([origin(script=script)])
    with RawClient(lb.port) as client:
        client.send(GET)
        head = read_response_head(client)
        assert head.is_chunked
        for step in steps:
            step.set()
            assert client.read_until(b"event\r\n").endswith(b"event\r\n")


# ---- interim and early answers


def test_100_continue_comes_from_the_origin_and_the_body_waits_for_it(site, origin):
    allowed = threading.Event()

    def script(connection):
        request = connection.head()
        if request is None:
            return
        assert request.get("expect", "").lower() == "100-continue"
        allowed.wait(10)
        connection.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        connection.body(request)
        connection.send(response(request.body))

    o = origin(script=script)
    lb = site([o])
    with RawClient(lb.port) as client:
        client.send(POST + b"Expect: 100-continue\r\nContent-Length: 5\r\n\r\n")
        o.wait_requests(1)
        allowed.set()
        assert client.read_until(b"\r\n\r\n").startswith(b"HTTP/1.1 100")
        client.send(b"hello")
        assert client.response().body == b"hello"


def test_a_refusal_instead_of_100_reaches_a_client_that_has_not_sent_its_body(site, origin):
    def script(connection):
        while connection.head() is not None:
            connection.send(response(b"no", 403, "Forbidden", ["Connection: close"]))
            return

    lb = site([origin(script=script)])
    with RawClient(lb.port) as client:
        client.send(POST + b"Expect: 100-continue\r\nContent-Length: 5\r\n\r\n")
        got = client.response()
        assert (got.status, got.body, got.interim) == (403, b"no", [])
        # The body was never sent, so the connection cannot serve another request.
        assert "close" in got.tokens("connection") and client.is_closed_within(5)


def test_103_and_102_pass_before_the_final_answer(site, origin):
    early = b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n"
    lb = site([origin(script=serve_bytes(b"HTTP/1.1 102 Processing\r\n\r\n" + early + early + response(b"final")))])
    with RawClient(lb.port) as client:
        for _ in range(2):
            got = client.request()
            assert got.body == b"final"
            assert [r.status for r in got.interim] == [102, 103, 103]
            assert got.interim[1].get("link") == "</a.css>; rel=preload"


def test_interim_answers_are_not_sent_to_http_1_0(site, origin):
    lb = site([origin(script=serve_bytes(b"HTTP/1.1 103 Early Hints\r\nA: b\r\n\r\n" + response(b"final")))])
    got = raw_request(lb.port, b"GET / HTTP/1.0\r\nHost: a.test\r\n\r\n").responses()[0]
    assert (got.interim, got.body) == ([], b"final")


def test_interim_answers_without_end_are_bounded(site, origin):
    def script(connection):
        if connection.request() is not None:
            for _ in range(100000):
                connection.send(b"HTTP/1.1 103 Early Hints\r\nA: " + b"b" * 200 + b"\r\n\r\n")

    lb = site([origin(script=script)])
    before = lb.rss_kib()
    with RawClient(lb.port) as client:
        client.send(GET)
        count = 0
        try:
            while (head := read_response_head(client)) is not None and head.status == 103:
                count += 1
                if count > 3000:
                    break
        except WireError:
            pass
    assert lb.rss_kib() - before < 4096


def test_an_early_answer_arrives_while_the_upload_goes_on(site, origin):
    def script(connection):
        request = connection.head()
        if request is not None:
            connection.send(response(b"too large", 413, "Content Too Large", ["Connection: close"]))
            while connection.fill():
                connection.take(len(connection.buffer))

    lb = site([origin(script=script)])
    with RawClient(lb.port) as client:
        client.send(POST + b"Content-Length: 10000000\r\n\r\n" + b"x" * 1000)
        got = client.response()
        assert (got.status, got.body) == (413, b"too large")


def test_a_backend_connection_with_an_unsent_body_is_never_used_again(site, origin):
    """The rest of an upload must not become the next request of another client."""

    def script(connection):
        while (request := connection.head()) is not None:
            connection.send(response(request.target.encode()))
            if request.get("content-length"):
                connection.body(request)

    o = origin(script=script)
    lb = site([o])
    with RawClient(lb.port) as client:
        client.send(b"POST /up HTTP/1.1\r\n" + H + b"Content-Length: 100\r\n\r\nonly this")
        assert client.response().body == b"/up"
        for i in range(10):
            assert raw_request(lb.port, get(f"/{i}")).responses()[0].body == f"/{i}".encode()
    assert {r.target for r in o.requests} == {"/up"} | {f"/{i}" for i in range(10)}


def test_an_upload_that_breaks_off_is_never_a_whole_request(site, origin):
    whole = []

    def script(connection):
        request = connection.head()
        if request is not None:
            connection.body(request)
            whole.append(request)

    o = origin(script=script)
    lb = site([o])
    for framing in (b"Content-Length: 100\r\n\r\nonly this", b"Transfer-Encoding: chunked\r\n\r\n9\r\nonly this\r\n"):
        with RawClient(lb.port) as client:
            client.send(POST + framing)
            o.wait_requests(1)
        wait_until(lambda: lb.status()["connections"]["current"] == 0, 10, "the client's connection gone")
        wait_until(lambda: all(c.error for c in o.connections if c.requests), 10, "the backend's connection gone")
        o.requests.clear()
    assert whole == []


# ---- upgrade


def test_websocket_passes_both_ways(site, origin):
    o = origin(script=ws.echo_script)
    lb = site([o])
    with RawClient(lb.port) as client:
        key, request = ws.handshake()
        client.send(request)
        got = client.response()
        assert got.status == 101 and got.get("sec-websocket-accept") == ws.accept_value(key)
        assert got.get("upgrade").lower() == "websocket" and "upgrade" in got.tokens("connection")
        assert ws.read_frame(client, False) == (ws.TEXT, b"welcome")
        for size in (0, 5, 126, 65535, 65536, 300_000):
            payload = b"x" * size
            sender = threading.Thread(target=client.send, args=(ws.frame(ws.BINARY, payload, True),))
            sender.start()
            assert ws.read_frame(client, False) == (ws.BINARY, payload)
            sender.join()
        client.send(ws.frame(ws.PING, b"p", True))
        assert ws.read_frame(client, False) == (ws.PING, b"p")
        client.send(ws.frame(ws.CLOSE, b"\x03\xe8", True))
        assert ws.read_frame(client, False) == (ws.CLOSE, b"\x03\xe8")
        assert client.is_closed_within(5)


def test_websocket_frames_sent_with_the_handshake_arrive(site, origin):
    lb = site([origin(script=ws.echo_script)])
    with RawClient(lb.port) as client:
        _, request = ws.handshake()
        client.send(request + ws.frame(ws.TEXT, b"early", True))
        got = client.response()
        if got.status == 101:
            assert ws.read_frame(client, False) == (ws.TEXT, b"welcome")
            assert ws.read_frame(client, False) == (ws.TEXT, b"early")
        else:
            assert got.status == 400


def test_a_refused_upgrade_stays_http(site, origin):
    o = origin(script=serve_bytes(response(b"no", 403, "Forbidden")))
    lb = site([o])
    with RawClient(lb.port) as client:
        assert client.request(ws.handshake()[1]).status == 403
        assert client.request(GET).status == 403
        assert "upgrade" not in o.requests[-1].tokens("connection")


def test_a_client_that_leaves_ends_the_tunnel(site, origin):
    o = origin(script=ws.echo_script)
    lb = site([o])
    with RawClient(lb.port) as client:
        client.send(ws.handshake()[1])
        assert client.response().status == 101
    wait_until(lambda: all(c.error for c in o.connections if c.requests), 10, "the end of the tunnel at the origin")
    wait_until(lambda: lb.backend(o.address)["in_flight"] == 0, 10, "no request in flight")


def test_an_upgrade_that_nobody_asked_for_is_502(site, origin):
    answer = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
    lb = site([origin(script=serve_bytes(answer))])
    assert raw_request(lb.port, b"POST / HTTP/1.1\r\n" + H + b"Content-Length: 0\r\n\r\n").responses()[0].status == 502


def test_connect_is_refused(site, origin):
    o = origin()
    lb = site([o])
    exchange = raw_request(lb.port, b"CONNECT b.test:443 HTTP/1.1\r\nHost: b.test:443\r\n\r\n")
    assert exchange.responses()[0].status == 405 and exchange.is_closed and o.requests == []


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


# ---- headers


def test_end_to_end_headers_pass_untouched_both_ways(site, origin):
    answer = response(b"x", 200, "Fine", ["X-A: 1", "Set-Cookie: a=b", "Set-Cookie: c=d", "ETag: \"q\"", "X-Utf: \xe9", "Date: Sun, 06 Nov 1994 08:49:37 GMT", "Server: mine"])
    o = origin(script=serve_bytes(answer))
    lb = site([o])
    lines = ["User-Agent: t/1", "Accept: a/b;q=0.5, */*", "Cookie: a=b; c=d", "X-Empty:", "X-Twice: 1", "X-Twice: 2", "Authorization: Basic eDp5"]
    got = raw_request(lb.port, get("/x?a=b&c=%20", *lines)).responses()[0]
    assert got.reason == "Fine"
    assert got.all("set-cookie") == ["a=b", "c=d"]
    assert (got.get("x-utf"), got.get("etag"), got.get("date"), got.get("server")) == ("\xe9", '"q"', "Sun, 06 Nov 1994 08:49:37 GMT", "mine")
    request = o.requests[0]
    assert request.target == "/x?a=b&c=%20"
    assert request.all("x-twice") == ["1", "2"]
    assert (request.get("x-empty"), request.get("host"), request.get("cookie")) == ("", "a.test", "a=b; c=d")
    assert request.get("authorization") == "Basic eDp5" and request.get("user-agent") == "t/1"


def test_hop_by_hop_headers_stop_here_in_both_directions(site, origin):
    answer = response(b"x", headers=["Connection: keep-alive, X-Inner", "Keep-Alive: timeout=5", "X-Inner: secret", "Proxy-Authenticate: Basic", "X-Outer: 1"])
    o = origin(script=serve_bytes(answer))
    lb = site([o])
    got = raw_request(
        lb.port,
        get("/", "Connection: keep-alive, X-Mine", "X-Mine: secret", "Keep-Alive: 9", "Proxy-Connection: close", "Proxy-Authorization: Basic eDp5", "TE: trailers, gzip", "X-Outer: 1"),
    ).responses()[0]
    for message in (o.requests[0], got):
        names = {name.lower() for name, _ in message.headers}
        assert not names & {"keep-alive", "x-inner", "x-mine", "proxy-connection", "proxy-authenticate", "proxy-authorization"}
        assert message.get("x-outer") == "1"
    assert "gzip" not in o.requests[0].tokens("te")


def test_absolute_form_is_sent_on_in_origin_form(site, origin):
    o = origin()
    lb = site([o])
    raw_request(lb.port, b"GET http://a.test/x?y=z HTTP/1.1\r\n" + H + b"\r\n")
    assert (o.requests[0].target, o.requests[0].all("host")) == ("/x?y=z", ["a.test"])


FORGED = ["X-Forwarded-For: 1.2.3.4", "X-Forwarded-Proto: https", "X-Forwarded-Host: evil.test", "Forwarded: for=1.2.3.4;proto=https"]


def test_forwarded_headers_of_a_stranger_are_replaced(site, origin):
    o = origin()
    lb = site([o])
    raw_request(lb.port, get("/", *FORGED))
    request = o.requests[0]
    assert request.all("x-forwarded-for") == ["127.0.0.1"]
    assert request.all("x-forwarded-proto") == ["http"]
    assert request.all("x-forwarded-host") == ["a.test"]
    assert len(request.all("forwarded")) == 1
    forwarded = request.get("forwarded").lower()
    assert "for=127.0.0.1" in forwarded and "proto=http" in forwarded and "1.2.3.4" not in forwarded and "https" not in forwarded
    assert "host=a.test" in forwarded.replace('"', "")


def test_many_forged_forwarded_lines_all_go(site, origin):
    o = origin()
    lb = site([o])
    raw_request(lb.port, get("/", *["X-Forwarded-For: 1.2.3.4"] * 5, *["Forwarded: for=1.2.3.4"] * 5))
    assert o.requests[0].all("x-forwarded-for") == ["127.0.0.1"]
    assert not any("1.2.3.4" in value for value in o.requests[0].all("forwarded"))


def test_forwarded_headers_of_a_trusted_proxy_are_extended(site, origin):
    o = origin()
    lb = site([o], balancer={"trusted_proxies": ["127.0.0.0/8"]})
    raw_request(lb.port, get("/", *FORGED))
    request = o.requests[0]
    assert request.tokens("x-forwarded-for") == ["1.2.3.4", "127.0.0.1"]
    assert request.all("x-forwarded-proto") == ["https"]
    assert request.all("x-forwarded-host") == ["evil.test"]
    elements = request.tokens("forwarded")
    assert elements[0] == "for=1.2.3.4;proto=https" and "for=127.0.0.1" in elements[-1]


def test_trust_is_by_address_and_not_for_all(site, origin):
    o = origin()
    lb = site([o], balancer={"trusted_proxies": ["127.0.0.9", "10.0.0.0/8"]})
    raw_request(lb.port, get("/", *FORGED))
    assert o.requests[0].all("x-forwarded-for") == ["127.0.0.1"]
    with RawClient(lb.port, source="127.0.0.9") as client:
        client.request(get("/", *FORGED))
    assert o.requests[1].tokens("x-forwarded-for") == ["1.2.3.4", "127.0.0.9"]


def test_via_names_every_hop(site, origin):
    o = origin(script=serve_bytes(response(b"x", headers=["Via: 1.0 cache"])))
    lb = site([o])
    raw_request(lb.port, GET)
    raw_request(lb.port, get("/", "Via: 1.0 first, 1.1 second"))
    raw_request(lb.port, b"GET / HTTP/1.0\r\nHost: a.test\r\n\r\n")
    assert o.requests[0].tokens("via") == ["1.1 trilith"]
    assert o.requests[1].tokens("via") == ["1.0 first", "1.1 second", "1.1 trilith"]
    assert o.requests[2].tokens("via")[-1] in ("1.0 trilith", "1.1 trilith")


def test_request_id_is_made_and_unique(site, origin):
    o = origin()
    lb = site([o])
    with RawClient(lb.port) as client:
        for _ in range(100):
            client.request()
    ids = [r.all("x-request-id") for r in o.requests]
    assert all(len(values) == 1 and 1 <= len(values[0]) <= 128 for values in ids)
    assert len({values[0] for values in ids}) == 100


@pytest.mark.parametrize(
    ("sent", "is_kept"),
    [("abc-123_X.y", True), ("a" * 128, True), ("a" * 129, False), ("a b", False), ("a/b", False), ("\xe9", False), ("", False), ("a;b", False)],
)
def test_request_id_is_accepted_only_in_its_form(site, origin, sent, is_kept):
    o = origin()
    lb = site([o])
    raw_request(lb.port, get("/", f"X-Request-Id: {sent}"))
    ids = o.requests[0].all("x-request-id")
    assert len(ids) == 1 and ids[0]
    assert (ids[0] == sent) == is_kept


def test_own_answers_are_whole_http(site, origin):
    """A refusal is a response that any client can read, with a length and a date."""
    lb = site([origin()])
    for data in (b"GET / HTTP/1.1\r\n\r\n", b"GET / HTTP/3.0\r\n" + H + b"\r\n", b"CONNECT a.test:1 HTTP/1.1\r\n" + H + b"\r\n"):
        exchange = raw_request(lb.port, data)
        got = exchange.responses()[0]
        assert exchange.is_closed and not got.until_close and got.get("content-length") is not None
        assert got.get("content-length") == str(len(got.body))


# ---- routes

ROUTES = [
    {"host": "a.test", "path": "/exact", "pool": "one"},
    {"host": "a.test", "path": "/v1/*", "pool": "two"},
    {"host": "*.b.test", "pool": "one"},
    {"path": "/any", "pool": "two"},
]


@pytest.mark.parametrize(
    ("host", "path", "expected"),
    [
        ("a.test", "/exact", b"one"), ("a.test", "/exact/", 404), ("a.test", "/v1/", b"two"), ("a.test", "/v1/x/y?z", b"two"),
        ("a.test", "/v1", 404), ("a.test", "/v10", 404), ("a.test", "/", 404), ("A.TEST", "/exact", b"one"), ("a.test:80", "/exact", b"one"),
        ("x.b.test", "/whatever", b"one"), ("x.y.b.test", "/whatever", b"one"), ("b.test", "/whatever", 404), ("c.test", "/any", b"two"),
        ("c.test", "/exact", 404), ("a.test", "/x/../exact", b"one"), ("a.test", "/%65xact", b"one"), ("a.test", "/v1/../exact", b"one"),
        ("a.test", "/exact?x", b"one"), ("a.test.", "/exact", b"one"),
    ],
)
def test_routes(module_site, host, path, expected):
    lb = module_site
    got = raw_request(lb.port, f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()).responses()[0]
    assert got.status == 404 if expected == 404 else (got.status, got.body) == (200, expected)


@pytest.fixture(scope="module")
def module_site(module_stage):
    one, two = module_stage.origin(name="one"), module_stage.origin(name="two")
    return module_stage.site(pools={"one": {"backends": [one]}, "two": {"backends": [two]}}, routes=ROUTES)


def test_404_keeps_the_connection(module_site):
    with RawClient(module_site.port) as client:
        assert client.request(get("/nowhere")).status == 404
        assert client.request(get("/exact")).status == 200


def test_what_is_matched_is_what_is_sent(site, origin):
    o = origin()
    lb = site(pools={"one": {"backends": [o]}}, routes=[{"path": "/v1/*", "pool": "one"}])
    raw_request(lb.port, get("/v1/./a/../%62%2e"))
    assert o.requests[0].target == "/v1/b."


def test_a_raw_route_sends_the_path_as_it_came(site, origin):
    o = origin()
    lb = site(pools={"one": {"backends": [o]}}, routes=[{"path": "raw", "pool": "one"}])
    for path in ("/a/../b", "/%2F%5c", "/a/%2e%2e/c", "//x", "/../x"):
        raw_request(lb.port, get(path))
    assert [r.target for r in o.requests] == ["/a/../b", "/%2F%5c", "/a/%2e%2e/c", "//x", "/../x"]
