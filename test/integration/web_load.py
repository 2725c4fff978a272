"""Clients that fetch a file again and again while it changes, and judge whether each answer is wholly one version of it."""

import collections
import re
import threading

from raw_client import RawClient, wait_until
from raw_http import WireError
from web_site import request_bytes

LINE = re.compile(rb"version ([0-9]{8}) {14}\n")
LINE_BYTES = 31


def version_bytes(version, size):
    """A version of a file of about `size` bytes: every line names it, and neighbours differ in length."""
    return b"version %08d              \n" % version * (size // LINE_BYTES + version % 3)


class MixError(Exception):
    """A body that is not wholly of one version."""


def read_version(body):
    """The version of which the body is a beginning, all of it or a part; None of an empty one."""
    if not body:
        return None
    match = LINE.match(body)
    if not match and len(body) >= LINE_BYTES:
        raise MixError(f"no version at the beginning: {body[:60]!r}")
    line = match.group() if match else body
    lines, rest = divmod(len(body), LINE_BYTES)
    if match and body != line * lines + line[:rest]:
        at = next(at for at in range(0, len(body), LINE_BYTES) if body[at:at + LINE_BYTES] != line[:len(body) - at])
        raise MixError(f"{line!r}, and {body[at:at + LINE_BYTES]!r} at {at} of {len(body)}")
    return int(match.group(1)) if match else None


class FileLoad:
    """Clients that fetch the targets in turn until told to stop; nothing is ever asked again because it failed.

    `versions`: counts by (target, version, length) of what came whole; `broken`: connections that ended before
    Content-Length; `statuses`: other ones than 200; `mixes`: bodies of two versions."""

    def __init__(self, port, targets, clients=4, host="127.0.0.1", read=read_version):
        self.address = (port, host)
        self.targets = targets
        self.read = read
        self.lock = threading.Lock()
        self.stopping = threading.Event()
        self.fetched = 0
        self.versions = collections.Counter()
        self.statuses = collections.Counter()
        self.broken = []
        self.mixes = []
        self.threads = [threading.Thread(target=self._run, args=(number,), daemon=True) for number in range(clients)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *ignored):
        self.stop()

    def stop(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join(20)
            assert not thread.is_alive(), "a client hangs"

    def wait_fetches(self, count, seconds=30):
        goal = self.fetched + count
        wait_until(lambda: self.fetched >= goal, seconds, f"{count} more fetches")

    def seen(self):
        """All versions that came whole."""
        return {version for _, version, _ in self.versions}

    def faults(self):
        """What no client may ever see when the files are only replaced in one step."""
        return self.mixes + self.broken + [f"status {status}" for status in self.statuses]

    def _run(self, number):
        client = None
        while not self.stopping.is_set():
            target = self.targets[number % len(self.targets)]
            number += 1
            try:
                client = client or RawClient(*self.address[:1], 15, self.address[1])
                response = client.request(request_bytes(target))
                client.received.clear()
                self._note(target, response)
            except (OSError, WireError) as error:
                with self.lock:
                    self.fetched += 1
                    self.broken.append(f"{target}: {type(error).__name__}: {error}")
                client = client and client.close()
        if client is not None:
            client.close()

    def _note(self, target, response):
        version, mix = None, None
        if response.status == 200:
            try:
                version = self.read(response.body)
            except MixError as error:
                mix = f"{target}: {error}"
        with self.lock:
            self.fetched += 1
            if response.status != 200:
                self.statuses[response.status] += 1
            elif mix is not None:
                self.mixes.append(mix)
            else:
                self.versions[target, version, len(response.body)] += 1
