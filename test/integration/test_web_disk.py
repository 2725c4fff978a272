"""A disk that fails under load: the request that needs it is told, or broken off, and nobody else; the log says it once."""

import os

import pytest

from balancer_site import ROOT
from raw_client import wait_until
from raw_http import WireError
from web_load import FileLoad, version_bytes
from web_site import start_web, write_tree

DISK = os.environ.get("FAILING_DISK") or os.path.join(ROOT, "build", "asan", "failing_disk.so")
FAULT = r"error web: file cannot be read: answered 500, or broken off .*path={} .*Input/output error"
SMALL, LARGE = version_bytes(1, 1000), version_bytes(1, 4 << 20)
HEALTHY = ["/small.txt", "/large.bin"]
PAGE = b"<p>broken"


@pytest.fixture
def server(stage, tmp_path, monkeypatch):
    assert os.path.exists(DISK), "build the preset asan, or name the library in FAILING_DISK"
    write_tree(tmp_path, {"small.txt": SMALL, "large.bin": LARGE, "a.txt": SMALL, "b.bin": LARGE, "500.html": PAGE})
    monkeypatch.setenv("LD_PRELOAD", DISK)
    started = start_web(stage, tmp_path, cache={"valid": "50ms"}, error_pages={500: "/500.html"})
    monkeypatch.delenv("LD_PRELOAD")
    started.root = tmp_path
    return started


def fail_from(server, name, offset):
    with open(server.root / f"{name}.eio", "wb") as marker:
        marker.truncate(offset)


def mend(server, name):
    os.unlink(server.root / f"{name}.eio")


def ask_often(server, target, times=10):
    """What the requests for the broken file met, while others are asked for under load."""
    seen = []
    with FileLoad(server.web_port, HEALTHY, clients=3) as load:
        load.wait_fetches(6)
        for _ in range(times):
            try:
                response = server.fetch(target)
                seen.append((response.status, response.body))
            except WireError as error:
                assert "too early" in str(error), error
                seen.append("broken off")
            load.wait_fetches(2)
        load.stop()
    assert load.faults() == []
    return seen


@pytest.mark.parametrize("name", ["a.txt", "b.bin"])
def test_a_file_that_cannot_be_read_is_a_500_for_that_request_alone_and_logged_once(server, name):
    fail_from(server, name, 0)
    assert ask_often(server, f"/{name}") == [(500, PAGE)] * 10
    server.wait_log(FAULT.format(name))
    assert server.stderr().count("file cannot be read") == 1
    assert server.fetch(f"/{name}", method="HEAD").status in (200, 500)
    mend(server, name)
    content = SMALL if name == "a.txt" else LARGE
    wait_until(lambda: server.fetch(f"/{name}").body == content, 15, "the mended disk")


def test_a_file_that_fails_in_its_middle_is_broken_off_and_logged_once(server):
    fail_from(server, "b.bin", 3 << 20)
    assert ask_often(server, "/b.bin") == ["broken off"] * 10
    server.wait_log(FAULT.format("b.bin"))
    assert server.stderr().count("file cannot be read") == 1
    assert server.status()["ended"]["file_failed"] == 10
    response = server.fetch("/b.bin", "Range: bytes=0-99")
    assert (response.status, response.body) == (206, LARGE[:100]), "what is not broken is there"


def test_an_error_page_that_cannot_be_read_is_a_plain_text(server):
    fail_from(server, "a.txt", 0)
    fail_from(server, "500.html", 0)
    wait_until(lambda: server.fetch("/a.txt").status == 500, 15, "the failing disk")
    response = server.fetch("/a.txt")
    assert response.status == 500 and response.body.startswith(b"500 Internal Server Error\n")
    assert response.body.count(b"\n") == 2, response.body


def test_a_large_error_page_that_cannot_be_read_is_a_plain_text_too(server):
    os.rename(server.root / "large.bin", server.root / "500.html")
    fail_from(server, "a.txt", 0)
    fail_from(server, "500.html", 0)
    wait_until(lambda: server.fetch("/a.txt").body.startswith(b"500 Internal Server Error\n"), 15, "the plain text")


def test_control_the_same_disk_without_a_fault_fails_nobody(server):
    assert ask_often(server, "/b.bin") == [(200, LARGE)] * 10
    assert ask_often(server, "/a.txt") == [(200, SMALL)] * 10
    assert "file cannot be read" not in server.stderr()
