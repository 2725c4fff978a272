"""A site's own program for the tests: HTTP/1.1 on descriptor 3 (LISTEN_FDS) or on PORT. What it can be asked stands in ANSWERS.

Options, in any order:
  --delay MS           every /who takes so long
  --close              ends the connection after each answer
  --healthy-if FILE    /healthz is 503 while there is no such file
  --broken-if FILE     says "the new version is broken" and is never healthy where that file is there at the start
  --exit-if FILE       says the same and exits with status 7 instead
  --host ADDRESS       where it listens when it is told a port
  --ignore-term        does not end at SIGTERM
"""

import json
import os
import resource
import signal
import socket
import sys
import threading

STARTED_WITH = sorted(int(name) for name in os.listdir("/proc/self/fd"))
INSTANCE = os.environ.get("TRILITH_INSTANCE", "none")
PAUSE = threading.Event()


def say(line, stream=1):
    os.write(stream, line.encode() + b"\n")


def option(name, default=None):
    return sys.argv[sys.argv.index(name) + 1] if name in sys.argv else default


class Stop(BaseException):
    """SIGTERM or SIGINT came."""


def open_descriptors():
    """What was open at the start, but for the directory that the listing itself opened."""
    return [number for number in STARTED_WITH if os.path.exists(f"/proc/self/fd/{number}")]


FACTS = {
    "pid": os.getpid(),
    "argv": sys.argv,
    "environment": dict(os.environ),
    "descriptors": open_descriptors(),
    "stdin": os.readlink("/proc/self/fd/0"),
    "session": os.getsid(0),
    "group": os.getpgid(0),
    "directory": os.getcwd(),
    "user": os.getresuid(),
    "groups": [*os.getresgid(), *os.getgroups()],
    "open_files": resource.getrlimit(resource.RLIMIT_NOFILE),
    "core": resource.getrlimit(resource.RLIMIT_CORE),
    "address_space": resource.getrlimit(resource.RLIMIT_AS),
}


class Connection:
    """One connection of the balancer: requests one after the other."""

    def __init__(self, program, sock):
        self.program = program
        self.sock = sock
        self.buffer = b""
        self.is_busy = False
        self.must_close = False

    def fill(self):
        piece = self.sock.recv(65536)
        self.buffer += piece
        return bool(piece)

    def request(self):
        """(method, path, query, fields), or None at the end; a body is read and dropped."""
        while b"\r\n\r\n" not in self.buffer:
            if not self.fill():
                return None
        head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
        self.is_busy = True
        line, *rest = head.decode("latin-1").split("\r\n")
        method, target, _ = line.split(" ")
        fields = [[part.strip() for part in field.split(":", 1)] for field in rest]
        length = next((int(value) for name, value in fields if name.lower() == "content-length"), 0)
        while len(self.buffer) < length:
            if not self.fill():
                return None
        self.buffer = self.buffer[length:]
        path, _, query = target.partition("?")
        return method, path, dict(part.split("=", 1) for part in query.split("&") if "=" in part), fields

    def answer(self, status, body):
        data = body if isinstance(body, bytes) else (body if isinstance(body, str) else json.dumps(body)).encode()
        end = "Connection: close\r\n" if self.must_close else ""
        self.sock.sendall(f"HTTP/1.1 {status} x\r\n{end}X-Instance: {INSTANCE}\r\nContent-Length: {len(data)}\r\n\r\n".encode() + data)

    def serve(self):
        try:
            while (request := self.request()) is not None:
                self.must_close = "--close" in sys.argv or self.program.is_stopping
                method, path, query, fields = request
                status, body = ANSWERS.get(path, not_found)(self.program, method, query, fields)
                self.answer(status, body)
                self.is_busy = False
                if self.must_close:
                    break
        except OSError:
            pass
        finally:
            self.is_busy = False
            self.sock.close()


class Program:
    """Accepts until SIGTERM; then requests that run are answered, and it ends."""

    def __init__(self):
        self.is_stopping = False
        self.connections = []
        self.kept = []  # memory and files
        self.written = 0
        self.is_broken = os.path.exists(option("--broken-if", ""))

    @staticmethod
    def listener():
        if os.environ.get("LISTEN_FDS") == "1" and os.environ.get("LISTEN_PID") == str(os.getpid()):
            return socket.socket(fileno=3)
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((option("--host", "0.0.0.0"), int(os.environ["PORT"])))
        sock.listen(128)
        return sock

    def run(self):
        if os.path.exists(option("--exit-if", "")):
            say("the new version is broken: cannot read its settings", 2)
            sys.exit(7)
        if self.is_broken:
            say("the new version is broken: it waits for a database", 2)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self.on_signal)
        listener = self.listener()
        say(f"started {os.getpid()}")
        try:
            while True:
                sock, _ = listener.accept()
                connection = Connection(self, sock)
                self.connections = [other for other in self.connections if other.sock.fileno() >= 0] + [connection]
                threading.Thread(target=connection.serve, daemon=True).start()
        except Stop:
            pass
        say(f"stopping {os.getpid()}")
        self.is_stopping = True
        listener.close()
        while any(connection.is_busy for connection in self.connections):
            PAUSE.wait(0.005)
        say(f"stopped {os.getpid()}")
        os._exit(0)

    @staticmethod
    def on_signal(number, _):
        say(f"signal {number} came")
        if "--ignore-term" not in sys.argv:
            raise Stop


def health(program, method, query, fields):
    needed = option("--healthy-if")
    is_healthy = not program.is_broken and (needed is None or os.path.exists(needed))
    return (200, "the program is well") if is_healthy else (503, "not yet")


def who(program, method, query, fields):
    delay = float(option("--delay", "0"))
    if delay:
        PAUSE.wait(delay / 1000)
    return 200, f"{INSTANCE} {os.getpid()}"


def hold(program, method, query, fields):
    """Says so, waits until the file is there, and answers."""
    say(f"holding {method} {query['until']}")
    while not os.path.exists(query["until"]):
        PAUSE.wait(0.005)
    say("released")
    return 200, f"{INSTANCE} {os.getpid()}"


def family(program, method, query, fields):
    """A child, and two grandchildren whose parents have left; one of them in a session of its own. Their pids."""
    reading, writing = os.pipe()
    if os.fork() == 0:
        for leaves_session in (False, True):
            if os.fork() == 0:
                if leaves_session:
                    os.setsid()
                if os.fork() == 0:
                    os.write(writing, f"{os.getpid()} ".encode())
                    PAUSE.wait(600)
                os._exit(0)
        os.write(writing, f"{os.getpid()} ".encode())
        PAUSE.wait(600)
        os._exit(0)
    text = b""
    while text.count(b" ") < 3:
        text += os.read(reading, 100)
    return 200, [int(word) for word in text.split()]


def memory(program, method, query, fields):
    """Takes so many MiB and touches them, itself or in a child of its own."""
    if query.get("in") == "child" and os.fork() != 0:
        return 200, "a child takes it"
    for _ in range(int(query["mib"])):
        program.kept.append(bytearray(os.urandom(1 << 10) * 1024))
        PAUSE.wait(0.002)
    if query.get("in") == "child":
        PAUSE.wait(600)
        os._exit(0)
    return 200, "taken"


def files(program, method, query, fields):
    """Opens so many files; how many it could, and why no more."""
    before = len(program.kept)
    problem = ""
    try:
        for _ in range(int(query["count"])):
            program.kept.append(open("/dev/null", encoding="ascii"))
    except OSError as error:
        problem = error.strerror
    opened = program.kept[before:]
    del program.kept[before:]
    for file in opened:
        file.close()
    return 200, {"opened": len(opened), "problem": problem}


def say_bytes(program, method, query, fields):
    """Writes what stands in hexadecimal digits to stdout or stderr, so many times, as it is."""
    data = bytes.fromhex(query["hex"]) * int(query["times"])
    while data:
        data = data[os.write(int(query["stream"]), data):]
    return 200, "said"


def write_for_ever(program, method, query, fields):
    """Begins to write lines without end, or one line without end; /written tells how far it is."""
    block = b"y\n" * 16384 if query.get("lines") == "yes" else b"y" * 32768

    def run():
        while True:
            program.written += os.write(1, block)

    threading.Thread(target=run, daemon=True).start()
    return 200, "writing"


def leave(program, method, query, fields):
    say(query.get("words", "leaving").replace("+", " "), 2)
    os._exit(int(query.get("status", "0")))


def not_found(program, method, query, fields):
    return 404, "not found"


ANSWERS = {
    "/healthz": health,
    "/who": who,
    "/facts": lambda program, *_: (200, FACTS),
    "/request": lambda program, method, query, fields: (200, {"method": method, "query": query, "fields": fields}),
    "/hold": hold,
    "/family": family,
    "/memory": memory,
    "/files": files,
    "/say": say_bytes,
    "/write": write_for_ever,
    "/written": lambda program, *_: (200, str(program.written)),
    "/leave": leave,
}

if __name__ == "__main__":
    Program().run()
