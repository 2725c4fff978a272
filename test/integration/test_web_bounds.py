"""What clients ask for does not make a web server grow beyond its bounds: names that are there, and names that are not."""

import os
import re
import shutil
import threading
import time

import pytest

from balancer_site import is_instrumented
from raw_client import RawClient, wait_until
from web_site import numbered_bytes, request_bytes, start_web, write_tree

# With a sanitizer memory is not judged, and a name takes ten times as long.
NAMES = 10_000 if is_instrumented() else 50_000
FILE_BYTES = 4096
STATUS = re.compile(rb"HTTP/1\.1 ([0-9]{3}) ")
# What one name costs, at the least, where nothing bounds it: its text, twice, and a node of the list and of the index.
NAME_COST = 200
# What the process may grow by besides the cache: buffers, the heap's holes, pages that were not touched before.
MARGIN_KIB = 6 << 10


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """One file under very many names; a file system bounds the names of one inode, so there are several."""
    made = tmp_path_factory.mktemp("root")
    for number in range(NAMES):
        if number % 10_000 == 0:
            source = made / f"file{number}.bin"
            source.write_bytes(numbered_bytes(FILE_BYTES))
        os.link(source, made / name_of(number))
    yield made
    shutil.rmtree(made)


def name_of(number):
    return f"a-name-of-forty-bytes-in-the-root-{number:06d}"


def ask_for_all(server, targets):
    """HEAD for each target, pipelined on one connection: how often each status came."""
    data = [request_bytes(target, method="HEAD") for target in targets]
    counts = {}
    with RawClient(server.web_port, 30) as client:
        sender = threading.Thread(target=lambda: [client.send(b"".join(data[at:at + 200])) for at in range(0, len(data), 200)], daemon=True)
        sender.start()
        heads = 0
        while heads < len(data):
            assert client.fill(), f"the connection ended after {heads} answers"
            whole, mark, rest = bytes(client.buffer).rpartition(b"\r\n\r\n")
            client.received.clear()
            if mark:
                client.buffer[:] = rest
                heads += whole.count(b"\r\n\r\n") + 1
                for status in STATUS.findall(whole):
                    counts[int(status)] = counts.get(int(status), 0) + 1
        sender.join(5)
    return counts


def warm_up(server):
    ask_for_all(server, [f"/{name_of(0)}", "/missing"] * 500)
    return server.rss_kib()


def test_names_that_are_not_there_are_bounded(stage, root):
    server = start_web(stage, root, cache={"entries": 1000, "valid": "1h"})
    before = warm_up(server)
    assert ask_for_all(server, [f"/missing-{number}-{'x' * 150}" for number in range(NAMES)]) == {404: NAMES}
    server.assert_grew_less(before, MARGIN_KIB, f"{NAMES} missing names")


def test_names_that_are_there_are_bounded(stage, root):
    server = start_web(stage, root, cache={"entries": 1000, "valid": "1h"})
    before = warm_up(server)
    assert ask_for_all(server, [f"/{name_of(number)}" for number in range(NAMES)]) == {200: NAMES}
    server.assert_grew_less(before, 1000 * (FILE_BYTES + 2048) // 1024 + MARGIN_KIB, f"{NAMES} names in 1000 entries")


def test_bytes_are_bounded(stage, root):
    server = start_web(stage, root, cache={"entries": 1_000_000, "bytes": "2MiB", "valid": "1h"})
    before = warm_up(server)
    assert ask_for_all(server, [f"/{name_of(number)}" for number in range(NAMES // 2)]) == {200: NAMES // 2}
    assert ask_for_all(server, [f"/missing-{number}-{'x' * 150}" for number in range(NAMES // 5)]) == {404: NAMES // 5}
    server.assert_grew_less(before, (2 << 10) + MARGIN_KIB, f"{NAMES // 2} names in 2 MiB")


def test_open_files_are_bounded(stage, root):
    server = start_web(stage, root, cache={"memory": "0", "open_files": 100, "valid": "1h"})
    ask_for_all(server, ["/missing"])
    before = server.open_files()
    assert ask_for_all(server, [f"/{name_of(number)}" for number in range(5000)]) == {200: 5000}
    assert server.open_files() <= before + 100 + 2  # the client's connection may still be there


def test_files_that_were_removed_are_let_go(stage, tmp_path):
    """A descriptor that is kept would keep the file's blocks on the disk."""
    write_tree(tmp_path, {f"{number}.bin": numbered_bytes(70_000) for number in range(200)})
    server = start_web(stage, tmp_path, cache={"valid": "50ms", "open_files": 500})
    ask_for_all(server, ["/missing"])
    before = server.open_files()
    targets = [f"/{number}.bin" for number in range(200)]
    assert ask_for_all(server, targets) == {200: 200}
    for number in range(200):
        os.unlink(tmp_path / f"{number}.bin")

    def is_gone():
        return ask_for_all(server, targets) == {404: 200}

    wait_until(is_gone, 15, "the end of the removed files")
    wait_until(lambda: server.open_files() <= before + 2, 15, "closed descriptors")


def test_few_descriptors_are_shared_by_files_and_clients(stage, root):
    """What is only kept for later gives way: neither a client nor a file goes without because others are cached."""
    server = start_web(stage, root, nofile=500, limits={"connections": 100}, cache={"memory": "0", "valid": "1h"})
    assert ask_for_all(server, [f"/{name_of(number)}" for number in range(1000)]) == {200: 1000}
    clients = [server.client() for _ in range(50)]
    for client in clients:
        assert client.request(request_bytes(f"/{name_of(2000)}")).status == 200
    for client in clients:
        client.close()
    assert "cannot accept" not in server.stderr()


@pytest.mark.parametrize("name", ["in_memory.bin", "on_disk.bin"])
def test_a_client_that_takes_nothing_is_let_go(stage, tmp_path, name):
    """`timeouts.body`: between two pieces. Who takes a little now and then stays."""
    content = numbered_bytes(12 << 20)
    write_tree(tmp_path, {name: content})
    server = start_web(stage, tmp_path, timeouts={"body": "700ms"}, cache={"memory": "16MiB" if name == "in_memory.bin" else "0"})
    with server.client(receive_buffer=64 << 10) as idle, server.client(receive_buffer=64 << 10) as slow:
        for client in (idle, slow):
            client.send(request_bytes(f"/{name}"))
        begin, taken = time.monotonic(), 0
        while server.status()["ended"]["client_timeout"] == 0:
            assert slow.fill(32 << 10)
            taken += 1
            threading.Event().wait(0.02)
        assert time.monotonic() - begin > 0.6 and taken > 10
        assert server.status()["requests_active"] == 1, "the one that takes a little is not the one that was let go"
        idle.read_to_eof()
        assert len(idle.received) < len(content)
        assert slow.response().body == content


def test_a_hot_file_stays_in_a_flood_of_other_names(stage, root):
    """The bound is no way to push out what everybody wants: what is missing pushes out what is missing alone."""
    write_tree(root, {"hot.txt": b"hot"})
    server = start_web(stage, root, cache={"entries": 1000, "valid": "1h"})
    assert server.fetch("/hot.txt").body == b"hot"
    os.unlink(root / "hot.txt")
    ask_for_all(server, [f"/missing-{number}" for number in range(10_000)])
    assert server.fetch("/hot.txt").body == b"hot", "still cached, for an hour"


@pytest.mark.skipif(is_instrumented(), reason="memory is not judged with a sanitizer")
def test_control_without_bounds_both_grow(stage, root):
    """The measure is not blind: what is kept is seen."""
    server = start_web(stage, root, cache={"entries": 10_000_000, "bytes": "2GiB", "valid": "1h"})
    before = warm_up(server)
    ask_for_all(server, [f"/missing-{number}-{'x' * 150}" for number in range(NAMES)])
    missing = server.rss_kib()
    assert missing - before > NAMES * NAME_COST // 1024 > MARGIN_KIB
    ask_for_all(server, [f"/{name_of(number)}" for number in range(NAMES // 5)])
    assert server.rss_kib() - missing > NAMES // 5 * FILE_BYTES // 1024


def test_control_without_a_bound_files_stay_open(stage, root):
    server = start_web(stage, root, cache={"memory": "0", "open_files": 10_000, "valid": "1h"})
    before = server.open_files()
    ask_for_all(server, [f"/{name_of(number)}" for number in range(1000)])
    assert server.open_files() >= before + 1000
