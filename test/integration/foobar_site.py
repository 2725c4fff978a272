"""examples/foobar under test: a balancer, two servers with web, program and database, with addresses of the test's own."""

import contextlib
import http.client
import http.server
import os
import re
import shutil
import threading
import urllib.parse

from app_site import AppSite, own_addresses
from balancer_site import ROOT, toml_table
from database_site import DatabaseSite
from raw_client import wait_until

PROGRAM = os.environ.get("FOOBAR_PROGRAM") or os.path.join(ROOT, "build", "release", "example_foobar")
SOURCE = os.path.join(ROOT, "examples", "foobar")
UP_SECONDS = 120


class Foobar(DatabaseSite):
    """The example with addresses of the test's own. `health` is [balancer.health]; `database` are further keys of [database]."""

    def __init__(self, health=None, **database):
        assert os.path.exists(PROGRAM), f"{PROGRAM} is not there: build it first"
        (self.balancer, web1, web2), self.entry, _ = own_addresses(3)
        roles = ["web", "app", "database"]
        self.addresses = {"web1": web1, "web2": web2}
        self.databases = ["web1", "web2"]
        servers = {"lb1": {"address": self.balancer, "roles": ["balancer"]}, **{name: {"address": address, "roles": roles} for name, address in self.addresses.items()}}
        text = 'site = "www.foobar.com"\n' + toml_table("servers", servers)
        text += toml_table("balancer", {"listen": [f"http://{self.balancer}:{self.entry}"], "threads": 1})
        text += toml_table("balancer.health", health) if health else ""
        text += toml_table("web", {"root": "public"}) + toml_table("app", {"command": ["./foobar"], "instances": 1})
        text += toml_table("database", {"engine": "mariadb", "primary": "web1", "name": "foobar", "memory": "32MiB", **database})
        self._make(text)

    def _make(self, text):
        AppSite.__init__(self, text, "up")
        self.hidden = {}
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

    def add_user(self, name):
        """Adds a user by the form; their address, which the list then shows."""
        cookie, token = self.form()
        email = f"{name.lower()}@foobar.com"
        status, text, headers = self.ask("POST", "/users/new", {"name": name, "email": email, "form_token": token}, {"Cookie": cookie})
        assert status == 303, text
        status, text, _ = self.ask("GET", f"/?q={email}", headers={"Cookie": headers["Set-Cookie"].split(";")[0]})
        assert status == 200 and f">{email}<" in text, text
        return email


class Visitor(threading.Thread):
    """A visitor who adds users one after the other, and looks for each at once; never again what failed, and nothing more without an answer (status 0)."""

    def __init__(self, site, name):
        super().__init__(daemon=True)
        self.site = site
        self.named = name
        self.added, self.refused, self.unread = [], [], []
        self.ending = threading.Event()

    def run(self):
        cookie, token = self.site.form()
        while not self.ending.is_set():
            email = f"{self.named}-{len(self.added) + len(self.refused)}@foobar.com"
            fields = {"name": "Visitor", "email": email, "form_token": token}
            try:
                status, text, headers = self.site.ask("POST", "/users/new", fields, {"Cookie": cookie})
                position = cookie
                if status == 303:
                    self.added.append(email)
                    position = headers["Set-Cookie"].split(";")[0]
                else:
                    self.refused.append((email, status, text))
                read, text, _ = self.site.ask("GET", f"/?q={email}", headers={"Cookie": position})
            except (OSError, http.client.HTTPException) as error:
                self.unread.append((email, 0, repr(error)))
                return
            if read != 200 or (status == 303 and f">{email}<" not in text):
                self.unread.append((email, read, text))


class Visitors:
    """Some of them, and what became of what they were told. Their users' addresses begin with `name`."""

    def __init__(self, site, name="visitor", count=3):
        self.site = site
        self.name = f"{name}-{os.urandom(4).hex()}-"  # nobody of an earlier test
        self.visitors = [Visitor(site, f"{self.name}{number}") for number in range(count)]

    def __enter__(self):
        for visitor in self.visitors:
            visitor.start()
        return self

    def __exit__(self, *_):
        for visitor in self.visitors:
            visitor.ending.set()
        for visitor in self.visitors:
            visitor.join(90)
            assert not visitor.is_alive(), "a visitor hangs"

    def wait_more(self, count=5, seconds=90):
        """Until each has added so many more users, or one has given up."""
        before = [len(visitor.added) for visitor in self.visitors]
        done = lambda: all(len(visitor.added) >= had + count for visitor, had in zip(self.visitors, before))
        wait_until(lambda: done() or not all(visitor.is_alive() for visitor in self.visitors), seconds, f"{count} more users of each")

    def refused(self):
        """What could not be added: (email, status, text)."""
        return [refused for visitor in self.visitors for refused in visitor.refused]

    def unread(self):
        """What had no good answer, or was added and not to be seen: the same."""
        return [unread for visitor in self.visitors for unread in visitor.unread]

    def wrong(self):
        return self.refused() + self.unread()

    def added(self):
        return {email for visitor in self.visitors for email in visitor.added}

    def there(self, server):
        """Who is in that server's database."""
        return {row[0] for row in self.site.sql(server, f"SELECT email FROM foobar.users WHERE email LIKE '{self.name}%'")}

    def missing(self, server):
        """Who was added, and is not there."""
        return self.added() - self.there(server)


class Mirror(http.server.ThreadingHTTPServer):
    """What a browser asks for comes from `place`; a cookie of the name `dropped` does not come with it."""

    daemon_threads = True

    def __init__(self, place, dropped=None):
        super().__init__(("127.0.0.1", 0), MirrorHandler)
        self.place, self.dropped = place, dropped
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()


class MirrorHandler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        with contextlib.closing(http.client.HTTPConnection(*self.server.place, timeout=60)) as connection:
            connection.request(self.command, self.path, body or None, {name: value for name, value in self.headers.items() if name.lower() != "connection"})
            answer = connection.getresponse()
            text = answer.read()
            self.send_response_only(answer.status, answer.reason)
            for name, value in answer.getheaders():
                is_dropped = name.lower() == "set-cookie" and self.server.dropped and value.startswith(self.server.dropped + "=")
                if not is_dropped and name.lower() not in ("connection", "transfer-encoding", "content-length"):
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

    do_POST = do_GET

    def log_message(self, *_):
        """Nothing."""


class Shape(Foobar):
    """A file of examples/foobar with addresses and a port of the test's own, and less of everything."""

    def __init__(self, file):
        with open(os.path.join(SOURCE, file), encoding="utf-8") as example:
            text = example.read()
        servers = re.findall(r'^(\w+) += \{ address = "([\d.]+)", roles = \[(.*?)\]', text, re.MULTILINE)
        own, self.entry, _ = own_addresses(len(servers))
        self.balancer = own[0]
        self.addresses = {name: mine for (name, _, _), mine in zip(servers, own)}
        self.databases = [name for name, _, roles in servers if '"database"' in roles]
        # All at once: one of ours may be one of theirs.
        theirs = {address: mine for (_, address, _), mine in zip(servers, own)}
        text = re.sub(r'address = "([\d.]+)"', lambda found: f'address = "{theirs[found[1]]}"', text)
        text = re.sub(r"^(\w+) +=", r"\1 =", text, flags=re.MULTILINE)  # as names() reads it
        for old, new in (("http://127.0.0.1:8080", f"http://{self.balancer}:{self.entry}"), ("instances = 2", "instances = 1"),
                         ("../../build/release/example_foobar", "./foobar"), ("64MiB", "32MiB")):
            assert old in text, f"{file} has no {old}"
            text = text.replace(old, new)
        self._make(text)
