"""The rows of the web server, of programs of trilith::app, and of balancer and web server as a chain."""

from contextlib import ExitStack
from dataclasses import dataclass, field, replace

from . import files, machine, proxies
from .measure import SUBJECT, Bench, Plan, Row
from .web_servers import NginxWeb, TrilithApp, TrilithWeb, WebSetup

JSON_DOCUMENT = b'{"message":"Hello, World!"}'
SERVERS = {kind.name: kind for kind in (TrilithWeb, NginxWeb)}
DIRECTORY_COUNTS = [100, 1_000_000]
DIRECTORY_NAMES = 64
DIRECTORY_ROW = "file-dir"
CHAIN_OF_PEERS = "haproxy+nginx"


@dataclass
class WebRow(Row):
    """`peers`: name → port of nginx. `server`: who answers for Trilith."""
    peers: dict = field(default_factory=lambda: {"nginx": "same"})
    server: str = "web"  # web, app or chain


ROWS = {row.name: row for row in (
    WebRow("file-4k", "4 KiB file", path="/4k.png", body_bytes=4 << 10, is_light=True,
           targets={"nginx": 0.60},
           peers={"nginx": "same", "nginx, no tcp_nopush": "uncorked", "nginx, no sendfile": "copying"}),
    WebRow("file-64k", "64 KiB file", path="/64k.png", body_bytes=64 << 10, is_light=True,
           targets={"nginx": 0.75}, peers={"nginx": "same", "nginx, no tcp_nopush": "uncorked"}),
    WebRow("file-1m", "1 MiB file, 16 connections", path="/1m.png", body_bytes=1 << 20, connections=16,
           targets={"nginx": 1.0}, peers={"nginx": "same", "nginx, no tcp_nopush": "uncorked"}),
    WebRow("file-304", "4 KiB file, If-None-Match: 304", path="/4k.png", status=304, is_light=True,
           targets={"nginx": 0.65}),
    WebRow("file-404", "no such file: 404", path="/none.png", status=404, is_light=True,
           targets={"nginx": 0.70}),
    WebRow("chain-4k", "4 KiB file through balancer and web server", path="/4k.png", body_bytes=4 << 10,
           targets={CHAIN_OF_PEERS: 1.0}, server="chain"),
    WebRow("app-json", "JSON document of a program ÷ nginx's return", path="/json",
           body_bytes=len(JSON_DOCUMENT), is_light=True, targets={"nginx": 0.75}, server="app"),
    WebRow("app-json-made", "the same, made anew for each request", path="/json-made",
           body_bytes=len(JSON_DOCUMENT), is_light=True, server="app"),
)}
CROSSOVER_SIZES = ["4k", "16k", "32k", "64k", "128k", "256k"]
CROSSOVER_FILES = [1, 64]  # asked for in turn: one that stays in the processor's caches, and a working set
CROSSOVER_CACHES = {"memory": 'memory = "1MiB"\nbytes = "256MiB"', "copies": 'memory = "0"'}


@dataclass(eq=False)
class Contender:
    """Who takes part in a row under a name of its own: a server, or several of which the first is asked."""
    name: str
    servers: list
    port: str = "same"

    @property
    def ports(self) -> dict:
        return {"same": self.servers[0].ports[self.port]}

    def pids(self) -> list[int]:
        return [pid for server in self.servers for pid in server.pids()]

    def forget_log(self) -> None:
        for server in self.servers:
            server.forget_log()

    def answer(self, row: Row, header: str = "") -> "Answer":
        return Answer(machine.get(self.ports["same"], (row.paths or [row.path])[0], header))


class Answer:
    """A whole answer, read once before it is measured."""

    def __init__(self, raw: bytes) -> None:
        head, _, self.body = raw.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        self.status = int((first.split(" ") + ["", "0"])[1] or 0)
        pairs = (line.partition(":") for line in lines)
        self.fields = {name.lower(): value.strip() for name, _, value in pairs}


def preflight(plan: Plan) -> None:
    """Raises Unfit for what the rows of `plan` need and would miss only after an hour of measuring."""
    if SUBJECT in plan.proxies and any(row.server == "app" for row in wanted(plan)):
        machine.built("bench_app_json")
    if DIRECTORY_ROW in plan.rows:
        with files.temporary_directory() as directory:
            if why := files.why_no_room(directory, max(DIRECTORY_COUNTS)):
                raise machine.Unfit(f"{why} (or leave out the row {DIRECTORY_ROW})")


def wanted(plan: Plan) -> list[WebRow]:
    return [ROWS[name] for name in plan.rows if name in ROWS]


class WebBench:
    """The files, and the web rows measured with them."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.plan = bench.plan
        self.root = bench.directory / "files"
        files.make_files(self.root)

    def rows(self, report) -> dict:
        """Every row that was asked for. Result: row → contender → one result a round, and the names of the
        header fields of each answer."""
        results: dict = {}
        fields: dict = {}
        with ExitStack() as stack:
            web = self._start(stack, SERVERS, WebSetup(self.root))
            app = {}
            if any(row.server == "app" for row in wanted(self.plan)):
                app = self._start(stack, {"trilith": TrilithApp}, WebSetup(self.root, probe="/json"))
            for row in wanted(self.plan):
                with ExitStack() as of_row:
                    contenders = self._contenders(row, web, app, of_row)
                    asked = {contender: self._asked(row, contender) for contender in contenders}
                    fields[row.name] = {one.name: sorted(one.answer(asked[one], asked[one].header).fields)
                                        for one in contenders}
                    results[row.name] = self.bench.rounds(asked) if asked else {}
                if asked:
                    report(row, results[row.name])
        return {"rows": results, "fields": fields}

    def _start(self, stack: ExitStack, kinds: dict, setup: WebSetup) -> dict:
        return {name: stack.enter_context(self.bench.running(kind, setup))
                for name, kind in kinds.items() if name in self.plan.proxies}

    def _contenders(self, row: WebRow, web: dict, app: dict, stack: ExitStack) -> list[Contender]:
        if row.server == "chain":
            return self._chains(web, stack)
        ours = app if row.server == "app" else web
        found = [Contender(SUBJECT, [ours[SUBJECT]])] if SUBJECT in ours else []
        if "nginx" in web:
            found += [Contender(name, [web["nginx"]], port) for name, port in row.peers.items()]
        return found

    def _chains(self, web: dict, stack: ExitStack) -> list[Contender]:
        """Balancers in front of the web servers, one thread each, all on the same core."""
        found = []
        for name, front, back in ((SUBJECT, "trilith", "trilith"), (CHAIN_OF_PEERS, "haproxy", "nginx")):
            if front in self.plan.proxies and back in web:
                setup = proxies.Setup(backends=[f"127.0.0.1:{web[back].ports['same']}"], probe="/4k.png")
                balancer = stack.enter_context(self.bench.running(proxies.KINDS[front], setup))
                found.append(Contender(name, [balancer, web[back]]))
        return found

    def _asked(self, row: WebRow, contender: Contender) -> Row:
        """The row as it is asked of one contender, whose ETags and error pages are its own. Raises Unfit when
        its answer is not the one wanted."""
        answer = contender.answer(row)
        if row.status == 304:
            row = replace(row, header=f"If-None-Match: {answer.fields.get('etag')}", body_bytes=0)
            answer = contender.answer(row, row.header)
        elif row.status != 200:
            row = replace(row, body_bytes=len(answer.body))
        wanted_body = {200: JSON_DOCUMENT if row.server == "app" else self._file(row.path), 304: b""}
        if answer.status != row.status or answer.body != wanted_body.get(row.status, answer.body):
            raise machine.Unfit(f"{row.name}: {contender.name} answers {answer.status} with "
                                f"{len(answer.body)} bytes that are not the ones wanted")
        return row

    def _file(self, path: str) -> bytes:
        file = self.root / path.removeprefix("/")
        return file.read_bytes() if file.exists() else b""

    def directory(self) -> dict:
        """CPU time a request as a directory's files become many. Result: kind → server → count → results."""
        results: dict = {}
        servers = {name: kind for name, kind in SERVERS.items() if name in self.plan.proxies}
        for count in DIRECTORY_COUNTS if servers else []:
            files.make_directory(self.root, count)
        # What is believed for a second hardly ever looks into the directory; what is not does at each request.
        for kind, cache in (("files", ""), ("files, looked at for each request", 'valid = "0s"')):
            results[kind] = {}
            for name, kind_of_server in servers.items():
                if name == SUBJECT or not cache:
                    with self.bench.running(kind_of_server, WebSetup(self.root, cache=cache)) as running:
                        results[kind][name] = self._directory_rounds(running)
        return results

    def _directory_rounds(self, server) -> dict:
        return self.bench.rounds({
            Contender(str(count), [server]):
                Row(DIRECTORY_ROW, "", paths=files.directory_paths(count, DIRECTORY_NAMES),
                    body_bytes=len(files.SMALL_FILE), is_light=True)
            for count in DIRECTORY_COUNTS})

    def crossover(self, report) -> list[dict]:
        """Memory beside copies of the file, by size and number of files. Result: one entry a row, with its rounds."""
        files.make_files(self.root, copies=max(CROSSOVER_FILES))
        results = []
        with ExitStack() as stack:
            contenders = []
            for name, cache in CROSSOVER_CACHES.items():
                server = self.bench.running(TrilithWeb, WebSetup(self.root, cache=cache))
                contenders.append(Contender(name, [stack.enter_context(server)]))
            for size in CROSSOVER_SIZES:
                for count in CROSSOVER_FILES:
                    paths = [f"/{size}.png", *(f"/{size}-{copy}.png" for copy in range(1, count))]
                    row = Row(f"{size} of {count}", "", paths=paths, is_light=True,
                              body_bytes=files.SIZES[size])
                    rounds = self.bench.rounds({contender: row for contender in contenders})
                    results.append({"size": size, "files": count, "rounds": rounds})
                    report(results[-1])
        return results
