"""Files and roots that change while clients fetch them: whatever arrives whole is wholly one version, and soon the new one."""

import os
import shutil
import threading
import time

import pytest

from origins import response
from raw_client import RawClient, wait_until
from raw_http import WireError, read_response_body, read_response_head
from web_load import LINE_BYTES, FileLoad, MixError, read_version, version_bytes
from web_site import MARGIN, numbered_bytes, replace_file, replace_link, request_bytes, start_web, write_tree

SIZES = {"1KiB": 1 << 10, "100KiB": 100 << 10, "8MiB": 8 << 20}
VALID = {"valid": "50ms"}


class ChangingFile:
    """A file whose every change is a new version; those of the second kind are not done in one step."""

    def __init__(self, folder, size):
        self.path = os.path.join(folder, "file.bin")
        self.size = size
        self.version = 1
        replace_file(self.path, self.content())

    def content(self):
        return version_bytes(self.version, self.size)

    def rename(self):
        self.version += 1
        replace_file(self.path, self.content())

    def remove(self):
        if os.path.exists(self.path):
            os.unlink(self.path)
        else:
            self.rename()

    def truncate(self):
        """To nothing: see the test of what was sent and not yet received for the reason."""
        if self.is_whole():
            os.truncate(self.path, 0)
        else:
            self.rename()

    def is_whole(self):
        return os.path.exists(self.path) and os.path.getsize(self.path) == len(self.content())

    def rewrite(self):
        """Emptied, then written in pieces: for a while only a beginning is there."""
        self.version += 1
        content = self.content()
        with open(self.path, "wb", buffering=0) as out:
            for at in range(0, len(content), len(content) // 8 + 1):
                out.write(content[at:at + len(content) // 8 + 1])


def wait_served(server, content, seconds=0.05 + MARGIN):
    def is_served():
        try:
            return server.fetch("/file.bin").body == content
        except WireError:
            return False

    wait_until(is_served, seconds, "the new content")


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("change", ["rename", "remove", "truncate", "rewrite"])
def test_a_file_that_changes_under_load(stage, tmp_path, change, size):
    file = ChangingFile(tmp_path, SIZES[size])
    server = start_web(stage, tmp_path, cache=VALID, threads=2)
    changes, fetches = (6, 4) if size == "8MiB" else (24, 20)
    with FileLoad(server.web_port, ["/file.bin"]) as load:
        for number in range(changes):
            getattr(file, change)()
            load.wait_fetches(fetches)
            if number % 2 and file.is_whole():
                wait_until(lambda: file.version in load.seen(), 0.05 + MARGIN, "the new version at a client")
        file.rename()
        wait_served(server, file.content())
        load.wait_fetches(fetches)
        load.stop()
    print(f"{change} {size}: {load.fetched} fetches, {len(load.broken)} broken off, {dict(load.statuses)}")
    assert load.mixes == []
    assert len(load.seen() - {None}) > 2, "the load met the changes"
    is_in_steps = change in ("truncate", "rewrite")
    if not is_in_steps:
        for target, version, length in load.versions:
            assert length == len(version_bytes(version, SIZES[size])), (target, version, length)
    assert set(load.statuses) <= {"rename": set(), "remove": {404}, "truncate": {503}, "rewrite": {503}}[change]
    # Of the old file every byte is still there after a rename or a removal: nothing needs to be broken off.
    assert load.broken == [] or is_in_steps


def test_control_the_load_sees_mixes_and_broken_answers(origin):
    one, two = version_bytes(1, 3000), version_bytes(2, 3000)
    bodies = {"/mix": one[:1550] + two[1550:], "/late": one + two[:31], "/other": b"x" * 500, "/part": one[:1553], "/one": one}

    def answer(request):
        if request.target == "/short":
            return response(one)[:-1]
        return response(bodies[request.target])

    def script(connection):
        request = connection.request()
        connection.send(answer(request))

    server = origin(script=script)
    for target, faults in (("/mix", 1), ("/late", 1), ("/other", 1), ("/part", 0), ("/one", 0)):
        body = bodies[target]
        if faults:
            with pytest.raises(MixError):
                read_version(body)
        else:
            assert read_version(body) == 1
    with FileLoad(server.port, ["/mix", "/short", "/one"], clients=1) as load:
        load.wait_fetches(6)
        load.stop()
    assert load.mixes and load.broken and load.seen() == {1}


# ---- what happens to an answer that is on its way


class SlowFetch:
    """A client that has read the head and a little of a large answer, and goes on only when it is told to."""

    def __init__(self, server, target, *lines):
        self.client = server.client(receive_buffer=64 << 10)
        self.client.send(request_bytes(target, *lines))
        self.response = read_response_head(self.client)

    def rest(self):
        """The whole body; WireError when it is broken off."""
        with self.client:
            return read_response_body(self.client, self.response).body


GENTLE = {
    "rename": lambda file: file.rename(),
    "remove": lambda file: file.remove(),
    "second_name": lambda file: os.link(file.path, file.path + ".copy"),
    "other_rights": lambda file: os.chmod(file.path, 0o600),
    "moved": lambda file: os.rename(file.path, file.path + ".old"),
}


@pytest.mark.parametrize("change", GENTLE)
def test_an_answer_on_its_way_is_finished_when_no_byte_of_it_changes(stage, tmp_path, change):
    """The descriptor holds the old file: who has begun to load it gets all of it."""
    file = ChangingFile(tmp_path, 8 << 20)
    server = start_web(stage, tmp_path, cache=VALID)
    old = file.content()
    fetch, part = SlowFetch(server, "/file.bin"), SlowFetch(server, "/file.bin", "Range: bytes=1000-7999999")
    GENTLE[change](file)
    assert fetch.rest() == old
    assert part.rest() == old[1000:8_000_000]


@pytest.mark.parametrize("change", ["rename", "remove"])
def test_what_is_cached_of_a_file_that_was_replaced_is_whole_until_it_is_looked_at_again(stage, tmp_path, change):
    """`valid` is a promise to serve the old one for so long, not to break off for so long."""
    file = ChangingFile(tmp_path, 1 << 20)
    server = start_web(stage, tmp_path, cache={"valid": "1h"})
    old = server.fetch("/file.bin").body
    assert old == file.content()
    getattr(file, change)()
    assert server.fetch("/file.bin").body == old
    assert server.fetch("/file.bin", "Range: bytes=-500").body == old[-500:]


ROUGH = {
    "rewrite": lambda file: file.rewrite(),
    "same_length": lambda file: write_over(file.path, version_bytes(4, file.size)),
    "last_line": lambda file: write_over(file.path, b"version 99999999              \n", -LINE_BYTES),
    "halved": lambda file: halve(file),
    "emptied": lambda file: file.truncate(),
}


def halve(file):
    os.truncate(file.path, len(file.content()) // 2 // LINE_BYTES * LINE_BYTES)


def write_over(path, content, at=0):
    with open(path, "r+b") as out:
        out.seek(at, os.SEEK_END if at < 0 else os.SEEK_SET)
        out.write(content)


@pytest.mark.parametrize("change", ROUGH)
def test_an_answer_on_its_way_is_broken_off_when_its_file_is_written_to(stage, tmp_path, change):
    """A client that got Content-Length bytes would take them for the file."""
    file = ChangingFile(tmp_path, 8 << 20)
    server = start_web(stage, tmp_path, cache=VALID)
    fetch = SlowFetch(server, "/file.bin")
    ROUGH[change](file)
    with pytest.raises(WireError, match="too early"):
        fetch.rest()
    wait_until(lambda: server.status()["ended"]["file_failed"] == 1, 15, "the count of the broken answer")
    file.rename()
    wait_served(server, file.content())


def test_a_broken_answer_is_told_in_the_log(stage, tmp_path):
    file = ChangingFile(tmp_path, 8 << 20)
    server = start_web(stage, tmp_path, access_log={"enabled": True})
    fetch = SlowFetch(server, "/file.bin")
    file.rewrite()
    with pytest.raises(WireError, match="too early"):
        fetch.rest()
    wait_until(server.log_lines, 15, "the line of the broken answer")
    line = server.log_lines()[0]
    assert line["ended"] == "file_failed" and "changed" in line["reason"], line


@pytest.mark.parametrize("change", ["rewrite", "same_length"])
def test_after_a_broken_answer_the_file_is_looked_at_again(stage, tmp_path, change):
    """`valid` bounds how long the server may not know. Once it knows, the next client need not suffer."""
    file = ChangingFile(tmp_path, 1 << 20)
    server = start_web(stage, tmp_path, cache={"valid": "1h"})
    assert server.fetch("/file.bin").body == file.content()
    ROUGH[change](file)
    with open(file.path, "rb") as now:
        content = now.read()
    wait_until(lambda: body_of(server, "/file.bin") == content, MARGIN, "the new content")


@pytest.mark.parametrize("change", [*GENTLE, *ROUGH])
def test_an_answer_from_memory_is_finished_whatever_becomes_of_the_file(stage, tmp_path, change):
    file = ChangingFile(tmp_path, 8 << 20)
    server = start_web(stage, tmp_path, cache={"valid": "50ms", "memory": "16MiB"})
    old = file.content()
    fetch, part = SlowFetch(server, "/file.bin"), SlowFetch(server, "/file.bin", "Range: bytes=1000-7999999")
    (GENTLE | ROUGH)[change](file)
    assert fetch.rest() == old
    assert part.rest() == old[1000:8_000_000]


def fetch_unread(stage, tmp_path, change, **keys):
    """(received, old content): the server is done with the answer, and its bytes lie in the sockets when the file is written to in place."""
    file = ChangingFile(tmp_path, 200 << 10)
    old = file.content()
    server = start_web(stage, tmp_path, **keys)
    with server.client() as client:
        client.send(request_bytes("/file.bin"))
        wait_until(lambda: server.status()["ended"]["complete"] == 1, 15, "the end of the answer as the server sees it")
        if change == "same_length":
            write_over(file.path, version_bytes(4, file.size))
        else:
            halve(file)
        return client.response().body, old


@pytest.mark.parametrize("change", ["same_length", "halved"])
def test_what_was_sent_and_not_yet_received_does_not_change(stage, tmp_path, change):
    received, old = fetch_unread(stage, tmp_path, change)
    assert received == old


@pytest.mark.parametrize("change", ["same_length", "halved"])
def test_control_what_sendfile_has_sent_changes_with_the_file(stage, tmp_path, change):
    """It hands over pages of the file, not bytes: why the site must ask for it, and must not write in place then."""
    received, old = fetch_unread(stage, tmp_path, change, sendfile=True)
    assert len(received) == len(old) and received != old


@pytest.mark.parametrize("change", ["rename", "remove"])
def test_with_sendfile_files_that_are_replaced_are_whole_too(stage, tmp_path, change):
    file = ChangingFile(tmp_path, 1 << 20)
    server = start_web(stage, tmp_path, cache=VALID, sendfile=True)
    with FileLoad(server.web_port, ["/file.bin"]) as load:
        for _ in range(8):
            getattr(file, change)()
            load.wait_fetches(8)
            if file.is_whole():
                wait_until(lambda: file.version in load.seen(), 0.05 + MARGIN, "the new version at a client")
        load.stop()
    assert load.mixes == [] and load.broken == []
    assert set(load.statuses) <= {404} and len(load.seen()) > 2
    assert all(length == len(version_bytes(version, file.size)) for _, version, length in load.versions)
    file.rename()
    wait_served(server, file.content())
    assert server.fetch("/file.bin", "Range: bytes=100-899999").body == file.content()[100:900_000]


def test_a_file_that_is_rewritten_in_place_all_the_time_is_never_a_mix(stage, tmp_path):
    """Of one length, by another process's hand, without a pause: only a look behind the last byte read can tell."""
    file = ChangingFile(tmp_path, 300 << 10)
    versions = [version_bytes(number, file.size) for number in (3, 6, 9)]
    assert len({len(content) for content in versions}) == 1
    write_over(file.path, versions[0])
    os.truncate(file.path, len(versions[0]))
    stopping = threading.Event()

    def rewrite():
        with open(file.path, "r+b", buffering=0) as out:
            while not stopping.is_set():
                for content in versions:
                    os.pwrite(out.fileno(), content, 0)
                    stopping.wait(0.01)

    server = start_web(stage, tmp_path, cache=VALID, threads=2)
    writer = threading.Thread(target=rewrite)
    writer.start()
    try:
        with FileLoad(server.web_port, ["/file.bin"], clients=4) as load:
            load.wait_fetches(600, seconds=60)
            load.stop()
    finally:
        stopping.set()
        writer.join()
    print(f"{load.fetched} fetches, {len(load.broken)} broken off, {dict(load.statuses)}, versions {load.seen()}")
    assert load.mixes == []
    assert set(load.statuses) <= {503} and len(load.seen()) == 3


def test_a_file_that_grows_is_never_torn(stage, tmp_path):
    """A log that is written to: whole as it was when it was asked for, or broken off."""
    path = tmp_path / "growing.log"
    line = b"one line of the log is like the other\n"
    path.write_bytes(line * 10_000)
    server = start_web(stage, tmp_path, cache=VALID)

    def read(body):
        if body != line * (len(body) // len(line)):
            raise MixError("a torn line")
        return len(body)

    with FileLoad(server.web_port, ["/growing.log"], clients=2, read=read) as load, open(path, "ab", buffering=0) as log:
        for _ in range(40):
            log.write(line * 3)
            load.wait_fetches(3)
        wait_until(lambda: len(load.seen()) > 2, 10, "growth that is seen")
        load.stop()
    assert load.mixes == [] and not load.statuses


# ---- how soon


@pytest.mark.parametrize(("valid", "size"), [("0s", "1KiB"), ("0s", "100KiB"), ("200ms", "1KiB"), ("200ms", "100KiB"), ("1s", "100KiB")])
def test_a_new_file_is_served_when_the_old_one_is_no_longer_valid(stage, tmp_path, valid, size):
    file = ChangingFile(tmp_path, SIZES[size])
    server = start_web(stage, tmp_path, cache={"valid": valid})
    seconds = {"0s": 0, "200ms": 0.2, "1s": 1}[valid]
    assert server.fetch("/file.bin").body == file.content()
    tag = server.fetch("/file.bin").get("etag")
    file.rename()
    if seconds == 0:
        assert server.fetch("/file.bin").body == file.content()
    wait_served(server, file.content(), seconds + MARGIN)
    assert server.fetch("/file.bin").get("etag") != tag
    assert server.fetch("/file.bin", f"If-None-Match: {tag}").status == 200
    # And what comes into being where nothing was.
    assert server.fetch("/later.txt").status == 404
    write_tree(tmp_path, {"later.txt": b"later"})
    wait_until(lambda: server.fetch("/later.txt").status == 200, seconds + MARGIN, "the new file")


def test_a_change_that_leaves_length_and_mtime_is_seen(stage, tmp_path):
    """Nobody can set the time of the last change of an inode back."""
    write_tree(tmp_path, {"small.txt": b"one", "large.txt": b"1" * 100_000}, 1_700_000_000)
    server = start_web(stage, tmp_path, cache=VALID)
    assert server.fetch("/small.txt").body == b"one" and server.fetch("/large.txt").body == b"1" * 100_000
    write_tree(tmp_path, {"small.txt": b"two", "large.txt": b"2" * 100_000}, 1_700_000_000)
    wait_until(lambda: server.fetch("/small.txt").body == b"two", MARGIN, "the new bytes of the small one")
    wait_until(lambda: body_of(server, "/large.txt") == b"2" * 100_000, MARGIN, "the new bytes of the large one")


def body_of(server, target):
    """None where the answer was broken off."""
    try:
        return server.fetch(target).body
    except WireError:
        return None


# ---- a deploy: the root is a link that is switched


SITE = {"index.html": 500, "app.css": 5000, "assets/app.js": 100 << 10, "assets/film.bin": 2 << 20, "deep/er/index.html": 900}
TARGETS = ["/", "/app.css", "/assets/app.js", "/assets/film.bin", "/deep/er/"]


def write_release(base, number):
    write_tree(base / "releases" / str(number) / "public", {name: version_bytes(number, size) for name, size in SITE.items()})


@pytest.mark.parametrize("linked", ["root", "folder_above"])
def test_a_deploy_by_a_link_under_load_loses_nothing(stage, tmp_path, linked):
    below, root = ("public", "") if linked == "root" else ("", "public")

    def switch(number):
        replace_link(os.path.join("releases", str(number), below), tmp_path / "current")

    write_release(tmp_path, 1)
    switch(1)
    server = start_web(stage, tmp_path / "current" / root, cache={"valid": "100ms"}, threads=2)
    with FileLoad(server.web_port, TARGETS, clients=5) as load:
        load.wait_fetches(50)
        for number in range(2, 5):
            write_release(tmp_path, number)
            switch(number)
            switched = time.monotonic()
            wait_until(
                lambda: all(read_version(server.fetch(target).body) == number for target in TARGETS), 0.1 + MARGIN, f"release {number}"
            )
            wait_until(lambda: time.monotonic() > switched + 0.5, MARGIN, "the time in which every core has looked")
            for _ in range(6):  # connections to every core
                assert {read_version(server.fetch(target).body) for target in TARGETS} == {number}
            shutil.rmtree(tmp_path / "releases" / str(number - 1))
            load.wait_fetches(30)
        load.stop()
    assert load.faults() == []
    assert load.seen() == {1, 2, 3, 4}
    for target, version, length in load.versions:
        name = target.lstrip("/") + ("index.html" if target.endswith("/") else "")
        assert length == len(version_bytes(version, SITE[name])), (target, version)


def test_a_way_back_is_a_deploy_too(stage, tmp_path):
    for number in (1, 2):
        write_release(tmp_path, number)
    replace_link("releases/2/public", tmp_path / "current")
    server = start_web(stage, tmp_path / "current", cache=VALID)
    assert read_version(server.fetch("/").body) == 2
    replace_link("releases/1/public", tmp_path / "current")
    wait_until(lambda: read_version(server.fetch("/").body) == 1, MARGIN, "the earlier release")


@pytest.mark.parametrize("becomes", ["missing", "a_file", "dangling", "a_loop"])
def test_a_root_that_is_gone_is_served_as_it_was(stage, tmp_path, becomes):
    write_release(tmp_path, 1)
    write_release(tmp_path, 2)
    current = tmp_path / "current"
    replace_link("releases/1/public", current)
    server = start_web(stage, current, cache=VALID)
    assert {read_version(server.fetch(target).body) for target in TARGETS} == {1}
    os.unlink(current)
    if becomes == "a_file":
        current.write_bytes(b"no folder")
    elif becomes != "missing":
        current.symlink_to("nothing" if becomes == "dangling" else "current")
    wait_until(
        lambda: read_version(server.fetch("/").body) == 1 and "web: root cannot be opened" in server.stderr(), MARGIN, "a look at the root"
    )
    assert {read_version(server.fetch(target).body) for target in TARGETS} == {1}
    replace_link("releases/2/public", current)
    wait_until(lambda: read_version(server.fetch("/").body) == 2, MARGIN, "the root that came back")


def test_many_clients_of_one_slow_disk_file_do_not_stop_the_others(stage, tmp_path):
    """Clients that take nothing of a large file hold no one up."""
    write_tree(tmp_path, {"large.bin": numbered_bytes(5 << 20), "small.txt": b"small"})
    server = start_web(stage, tmp_path)
    crowd = [SlowFetch(server, "/large.bin") for _ in range(50)]
    with RawClient(server.web_port) as client:
        begin = time.monotonic()
        for _ in range(200):
            assert client.request(request_bytes("/small.txt")).body == b"small"
        assert time.monotonic() - begin < 5
    assert crowd[0].rest() == numbered_bytes(5 << 20)
    for fetch in crowd[1:]:
        fetch.client.close()
