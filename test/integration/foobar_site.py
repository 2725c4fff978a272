"""examples/foobar under test: a balancer, two servers with web, program and database, with addresses of the test's own."""

import contextlib
import http.client
import os
import re
import shutil
import urllib.parse

from app_site import AppSite, own_addresses
from balancer_site import ROOT, toml_table
from database_site import DatabaseSite
from raw_client import wait_until

PROGRAM = os.environ.get("FOOBAR_PROGRAM") or os.path.join(ROOT, "build", "release", "example_foobar")
SOURCE = os.path.join(ROOT, "examples", "foobar")
UP_SECONDS = 120


class Foobar(DatabaseSite):
    """The example with addresses of the test's own. `database` are further keys of [database]."""

    def __init__(self, **database):
        assert os.path.exists(PROGRAM), f"{PROGRAM} is not there: build it first"
        (self.balancer, web1, web2), self.entry, _ = own_addresses(3)
        roles = ["web", "app", "database"]
        self.addresses = {"web1": web1, "web2": web2}
        self.databases = ["web1", "web2"]
        servers = {"lb1": {"address": self.balancer, "roles": ["balancer"]}, **{name: {"address": address, "roles": roles} for name, address in self.addresses.items()}}
        text = 'site = "www.foobar.com"\n' + toml_table("servers", servers)
        text += toml_table("balancer", {"listen": [f"http://{self.balancer}:{self.entry}"], "threads": 1})
        text += toml_table("web", {"root": "public"}) + toml_table("app", {"command": ["./foobar"], "instances": 1})
        text += toml_table("database", {"engine": "mariadb", "primary": "web1", "name": "foobar", "memory": "32MiB", **database})
        AppSite.__init__(self, text, "up")
        shutil.copy(PROGRAM, self.path("foobar"))
        shutil.rmtree(self.path("public"))
        for folder in ("public", "migrations"):
            shutil.copytree(os.path.join(SOURCE, folder), self.path(folder))
        self.url = f"http://{self.balancer}:{self.entry}"

    def start(self, wait=True, nofile=None):
        super().start(wait, nofile)
        wait_until(lambda: "the site is up" in self.stderr() or self.exit_code() is not None, UP_SECONDS, "the site")
        assert self.exit_code() is None, self.stderr()
        return self

    def ask(self, method, path, fields=None, headers=None, server=None):
        """(status, text, headers) of one request, at the balancer or at a server's own web tier."""
        place = (self.addresses[server], 8081) if server else (self.balancer, self.entry)
        with contextlib.closing(http.client.HTTPConnection(*place, timeout=60)) as connection:
            body = urllib.parse.urlencode(fields) if fields is not None else None
            kind = {"Content-Type": "application/x-www-form-urlencoded"} if body is not None else {}
            connection.request(method, path, body, {**kind, **(headers or {})})
            answer = connection.getresponse()
            return answer.status, answer.read().decode(), answer.headers

    def form(self, path="/users/new"):
        """(cookie, token) of a visitor who has loaded that page."""
        status, text, headers = self.ask("GET", path)
        assert status == 200
        return headers["Set-Cookie"].split(";")[0], re.search(r'name="form_token" value="([^"]+)"', text)[1]
