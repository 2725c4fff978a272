"""Pages of a database: what bench/pages and bench/site share. PHP-FPM behind nginx, made ready from the templates in
peers/; a tree of processes that answers on a port; ratios of rounds."""

import contextlib
import statistics
import subprocess
from pathlib import Path

from . import machine

PEERS = machine.SOURCES / "peers"
PHP_WORKERS = 8


class Target:
    """What answers at 127.0.0.1:port. `pids()` gives its processes, none of which ends while it is measured."""

    def __init__(self, name: str, port: int, pids) -> None:
        self.name, self.port, self.pids = name, port, pids

    def cpu_ns(self) -> int:
        return machine.cpu_ns(self.pids())

    def answer(self, path: str) -> tuple[str, str]:
        """The head and the body of the answer to a GET."""
        head, _, body = machine.get(self.port, path).decode().partition("\r\n\r\n")
        return head, body


def configured(template: str, place: Path, **values) -> Path:
    """A file of peers/ with these values in the place of its words between at signs."""
    text = (PEERS / template).read_text()
    for name, value in values.items():
        text = text.replace(f"@{name}@", str(value))
    configuration = place / template
    configuration.write_text(text)
    return configuration


def start(children: machine.Children, directory: Path, name: str, port: int, command: list, probe: str) -> Target:
    """Starts it on the core of what is measured; it has answered GET `probe` with 200 when this returns."""
    log = directory / f"{name}.log"
    with open(log, "wb") as errors:
        process = children.start(command, machine.PROXY_CORE, stdin=subprocess.DEVNULL,
                                 stdout=subprocess.DEVNULL, stderr=errors)

    def answers() -> bool:
        assert process.poll() is None, log.read_text()
        with contextlib.suppress(OSError):
            return b" 200 " in machine.get(port, probe)[:16]
        return False

    machine.wait_until(answers, f"the first answer of {name}", seconds=60)
    return Target(name, port, lambda: machine.process_family(process.pid))


def php_commands(place: Path, script: str, port: int, dsn: str, account: tuple, files: str = "") -> list:
    """Command lines of PHP-FPM, and of nginx before it at `port`. `account`: user and password of the database, by
    `dsn`. `files` are lines of nginx's that look for a file first and else go to @php; empty: all goes to PHP."""
    is_root = machine.is_root()
    fpm = configured("pages_fpm.cfg", place, DIRECTORY=place, WORKERS=PHP_WORKERS, DSN=dsn, ACCOUNT=account[0],
                     PASSWORD=account[1], USER="user = www-data\ngroup = www-data" if is_root else "")
    nginx = configured("pages_nginx.cfg", place, WORKERS=PHP_WORKERS, PORT=port, SCRIPT=script, FILES=files,
                       PLACE="@php" if files else "/", DIRECTORY=place, USER="user www-data;" if is_root else "")
    return [["php-fpm8.2", "-F", "-y", str(fpm)], ["nginx", "-c", str(nginx)]]


def together(commands: list) -> list:
    """One command that runs all of these, and ends them when it is ended."""
    lines = " & ".join(" ".join(words) for words in commands)
    return ["bash", "-c", f"{lines} & trap 'kill $(jobs -p)' TERM; wait; wait"]


def turns(targets: list, number: int) -> list:
    """The targets in the order of that round: it rotates."""
    turn = number % len(targets)
    return targets[turn:] + targets[:turn]


def ratio(mine: list, others: list) -> tuple[float, str]:
    """The median of the ratios of the rounds; and as text, with the lowest and the highest."""
    found = sorted(a / b for a, b in zip(mine, others))
    middle = statistics.median(found)
    return middle, f"{middle:.2f} ({found[0]:.2f}–{found[-1]:.2f})"


def judged(mine: list, others: list, limit: float) -> str:
    median, text = ratio(mine, others)
    return f"{text}, target ≤ {limit}: {'pass' if round(median, 2) <= limit else '**MISS**'}"
