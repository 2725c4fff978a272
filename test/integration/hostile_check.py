"""Judges one case of the table by what its client saw and by every byte that reached the origin since."""

import itertools

from raw_client import RawClient, raw_request
from raw_http import WireError

# What the balancer adds to a request or decides itself; everything else must arrive as the client sent it.
ADDED = {"via", "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "forwarded", "x-request-id", "connection"}
FRAMING = {"content-length", "transfer-encoding"}
HOP_BY_HOP = {"keep-alive", "proxy-connection", "te", "upgrade", "proxy-authorization", "expect", "trailer"}
GOOD = b"GET /good HTTP/1.1\r\nHost: a.test\r\n\r\n"

_sentinels = itertools.count(1)


class Mark:
    """What an origin has received so far, so that what comes later can be told apart."""

    def __init__(self, origin):
        origin.wait_quiet()
        self.origin = origin
        self.requests = len(origin.requests)
        self.received = {id(c): len(c.received) for c in list(origin.connections)}

    def requests_since(self):
        return list(self.origin.requests)[self.requests:]

    def leftovers_since(self):
        """Bytes of beginnings that never became a request, and connections that became unreadable."""
        found = []
        for connection in list(self.origin.connections):
            rest = bytes(connection.received[connection.consumed:])
            is_old = self.received.get(id(connection)) == len(connection.received)
            if not is_old and (rest or isinstance(connection.error, WireError)):
                found.append((rest, connection.error))
        return found


def check(case, port, origin, byte_by_byte=False, prefix=b""):
    """Sends the case, then a sentinel of its own; returns what is wrong, as sentences. Empty: all is as the table says."""
    mark = Mark(origin)
    before = 1 if prefix else 0
    exchange = raw_request(port, prefix + case.data, answers=before + 1, byte_by_byte=byte_by_byte)
    sentinel = f"/sentinel/{next(_sentinels)}"
    with RawClient(port) as client:
        answer = client.request(f"GET {sentinel} HTTP/1.1\r\nHost: a.test\r\n\r\n".encode())
    faults = [] if answer.status == 200 else [f"the request after it was answered {answer.status}"]
    origin.wait_quiet()

    methods = ["GET"] * before + [case.method]
    try:
        answers = exchange.responses(methods)
    except WireError as error:
        return faults + [f"the answer is not HTTP: {error}: {exchange.received[:300]!r}"]
    seen = mark.requests_since()
    own = [request for request in seen if request.target != sentinel]
    if len(seen) - len(own) != 1:
        faults.append(f"the sentinel arrived {len(seen) - len(own)} times")
    if prefix:
        if not own or own[0].target != "/good" or not answers or answers[0].status != 200:
            return faults + [f"the good request before it was lost: {own} {answers}"]
        own, answers = own[1:], answers[1:]
    if len(answers) != 1:
        return faults + [f"{len(answers)} answers instead of one: {answers}, closed: {exchange.is_closed}"]
    status = answers[0].status
    leftovers = mark.leftovers_since()
    if case.may_forward and status not in case.refusals:
        return faults + judge_forwarded(case, exchange, status, own, leftovers)
    return faults + judge_refused(case, exchange, answers[0], own, leftovers, byte_by_byte)


def judge_refused(case, exchange, answer, own, leftovers, byte_by_byte):
    faults = []
    if answer.status not in case.refusals:
        faults.append(f"answered {answer.status}, expected {case.refusals}")
    if not exchange.is_closed:
        faults.append("the connection stayed open")
    if "close" not in answer.tokens("connection"):
        faults.append("the answer does not say Connection: close")
    if own:
        faults.append(f"an origin received {own}")
    # Byte by byte, the head of a request with a faulty body may be on its way before the fault is there.
    strict = case.reach == "nothing" and not (byte_by_byte and b"\r\n\r\n" in case.data[:-4])
    for rest, error in leftovers:
        if strict and rest:
            faults.append(f"an origin received the bytes {rest[:200]!r}")
        if rest and isinstance(error, WireError) and "ends" not in str(error):
            faults.append(f"an origin received what nobody can read: {error}")
    return faults


def judge_forwarded(case, exchange, status, own, leftovers):
    faults = []
    if status != 200:
        faults.append(f"answered {status}, expected 200")
    if exchange.is_closed != case.closes:
        faults.append("the connection was closed" if exchange.is_closed else "the connection stayed open")
    if leftovers:
        faults.append(f"an origin received more than whole requests: {leftovers}")
    if len(own) != 1:
        return faults + [f"an origin received {len(own)} requests: {own}"]
    request = own[0]
    if (request.method, request.version) != (case.method, "1.1"):
        faults.append(f"an origin received {request.method} in HTTP/{request.version}")
    if case.target is not None and request.target != case.target:
        faults.append(f"an origin received the target {request.target}, expected {case.target}")
    if request.body != case.body:
        faults.append(f"an origin received the body {request.body[:200]!r}, expected {case.body[:200]!r}")
    for name, value in case.headers:
        if request.all(name) != [value]:
            faults.append(f"an origin received {name}: {request.all(name)}, expected {value}")
    for name in case.absent:
        where, _, bare = name.rpartition(":")
        there = request.trailer(bare) is not None if where else bool(request.all(bare))
        if there:
            faults.append(f"an origin received the forbidden {name}")
    return faults + unexpected_headers(case, request)


def unexpected_headers(case, request):
    """Whatever end-to-end header came must have been sent, and the other way round."""
    head = case.data.lstrip(b"\r\n").split(b"\r\n\r\n", 1)[0].split(b"\r\n")[1:]
    sent = {line.split(b":", 1)[0].decode("latin-1").lower() for line in head}
    came = {name.lower() for name, _ in request.headers}
    nominated = {token.strip().lower() for line in head if line.lower().startswith(b"connection:")
                 for token in line.split(b":", 1)[1].decode("latin-1").split(",")}
    expected = {name for name in sent if "_" not in name} - HOP_BY_HOP - ADDED - FRAMING - nominated
    faults = []
    if missing := expected - came:
        faults.append(f"an origin did not receive {sorted(missing)}")
    if extra := came - sent - ADDED - FRAMING - {"host"}:
        faults.append(f"an origin received headers that nobody sent: {sorted(extra)}")
    if hop := came & (HOP_BY_HOP - {"expect", "trailer"}):
        faults.append(f"an origin received hop-by-hop headers: {sorted(hop)}")
    return faults
