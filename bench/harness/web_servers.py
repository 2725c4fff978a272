"""The web servers and the program: how each is configured and started."""

from dataclasses import dataclass
from pathlib import Path

from . import machine
from .server import Server, nginx_command, nginx_values, trilith_command


@dataclass
class WebSetup:
    """What a web server is to do."""
    root: Path                   # of the files
    probe: str = "/4k.png"       # a path that is answered with 200
    cache: str = ""              # lines of Trilith's [web.cache]; empty: its defaults


class TrilithWeb(Server):
    name = "trilith"
    template = "trilith_web.cfg"

    def own_values(self) -> dict:
        return {"ROOT": self.setup.root, "CACHE": self.setup.cache}

    def command(self, configuration: Path) -> list[str]:
        return trilith_command(self.directory, configuration, "web1")


class NginxWeb(Server):
    """Its ports: same: sendfile and tcp_nopush; uncorked: without tcp_nopush; copying: without sendfile."""
    name = "nginx"
    template = "nginx_web.cfg"
    port_names = ("same", "uncorked", "copying")

    def own_values(self) -> dict:
        return {"ROOT": self.setup.root, **nginx_values(machine.client_limit())}

    def command(self, configuration: Path) -> list[str]:
        return nginx_command(self.directory, configuration)


class TrilithApp(Server):
    """A program of trilith::app, peers/app_json.cc."""
    name = "trilith"

    def command(self, configuration: Path) -> list[str]:
        return [str(machine.built("bench_app_json")), "--port", str(self.ports["same"])]
