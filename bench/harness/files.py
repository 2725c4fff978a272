"""The files that the web servers serve, and a directory that never outlives the benchmark."""

import os
import random
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path

SIZES = {"4k": 4 << 10, "16k": 16 << 10, "32k": 32 << 10, "64k": 64 << 10, "128k": 128 << 10,
         "256k": 256 << 10, "1m": 1 << 20}
SMALL_FILE = b"sixteen bytes..\n"
LINKS_MAX = 50_000  # names of one file; ext4 allows 65,000


def make_files(root: Path, copies: int = 1) -> None:
    """A file of each size, "4k.png", and further copies of it, "4k-1.png". Noise: nothing can shrink it."""
    root.mkdir(exist_ok=True)
    noise = random.Random(1).randbytes(max(SIZES.values()))
    for name, size in SIZES.items():
        for copy in range(copies if size < SIZES["1m"] else 1):
            (root / (f"{name}-{copy}.png" if copy else f"{name}.png")).write_bytes(noise[:size])


def make_directory(root: Path, count: int) -> None:
    """A directory of so many names, all of them small files: links, since files would cost a gigabyte."""
    folder = root / f"{count:07}"
    folder.mkdir(parents=True)
    handle = os.open(folder, os.O_DIRECTORY)
    try:
        for first in range(0, count, LINKS_MAX):
            file = folder / f"{first:07}.png"
            file.write_bytes(SMALL_FILE)
            for number in range(first + 1, min(first + LINKS_MAX, count)):
                os.link(file.name, f"{number:07}.png", src_dir_fd=handle, dst_dir_fd=handle)
    finally:
        os.close(handle)


def directory_paths(count: int, names: int) -> list[str]:
    """So many names of such a directory, spread evenly. Every directory's are of the same length."""
    return [f"/{count:07}/{number * count // names:07}.png" for number in range(names)]


def why_no_room(directory: Path, count: int) -> str:
    """Why so many names cannot be made there; empty when they can."""
    system = os.statvfs(directory)
    if 0 < system.f_files and system.f_favail < count + 10_000:
        return f"{directory} has room for {system.f_favail:,} more files, and {count:,} are needed"
    memory = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
    available = int(memory["MemAvailable"].split()[0]) << 10
    needed = count * 1024  # a fifth of it was seen; the rest is for others
    if available < needed:
        return f"{needed >> 20} MiB of memory must be free, and {available >> 20} MiB are"
    return ""


@contextmanager
def temporary_directory():
    """In memory where possible: then a log costs what the proxy does for it, not what a disk does. Removed by
    a process that waits for our end, so that not even a killed benchmark leaves a million files behind."""
    shared_memory = Path("/dev/shm")
    is_roomy = shared_memory.is_dir() and shutil.disk_usage(shared_memory).free > 1 << 30
    directory = Path(tempfile.mkdtemp(prefix="trilith-bench-", dir=shared_memory if is_roomy else None))
    janitor = subprocess.Popen(["sh", "-c", 'cat >/dev/null; exec rm -rf -- "$0"', str(directory)],
                               stdin=subprocess.PIPE, start_new_session=True)
    try:
        yield directory
    finally:
        janitor.stdin.close()
        janitor.wait()
