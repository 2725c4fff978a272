"""A strict HTTP/1.1 reader over plain sockets: it accepts one reading of the bytes only, so that a smuggled byte shows."""

import re
import socket
import struct

TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+\Z")
REQUEST_LINE = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+) ([\x21-\x7e]+) HTTP/(1\.[01])\Z")
STATUS_LINE = re.compile(rb"HTTP/(1\.[01]) ([1-5][0-9][0-9]) ([\t\x20-\x7e\x80-\xff]*)\Z")
VALUE = re.compile(rb"[\t\x20-\x7e\x80-\xff]*\Z")
CHUNK_LINE = re.compile(rb"([0-9A-Fa-f]{1,16})((?:;[\t\x20-\x7e]*)?)\Z")


class WireError(Exception):
    """The bytes are not exactly one HTTP/1.1 message, or end in the middle of one."""


class Message:
    """What requests and responses have in common; header names keep the case in which they came."""

    def __init__(self):
        self.headers = []
        self.trailers = []
        self.body = b""
        self.raw_head = b""
        self.chunk_sizes = []
        self.version = "1.1"

    def all(self, name):
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def get(self, name, default=None):
        values = self.all(name)
        return values[0] if values else default

    def trailer(self, name):
        values = [value for key, value in self.trailers if key.lower() == name.lower()]
        return values[0] if values else None

    @property
    def is_chunked(self):
        return bool(self.all("transfer-encoding"))

    def tokens(self, name):
        """The lower-case members of a comma-separated header over all its lines."""
        return [part.strip().lower() for value in self.all(name) for part in value.split(",") if part.strip()]


class Request(Message):
    """One request as it was received."""

    def __repr__(self):
        return f"<{self.method} {self.target} {self.headers} body={self.body[:60]!r}>"


class Response(Message):
    """One final response; `interim` holds the 1xx responses that came before it."""

    def __init__(self):
        super().__init__()
        self.interim = []
        self.until_close = False

    def __repr__(self):
        return f"<{self.status} {self.reason} {self.headers} body={self.body[:60]!r}>"


class Stream:
    """A socket with a read buffer; everything that was read stays in `received`."""

    def __init__(self, sock):
        self.sock = sock
        self.buffer = bytearray()
        self.received = bytearray()
        self.at_eof = False
        self.was_reset = False

    def fill(self, count=65536):
        """Reads once; False at the end of the stream (a reset counts as an end and is remembered)."""
        if self.at_eof:
            return False
        try:
            piece = self.sock.recv(count)
        except (ConnectionResetError, BrokenPipeError):
            self.was_reset = True
            piece = b""
        except OSError as error:
            if isinstance(error, TimeoutError):
                raise
            piece = b""
        if not piece:
            self.at_eof = True
            return False
        self.buffer += piece
        self.received += piece
        return True

    def read_until(self, mark, limit=1 << 20):
        """The bytes up to and with `mark`; None when the stream ends before the first byte."""
        start = 0
        while True:
            at = self.buffer.find(mark, start)
            if at >= 0:
                return self.take(at + len(mark))
            if len(self.buffer) > limit:
                raise WireError(f"no {mark!r} in {limit} bytes")
            start = max(0, len(self.buffer) - len(mark) + 1)
            if not self.fill():
                if not self.buffer:
                    return None
                raise WireError(f"the stream ends before {mark!r}: {bytes(self.buffer[:200])!r}")

    def read_exact(self, count):
        while len(self.buffer) < count:
            if not self.fill():
                raise WireError(f"the stream ends {count - len(self.buffer)} bytes too early")
        return self.take(count)

    def read_to_eof(self):
        while self.fill():
            pass
        return self.take(len(self.buffer))

    def take(self, count):
        piece = bytes(self.buffer[:count])
        del self.buffer[:count]
        return piece

    def send(self, data):
        self.sock.sendall(data)

    def close(self):
        # shutdown first: a close alone would not end the connection while another thread waits in recv.
        try:
            self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.sock.close()

    def reset(self):
        """Ends the connection with a RST instead of a FIN."""
        try:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        except OSError:
            pass
        self.sock.close()


def parse_fields(lines):
    """Header or trailer lines (without line ends) to (name, value) pairs of str."""
    fields = []
    for line in lines:
        name, colon, value = line.partition(b":")
        if not colon or not TOKEN.match(name) or not VALUE.match(value):
            raise WireError(f"bad header line {line!r}")
        fields.append((name.decode("latin-1"), value.strip(b" \t").decode("latin-1")))
    return fields


def split_head(head):
    """A head with its final empty line to (start line, header lines); refuses bare CR and LF."""
    text = head[:-4]
    lines = text.split(b"\r\n")
    for line in lines:
        if b"\r" in line or b"\n" in line:
            raise WireError(f"bare CR or LF in {line!r}")
    return lines[0], lines[1:]


def read_chunked(stream, message, on_data=None):
    body = bytearray()
    while True:
        line = stream.read_until(b"\r\n", 20000)
        if line is None:
            raise WireError("the stream ends instead of a chunk")
        match = CHUNK_LINE.match(line[:-2])
        if not match:
            raise WireError(f"bad chunk line {line!r}")
        size = int(match.group(1), 16)
        message.chunk_sizes.append(size)
        if size == 0:
            break
        if on_data is None:
            body += stream.read_exact(size)
        else:
            on_data(stream.read_exact(size))
        if stream.read_exact(2) != b"\r\n":
            raise WireError("chunk data does not end with CRLF")
    lines = []
    while True:
        line = stream.read_until(b"\r\n", 200000)
        if line is None:
            raise WireError("the stream ends in the trailers")
        if line == b"\r\n":
            break
        lines.append(line[:-2])
    message.trailers = parse_fields(lines)
    return bytes(body)


def declared_length(message):
    """The body's Content-Length; None without one. Refuses what two readers could read differently."""
    lengths = message.all("content-length")
    codings = message.all("transfer-encoding")
    if codings and lengths:
        raise WireError("both Content-Length and Transfer-Encoding")
    if codings and [value.lower() for value in codings] != ["chunked"]:
        raise WireError(f"transfer coding {codings}")
    if codings and message.version == "1.0":
        raise WireError("a transfer coding in HTTP/1.0")
    if len(lengths) > 1 or (lengths and not re.fullmatch(r"[0-9]{1,18}", lengths[0])):
        raise WireError(f"Content-Length {lengths}")
    return int(lengths[0]) if lengths else None


def read_request_head(stream):
    """The next request's head; None at a clean end of the stream."""
    head = stream.read_until(b"\r\n\r\n")
    if head is None:
        return None
    start, lines = split_head(head)
    match = REQUEST_LINE.match(start)
    if not match:
        raise WireError(f"bad request line {start!r}")
    request = Request()
    request.raw_head = head
    request.method, request.target, request.version = (part.decode("latin-1") for part in match.groups())
    request.headers = parse_fields(lines)
    if len(request.all("host")) > 1 or (request.version == "1.1" and not request.all("host")):
        raise WireError(f"Host {request.all('host')}")
    declared_length(request)
    return request


def read_request_body(stream, request):
    if request.is_chunked:
        request.body = read_chunked(stream, request)
    else:
        request.body = stream.read_exact(declared_length(request) or 0)
    return request


def read_request(stream):
    request = read_request_head(stream)
    return request if request is None else read_request_body(stream, request)


def read_response_head(stream):
    head = stream.read_until(b"\r\n\r\n")
    if head is None:
        return None
    start, lines = split_head(head)
    match = STATUS_LINE.match(start)
    if not match:
        raise WireError(f"bad status line {start!r}")
    response = Response()
    response.raw_head = head
    response.version = match.group(1).decode()
    response.status = int(match.group(2))
    response.reason = match.group(3).decode("latin-1")
    response.headers = parse_fields(lines)
    return response


def read_response_body(stream, response, method="GET", on_data=None):
    """RFC 9112 section 6.3; on_data takes the pieces of a body that is too large to keep."""
    sink = bytearray()
    feed = on_data or sink.extend
    length = declared_length(response)
    if method == "HEAD" or response.status in (204, 304) or response.status < 200:
        pass
    elif response.is_chunked:
        response.body = read_chunked(stream, response, on_data)
        return response
    elif length is not None:
        while length:
            if not stream.buffer and not stream.fill():
                raise WireError(f"the stream ends {length} body bytes too early")
            piece = stream.take(min(length, len(stream.buffer)))
            length -= len(piece)
            feed(piece)
    else:
        response.until_close = True
        feed(stream.read_to_eof())
    response.body = bytes(sink)
    return response


def read_response(stream, method="GET"):
    """The next final response with the 1xx before it; None at a clean end of the stream."""
    interim = []
    while True:
        response = read_response_head(stream)
        if response is None:
            if interim:
                raise WireError("the stream ends after an interim response")
            return None
        if 100 <= response.status < 200 and response.status != 101:
            if response.all("content-length") or response.all("transfer-encoding"):
                raise WireError("an interim response with a body")
            interim.append(response)
            continue
        response.interim = interim
        return response if response.status == 101 else read_response_body(stream, response, method)
