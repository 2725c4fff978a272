"""What passes while it happens: back-pressure, events, 1xx, early answers, broken uploads, upgraded connections."""

import hashlib
import threading

import websocket_tools as ws
from http_scripts import POST, H, get, is_stalled, serve_bytes
from origins import response
from raw_client import GET, RawClient, raw_request, wait_until
from raw_http import WireError, read_response_body, read_response_head

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
        wait_until(lambda: is_stalled(lb), 10, "back-pressure")
        lb.assert_grew_less(before, 8 << 10, "one slow reader")
        digest = hashlib.sha256()
        read_response_body(client, head, on_data=digest.update)
    assert digest.hexdigest() == hashlib.sha256(block * (BIG // len(block))).hexdigest()
    lb.assert_grew_less(before, 8 << 10, "one slow reader")


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
        wait_until(lambda: is_stalled(lb), 10, "back-pressure")
        lb.assert_grew_less(before, 8 << 10, "one slow origin")
        go.set()
        assert client.response().body == b"got it"
        sender.join()
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
    lb.assert_grew_less(before, 4096, "interim answers without end")


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
