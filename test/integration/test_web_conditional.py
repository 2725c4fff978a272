"""What a client has already, and what part it wants: conditions and ranges of RFC 9110, of files in memory and from the disk."""

import os
import socket
import time
from email.utils import parsedate_to_datetime

import pytest

from raw_http import WireError
from web_site import content_range, numbered_bytes, read_multipart, request_bytes, start_web, write_tree

# Tue, 14 Nov 2023 22:13:20 GMT and a half
MODIFIED_NS = 1_700_000_000_500_000_000
DATES = {
    "modified": "Tue, 14 Nov 2023 22:13:20 GMT",
    "earlier": "Tue, 14 Nov 2023 22:13:19 GMT",
    "later": "Tue, 14 Nov 2023 22:13:21 GMT",
    "rfc850": "Tuesday, 14-Nov-23 22:13:20 GMT",
    "asctime": "Tue Nov 14 22:13:20 2023",
}
# The first two are kept in memory (at most 64 KiB), the others are sent from the disk.
FILES = {
    "small.txt": numbered_bytes(1000),
    "limit.bin": numbered_bytes(65536),
    "over.bin": numbered_bytes(65537),
    "large.bin": numbered_bytes(3 << 20),
}
NAMES = list(FILES)
# What differs between two answers to the same question.
PER_ANSWER = {"date", "x-request-id"}


@pytest.fixture(scope="module")
def server(module_stage, tmp_path_factory):
    root = tmp_path_factory.mktemp("root")
    write_tree(root, {**FILES, "empty.txt": b"", "folder/index.html": b"<p>index"})
    for name in (*FILES, "empty.txt", "folder/index.html"):
        os.utime(root / name, ns=(MODIFIED_NS, MODIFIED_NS))
    rules = [{"match": "*.txt", "value": "max-age=60"}]
    return start_web(module_stage, root, cache_control=rules)


@pytest.fixture(scope="module")
def tags(server):
    return {name: server.fetch(f"/{name}").get("etag") for name in (*FILES, "empty.txt")}


@pytest.fixture(scope="module")
def connection(server):
    """One connection for all questions of the tables: what one answer leaves behind spoils the next."""
    with server.client() as client:
        yield client


def ask(connection, name, tag, lines, method="GET"):
    known = {**DATES, "tag": tag, "bare": tag.strip('"'), "size": len(FILES.get(name, b"")), "last": len(FILES.get(name, b"")) - 1}
    return connection.request(request_bytes(f"/{name}", *(line.format(**known) for line in lines), method=method), method)


def fields_of(response, without=PER_ANSWER):
    return sorted((name.lower(), value) for name, value in response.headers if name.lower() not in without)


# ---- what a plain answer says


@pytest.mark.parametrize("name", NAMES)
def test_a_whole_file_has_its_validators(server, name):
    response = server.fetch(f"/{name}")
    assert (response.status, response.body) == (200, FILES[name])
    assert response.get("last-modified") == DATES["modified"], "rounded down to whole seconds"
    tag = response.get("etag")
    assert tag.startswith('"') and tag.endswith('"') and len(tag) > 2, "a strong tag"
    assert response.get("accept-ranges") == "bytes"
    assert response.get("content-length") == str(len(FILES[name]))
    assert response.get("date") and not response.is_chunked
    assert response.get("cache-control") == ("max-age=60" if name.endswith(".txt") else None)


def test_tags_tell_files_and_versions_apart(server, tags, tmp_path_factory, module_stage):
    assert len(set(tags.values())) == len(tags)
    root = tmp_path_factory.mktemp("versions")
    write_tree(root, {"a.txt": b"one"})
    os.utime(root / "a.txt", ns=(MODIFIED_NS, MODIFIED_NS))
    other = start_web(module_stage, root, cache={"valid": "0s"})
    before = other.fetch("/a.txt").get("etag")
    write_tree(root, {"a.txt": b"two"})
    os.utime(root / "a.txt", ns=(MODIFIED_NS, MODIFIED_NS + 1_000_000))
    response = other.fetch("/a.txt", f"If-None-Match: {before}")
    assert (response.status, response.body) == (200, b"two"), "a change within the second is a change"
    assert response.get("etag") != before


def test_no_file_was_modified_after_the_answer(stage, tmp_path):
    """RFC 9110 section 8.8.2.1: an mtime of the future is not told."""
    write_tree(tmp_path, {"a.txt": b"one", "b.txt": b"two"}, int(time.time()) + 10**9)
    os.utime(tmp_path / "b.txt", ns=(MODIFIED_NS, MODIFIED_NS))
    server = start_web(stage, tmp_path, cache={"valid": "0s"})
    response = server.fetch("/a.txt")
    told = response.get("last-modified")
    assert parsedate_to_datetime(told) <= parsedate_to_datetime(response.get("date")), "the date of the answer is the latest"
    for _ in range(2):
        assert server.fetch("/a.txt", f"If-Modified-Since: {told}").status == 304
        assert server.fetch("/a.txt", f"If-Unmodified-Since: {told}").status == 200
        assert server.fetch("/a.txt", "Range: bytes=1-", f"If-Range: {told}").status == 206
    assert server.fetch("/b.txt").get("last-modified") == DATES["modified"], "one of the past is told as it is"


@pytest.mark.parametrize("target", [f"/{name}" for name in NAMES] + ["/empty.txt", "/folder", "/folder/", "/missing", "/healthz"])
def test_head_is_get_without_the_body(server, target):
    with server.client() as client:
        whole = client.request(request_bytes(target))
        head = client.request(request_bytes(target, method="HEAD"), "HEAD")
        assert (head.status, head.body) == (whole.status, b"")
        bodies_differ = {"content-length"} if whole.status == 404 else set()  # it names the request
        assert fields_of(head, PER_ANSWER | bodies_differ) == fields_of(whole, PER_ANSWER | bodies_differ)
        assert client.request(request_bytes("/small.txt")).body == FILES["small.txt"], "nothing was left on the connection"


# ---- conditions

CONDITIONS = {
    "none_match_same": (["If-None-Match: {tag}"], 304),
    "none_match_weak": (["If-None-Match: W/{tag}"], 304),
    "none_match_list": (['If-None-Match: "a", {tag}, "b"'], 304),
    "none_match_list_of_weak_ones": (['If-None-Match: W/"a", W/{tag}'], 304),
    "none_match_list_without_spaces": (['If-None-Match: "a",{tag},"b"'], 304),
    "none_match_empty_elements": (["If-None-Match: , ,{tag},"], 304),
    "none_match_comma_in_a_tag": (['If-None-Match: "a,b", {tag}'], 304),
    "none_match_two_lines": (['If-None-Match: "a"', "If-None-Match: {tag}"], 304),
    "none_match_star": (["If-None-Match: *"], 304),
    "none_match_other": (['If-None-Match: "a"'], 200),
    "none_match_others": (['If-None-Match: "a", W/"b"'], 200),
    "none_match_prefix": (['If-None-Match: "{bare}x"'], 200),
    "none_match_without_quotes": (["If-None-Match: {bare}"], 200),
    "none_match_star_in_quotes": (['If-None-Match: "*"'], 200),
    "none_match_empty": (["If-None-Match:"], 200),
    "none_match_other_beats_since": (['If-None-Match: "a"', "If-Modified-Since: {later}"], 200),
    "none_match_same_beats_since": (["If-None-Match: {tag}", "If-Modified-Since: {earlier}"], 304),
    "modified_since_same": (["If-Modified-Since: {modified}"], 304),
    "modified_since_later": (["If-Modified-Since: {later}"], 304),
    "modified_since_earlier": (["If-Modified-Since: {earlier}"], 200),
    "modified_since_rfc850": (["If-Modified-Since: {rfc850}"], 304),
    "modified_since_asctime": (["If-Modified-Since: {asctime}"], 304),
    "modified_since_is_no_date": (["If-Modified-Since: yesterday"], 200),
    "modified_since_other_zone": (["If-Modified-Since: Tue, 14 Nov 2023 22:13:20 +0000"], 200),
    "modified_since_no_such_day": (["If-Modified-Since: Tue, 31 Nov 2023 22:13:20 GMT"], 200),
    "modified_since_empty": (["If-Modified-Since:"], 200),
    "match_same": (["If-Match: {tag}"], 200),
    "match_star": (["If-Match: *"], 200),
    "match_list": (['If-Match: "a", {tag}'], 200),
    "match_other": (['If-Match: "a"'], 412),
    "match_weak_is_no_match": (["If-Match: W/{tag}"], 412),
    "match_without_quotes": (["If-Match: {bare}"], 412),
    "unmodified_since_same": (["If-Unmodified-Since: {modified}"], 200),
    "unmodified_since_later": (["If-Unmodified-Since: {later}"], 200),
    "unmodified_since_earlier": (["If-Unmodified-Since: {earlier}"], 412),
    "unmodified_since_is_no_date": (["If-Unmodified-Since: 0"], 200),
    "match_beats_unmodified_since": (["If-Match: {tag}", "If-Unmodified-Since: {earlier}"], 200),
    "match_other_before_none_match": (['If-Match: "a"', "If-None-Match: {tag}"], 412),
    "match_same_then_none_match": (["If-Match: {tag}", "If-None-Match: {tag}"], 304),
    "unmodified_since_before_modified_since": (["If-Unmodified-Since: {earlier}", "If-Modified-Since: {later}"], 412),
    "unmodified_since_then_modified_since": (["If-Unmodified-Since: {later}", "If-Modified-Since: {later}"], 304),
    "none_match_before_range": (["If-None-Match: {tag}", "Range: bytes=0-9"], 304),
    "none_match_before_a_range_that_is_not_there": (["If-None-Match: {tag}", "Range: bytes={size}-"], 304),
    "match_before_range": (['If-Match: "a"', "Range: bytes=0-9"], 412),
}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("case", CONDITIONS)
def test_conditions(connection, tags, name, case):
    lines, status = CONDITIONS[case]
    for method in ("GET", "HEAD"):
        response = ask(connection, name, tags[name], lines, method)
        assert response.status == status, response
        if status == 200:
            assert response.body == (FILES[name] if method == "GET" else b"")
        if status == 304:
            judge_not_modified(response, tags[name], name)
        if status == 412:
            assert FILES[name][:100] not in response.body


def judge_not_modified(response, tag, name):
    """RFC 9110 section 15.4.5: what a 200 would have said to caches, nothing of the representation else, no body."""
    assert response.body == b""
    assert response.get("etag") == tag
    assert response.get("date")
    assert response.get("cache-control") == ("max-age=60" if name.endswith(".txt") else None)
    for field in ("content-type", "content-encoding", "content-range", "transfer-encoding"):
        assert response.get(field) is None, field
    assert response.get("content-length") in (None, str(len(FILES[name])))


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_conditions_do_not_let_a_method_through(server, tags, method):
    response = server.fetch("/small.txt", f"If-Match: {tags['small.txt']}", "Content-Length: 0", method=method)
    assert response.status == 405


@pytest.mark.parametrize("line", ["If-Match: *", 'If-Match: "a"', "If-None-Match: *", "If-Unmodified-Since: {earlier}", "If-Modified-Since: {later}", "Range: bytes=0-1"])
@pytest.mark.parametrize(("target", "status"), [("/missing", 404), ("/folder", 301), ("/missing/", 404)])
def test_conditions_are_for_what_would_be_sent(server, target, status, line):
    """RFC 9110 section 13.2.1: without them it would be no 2xx, so they are not looked at."""
    for method in ("GET", "HEAD"):
        assert server.fetch(target, line.format(**DATES), method=method).status == status


def test_conditions_of_a_folder_are_those_of_its_index(server):
    index = server.fetch("/folder/")
    assert index.get("etag") == server.fetch("/folder/index.html").get("etag")
    assert server.fetch("/folder/", f"If-None-Match: {index.get('etag')}").status == 304
    assert server.fetch("/folder/", 'If-Match: "a"').status == 412
    assert server.fetch("/folder/", "Range: bytes=3-4").body == b"in"


# ---- ranges

WHOLE = "whole"
RANGES = {
    "first_byte": ("bytes=0-0", [(0, 0)]),
    "middle": ("bytes=10-19", [(10, 19)]),
    "all": ("bytes=0-{last}", [(0, -1)]),
    "end_beyond": ("bytes=10-{size}", [(10, -1)]),
    "end_far_beyond": ("bytes=10-99999999999999999999999", [(10, -1)]),
    "open": ("bytes=100-", [(100, -1)]),
    "open_from_the_first": ("bytes=0-", [(0, -1)]),
    "open_from_the_last": ("bytes={last}-", [(-1, -1)]),
    "leading_zeros": ("bytes=00010-00019", [(10, 19)]),
    "suffix_of_one": ("bytes=-1", [(-1, -1)]),
    "suffix": ("bytes=-100", [(-100, -1)]),
    "suffix_of_all": ("bytes=-{size}", [(0, -1)]),
    "suffix_of_more": ("bytes=-99999999999999999999999", [(0, -1)]),
    "unit_in_capitals": ("BYTES=0-9", [(0, 9)]),
    "two": ("bytes=0-9,20-29", [(0, 9), (20, 29)]),
    "two_with_spaces": ("bytes=0-9 , 20-29", [(0, 9), (20, 29)]),
    "two_with_empty_elements": ("bytes=,0-9,,20-29,", [(0, 9), (20, 29)]),
    "first_and_last_byte": ("bytes=0-0,-1", [(0, 0), (-1, -1)]),
    "order_as_asked": ("bytes=500-509,0-9", [(500, 509), (0, 9)]),
    "overlapping_are_joined": ("bytes=0-19,10-29", [(0, 29)]),
    "touching_are_joined": ("bytes=0-9,10-19", [(0, 19)]),
    "one_of_two_is_not_there": ("bytes=0-9,{size}-", [(0, 9)]),
    "one_of_three_is_not_there": ("bytes={size}-,0-9,20-29", [(0, 9), (20, 29)]),
    "sixteen": ("bytes=" + ",".join(f"{at}-{at + 1}" for at in range(0, 64, 4)), [(at, at + 1) for at in range(0, 64, 4)]),
    "from_the_end": ("bytes={size}-", 416),
    "from_beyond": ("bytes=99999999999999999999999-", 416),
    "suffix_of_nothing": ("bytes=-0", 416),
    "none_of_two_is_there": ("bytes={size}-,-0", 416),
    "unknown_unit": ("lines=0-9", WHOLE),
    "no_equals": ("bytes 0-9", WHOLE),
    "backwards": ("bytes=9-0", WHOLE),
    "one_of_two_backwards": ("bytes=0-9,20-10", WHOLE),
    "no_ranges": ("bytes=", WHOLE),
    "only_commas": ("bytes=,,", WHOLE),
    "only_a_dash": ("bytes=-", WHOLE),
    "two_dashes": ("bytes=--9", WHOLE),
    "no_dash": ("bytes=9", WHOLE),
    "letters": ("bytes=a-b", WHOLE),
    "signs": ("bytes=+0-9", WHOLE),
    "a_point": ("bytes=0-9.5", WHOLE),
    "hexadecimal": ("bytes=0x0-0x9", WHOLE),
    "semicolon": ("bytes=0-9;20-29", WHOLE),
    "empty": ("", WHOLE),
    "too_many": ("bytes=" + ",".join(f"{at}-{at}" for at in range(0, 100, 2)), WHOLE),
    "more_than_the_whole": ("bytes=0-,0-,0-", WHOLE),
    "a_thousand_times_all": ("bytes=" + ",".join(["0-"] * 1000), WHOLE),
}


def judge_range(response, name, tag, expected):
    content = FILES[name]
    size = len(content)
    if expected == WHOLE:
        assert (response.status, response.body) == (200, content)
        assert response.get("content-range") is None
        return
    if expected == 416:
        assert response.status == 416
        assert response.get("content-range") == f"bytes */{size}"
        assert content[:100] not in response.body
        return
    assert response.status == 206, response
    assert response.get("etag") == tag and response.get("last-modified") == DATES["modified"]
    wanted = [tuple(at % size for at in one) for one in expected]
    if len(wanted) == 1:
        first, last = wanted[0]
        assert content_range(response.get("content-range")) == (first, last, size)
        assert response.body == content[first:last + 1]
        return
    assert response.get("content-range") is None, "it would belong to one part"
    parts = read_multipart(response)
    assert [(first, last) for _, (first, last, _), _ in parts] == wanted
    for fields, (first, last, of), piece in parts:
        assert (piece, of) == (content[first:last + 1], size)
        assert fields.get("content-type").startswith("text/plain" if name.endswith(".txt") else "application/octet-stream")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("case", RANGES)
def test_ranges(connection, tags, name, case):
    value, expected = RANGES[case]
    judge_range(ask(connection, name, tags[name], [f"Range: {value}"]), name, tags[name], expected)


@pytest.mark.parametrize("name", NAMES)
def test_a_range_is_for_get_alone(connection, tags, name):
    """RFC 9110 section 14.2."""
    whole = ask(connection, name, tags[name], [], "HEAD")
    assert fields_of(ask(connection, name, tags[name], ["Range: bytes=0-9"], "HEAD")) == fields_of(whole)
    assert ask(connection, name, tags[name], ["Range: bytes={size}-"], "HEAD").status == 200


def test_two_range_fields_are_none(connection, tags):
    response = ask(connection, "small.txt", tags["small.txt"], ["Range: bytes=0-9", "Range: bytes=20-29"])
    judge_range(response, "small.txt", tags["small.txt"], WHOLE)


IF_RANGES = {
    "same_tag": ("{tag}", True),
    "weak_tag": ("W/{tag}", False),
    "other_tag": ('"a"', False),
    "tag_list": ('"a", {tag}', False),
    "tag_without_quotes": ("{bare}", False),
    "star": ("*", False),
    "same_date": ("{modified}", True),
    "same_date_rfc850": ("{rfc850}", True),
    "earlier_date": ("{earlier}", False),
    "later_date": ("{later}", False),
    "no_date": ("soon", False),
    "empty": ("", False),
}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("case", IF_RANGES)
def test_if_range(connection, tags, name, case):
    value, is_same = IF_RANGES[case]
    for wanted, expected in (("bytes=100-199", [(100, 199)]), ("bytes=0-9,20-29", [(0, 9), (20, 29)]), ("bytes={size}-", 416)):
        response = ask(connection, name, tags[name], [f"Range: {wanted}", f"If-Range: {value}"])
        judge_range(response, name, tags[name], expected if is_same else WHOLE)


def test_if_range_without_range_means_nothing(connection, tags):
    judge_range(ask(connection, "small.txt", tags["small.txt"], ['If-Range: "a"']), "small.txt", tags["small.txt"], WHOLE)


def test_long_ranges_of_a_file_on_the_disk(connection, tags):
    """Parts of several sends each, with heads of parts between them."""
    value = "bytes=0-999999,1500000-1500000,2000000-2999999,-100000"
    response = ask(connection, "large.bin", tags["large.bin"], [f"Range: {value}"])
    expected = [(0, 999_999), (1_500_000, 1_500_000), (2_000_000, 2_999_999), (-100_000, -1)]
    judge_range(response, "large.bin", tags["large.bin"], expected)


def test_an_empty_file(connection, tags):
    for method in ("GET", "HEAD"):
        response = ask(connection, "empty.txt", tags["empty.txt"], [], method)
        assert (response.status, response.get("content-length"), response.body) == (200, "0", b"")
    response = ask(connection, "empty.txt", tags["empty.txt"], ["Range: bytes=0-0"])
    assert (response.status, response.get("content-range")) == (416, "bytes */0")
    assert ask(connection, "empty.txt", tags["empty.txt"], ["If-None-Match: {tag}"]).status == 304


def test_pieces_put_together_are_the_file(connection, tags):
    for name in NAMES:
        size = len(FILES[name])
        step = size // 7 + 1
        pieces = [ask(connection, name, tags[name], [f"Range: bytes={at}-{at + step - 1}"]).body for at in range(0, size, step)]
        assert b"".join(pieces) == FILES[name]


def test_pipelined_questions_of_all_kinds_are_answered_in_order(server, tags):
    tag = tags["large.bin"]
    wanted = [
        ("GET", "/small.txt", [], 200, FILES["small.txt"]),
        ("HEAD", "/large.bin", [], 200, b""),
        ("GET", "/large.bin", ["Range: bytes=5-70000"], 206, FILES["large.bin"][5:70001]),
        ("GET", "/large.bin", [f"If-None-Match: {tag}"], 304, b""),
        ("GET", "/missing", [], 404, None),
        ("POST", "/small.txt", ["Content-Length: 5"], 405, None),
        ("GET", "/folder", [], 301, None),
        ("GET", "/large.bin", ["Range: bytes=99999999-"], 416, None),
        ("GET", "/over.bin", ['If-Match: "a"'], 412, None),
        ("GET", "/large.bin", [], 200, FILES["large.bin"]),
        ("GET", "/empty.txt", [], 200, b""),
        ("GET", "/healthz", [], 200, None),
    ] * 3
    bodies = {"POST": b"hello"}
    data = b"".join(request_bytes(target, *lines, method=method) + bodies.get(method, b"") for method, target, lines, _, _ in wanted)
    with server.client() as client:
        client.send(data)
        for method, target, _, status, body in wanted:
            response = client.response(method)
            assert response.status == status, (target, response)
            assert body is None or response.body == body, target
        assert client.is_quiet_for(0.1), "not a byte too many"


@pytest.mark.parametrize("name", ["small.txt", "large.bin"])
def test_http_1_0_gets_the_file_and_the_end(server, name):
    with server.client() as client:
        client.send(f"GET /{name} HTTP/1.0\r\nHost: w.test\r\n\r\n".encode())
        response = client.response()
        assert (response.status, response.body) == (200, FILES[name])
        assert client.is_closed_within(5)
    with server.client() as client:
        for _ in range(2):
            client.send(f"GET /{name} HTTP/1.0\r\nHost: w.test\r\nConnection: keep-alive\r\n\r\n".encode())
            assert client.response().body == FILES[name]


def test_a_client_that_asks_for_the_end_gets_it_behind_the_whole_file(server):
    for name in NAMES:
        with server.client() as client:
            response = client.request(request_bytes(f"/{name}", "Connection: close"))
            assert response.body == FILES[name] and "close" in response.tokens("connection")
            assert client.is_closed_within(5)


def test_parts_and_the_end_of_the_connection(server, tags):
    for name in NAMES:
        with server.client() as client:
            response = client.request(request_bytes(f"/{name}", "Range: bytes=0-9,20-29", "Connection: close"))
            judge_range(response, name, tags[name], [(0, 9), (20, 29)])
            assert client.is_closed_within(5)


def test_a_client_that_has_said_all_still_gets_all(server):
    """It closes its half of the connection behind the request."""
    for name in NAMES:
        with server.client(receive_buffer=64 << 10) as client:
            client.send(request_bytes(f"/{name}"))
            client.sock.shutdown(socket.SHUT_WR)
            assert client.response().body == FILES[name]
            assert client.is_closed_within(5)


def test_a_file_of_more_than_4_gib(module_stage, tmp_path_factory):
    """Sparse: it takes no room."""
    root = tmp_path_factory.mktemp("sparse")
    size, middle = 5 << 30, (4 << 30) - 3
    with open(root / "huge.bin", "wb") as out:
        out.truncate(size)
        out.seek(middle)
        out.write(b"abcdef")
        out.seek(size - 2)
        out.write(b"yz")
    server = start_web(module_stage, root)
    assert server.fetch("/huge.bin", method="HEAD").get("content-length") == str(size)
    for value, body, first in (
        (f"bytes={middle}-{middle + 5}", b"abcdef", middle), (f"bytes={size - 3}-", b"\0yz", size - 3), ("bytes=-2", b"yz", size - 2),
        (f"bytes={size - 1}-99999999999", b"z", size - 1),
    ):
        response = server.fetch("/huge.bin", f"Range: {value}")
        assert (response.status, response.body) == (206, body)
        assert content_range(response.get("content-range")) == (first, first + len(body) - 1, size)
    assert server.fetch("/huge.bin", f"Range: bytes={size}-").get("content-range") == f"bytes */{size}"
    parts = read_multipart(server.fetch("/huge.bin", f"Range: bytes=-2,{middle}-{middle + 5}"))
    assert [piece for _, _, piece in parts] == [b"yz", b"abcdef"]


def test_control_the_judges_refuse_what_is_wrong(connection, tags):
    """A body of another range, a part that is too short, a 304 with another tag: each is seen."""
    name, tag = "over.bin", tags["over.bin"]
    response = ask(connection, name, tag, ["Range: bytes=10-19"])
    with pytest.raises(AssertionError):
        judge_range(response, name, tag, [(10, 20)])
    response = ask(connection, name, tag, ["Range: bytes=0-9,20-29"])
    judge_range(response, name, tag, [(0, 9), (20, 29)])
    with pytest.raises(AssertionError):
        judge_range(response, name, tag, [(20, 29), (0, 9)])
    response.body = response.body.replace(FILES[name][20:30], FILES[name][20:29])
    with pytest.raises(WireError):
        judge_range(response, name, tag, [(0, 9), (20, 29)])
    with pytest.raises(AssertionError):
        judge_not_modified(ask(connection, name, tag, ["If-None-Match: {tag}"]), '"a"', name)
