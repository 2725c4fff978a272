"""Clients that send exactly the bytes they are given, never retry, and read by the strict reader; and a load of them."""

import collections
import contextlib
import select
import socket
import threading
import time

from raw_http import Stream, WireError, read_response

GET = b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n"


def wait_until(condition, seconds=10.0, what="the condition"):
    """The first true value of condition(); AssertionError when `seconds` pass without one."""
    began = time.monotonic()
    deadline = began + seconds
    pause = threading.Event()
    while True:
        value = condition()
        if value:
            return value
        now = time.monotonic()
        if now > deadline:
            raise AssertionError(f"{what} did not come true within {seconds} s (last: {value!r})")
        # What takes long is asked for less often: asking takes the processor from what it waits for.
        pause.wait(min(0.05, max(0.01, (now - began) / 20)))


class RawClient(Stream):
    """One connection. `timeout` bounds each single read and write."""

    def __init__(self, port, timeout=15.0, host="127.0.0.1", receive_buffer=None, source=None):
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        if receive_buffer:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        if source:
            sock.bind((source, 0))
        sock.settimeout(timeout)
        sock.connect((host, port))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        super().__init__(sock)

    def __enter__(self):
        return self

    def __exit__(self, *ignored):
        self.close()

    def response(self, method="GET"):
        """The next response; WireError when the connection ends instead."""
        response = read_response(self, method)
        if response is None:
            raise WireError("the connection was reset" if self.was_reset else "the connection was closed")
        return response

    def request(self, data=GET, method=None):
        """Sends `data` and reads one response."""
        self.send(data)
        return self.response(method or data.split(b" ", 1)[0].decode("latin-1"))

    def is_closed_within(self, seconds):
        """True when the peer ends the connection in time without sending another byte."""
        if self.at_eof:
            return not self.buffer
        self.sock.settimeout(seconds)
        try:
            return not self.fill() and not self.buffer
        except TimeoutError:
            return False

    def is_quiet_for(self, seconds):
        """True when the peer neither sends nor closes for so long; only for proving that something does not happen."""
        readable, _, _ = select.select([self.sock], [], [], seconds)
        return not readable and not self.buffer


class Exchange:
    """What came back for some raw bytes: all received bytes, and whether the peer ended the connection."""

    def __init__(self, received, is_closed, was_reset):
        self.received = received
        self.is_closed = is_closed
        self.was_reset = was_reset

    def responses(self, methods=("GET",)):
        """All responses in order, read strictly; a remainder that is no response is a WireError."""
        stream = Stream(None)
        stream.buffer += self.received
        stream.at_eof = True
        found = []
        while stream.buffer:
            found.append(read_response(stream, methods[min(len(found), len(methods) - 1)]))
        return found


def raw_request(port, data, timeout=10.0, answers=1, byte_by_byte=False, linger=0.15):
    """Sends `data` as it is and collects until the peer closes, or until `answers` whole responses are there and the
    peer then stays quiet for `linger` seconds (so that "still open" and "one answer too many" are both seen)."""
    with RawClient(port, timeout) as client:
        client.sock.setblocking(False)
        pieces = [data[i:i + 1] for i in range(len(data))] if byte_by_byte else [data]
        deadline = time.monotonic() + timeout
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                return Exchange(bytes(client.received), False, False)
            has_answers = not pieces and _count_responses(client.received, data) >= answers
            wants_write = [client.sock] if pieces else []
            readable, writable, _ = select.select(
                [client.sock], wants_write, [], min(left, linger) if has_answers else left
            )
            if has_answers and not readable:
                return Exchange(bytes(client.received), False, False)
            if readable and not client.fill():
                return Exchange(bytes(client.received), True, client.was_reset)
            if writable and pieces:
                try:
                    sent = client.sock.send(pieces[0])
                    pieces[0] = pieces[0][sent:]
                    if not pieces[0]:
                        pieces.pop(0)
                except (BrokenPipeError, ConnectionResetError):
                    pieces = []
                except BlockingIOError:
                    pass


def _count_responses(received, data):
    stream = Stream(None)
    stream.buffer += received
    stream.at_eof = True
    count = 0
    method = data.lstrip().split(b" ", 1)[0].decode("latin-1")
    with contextlib.suppress(WireError):
        while stream.buffer:
            read_response(stream, method)
            count += 1
    return count


class Load:
    """Clients that send one request after the other until told to stop. A failed request is counted, never repeated."""

    def __init__(self, port, clients=8, request=GET, fresh=False, expected=200, timeout=15.0, host="127.0.0.1"):
        self.host = host
        self.port = port
        self.request = request
        self.method = request.split(b" ", 1)[0].decode()
        self.fresh = fresh
        self.expected = expected
        self.timeout = timeout
        self.lock = threading.Lock()
        self.failures = []
        self.bodies = collections.Counter()
        self.requests = 0
        self.connections = 0
        self.stopping = threading.Event()
        self.threads = [threading.Thread(target=self._run, daemon=True) for _ in range(clients)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *ignored):
        self.stop()

    def stop(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join(self.timeout + 5)
            assert not thread.is_alive(), "a client hangs"

    def wait_requests(self, count, seconds=30.0):
        """Waits until `count` more requests have ended, well or badly."""
        goal = self.requests + count
        wait_until(lambda: self.requests >= goal, seconds, f"{count} more requests")

    def _run(self):
        client = None
        while not self.stopping.is_set():
            problem = body = None
            try:
                if client is None:
                    client = RawClient(self.port, self.timeout, host=self.host)
                    with self.lock:
                        self.connections += 1
                response = client.request(self.request, self.method)
                body = response.body
                if response.status != self.expected:
                    problem = f"status {response.status}: {response.body[:100]!r}"
                if self.fresh or "close" in response.tokens("connection"):
                    client.close()
                    client = None
            except (OSError, WireError) as error:
                problem = f"{type(error).__name__}: {error}"
                if client is not None:
                    client.close()
                client = None
            with self.lock:
                self.requests += 1
                if problem is None:
                    self.bodies[body] += 1
                else:
                    self.failures.append(problem)
        if client is not None:
            client.close()
