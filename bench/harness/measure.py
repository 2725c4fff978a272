"""The measurements: rows of load, memory of idle clients, flatness of cost; all interleaved."""

import json
import subprocess
import time
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from . import machine, proxies

SUBJECT = "trilith"
SMALL_BODY = 100
BUSY_PERCENT = 95.0      # a saturated row counts from here on
OTHERS_PERCENT = 15.0    # of the proxy's core, used by others than the proxy: more is a disturbance
EXTRA_ROUNDS = 4         # so many more may replace rounds in which a proxy was disturbed or not saturated
IDLE_CLIENTS = 10_000    # or what the limit of open files leaves
IDLE_SPARE = 100         # connections that the proxy may use for other things
IDLE_ROUNDS = 3
PEER_FLAT_ROUNDS = 3     # of the peers flatness is shown for comparison only
BACKEND_COUNTS = [2, 20, 200, 2000]
ROUTE_COUNTS = [1, 10, 100, 1000]


@dataclass
class Row:
    """One kind of work. `targets`: highest ratio of CPU time a request to a peer; none: shown only."""
    name: str
    title: str
    path: str = "/s"
    paths: list = field(default_factory=list)   # asked for in turn, in place of `path`
    status: int = 200                           # of every answer
    header: str = ""                            # one more header field of each request, "Name: value"
    body_bytes: int = SMALL_BODY
    connections: int = 64
    rate: int = 0                        # requests a second; 0: as many as it can
    has_new_connection_each: bool = False
    is_light: bool = False               # the server does little: the generator may be the full one
    port: str = "same"
    targets: dict = field(default_factory=dict)

    @property
    def is_saturated(self) -> bool:
        return self.rate == 0


ROWS = {row.name: row for row in (
    Row("small", "200 B answer, 64 connections, saturated", targets={"haproxy": 0.60, "nginx": 0.75}),
    Row("fixed", "200 B answer at 15,000 requests/s", rate=15_000, targets={"haproxy": 0.75, "nginx": 0.80}),
    Row("c1000", "200 B answer, 1000 connections", connections=1000,
        targets={"haproxy": 0.55, "nginx": 0.75}),
    Row("16k", "16 KiB answer", path="/m", body_bytes=16 << 10, targets={"haproxy": 0.55, "nginx": 0.75}),
    Row("1m", "1 MiB answer (haproxy: splice-response, pipes of 1 MiB)", path="/l", body_bytes=1 << 20,
        connections=16, port="spliced", targets={"haproxy": 0.75}),
    Row("newconn", "a new connection each request", has_new_connection_each=True,
        targets={"haproxy": 0.85, "nginx": 0.90}),
    Row("1m-auto", "1 MiB answer (haproxy: splice-auto)", path="/l", body_bytes=1 << 20, connections=16,
        port="auto"),
    Row("newconn-fixed", "a new connection each request, 10,000 a second", rate=10_000,
        has_new_connection_each=True),
    Row("lean", "as the first, but the peers add X-Forwarded-For alone", port="lean"),
)}
OTHER_ROWS = ["idle", "flat"]


@dataclass
class Plan:
    """What bench/run was asked for."""
    proxies: list[str]
    rows: list[str]
    rounds: int
    warm_up: float
    seconds: float


class Bench:
    """The origin, a directory for everything temporary, and the measurements on top of them."""

    def __init__(self, plan: Plan, children: machine.Children, directory: Path) -> None:
        self.plan = plan
        self.children = children
        self.directory = directory
        self.generator = machine.built("bench_load_generator")
        self.ports = machine.free_ports(2)
        # Everything is over long before; this bounds the origin's life even if all clean-up fails.
        command = [str(machine.built("bench_origin")), *map(str, self.ports), "7200"]
        self.origin = children.start(command, machine.LOAD_CORE,
                                     stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        if self.origin.stdout.readline().strip() != b"ready":
            raise machine.Unfit("the origin did not start")
        self.started = 0

    def setup(self, **other) -> proxies.Setup:
        return proxies.Setup(backends=[f"127.0.0.1:{port}" for port in self.ports], **other)

    @contextmanager
    def running(self, kind: type, setup):
        """A server, from its start to its end."""
        self.started += 1
        server = kind(setup, self.directory / f"{self.started}-{kind.name}", self.children)
        server.start()
        try:
            yield server
        finally:
            server.stop()
            proxies.remove(server.directory)

    def _generator_command(self, proxy: proxies.Proxy, row: Row, seconds: float) -> list[str]:
        command = [str(self.generator), "--port", str(proxy.ports[row.port]),
                   "--body-bytes", str(row.body_bytes), "--connections", str(row.connections),
                   "--status", str(row.status),
                   "--warm-up", str(self.plan.warm_up), "--seconds", str(seconds),
                   "--pids", ",".join(map(str, proxy.pids()))]
        for path in row.paths or [row.path]:
            command += ["--path", path]
        if row.header:
            command += ["--header", row.header]
        if row.rate:
            command += ["--rate", str(row.rate)]
        if row.has_new_connection_each:
            command.append("--new-connection")
        return command

    def load(self, proxy: proxies.Proxy, row: Row) -> dict:
        """One measured window. Result: what the generator printed, and whether it counts."""
        command = self._generator_command(proxy, row, self.plan.seconds)
        generator = self.children.start(command, machine.LOAD_CORE,
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        try:
            output, _ = generator.communicate(timeout=self.plan.warm_up + self.plan.seconds + 20)
        finally:
            self.children.stop(generator)
        proxy.forget_log()
        result = json.loads(output)
        cores = result.pop("cores")
        result["core_busy_percent"] = cores[machine.PROXY_CORE]["busy_percent"]
        result["load_core_busy_percent"] = cores[machine.LOAD_CORE]["busy_percent"]
        result["stolen_percent"] = cores[machine.PROXY_CORE]["stolen_percent"]
        result["errors"] += result.pop("errors_in_warm_up")
        # Most of a TCP handshake is done by the kernel on the client's core: with a new connection each
        # request the generator's core is full before the proxy's, and then the load is the highest possible.
        # The same holds where a server only receives and sends, as the generator does: a server that is not
        # full sleeps and is woken, and so costs more a request than a full one.
        may_fill_load_core = row.has_new_connection_each or row.is_light
        fullest = result["load_core_busy_percent"] if may_fill_load_core else 0
        result["is_busy"] = not row.is_saturated or max(result["core_busy_percent"], fullest) >= BUSY_PERCENT
        # Others on the proxy's core take caches and time; at a fixed rate ticks are too coarse to tell.
        others = result["core_busy_percent"] - result["cpu_share_percent"]
        if row.is_light:  # no origin shares the generator's core
            others = max(others, result["load_core_busy_percent"] - result["own_cpu_share_percent"])
        result["is_undisturbed"] = not row.is_saturated or others <= OTHERS_PERCENT
        # At a fixed rate the work offered must be the work done, or the loads compared were not the same.
        result["is_at_rate"] = not row.rate or abs(result["requests_per_second"] / row.rate - 1) < 0.01
        result["is_valid"] = (result["is_busy"] and result["is_undisturbed"] and result["is_at_rate"]
                              and result["errors"] == 0 and result["requests"] > 0)
        return result

    def rows(self, has_log: bool, rows: list[Row], report) -> dict:
        """Every row in rounds; the order of the proxies rotates. Result: row → proxy → one result a round."""
        results: dict = {}
        with self.all_running(self.setup(has_log=has_log)) as running:
            headers = {proxy.name: added_headers(proxy) for proxy in running}
            for row in rows:
                results[row.name] = self.rounds({proxy: row for proxy in running})
                report(row, results[row.name])
        return {"headers_added": headers, "rows": results}

    @contextmanager
    def all_running(self, setup: proxies.Setup):
        running = []
        try:
            for name in self.plan.proxies:
                context = self.running(proxies.KINDS[name], setup)
                running.append((context, context.__enter__()))
            yield [proxy for _, proxy in running]
        finally:
            for context, _ in reversed(running):
                context.__exit__(None, None, None)

    def rounds(self, work: dict) -> dict:
        """Rounds of one row, in which the servers take turns; `work` says what each is asked for.
        Result: server → one result a round."""
        running = list(work)
        by_server: dict = {server.name: [] for server in running}
        for number in range(self.plan.rounds + EXTRA_ROUNDS):
            complete = sum(all(results[i]["is_valid"] for results in by_server.values())
                           for i in range(number))
            if complete >= self.plan.rounds:
                break
            hopeless = number >= self.plan.rounds and complete < self.plan.rounds / 2
            if hopeless:
                break  # this machine does not saturate this row: more rounds would only take time
            turn = number % len(running)
            for server in running[turn:] + running[:turn]:
                by_server[server.name].append(self.load(server, work[server]))
        return by_server

    def idle(self) -> dict:
        """Process memory of an idle client. Result: proxy → one result a round, each of a new process."""
        results: dict = {name: [] for name in self.plan.proxies}
        for _ in range(IDLE_ROUNDS):
            for name in self.plan.proxies:
                with self.running(proxies.KINDS[name], self.setup()) as proxy:
                    results[name].append(self._idle_once(proxy))
        return results

    def _idle_once(self, proxy: proxies.Proxy) -> dict:
        # Buffers and connections to backends exist before the first reading: idle clients did not cause them.
        self.load(proxy, ROWS["small"])
        before = machine.memory_bytes(proxy.pids())
        clients = min(IDLE_CLIENTS, machine.client_limit() - IDLE_SPARE)
        row = Row("hold", "", connections=clients)
        holder = self.children.start([*self._generator_command(proxy, row, 60), "--hold"], machine.LOAD_CORE,
                                     stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        try:
            held = json.loads(holder.stdout.readline())
            time.sleep(0.5)  # let the last answers settle; nothing depends on the length
            after = machine.memory_bytes(proxy.pids())
            output, _ = holder.communicate(timeout=20)
            end = json.loads(output)
        finally:
            self.children.stop(holder)
        is_valid = held["held"] == clients and end["lost"] == 0 and end["errors"] == 0
        return {"clients": held["held"], "lost": end["lost"], "errors": end["errors"], "is_valid": is_valid,
                "pss_bytes_per_client": (after["pss"] - before["pss"]) / max(held["held"], 1),
                "rss_bytes_per_client": (after["rss"] - before["rss"]) / max(held["held"], 1)}

    def flat(self) -> dict:
        """CPU time a request as backends or routes become many. Result: kind → proxy → count → results."""
        results: dict = {"backends": {}, "routes": {}}
        for name in self.plan.proxies:
            results["backends"][name] = self._flat_rounds(name, {
                count: proxies.Setup(backends=loopback_addresses(count, self.ports[0]), check_interval="60s")
                for count in BACKEND_COUNTS})
            results["routes"][name] = self._flat_rounds(
                name, {count: self.setup(routes=count) for count in ROUTE_COUNTS})
        return results

    def _flat_rounds(self, name: str, setups: dict) -> dict:
        row = Row("flat", "", path="/s/last")
        contexts, running, results = [], {}, {count: [] for count in setups}
        try:
            for count, setup in setups.items():
                context = self.running(proxies.KINDS[name], setup)
                running[count] = context.__enter__()
                contexts.append(context)
            counts = list(setups)
            rounds = self.plan.rounds if name == SUBJECT else min(self.plan.rounds, PEER_FLAT_ROUNDS)
            for number in range(rounds):
                turn = number % len(counts)
                for count in counts[turn:] + counts[:turn]:
                    results[count].append(self.load(running[count], row))
        finally:
            for context in reversed(contexts):
                context.__exit__(None, None, None)
        return results


def loopback_addresses(count: int, port: int) -> list[str]:
    """Distinct addresses of 127/8 on which the origin listens, none of them the usual one."""
    return [f"127.0.{1 + i // 250}.{1 + i % 250}:{port}" for i in range(count)]


def added_headers(proxy: proxies.Proxy) -> list[str]:
    """The names of the header fields that the proxy adds to a request, as the origin received them."""
    own = {"host", "user-agent", "accept", "connection", "content-length", "keep-alive"}
    _, _, body = machine.get(proxy.ports["same"], "/echo").partition(b"\r\n\r\n")
    lines = body.decode("latin-1").splitlines()[1:]
    return sorted({line.partition(":")[0].lower() for line in lines if ":" in line} - own)


def as_json(plan: Plan) -> dict:
    return asdict(plan)
