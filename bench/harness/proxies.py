"""The three proxies: how each is configured, started pinned to its core, and found ready."""

import json
import os
import shutil
import socket
from dataclasses import dataclass
from pathlib import Path

from . import machine
from .server import Server, nginx_command, nginx_values, trilith_command

UPSTREAM_CONNECTIONS = 4096  # that nginx may keep open to backends

# The peers write the JSON keys of Trilith whose values they know; times of haproxy are in ms, of nginx in s.
NGINX_LOG = ('log_format json escape=json \'{"time":"$time_iso8601","request_id":"$request_id",'
             '"client":"$remote_addr",'
             '"method":"$request_method","host":"$host","path":"$request_uri","protocol":"$server_protocol",'
             '"status":$status,"bytes_in":$request_length,"bytes_out":$bytes_sent,"pool":"origin",'
             '"backend":"$upstream_addr","connect":"$upstream_connect_time",'
             '"first_byte":"$upstream_header_time",'
             '"total":$request_time,"ended":"$request_completion","user_agent":"$http_user_agent",'
             '"referer":"$http_referer"}\';\n'
             '    access_log {file} json buffer=64k flush=1s;')
HAPROXY_LOG = ('log-format \'{{"time":"%tr","request_id":"%ID","client":"%ci","method":"%HM",'
               '"host":"%[capture.req.hdr(0),json(utf8s)]","path":"%[capture.req.uri,json(utf8s)]",'
               '"protocol":"%HV","status":%ST,"bytes_in":%U,"bytes_out":%B,"pool":"%b","backend":"%s",'
               '"retries":%rc,"queue":%Tw,"connect":%Tc,"first_byte":%Tr,"total":%Ta,"ended":"%tsc",'
               '"user_agent":"%[capture.req.hdr(1),json(utf8s)]",'
               '"referer":"%[capture.req.hdr(2),json(utf8s)]"}}\'')
HAPROXY_CAPTURE = "\n    ".join(f"http-request capture req.hdr({name}) len 128"
                               for name in ("Host", "User-Agent", "Referer"))


@dataclass
class Setup:
    """What a proxy is to do; the same for each of them."""
    backends: list[str]            # ADDRESS:PORT
    has_log: bool = False
    routes: int = 0                # 0: one pool takes everything; else so many, the last of which matches
    check_interval: str = "2s"
    probe: str = "/s/last"         # a path that is answered with 200


class Proxy(Server):
    """One running proxy. Its ports, where it can do the work in several ways:
    same: adds the fields that all add; lean: X-Forwarded-For alone; spliced, auto: as same, with splice."""
    port_names = ("same", "lean", "spliced", "auto")

    def __init__(self, setup: Setup, directory: Path, children: machine.Children) -> None:
        super().__init__(setup, directory, children)
        self.log = directory / "access.log"

    def forget_log(self) -> None:
        if self.setup.has_log and self.log.exists():
            os.truncate(self.log, 0)

    def values(self) -> dict:
        return {"CHECK_INTERVAL": self.setup.check_interval} | super().values()

    def route_names(self) -> list[str]:
        """All routes but the last, none of which the benchmark's requests match."""
        return [f"/route{i}/" for i in range(self.setup.routes - 1)]


class Haproxy(Proxy):
    name = "haproxy"
    template = "haproxy.cfg"

    def own_values(self) -> dict:
        check = f"check inter {self.setup.check_interval}"
        backends = "\n    ".join(f"server s{i} {address} pool-max-conn -1 {check}"
                                 for i, address in enumerate(self.setup.backends))
        routes = ""
        if self.setup.routes:
            table = self.directory / "routes.map"
            table.write_text("".join(f"{path} origin\n" for path in [*self.route_names(), "/s/"]))
            routes = f"use_backend %[path,map_beg({table},origin)]"
        # Standard output is a file: the only way in which haproxy writes one without a second process.
        return {"BACKENDS": backends, "ROUTES": routes,
                "LOG_TARGET": "log stdout format raw local0" if self.setup.has_log else "",
                "LOG_FORMAT": "log global\n    " + HAPROXY_LOG.format() if self.setup.has_log else "no log",
                "CAPTURE": HAPROXY_CAPTURE if self.setup.has_log else ""}

    def output(self) -> Path:
        return self.log

    def command(self, configuration: Path) -> list[str]:
        return ["haproxy", "-db", "-f", str(configuration)]


class Nginx(Proxy):
    name = "nginx"
    template = "nginx.cfg"

    def used_ports(self) -> list[int]:
        self.ports["spliced"] = self.ports["auto"] = self.ports["same"]  # it has no splice
        return list(self.ports.values())

    def own_values(self) -> dict:
        log = NGINX_LOG.replace("{file}", str(self.log)) if self.setup.has_log else "access_log off;"
        routes = [f"location {path} {{ proxy_pass http://origin; }}" for path in [*self.route_names(), "/s/"]]
        return {"BACKENDS": "\n        ".join(f"server {address};" for address in self.setup.backends),
                "ROUTES": "\n        ".join(routes) if self.setup.routes else "",
                "LOG": log,
                # Unlike the others' limits it counts connections to backends too.
                **nginx_values(machine.client_limit() + UPSTREAM_CONNECTIONS)}

    def command(self, configuration: Path) -> list[str]:
        return nginx_command(self.directory, configuration)


class Trilith(Proxy):
    name = "trilith"
    template = "trilith.cfg"

    def used_ports(self) -> list[int]:
        self.ports = dict.fromkeys(self.ports, self.ports["same"])  # it has one way only
        return list(self.ports.values())

    def own_values(self) -> dict:
        routes = "".join(f'\n[[routes]]\npath = "{path}*"\npool = "origin"\n'
                         for path in [*self.route_names(), "/s/"])
        return {"BACKENDS": ", ".join(f'"{address}"' for address in self.setup.backends),
                "ROUTES": routes if self.setup.routes else "",
                "LOG": f'enabled = true\nfile = "{self.log}"' if self.setup.has_log else "enabled = false"}

    def start(self) -> None:
        super().start()
        machine.wait_until(self._all_up, "the first health check of every backend", seconds=30)

    def _all_up(self) -> bool:
        """Asks the control socket: a backend that has not been checked yet may get nothing."""
        with socket.socket(socket.AF_UNIX) as control:
            control.settimeout(5)
            try:
                control.connect(str(self.directory / "run" / "lb1.sock"))
                control.sendall(b"GET /v1/status HTTP/1.1\r\nHost: control\r\nConnection: close\r\n\r\n")
                answer = b""
                while piece := control.recv(65536):
                    answer += piece
                states = [backend["state"] for pool in json.loads(answer.partition(b"\r\n\r\n")[2])["pools"]
                          for backend in pool["backends"]]
            except (OSError, ValueError, KeyError):
                return False
        return bool(states) and all(state == "up" for state in states)

    def command(self, configuration: Path) -> list[str]:
        return trilith_command(self.directory, configuration, "lb1")


KINDS = {kind.name: kind for kind in (Haproxy, Nginx, Trilith)}


def remove(directory: Path) -> None:
    shutil.rmtree(directory, ignore_errors=True)
