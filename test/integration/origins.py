"""Origins: one that records every byte and answers by a script, and a real child process that can be killed."""

import array
import fcntl
import os
import select
import socket
import subprocess
import sys
import termios
import threading

from raw_client import wait_until
from raw_http import Stream, WireError, read_request, read_request_body, read_request_head

CHILD = os.path.join(os.path.dirname(os.path.abspath(__file__)), "child_origin.py")


def response(body=b"ok", status=200, reason="OK", headers=()):
    """The bytes of a response with Content-Length."""
    lines = [f"HTTP/1.1 {status} {reason}", *headers, f"Content-Length: {len(body)}"]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def reserve_port():
    """A socket that keeps a port for us without listening: while nobody listens, connections are refused."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    sock.bind(("127.0.0.1", 0))
    return sock


class OriginConnection(Stream):
    """One accepted connection, in the hands of the script."""

    def __init__(self, origin, sock):
        sock.settimeout(60)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        super().__init__(sock)
        self.origin = origin
        self.requests = []
        self.error = None
        self.consumed = 0

    def head(self):
        """The next request's head, recorded at once; its body is read with body()."""
        request = read_request_head(self)
        if request is not None:
            self._record(request)
        return request

    def body(self, request):
        return read_request_body(self, request)

    def request(self):
        """The next whole request, recorded when it is complete; None at the end of the connection."""
        request = read_request(self)
        if request is not None:
            self._record(request)
        return request

    def _record(self, request):
        self.requests.append(request)
        self.consumed = len(self.received) - len(self.buffer)
        with self.origin.lock:
            self.origin.requests.append(request)

    def unread(self):
        """Bytes that the kernel holds and the script has not read."""
        try:
            count = array.array("i", [0])
            fcntl.ioctl(self.sock.fileno(), termios.FIONREAD, count)
            return count[0]
        except (OSError, ValueError):
            return 0


class RecordingOrigin:
    """Answers every request with `answer(request) -> bytes`, or hands each connection to `script(connection)`."""

    def __init__(self, answer=None, script=None, name="ok", backlog=1024):
        self.name = name
        self.answer = answer or (lambda request: response(b"" if request.method == "HEAD" else name.encode()))
        self.script = script or self.serve
        self.backlog = backlog
        self.lock = threading.Lock()
        self.requests = []
        self.connections = []
        self.script_errors = []
        self.holder = reserve_port()
        self.port = self.holder.getsockname()[1]
        self.address = f"127.0.0.1:{self.port}"
        self.listener = None
        self.start()

    def __enter__(self):
        return self

    def __exit__(self, *ignored):
        self.close()

    def start(self):
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.bind(("127.0.0.1", self.port))
        listener.listen(self.backlog)
        self.listener = listener
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def stop(self):
        """Refuses new connections and ends the open ones; start() brings it back on the same port."""
        if self.listener is not None:
            self.refuse()
        for connection in list(self.connections):
            connection.close()

    def refuse(self):
        """Refuses new connections; the open ones stay."""
        listener, self.listener = self.listener, None
        try:
            listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        listener.close()

    def close(self):
        self.stop()
        self.holder.close()

    def _accept(self, listener):
        while True:
            try:
                select.select([listener], [], [])
                with self.lock:  # so that a connection is always seen: at the listener, or in the list
                    sock, _ = listener.accept()
                    connection = OriginConnection(self, sock)
                    self.connections.append(connection)
            except (OSError, ValueError):
                return
            threading.Thread(target=self._run, args=(connection,), daemon=True).start()

    def _run(self, connection):
        try:
            self.script(connection)
        except (WireError, OSError) as error:
            connection.error = error
        except Exception as error:  # a broken script must not pass for a working one
            connection.error = error
            self.script_errors.append(error)
        finally:
            connection.close()

    def serve(self, connection):
        """The usual script: keep-alive, `answer` for each request, 400 and the end for what cannot be read."""
        try:
            while (request := connection.request()) is not None:
                connection.send(self.answer(request))
                if "close" in request.tokens("connection") or request.version == "1.0":
                    return
        except WireError as error:
            connection.error = error
            connection.send(response(b"unreadable", 400, "Bad Request", ["Connection: close"]))

    def wait_requests(self, count, seconds=10.0):
        wait_until(lambda: len(self.requests) >= count, seconds, f"request {count} at the origin")
        return self.requests

    def wait_quiet(self, seconds=10.0):
        """Waits until the scripts have read all that the kernel holds, of connections not yet accepted, too."""
        wait_until(lambda: not self._is_unread(), seconds, "a read of all bytes")

    def _is_unread(self):
        with self.lock:
            is_waiting = self.listener is not None and bool(select.select([self.listener], [], [], 0)[0])
            return is_waiting or any(c.unread() for c in self.connections)

    def total_bytes(self):
        return sum(len(connection.received) for connection in list(self.connections))

    def count(self, method=None):
        return sum(1 for request in list(self.requests) if method in (None, request.method))


class ChildOrigin:
    """A real process that answers each request with its name; kill() is kill -9."""

    def __init__(self, name, delay_ms=0):
        self.name = name
        self.delay_ms = delay_ms
        self.holder = reserve_port()
        self.port = self.holder.getsockname()[1]
        self.address = f"127.0.0.1:{self.port}"
        self.process = None
        self.start()

    def __enter__(self):
        return self

    def __exit__(self, *ignored):
        self.close()

    def start(self):
        command = [sys.executable, "-u", CHILD, str(self.port), self.name, str(self.delay_ms)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
        assert self.process.stdout.readline().strip() == b"ready"

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def close(self):
        if self.process.poll() is None:
            self.kill()
        self.holder.close()
