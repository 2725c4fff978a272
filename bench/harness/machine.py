"""What the benchmark needs of the machine: programs, cores, ports, child processes that never outlive it."""

import contextlib
import ctypes
import os
import platform
import resource
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ROOT / "bench"
PROXY_CORE = 0
LOAD_CORE = 1
FILES_WANTED = 65536
FILES_NEEDED = 4096    # the row flat: 2,000 backends, their health checks, and the clients
PR_SET_PDEATHSIG = 1


class Unfit(Exception):
    """The machine lacks something; the text says what, and what to do."""


def trilith_program() -> Path:
    return Path(os.environ.get("TRILITH", ROOT / "build/release/trilith"))


def preflight(proxies: list[str]) -> None:
    """Raises Unfit with everything that is missing, not only the first thing."""
    missing = []
    for name in ("haproxy", "nginx"):
        if name in proxies and shutil.which(name, path=search_path()) is None:
            missing.append(f"{name} is not installed: run scripts/install-dependencies bench")
    if "trilith" in proxies and not os.access(trilith_program(), os.X_OK):
        missing.append("build/release/trilith is not there: run make (or leave it out: --only haproxy,nginx)")
    cores = os.sched_getaffinity(0)
    if not {PROXY_CORE, LOAD_CORE} <= cores:
        missing.append(f"cores {PROXY_CORE} and {LOAD_CORE} are needed; usable here: {sorted(cores)}")
    if raise_file_limit() < FILES_NEEDED:
        missing.append(f"{FILES_NEEDED} files must be allowed to be open (ulimit -n)")
    if not Path("/proc/self/schedstat").exists():
        missing.append("the kernel keeps no /proc/PID/schedstat (CONFIG_SCHED_INFO)")
    if missing:
        raise Unfit("\n".join(missing))


def search_path() -> str:
    """PATH with the folders in which Debian keeps daemons, which users' paths leave out."""
    return os.environ.get("PATH", "") + ":/usr/local/sbin:/usr/sbin:/sbin"


def environment() -> dict[str, str]:
    """Ours, but for what would tell a program of trilith::app to listen elsewhere."""
    ours = {name: value for name, value in os.environ.items() if name not in ("PORT", "LISTEN_FDS")}
    return ours | {"PATH": search_path()}


def is_root() -> bool:
    return os.geteuid() == 0


def raise_file_limit() -> int:
    """Raises the limit of open files as far as we may; the result is the limit."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for limit in (FILES_WANTED, hard):
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, max(limit, hard)))
            return limit
        except (ValueError, OSError):
            continue
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


APP_LIBRARY = ROOT / "build/release/src/sdk/libtrilith_app.a"


def built(program: str) -> Path:
    """A program of the benchmark: the build's, or compiled here where that is missing or outdated."""
    sources, options = [path for path in SOURCES.iterdir() if path.suffix in (".cc", ".h")], []
    source = SOURCES / (program.removeprefix("bench_") + ".cc")
    if not source.exists():  # a program of trilith::app
        source = SOURCES / "peers" / source.name
        sources = [source, APP_LIBRARY]
        options = [f"-I{ROOT / 'include'}", str(APP_LIBRARY), "-lcrypto", "-fuse-ld=lld"]
        if not APP_LIBRARY.exists():
            raise Unfit("build/release has no libtrilith_app.a: run make (or leave out the rows app-json…)")
    newest = max(path.stat().st_mtime for path in sources)
    made_by_cmake = ROOT / "build/release/bench" / program
    if made_by_cmake.exists() and made_by_cmake.stat().st_mtime >= newest:
        return made_by_cmake
    target = ROOT / "build/bench" / program
    if target.exists() and target.stat().st_mtime >= newest:
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    compiler = [os.environ.get("CXX", "clang++-19"), "-std=c++23", "-stdlib=libc++", "-O2"]
    print(f"building {program}", flush=True)
    try:
        subprocess.run([*compiler, str(source), *options, "-o", str(target)], check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise Unfit(f"{program} cannot be built: {error}") from error
    return target


def client_limit() -> int:
    """How many clients every proxy is told to allow: careful ones set two files aside for each."""
    return min(12_000, (raise_file_limit() - 512) // 2)


def free_ports(count: int) -> list[int]:
    """Ports of 127.0.0.1 that nobody uses now."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


class Children:
    """Child processes, each pinned to a core; they end with this object or this process, however it dies."""

    def __init__(self) -> None:
        self._running: list[subprocess.Popen] = []
        self._libc = ctypes.CDLL(None, use_errno=True)

    def __enter__(self) -> "Children":
        return self

    def __exit__(self, *_) -> None:
        for child in reversed(self._running):
            self._end(child)
        self._running.clear()

    def start(self, command: list[str], core: int, **streams) -> subprocess.Popen:
        def pin() -> None:
            os.sched_setaffinity(0, {core})
            self._libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)

        # A session of its own: Ctrl-C reaches us only, and we end the children in order.
        child = subprocess.Popen(command, preexec_fn=pin, start_new_session=True, env=environment(),
                                 **streams)
        self._running.append(child)
        return child

    def stop(self, child: subprocess.Popen) -> None:
        self._end(child)
        if child in self._running:
            self._running.remove(child)

    @staticmethod
    def _end(child: subprocess.Popen) -> None:
        family = process_family(child.pid) if child.poll() is None else []
        for request in (signal.SIGTERM, signal.SIGKILL):
            if child.poll() is not None:
                break
            child.send_signal(request)
            try:
                child.wait(timeout=5)
            except subprocess.TimeoutExpired:
                continue
        for pid in family[1:]:  # workers of a parent that had to be killed
            try:
                if child.returncode == -signal.SIGKILL:
                    os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        for stream in (child.stdin, child.stdout, child.stderr):
            if stream is not None:
                stream.close()


def process_family(pid: int) -> list[int]:
    """The process and all its descendants."""
    family = [pid]
    for one in family:
        for children in Path(f"/proc/{one}/task").glob("*/children"):
            try:
                family += [int(child) for child in children.read_text().split()]
            except OSError:
                continue
    return family


def cpu_ns(pids: list[int]) -> int:
    """Nanoseconds on the CPU of all threads of the processes, those that have ended not among them."""
    total = 0
    for pid in pids:
        for task in Path(f"/proc/{pid}/task").iterdir():
            with contextlib.suppress(OSError):
                total += int((task / "schedstat").read_text().split()[0])
    return total


def process_seconds(pid: int) -> float:
    """Seconds of CPU of a process with all threads it ever had: a database server has one a connection."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def pin(pid: int, core: int) -> None:
    """All threads of a process that runs already, and those that they will make."""
    for task in Path(f"/proc/{pid}/task").iterdir():
        os.sched_setaffinity(int(task.name), {core})


def memory_bytes(pids: list[int]) -> dict[str, int]:
    """Proportional and resident memory of the processes together."""
    total = {"pss": 0, "rss": 0}
    for pid in pids:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            key, _, rest = line.partition(":")
            if key.lower() in total:
                total[key.lower()] += int(rest.split()[0]) * 1024
    return total


def wait_until(condition, what: str, seconds: float = 15) -> None:
    """Returns when condition() is true; raises Unfit when it does not become so."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise Unfit(f"{what} did not happen within {seconds:.0f} s")
        time.sleep(0.02)


def get(port: int, path: str, field: str = "") -> bytes:
    """One GET to 127.0.0.1:port, with a further header field or none; the raw answer, or nothing."""
    request = (f"GET {path} HTTP/1.1\r\nHost: bench.example\r\nUser-Agent: bench/1\r\nAccept: */*\r\n"
               "Connection: close\r\n" + (f"{field}\r\n" if field else "") + "\r\n")
    answer = b""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
            connection.sendall(request.encode())
            while piece := connection.recv(65536):
                answer += piece
    except OSError:
        return b""
    return answer


def description() -> dict:
    """Kernel and processor, without anything that names the host."""
    model = "unknown"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    return {"kernel": f"{platform.system()} {platform.release().split('-')[0]} {platform.machine()}",
            "processor": model, "processors": os.cpu_count(),
            "tcp_congestion_control": Path("/proc/sys/net/ipv4/tcp_congestion_control").read_text().strip()}


def first_line(command: list[str]) -> str:
    """The first line a command prints, on either stream; empty when it fails."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, env=environment())
    except (OSError, subprocess.TimeoutExpired):
        return ""
    lines = (done.stdout + done.stderr).strip().splitlines()
    return lines[0] if done.returncode == 0 and lines else ""


def versions(proxies: list[str]) -> dict:
    found = {}
    if "haproxy" in proxies:
        found["haproxy"] = first_line(["haproxy", "-v"]).removeprefix("HAProxy version ").split(" ")[0]
    if "nginx" in proxies:
        found["nginx"] = first_line(["nginx", "-v"]).removeprefix("nginx version: ")
    if "trilith" in proxies:
        commit = first_line(["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"])
        changed = first_line(["git", "-C", str(ROOT), "status", "--porcelain", "--untracked-files=no", "src",
                              "include"])
        found["trilith"] = commit + (" with local changes" if changed else "")
    return found
