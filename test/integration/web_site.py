"""A web server under test: its configuration, its process, the trees that it serves, and how its answers are read."""

import os
import re
import secrets
import socket
import subprocess

from balancer_site import BINARY, Site, toml_table, toml_value
from raw_client import RawClient, wait_until
from raw_http import WireError, parse_fields

NOBODY = 65534


def _reaches_program():
    """Whether every user may run the program under test."""
    path = os.path.abspath(BINARY)
    folders = []
    while path != os.path.dirname(path):
        path = os.path.dirname(path)
        folders.append(path)
    return os.path.exists(BINARY) and all(os.stat(name).st_mode & 0o001 for name in (BINARY, *folders))


# As whom a server runs that must not be allowed everything; None: as ourselves.
OTHER_USER = NOBODY if os.geteuid() == 0 and _reaches_program() else None
CAN_BE_DENIED = os.geteuid() != 0 or OTHER_USER is not None
# Tables of [web] that are written as [web.NAME].
WEB_TABLES = ("cache", "timeouts", "limits", "access_log", "error_pages", "mime_types")
# How long a change may take to show beyond `valid`: a scheduler's delay of a busy machine, not a second look.
MARGIN = 3.0


class HeldPort:
    """A port of one address that nobody else is given: bound, not listening, until close()."""

    def __init__(self, host="127.0.0.1", number=0):
        self.sock = socket.socket()
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.sock.bind((host, number))
        self.number = self.sock.getsockname()[1]

    def close(self):
        self.sock.close()


def web_section(root, port, **keys):
    """[web] and the tables below it."""
    plain = {key: value for key, value in keys.items() if key not in WEB_TABLES}
    text = toml_table("web", {"port": port, "root": str(root), "threads": 1, **plain})
    for name in WEB_TABLES:
        if name in keys:
            text += toml_table(f"web.{name}", keys[name])
    return text


def route_tables(routes):
    return "".join(
        "\n[[routes]]\n" + "".join(f"{key} = {toml_value(value)}\n" for key, value in route.items()) for route in routes
    )


class WebSite(Site):
    """One server of a site with web servers. `user`: the number of the one as whom it runs; None: as ourselves."""

    def __init__(self, config, server="local", port=0, host="127.0.0.1", user=None, holders=()):
        super().__init__(config, server)
        self.host = host
        self.web_port = port
        self.user = user
        self.holders = holders
        if self.user is not None:
            for folder, _, files in os.walk(self.home):
                for name in (folder, *(os.path.join(folder, file) for file in files)):
                    os.chown(name, self.user, self.user)

    def start(self, wait=True, nofile=None):
        if self.user is None:
            super().start(wait=False, nofile=nofile)
        else:
            assert nofile is None
            self._start_as_user()
        if wait:
            self.wait_serving()
        return self

    def _start_as_user(self):
        with open(self._path("stdout"), "wb") as out, open(self._path("stderr"), "wb") as err:
            self.process = subprocess.Popen(
                [BINARY, "serve", "--server", self.server, self.file, *self.options()],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                user=self.user,
                group=self.user,
                extra_groups=[],
            )

    def wait_serving(self):
        serving = re.compile(rf"\bserving\b.*\bserver={self.server}\b")
        wait_until(lambda: serving.search(self.stderr()) or self.exit_code() is not None, 20, "serving")
        assert self.exit_code() is None, f"serve ended with {self.exit_code()}: {self.stderr()}"

    def finish(self):
        try:
            super().finish()
        finally:
            for holder in self.holders:
                holder.close()

    # ---- clients of the web server

    def client(self, timeout=15.0, receive_buffer=None):
        return RawClient(self.web_port, timeout, self.host, receive_buffer)

    def fetch(self, target="/", *lines, method="GET"):
        """The response to one request on a connection of its own."""
        with self.client() as client:
            return client.request(request_bytes(target, *lines, method=method), method)


def start_web(stage, root, *, user=None, nofile=None, **keys):
    """A file with [web] and nothing else, and the one server that it describes, serving; it ends with the stage."""
    holder = HeldPort()
    text = 'site = "w.test"\n' + web_section(root, holder.number, **keys)
    site = WebSite(text, port=holder.number, user=user, holders=[holder])
    stage.ends.append(site.finish)
    return site.start(nofile=nofile)


class Cluster:
    """A balancer and web servers, each a process with directories of its own, all from one file."""

    def __init__(self, stage, root, names=("web1", "web2"), balancer=None, web=None, health=None, limits=None, routes=(), text=""):
        block = secrets.randbelow(1 << 16)
        network = f"127.{64 + (block >> 8) % 64}.{block & 255}"
        self.addresses = {name: f"{network}.{number}" for number, name in enumerate(("lb1", *names), 11)}
        first = HeldPort(self.addresses[names[0]])
        holders = [first] + [HeldPort(self.addresses[name], first.number) for name in names[1:]]
        servers = {name: {"address": address, "roles": ["balancer" if name == "lb1" else "web"]} for name, address in self.addresses.items()}
        self.text = 'site = "w.test"\n' + toml_table("servers", servers)
        self.text += toml_table("balancer", {"listen": ["http://127.0.0.1:0"], "threads": 1, **(balancer or {})})
        self.text += toml_table("balancer.access_log", {"enabled": True})
        self.text += toml_table("balancer.health", health or {"interval": "200ms", "timeout": "500ms", "fall": 2, "rise": 1})
        self.text += toml_table("balancer.limits", {"connections": 2000, **(limits or {})})
        self.text += web_section(root, first.number, **{"access_log": {"enabled": True}, "limits": {"connections": 2000}, **(web or {})})
        self.text += text + route_tables(routes)
        self.lb = WebSite(self.text, "lb1")
        self.webs = {
            name: WebSite(self.text, name, first.number, self.addresses[name], holders=[holder]) for name, holder in zip(names, holders)
        }
        for site in (*self.webs.values(), self.lb):
            stage.ends.append(site.finish)

    def start(self):
        for site in (*self.webs.values(), self.lb):
            site.start()
        self.lb.wait_up()
        self.lb.web_port = self.lb.port
        return self

    def log_lines(self):
        """The lines of all web servers that are no health checks."""
        lines = [line for site in self.webs.values() for line in site.log_lines()]
        return [line for line in lines if line["path"] != "/healthz"]


def request_bytes(target, *lines, method="GET"):
    """A request; the target may be bytes that are no text."""
    raw = target if isinstance(target, bytes) else target.encode("latin-1")
    head = method.encode() + b" " + raw + b" HTTP/1.1\r\nHost: w.test\r\n"
    return head + b"".join(line.encode("latin-1") + b"\r\n" for line in lines) + b"\r\n"


# ---- trees


def write_tree(root, files, mtime=None):
    """Writes {name: bytes} below root, folders as needed; a name that ends with "/" is a folder."""
    for name, content in files.items():
        path = os.path.join(root, name)
        if name.endswith("/"):
            os.makedirs(path, exist_ok=True)
            continue
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as out:
            out.write(content)
        if mtime is not None:
            os.utime(path, (mtime, mtime))


def replace_file(path, content):
    """As a deploy does it: the new file under another name, then a rename over the old one."""
    temporary = f"{path}.new"
    with open(temporary, "wb") as out:
        out.write(content)
    os.rename(temporary, path)


def replace_link(target, path):
    """Switches a symbolic link in one step."""
    temporary = f"{path}.new"
    os.symlink(target, temporary)
    os.rename(temporary, path)


def numbered_bytes(size, salt=0):
    """`size` bytes of which any piece of some length tells where it lies."""
    text = b"".join(b"%08x:%02x\n" % (at, salt & 255) for at in range(0, size, 12))
    return text[:size]


# ---- encodings, written by hand so that the tests need no packer


def stored_brotli(data):
    """RFC 7932: uncompressed meta-blocks in a window of 16 bits, then an empty last one."""
    out = bytearray()
    held, bits = 0, 1  # WBITS is the single bit 0
    for at in range(0, len(data), 1 << 16):
        piece = data[at:at + (1 << 16)]
        # ISLAST 0, MNIBBLES 0 (four), MLEN - 1 in 16 bits, ISUNCOMPRESSED 1; then up to the next byte
        held |= ((len(piece) - 1) << 3 | 1 << 19) << bits
        out += held.to_bytes((bits + 20 + 7) // 8, "little") + piece
        held, bits = 0, 0
    return bytes(out) + bytes([3 << bits | held])


def stored_zstd(data):
    """RFC 8878: one frame of raw blocks, its size in the header, without a checksum."""
    out = bytearray(b"\x28\xb5\x2f\xfd\xa0" + len(data).to_bytes(4, "little"))
    pieces = [data[at:at + 65536] for at in range(0, len(data), 65536)] or [b""]
    for number, piece in enumerate(pieces, 1):
        out += (len(piece) << 3 | (number == len(pieces))).to_bytes(3, "little") + piece
    return bytes(out)


# ---- reading


def read_multipart(response):
    """The parts of a multipart/byteranges body, read strictly: [(fields, (first, last, size), bytes)]."""
    kind = response.get("content-type")
    match = re.fullmatch(r"multipart/byteranges; boundary=([0-9A-Za-z'()+_,\-./:=?]{1,70})", kind or "")
    if not match:
        raise WireError(f"Content-Type {kind!r}")
    mark = b"--" + match.group(1).encode()
    rest = response.body.removeprefix(b"\r\n")
    parts = []
    while not rest.startswith(mark + b"--"):
        if not rest.startswith(mark + b"\r\n"):
            raise WireError(f"no boundary but {rest[:80]!r}")
        head, _, rest = rest[len(mark) + 2:].partition(b"\r\n\r\n")
        fields = Fields(parse_fields(head.split(b"\r\n")))
        first, last, size = content_range(fields.get("content-range"))
        parts.append((fields, (first, last, size), rest[:last - first + 1]))
        rest = rest[last - first + 1:]
        if not rest.startswith(b"\r\n"):
            raise WireError(f"no line end behind a part but {rest[:80]!r}")
        rest = rest[2:]
    if rest != mark + b"--\r\n":
        raise WireError(f"behind the last part {rest[:200]!r}")
    return parts


class Fields:
    """Header fields of a part."""

    def __init__(self, pairs):
        self.pairs = pairs

    def get(self, name):
        values = [value for key, value in self.pairs if key.lower() == name]
        return values[0] if len(values) == 1 else None


def content_range(value):
    """"bytes 0-9/100" as (0, 9, 100)."""
    match = re.fullmatch(r"bytes ([0-9]+)-([0-9]+)/([0-9]+)", value or "")
    if not match or not int(match.group(1)) <= int(match.group(2)) < int(match.group(3)):
        raise WireError(f"Content-Range {value!r}")
    return tuple(int(number) for number in match.groups())
