"""The access log on a disk that is full: requests go on, what is lost is counted and told once, and logging resumes."""

import json
import os
import re
import subprocess

import pytest

from balancer_site import SERVING_USER
from raw_client import GET, RawClient, wait_until

BROKEN = re.compile(r"error access_log: cannot be written: lines are lost")
MENDED = re.compile(r"info access_log: is written again")


def serve(lb, count):
    with RawClient(lb.port) as client:
        for _ in range(count):
            assert client.request(GET).status == 200


def dropped(lb):
    return lb.status()["log_lines_dropped_total"]


def whole_lines(path):
    """The lines that are whole, and how many are not."""
    lines, torn = [], 0
    with open(path, encoding="utf-8", errors="replace") as text:
        for line in text.read().split("\n"):
            try:
                lines.append(json.loads(line))
            except ValueError:
                torn += 1 if line else 0
    return lines, torn


def test_a_full_disk_costs_lines_and_no_requests(site, origin, tmp_path):
    link = tmp_path / "access.log"
    link.symlink_to("/dev/full")
    lb = site([origin()], access_log={"enabled": True, "file": str(link)})
    serve(lb, 50)
    wait_until(lambda: dropped(lb) == 50, 10, "50 lines lost")
    assert "trilith_access_log_lines_dropped_total 50" in lb.metrics()
    serve(lb, 30)
    wait_until(lambda: dropped(lb) == 80, 10, "80 lines lost")
    assert len(BROKEN.findall(lb.stderr())) == 1
    assert not MENDED.search(lb.stderr())

    # What logrotate does, onto a disk with room.
    link.unlink()
    lb.do("reload")
    serve(lb, 20)
    wait_until(lambda: link.exists() and len(lb.log_lines(link)) == 20, 10, "20 lines in the new file")
    assert dropped(lb) == 80
    assert len(BROKEN.findall(lb.stderr())) == 1
    assert len(MENDED.findall(lb.stderr())) == 1


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 64 KiB, where we may mount one."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", place], capture_output=True, check=False)
    if mounted.returncode != 0:
        pytest.skip("mounting needs root")
    os.chown(place, *SERVING_USER)
    yield place
    subprocess.run(["umount", "-l", place], check=True)


def test_a_disk_that_fills_up_and_is_cleared_costs_the_lines_between(site, origin, small_disk):
    path = small_disk / "access.log"
    filler = small_disk / "filler"
    filler.write_bytes(b"x" * (48 << 10))
    lb = site([origin()], access_log={"enabled": True, "file": str(path)})
    served = 0
    while dropped(lb) == 0:
        serve(lb, 20)
        served += 20
        assert served < 2000, "64 KiB hold 2000 lines"
    assert len(BROKEN.findall(lb.stderr())) == 1

    filler.unlink()
    kept = len(whole_lines(path)[0])

    def resumed():
        nonlocal served
        serve(lb, 1)
        served += 1
        return len(whole_lines(path)[0]) > kept

    wait_until(resumed, 10, "lines again")
    lines, torn = wait_until(lambda: sum_is(lb, path, served) and whole_lines(path), 10, "every line written or counted")
    # The room comes page by page: a block that is written just then may break off once more.
    assert torn <= 2, "the line in which the disk was full"
    assert all(line["status"] == 200 for line in lines)
    assert len(BROKEN.findall(lb.stderr())) == 1
    assert len(MENDED.findall(lb.stderr())) == 1


def sum_is(lb, path, served):
    return len(whole_lines(path)[0]) + dropped(lb) == served
