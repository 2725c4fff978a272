"""A balancer under test: writes the configuration, starts `trilith serve`, speaks its verbs, and ends it without traces."""

import functools
import http.client
import json
import os
import pwd
import re
import resource
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from raw_client import wait_until

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BINARY = os.environ.get("TRILITH") or os.path.join(ROOT, "build", "release", "trilith")
BREAKAGE = re.compile(
    r"panic|ASSERT|AddressSanitizer|LeakSanitizer|ThreadSanitizer|runtime error:|Segmentation fault|terminate called"
)
# Whom a server goes on as that root starts from a file of root's own, where nothing else is said.
SERVING_USER = next(((a.pw_uid, a.pw_gid) for a in pwd.getpwall() if a.pw_name == "trilith"), (65534, 65534))
SERVING = re.compile(r"\bserving\b.*\bserver=lb1\b")


@functools.cache
def is_instrumented():
    """Whether the program under test was built with a sanitizer that changes what memory it takes."""
    with open(BINARY, "rb") as program:
        text = program.read()
    return b"__asan_init" in text or b"__tsan_init" in text


def toml_value(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, str):
        return json.dumps(value)
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(toml_value(item) for item in value) + "]"
    return "{ " + ", ".join(f"{key} = {toml_value(item)}" for key, item in value.items()) + " }"


def toml_table(name, values):
    return f"\n[{name}]\n" + "".join(f"{key} = {toml_value(value)}\n" for key, value in values.items())


def balancer_config(
    backends=(),
    *,
    site="it.foobar.com",
    pool=None,
    pools=None,
    balancer=None,
    health=None,
    timeouts=None,
    limits=None,
    access_log=None,
    admin=None,
    routes=(),
):
    """A configuration file. Backends are addresses, origins (anything with .address) or tables; health checks are quick
    TCP connects unless `health` says otherwise; one core, so that counts are exact; few enough connections for any limit of
    file descriptors."""

    def backend(item):
        if hasattr(item, "address"):
            return item.address
        if isinstance(item, dict) and hasattr(item.get("address"), "address"):
            return {**item, "address": item["address"].address}
        return item

    settings = {"listen": ["http://127.0.0.1:0"], "threads": 1, **(balancer or {})}
    text = f"site = {toml_value(site)}\n"
    text += toml_table("servers", {"lb1": {"address": "127.0.0.1", "roles": ["balancer"]}})
    text += toml_table("balancer", settings)
    text += toml_table("balancer.health", health or {"interval": "200ms", "timeout": "500ms", "fall": 2, "rise": 1})
    limits = {"connections": 2000, **(limits or {})}
    for section, values in (("timeouts", timeouts), ("limits", limits), ("access_log", access_log)):
        if values:
            text += toml_table(f"balancer.{section}", values)
    if admin:
        text += toml_table("admin", admin)
    named = pools or {"origin": {"backends": backends, **(pool or {})}}
    for name, values in named.items():
        text += toml_table(f"pools.{name}", {**values, "backends": [backend(item) for item in values["backends"]]})
    for route in routes:
        text += "\n[[routes]]\n" + "".join(f"{key} = {toml_value(value)}\n" for key, value in route.items())
    return text


class UnixConnection(http.client.HTTPConnection):
    """http.client over a unix socket."""

    def __init__(self, path):
        super().__init__("localhost", timeout=20)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(20)
        self.sock.connect(self.path)


class Site:
    """One server process in its own short directories. `config` is the text of the file, which write() replaces."""

    def __init__(self, config, server="lb1"):
        self.server = server
        self.home = tempfile.mkdtemp(prefix="tl-", dir="/tmp")
        self.file = os.path.join(self.home, "site.toml")
        self.state = os.path.join(self.home, "state")
        self.runtime = os.path.join(self.home, "run")
        if os.geteuid() == 0:
            # A server that is started as root goes on as somebody else, who keeps state and access log here.
            os.chmod(self.home, 0o755)
            os.chown(self.home, *SERVING_USER)
        os.mkdir(self.runtime, 0o700)
        self.socket_path = os.path.join(self.runtime, f"{server}.sock")
        self.process = None
        self.earlier_stderr = ""
        self.may_break = False
        self.write(config)

    def write(self, config):
        temporary = self.file + ".new"
        with open(temporary, "w", encoding="utf-8") as out:
            out.write(config)
        os.rename(temporary, self.file)

    # ---- the process

    def start(self, wait=True, nofile=None):
        """Starts the server; with `wait` it serves when this returns and all backends that will be up are up."""
        assert self.process is None or self.process.poll() is not None, "still running"
        if self.process is not None:
            self.earlier_stderr += self.stderr()

        def limit():
            if nofile:
                resource.setrlimit(resource.RLIMIT_NOFILE, (nofile, nofile))

        with open(self._path("stdout"), "wb") as out, open(self._path("stderr"), "wb") as err:
            self.process = subprocess.Popen(
                [BINARY, "serve", "--server", self.server, self.file, *self.options()],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                preexec_fn=limit,
            )
        if wait:
            wait_until(lambda: SERVING.search(self.stderr()) or self.exit_code() is not None, 20, "serving")
            assert self.exit_code() is None, f"serve ended with {self.exit_code()}: {self.stderr()}"
        return self

    def options(self):
        return ["--state-dir", self.state, "--runtime-dir", self.runtime]

    @property
    def pid(self):
        return self.process.pid

    def exit_code(self):
        return self.process.poll()

    def signal(self, number):
        os.kill(self.process.pid, number)

    def wait_exit(self, seconds=15):
        return self.process.wait(seconds)

    def stop(self):
        """SIGTERM, and a second one so that nothing waits for clients that a test left open."""
        if self.process is None or self.process.poll() is not None:
            return
        self.signal(signal.SIGTERM)
        try:
            self.process.wait(1)
        except subprocess.TimeoutExpired:
            self.signal(signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                raise AssertionError("the second SIGTERM did not stop it within 10 s") from None

    def kill(self):
        self.process.kill()
        self.process.wait()

    def finish(self):
        """Ends the process, checks that nothing broke in it, removes the directories."""
        try:
            early = self.process.poll() if self.process else None
            self.stop()
            text = self.earlier_stderr + (self.stderr() if self.process else "")
            if not self.may_break:
                match = BREAKAGE.search(text)
                assert not match, f"the process broke: {text[max(0, match.start() - 500):][:4000]}"
                crashed = early is not None and early < 0 and early != -signal.SIGKILL
                assert not crashed, f"the process died by signal {-early}: {text[-3000:]}"
        finally:
            shutil.rmtree(self.home, ignore_errors=True)

    def _path(self, name):
        return os.path.join(self.home, name)

    def _read(self, name):
        try:
            with open(self._path(name), encoding="utf-8", errors="replace") as text:
                return text.read()
        except FileNotFoundError:
            return ""

    def stderr(self):
        return self._read("stderr")

    def stdout(self):
        return self._read("stdout")

    def wait_log(self, pattern, seconds=10):
        return wait_until(lambda: re.search(pattern, self.stderr()), seconds, f"log line {pattern!r}")

    def rss_kib(self):
        with open(f"/proc/{self.pid}/status", encoding="ascii") as status:
            return int(re.search(r"VmRSS:\s+(\d+) kB", status.read()).group(1))

    def assert_grew_less(self, before_kib, limit_kib, what):
        """Fails when the process grew by `limit_kib` or more since `before_kib`; sanitizers keep freed memory, so not with them."""
        grown = self.rss_kib() - before_kib
        assert grown < limit_kib or is_instrumented(), f"{what} cost {grown} KiB"

    def open_files(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    # ---- addresses

    @property
    def ports(self):
        """The real ports of the listeners, in the order in which status gives them."""
        return [int(str(address).rsplit(":", 1)[1]) for address in self.status()["listeners"]]

    @property
    def port(self):
        return self.ports[0]

    # ---- control

    def control(self, method, path, body=None):
        """One request to the control socket: (status, text)."""
        connection = UnixConnection(self.socket_path)
        try:
            data = None if body is None else json.dumps(body)
            connection.request(method, path, data, {"Content-Type": "application/json"} if data else {})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def status(self):
        code, text = self.control("GET", "/v1/status")
        assert code == 200, text
        return json.loads(text)

    def metrics(self):
        code, text = self.control("GET", "/v1/metrics")
        assert code == 200, text
        return text

    def pool(self, name="origin"):
        return next(pool for pool in self.status()["pools"] if pool["name"] == name)

    def backend(self, name, pool="origin"):
        return next(b for b in self.pool(pool)["backends"] if name in (b["name"], b["address"]))

    def wait_backend(self, name, state, pool="origin", seconds=15):
        return wait_until(
            lambda: self.backend(name, pool)["state"] in ([state] if isinstance(state, str) else state),
            seconds,
            f"state {state} of {name} (is {self.backend(name, pool)})",
        )

    def answers(self):
        """Whether the control socket does; it is there a moment before it listens."""
        try:
            return bool(self.status())
        except OSError:
            return False

    def wait_up(self, seconds=15):
        """Waits until every backend that is not administratively out is up."""

        def all_up():
            backends = [b for pool in self.status()["pools"] for b in pool["backends"]]
            return all(b["state"] in ("up", "draining", "drained", "disabled") for b in backends)

        wait_until(all_up, seconds, "every backend up")
        return self

    def verb(self, *words, timeout=30):
        """Runs a client verb: CompletedProcess with text output."""
        command = [BINARY, *words, *self.options()]
        return subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)

    def do(self, *words, timeout=30):
        """Runs a client verb that must succeed; its standard output."""
        done = self.verb(*words, timeout=timeout)
        assert done.returncode == 0, f"{words}: exit {done.returncode}: {done.stderr}{done.stdout}"
        return done.stdout

    def start_verb(self, *words):
        """A verb that may wait for something: Popen."""
        return subprocess.Popen(
            [BINARY, *words, *self.options()], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def log_lines(self, file=None):
        """The access log so far, one dict a whole line."""
        text = self.stdout() if file is None else open(file, encoding="utf-8").read()
        return [json.loads(line) for line in text.split("\n")[:-1] if line]


def run_trilith(*words, timeout=20, nofile=None, env=None):
    """Runs the program to its end: CompletedProcess with text output."""

    def limit():
        if nofile:
            resource.setrlimit(resource.RLIMIT_NOFILE, (nofile, nofile))

    return subprocess.run(
        [BINARY, *words],
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
        stdin=subprocess.DEVNULL,
        preexec_fn=limit if nofile else None,
        env=env,
    )


def elapsed(function):
    """(seconds, result) of a call."""
    begin = time.monotonic()
    result = function()
    return time.monotonic() - begin, result
