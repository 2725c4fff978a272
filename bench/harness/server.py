"""A server that the benchmark runs: configured from a template, pinned to its core, and found ready."""

import subprocess
from pathlib import Path

from . import machine


class Server:
    """One running server. `setup` says what it is to do, as its kind understands it. `ports` holds one port
    for each way in which it does the work; "same" is the usual one."""
    name = ""
    template = ""            # the file in peers/ that becomes its configuration; empty: it needs none
    port_names = ("same",)

    def __init__(self, setup, directory: Path, children: machine.Children) -> None:
        self.setup = setup
        self.directory = directory
        self.directory.mkdir(parents=True)
        self.children = children
        self.ports = dict(zip(self.port_names, machine.free_ports(len(self.port_names))))
        self.errors = directory / "stderr"
        self.process: subprocess.Popen | None = None

    def start(self) -> None:
        configuration = self.directory / "configuration"
        if self.template:
            text = (machine.SOURCES / "peers" / self.template).read_text()
            for key, value in self.values().items():
                text = text.replace(f"@{key}@", str(value))
            configuration.write_text(text)
        with self.errors.open("ab") as errors, self.output().open("ab") as output:
            self.process = self.children.start(self.command(configuration), machine.PROXY_CORE,
                                               stdin=subprocess.DEVNULL, stdout=output, stderr=errors)
        machine.wait_until(self._answers_or_died, f"the start of {self.name}")

    def _answers_or_died(self) -> bool:
        if self.process.poll() is not None:
            said = self.errors.read_text(errors="replace")[-2000:]
            raise machine.Unfit(f"{self.name} ended at its start:\n{said}")
        return all(b" 200 " in machine.get(port, self.setup.probe)[:16] for port in set(self.used_ports()))

    def used_ports(self) -> list[int]:
        return list(self.ports.values())

    def stop(self) -> None:
        self.children.stop(self.process)

    def pids(self) -> list[int]:
        return machine.process_family(self.process.pid)

    def forget_log(self) -> None:
        """Empties the log, if there is one, so that a long benchmark fills no disk."""

    def values(self) -> dict:
        """What the template's words between at signs stand for."""
        ports = {f"PORT_{name.upper()}": port for name, port in self.ports.items()}
        return {"CORE": machine.PROXY_CORE, "CONNECTIONS": machine.client_limit(),
                "DIRECTORY": self.directory, "PORT": self.ports["same"]} | ports | self.own_values()

    def output(self) -> Path:
        return self.directory / "stdout"

    def own_values(self) -> dict:
        raise NotImplementedError

    def command(self, configuration: Path) -> list[str]:
        raise NotImplementedError


def nginx_values(connections: int) -> dict:
    return {"USER": "user root;" if machine.is_root() else "", "CONNECTIONS": connections,
            "CORE_MASK": f"{1 << machine.PROXY_CORE:b}", "FILES": machine.raise_file_limit()}


def nginx_command(directory: Path, configuration: Path) -> list[str]:
    return ["nginx", "-c", str(configuration), "-e", str(directory / "nginx-error.log")]


def trilith_command(directory: Path, configuration: Path, server: str) -> list[str]:
    for folder in ("run", "state"):
        (directory / folder).mkdir(exist_ok=True)
    if machine.is_root():  # as nginx's "user root": what another user may read is not what is measured
        configuration.write_text('user = "root"\n' + configuration.read_text())
    return [str(machine.trilith_program()), "serve", "--server", server, str(configuration),
            "--runtime-dir", str(directory / "run"), "--state-dir", str(directory / "state")]
