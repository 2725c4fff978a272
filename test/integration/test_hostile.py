"""Every request of the hostile table through a real balancer, judged by what an origin that records raw bytes received."""

from dataclasses import replace

import pytest

from hostile_check import GOOD, check
from hostile_requests import CASES, LIMITS, Case, get
from lenient_proxy import LenientProxy
from origins import RecordingOrigin
from raw_client import RawClient

REFUSED = [case for case in CASES if case.refusals and not case.may_forward]
SHORT = [case for case in CASES if len(case.data) <= 400]


@pytest.fixture(scope="module")
def guarded(module_stage):
    origin = module_stage.origin()
    site = module_stage.site([origin], limits=LIMITS, health={"interval": "1h"})
    return site.port, origin


def test_the_table_is_large_and_its_names_are_unique():
    assert len(REFUSED) >= 140
    assert len({case.name for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", CASES, ids=repr)
def test_one_reading_or_none(guarded, case):
    port, origin = guarded
    assert check(case, port, origin) == []


@pytest.mark.parametrize("case", REFUSED, ids=repr)
def test_refused_behind_a_good_request_in_the_same_segment(guarded, case):
    port, origin = guarded
    assert check(case, port, origin, prefix=GOOD) == []


@pytest.mark.parametrize("case", SHORT, ids=repr)
def test_the_same_byte_by_byte(guarded, case):
    port, origin = guarded
    assert check(case, port, origin, byte_by_byte=True) == []


def test_what_follows_a_refused_request_is_not_read(guarded):
    port, origin = guarded
    before = len(origin.requests)
    with RawClient(port) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: a.test\r\nA : b\r\n\r\n" + get(target=b"/behind") * 50)
        assert client.response().status == 400
        client.read_to_eof()
    assert not any(request.target == "/behind" for request in origin.requests[before:])


# ---- negative controls: the check must go red


@pytest.fixture(scope="module")
def careless():
    with RecordingOrigin() as origin, LenientProxy(origin.port) as proxy:
        yield proxy.port, origin


@pytest.mark.parametrize("case", [case for case in REFUSED if len(case.data) < 2000][::6], ids=repr)
def test_control_a_lenient_proxy_is_found_out(careless, case):
    port, origin = careless
    assert check(case, port, origin) != []


def test_control_a_balancer_that_passes_hop_by_hop_headers_is_found_out(careless):
    port, origin = careless
    case = next(case for case in CASES if case.name == "hop_by_hop")
    assert any("hop-by-hop" in fault for fault in check(case, port, origin))


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"body": b"other"}, "body"),
        ({"target": "/other"}, "target"),
        ({"method": "PUT"}, "received GET"),
        ({"headers": (("A", "c"),)}, "A: "),
        ({"absent": ("A",)}, "forbidden"),
        ({"closes": True}, "stayed open"),
        ({"may_forward": False, "refusals": (400,)}, "an origin received"),
    ],
    ids=lambda value: str(value),
)
def test_control_a_wrong_expectation_is_found_out(change, word):
    case = Case("control", get(b"A: b\r\n"), may_forward=True)
    with RecordingOrigin() as origin:
        assert check(case, origin.port, origin) == []
        assert any(word in fault for fault in check(replace(case, **change), origin.port, origin))
