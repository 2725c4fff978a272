"""The tools of these tests against each other: what they report must be what happened."""

import signal
import threading

import pytest

from origins import ChildOrigin, RecordingOrigin, response
from raw_client import GET, Load, RawClient, raw_request, wait_until
from raw_http import WireError

HOST = b"Host: a.test\r\n"


@pytest.fixture
def plain():
    with RecordingOrigin() as origin:
        yield origin


def test_origin_records_every_byte_and_answers(plain):
    data = b"POST /x HTTP/1.1\r\n" + HOST + b"Content-Length: 5\r\n\r\nhello"
    exchange = raw_request(plain.port, data)
    assert [r.body for r in exchange.responses()] == [b"ok"]
    assert not exchange.is_closed
    assert bytes(plain.connections[0].received) == data
    assert (plain.requests[0].method, plain.requests[0].body) == ("POST", b"hello")


def test_origin_reads_chunks_extensions_and_trailers(plain):
    data = b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n1\r\n!\r\n0\r\nX-Sum: 7\r\n\r\n"
    raw_request(plain.port, data)
    request = plain.requests[0]
    assert (request.body, request.chunk_sizes, request.trailers) == (b"hello!", [5, 1, 0], [("X-Sum", "7")])


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\n" + HOST + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + HOST + b"Content-Length: 1\r\nContent-Length: 1\r\n\r\nx",
        b"GET / HTTP/1.1\r\n" + HOST + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + HOST + b"A: b\r\n c\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + HOST + b"A : b\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + HOST + b"A: \x00\r\n\r\n",
        b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n5\nhello\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n",
        b"GET /a b HTTP/1.1\r\n" + HOST + b"\r\n",
    ],
)
def test_origin_refuses_what_is_not_one_request(plain, data):
    exchange = raw_request(plain.port, data, timeout=5)
    assert [r.status for r in exchange.responses()] == [400]
    assert isinstance(plain.connections[0].error, WireError)
    assert plain.requests == []


def test_pipelined_requests_are_told_apart(plain):
    exchange = raw_request(plain.port, GET * 3, answers=3)
    assert len(exchange.responses()) == 3
    assert len(plain.requests) == 3


def test_raw_request_sees_an_answer_too_many():
    with RecordingOrigin(answer=lambda request: response() * 2) as origin:
        assert len(raw_request(origin.port, GET).responses()) == 2


def test_raw_request_sees_the_close_and_byte_by_byte_is_the_same(plain):
    data = b"GET / HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n"
    for split in (False, True):
        exchange = raw_request(plain.port, data, byte_by_byte=split)
        assert exchange.is_closed
        assert exchange.responses()[0].status == 200


def test_client_tells_an_end_in_the_middle():
    def script(connection):
        connection.request()
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")

    with RecordingOrigin(script=script) as origin, RawClient(origin.port) as client:
        with pytest.raises(WireError):
            client.request()


def test_stop_refuses_and_start_serves_again(plain):
    raw_request(plain.port, GET)
    plain.stop()
    with pytest.raises(OSError):
        RawClient(plain.port)
    plain.start()
    assert raw_request(plain.port, GET).responses()[0].status == 200


def test_reset_is_seen_as_a_reset():
    with RecordingOrigin(script=lambda connection: (connection.request(), connection.reset())) as origin:
        exchange = raw_request(origin.port, GET)
        assert exchange.is_closed and exchange.was_reset and not exchange.received


def test_load_counts_failures_and_does_not_repeat():
    broken = threading.Event()

    def answer(request):
        return response(b"", 503, "Down") if broken.is_set() else response(b"fine")

    with RecordingOrigin(answer=answer) as origin, Load(origin.port, clients=2) as load:
        load.wait_requests(20)
        assert load.failures == []
        broken.set()
        load.wait_requests(20)
        load.stop()
        assert load.failures
        assert len(origin.requests) == load.requests
        assert load.connections == 2


def test_child_origin_dies_and_returns():
    with ChildOrigin("c1") as child:
        with Load(child.port, clients=2) as load:
            load.wait_requests(20)
            child.kill()
            load.wait_requests(20)
        assert load.bodies[b"c1"] >= 20
        assert load.failures
        assert child.process.returncode == -signal.SIGKILL
        child.start()
        assert raw_request(child.port, GET).responses()[0].body == b"c1"


def test_wait_until_fails_by_its_deadline():
    with pytest.raises(AssertionError, match="never"):
        wait_until(lambda: False, 0.05, "never")
