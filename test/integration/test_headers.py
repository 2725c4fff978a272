"""What happens to headers, request ids, targets and routes on the way."""

import pytest

from http_scripts import H, get, serve_bytes
from origins import response
from raw_client import GET, RawClient, raw_request

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
    ids=["usual", "128", "129", "space", "slash", "high", "empty", "semicolon"],
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
