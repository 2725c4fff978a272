"""examples/foobar as a whole: a balancer, two servers with web, program and database, and a browser before them."""

import contextlib
import http.client
import os
import re
import shutil
import signal
import subprocess
import threading
import urllib.parse

import pytest

import browser
import mariadb_cluster
from app_site import AppSite, own_addresses
from balancer_site import BINARY, ROOT, toml_table
from browser import DESKTOP, PHONE, Browser
from database_site import DatabaseSite
from raw_client import wait_until

PROGRAM = os.environ.get("FOOBAR_PROGRAM") or os.path.join(ROOT, "build", "release", "example_foobar")
SOURCE = os.path.join(ROOT, "examples", "foobar")
UP_SECONDS = 120
pytestmark = pytest.mark.skipif(not mariadb_cluster.IS_THERE, reason="no mariadbd here: scripts/install-dependencies test")
HOSTILE = [
    "<script>document.title='owned'</script>",
    "\"><img src=x onerror=\"document.title='owned'\">",
    "Robert'); DROP TABLE users;-- ",
    "{{name}} {{{name}}} \\' %_!",
    "ẞ𝄞 مرحبا ‮abc",
    "W" * 100,
]


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


@pytest.fixture(scope="module")
def site():
    made = Foobar()
    try:
        yield made.start()
    finally:
        made.finish()


VISITORS = {"phone": (PHONE, True), "phone-without-scripts": (PHONE, False), "desktop": (DESKTOP, True), "desktop-without-scripts": (DESKTOP, False)}


def visitors(*names):
    return pytest.mark.parametrize("visitor", names, indirect=True)


@pytest.fixture
def visitor(request):
    if browser.PROGRAM is None:
        pytest.skip("chromium is not installed: scripts/install-dependencies test brings it")
    size, scripts = VISITORS[request.param]
    made = Browser(size, scripts)
    made.name = request.param
    yield made
    made.close()


def assert_fits(page):
    """Nothing sticks out to the right, and what is to be pressed is large enough for a finger."""
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), "the page is wider than the window"
    small = page.evaluate("[...document.querySelectorAll('button, .button, input:not([type=hidden])')].filter(e => e.getBoundingClientRect().height < 40).map(e => e.outerHTML)")
    assert small == []


def fill(page, name, email, city=""):
    for field, text in (("#name", name), ("#email", email), ("#city", city)):
        page.type(field, text)


@visitors(*VISITORS)
def test_a_visitor_adds_edits_searches_and_removes(site, visitor):
    page = visitor
    page.open(site.url)
    assert page.evaluate("getComputedStyle(document.querySelector('button')).borderRadius") != "0px", "the style sheet is not there"
    assert_fits(page)
    page.picture(f"list-{page.name}")
    page.follow("nav .button", "Add a user")
    assert_fits(page)
    page.picture(f"add-{page.name}")
    email = f"{page.name}@foobar.com"
    fill(page, "Zoë Test", email, "Köln")
    page.follow("button", "Save")
    assert page.text(".notice") == "The user was added."
    page.type("#q", email)
    page.follow("button", "Search")
    assert page.texts("td.name") == ["Zoë Test"] and page.texts("td.city") == ["Köln"]
    page.follow("a", "Edit")
    assert page.evaluate("document.querySelector('#name').value") == "Zoë Test"
    page.type("#name", "Zoë Changed")
    page.follow("button", "Save")
    assert page.text(".notice") == "The user was edited."
    page.type("#q", email)
    page.follow("button", "Search")
    assert page.texts("td.name") == ["Zoë Changed"]
    page.follow("a.danger", "Remove")
    assert_fits(page)
    page.picture(f"remove-{page.name}")
    page.follow("button", "Remove")
    assert page.text(".notice") == "The user was removed."
    page.type("#q", email)
    page.follow("button", "Search")
    assert page.texts("td.name") == [] and "Nobody is found" in page.text(".nobody")


@visitors("phone-without-scripts", "desktop")
def test_hostile_names_are_shown_as_they_are(site, visitor):
    page = visitor
    for number, name in enumerate(HOSTILE):
        email = f"hostile{number}@{page.name}.foobar.com"
        page.open(f"{site.url}/users/new")
        fill(page, name, email, name[:100])
        page.follow("button", "Save")
        page.open(f"{site.url}/?q={urllib.parse.quote(email)}")
        assert page.evaluate("document.querySelector('td.name').textContent") == name.strip()
        assert page.evaluate("document.title") == "Users · www.foobar.com"
        assert_fits(page)
        page.follow("a", "Edit")
        assert page.evaluate("document.querySelector('#name').value") == name.strip()
        page.open(f"{site.url}/?q={urllib.parse.quote(name)}")
        assert_fits(page)
        assert name.strip() in page.evaluate("[...document.querySelectorAll('td.name')].map(e => e.textContent)")
    page.open(f"{site.url}/?q=hostile")
    page.picture(f"hostile-{page.name}")


@visitors("phone-without-scripts", "desktop")
def test_pages_hold_everybody_once(site, visitor):
    page = visitor
    page.open(site.url)
    names, pages = page.texts("td.email"), 1
    while page.texts("a[rel=next]"):
        page.follow("a[rel=next]")
        names += page.texts("td.email")
        pages += 1
        assert_fits(page)
    assert pages >= 3 and len(names) == len(set(names)) and len(names) >= 26
    page.picture(f"last-page-{page.name}")
    for _ in range(pages - 1):
        page.follow("a[rel=prev]")
    assert page.texts("td.email") == names[:12]


@visitors("phone")
def test_what_is_wrong_with_a_form_is_said_and_nothing_is_lost(site, visitor):
    page = visitor
    page.open(f"{site.url}/users/new")
    fill(page, "Somebody Else", "ada@foobar.com", "Nowhere")
    page.follow("button", "Save")
    assert page.text(".notice.bad") == "Another user has this e-mail address."
    assert page.evaluate("document.querySelector('#name').value") == "Somebody Else"
    page.picture(f"wrong-{page.name}")


def test_every_page_says_who_answered_and_how_old_its_data_is(site):
    webs, databases = set(), set()

    def all_were_seen():
        status, text, _ = site.ask("GET", "/")
        assert status == 200
        webs.add(re.search(r'id="web-server">(\w+)', text)[1])
        databases.add(re.search(r'id="database-server">(\w+), (\w+)<', text).groups())
        assert re.search(r'id="data-age">at most \d+\.\d s old<', text)
        return len(webs) == 2 and ("web2", "replica") in databases

    wait_until(all_were_seen, 30, f"answers of both web servers, and of the replica: {webs} {databases}")
    assert webs == {"web1", "web2"} and databases <= {("web1", "primary"), ("web2", "replica")}


def test_a_form_of_another_site_is_refused(site):
    cookie, token = site.form()
    fields = {"name": "Eve", "email": "eve@foobar.com", "form_token": token}
    assert site.ask("POST", "/users/new", {**fields, "form_token": ""}, {"Cookie": cookie})[0] == 403
    assert site.ask("POST", "/users/new", fields)[0] == 403
    assert site.ask("POST", "/users/new", fields, {"Cookie": cookie, "Sec-Fetch-Site": "cross-site"})[0] == 403
    assert site.ask("POST", "/users/1/remove", {}, {"Cookie": cookie})[0] == 403
    assert site.ask("POST", "/users/new", fields, {"Cookie": cookie})[0] == 303


def test_wrong_input_is_told(site):
    cookie, token = site.form()
    for name, email in (("", "a@foobar.com"), ("x" * 101, "b@foobar.com"), ("Ann", "foobar.com"), ("Ann", "a b@foobar.com")):
        assert site.ask("POST", "/users/new", {"name": name, "email": email, "form_token": token}, {"Cookie": cookie})[0] == 422
    assert site.ask("GET", "/users/999999")[0] == 404
    assert site.ask("GET", "/users/1e3")[0] == 404
    assert site.ask("GET", "/?page=-5&q=%00%F0%9D%84%9E")[0] == 200
    for text in ("%ff", "%C0%80", "%ED%A0%80", "%F4%90%80%80", "a%E2%82"):
        assert site.ask("GET", f"/?q={text}")[0] == 400


def test_it_listens_on_loopback_alone(site):
    pids = set(site.family())
    listening = [line.split()[1].split(":")[0] for name in ("tcp", "tcp6") for line in open(f"/proc/net/{name}", encoding="ascii").readlines()[1:]
                 if line.split()[3] == "0A" and line.split()[9] in socket_inodes(pids)]
    assert listening and all(address.endswith("7F") for address in listening), listening


def socket_inodes(pids):
    found = set()
    for pid in pids:
        with contextlib.suppress(OSError):
            for name in os.listdir(f"/proc/{pid}/fd"):
                with contextlib.suppress(OSError):
                    found.add(os.readlink(f"/proc/{pid}/fd/{name}").removeprefix("socket:[").removesuffix("]"))
    return found


def test_migrations_are_done_once(site):
    rows = site.sql("web1", "SELECT file, COUNT(*), SUM(state = 'done') FROM foobar.trilith_migrations GROUP BY file ORDER BY file")
    assert rows == [["0001_users.sql", "4", "4"], ["0002_first_users.sql", "1", "1"]]


def test_without_a_primary_everything_is_shown_and_changes_wait():
    site = Foobar(durability="async", hold="2s")
    stopped = 0
    try:
        site.start()
        cookie, token = site.form()
        wait_until(lambda: "replica" in site.ask("GET", "/")[1], 60, "a replica that answers")
        stopped = site.wait_mariadbd("web1")
        os.kill(stopped, signal.SIGSTOP)
        wait_until(lambda: "Changes must wait" in site.ask("GET", "/")[1], 60, "the notice")
        status, text, _ = site.ask("GET", "/?q=ada")
        assert status == 200 and "Ada Lovelace" in text and "web2, replica" in text
        fields = {"name": "Wait", "email": "wait@foobar.com", "form_token": token}
        status, text, _ = site.ask("POST", "/users/new", fields, {"Cookie": cookie})
        assert status in (500, 503) and 'class="notice bad"' in text and 'value="wait@foobar.com"' in text
        for server in ("web1", "web2"):
            assert site.ask("GET", "/healthz", server=server)[0] == 200
        os.kill(stopped, signal.SIGCONT)
        wait_until(lambda: "Changes must wait" not in site.ask("GET", "/")[1], 60, "changes again")
        status = site.ask("POST", "/users/new", {**fields, "email": "later@foobar.com"}, {"Cookie": cookie})[0]
        assert status == 303
    finally:
        if stopped:
            with contextlib.suppress(OSError):
                os.kill(stopped, signal.SIGCONT)
        site.finish()


class Busy(threading.Thread):
    """A visitor who adds users one after the other, and looks for each at once; never again what failed."""

    def __init__(self, site, number):
        super().__init__(daemon=True)
        self.site, self.number = site, number
        self.added, self.wrong = [], []
        self.ending = threading.Event()

    def run(self):
        cookie, token = self.site.form()
        while not self.ending.is_set():
            email = f"busy{self.number}-{len(self.added) + len(self.wrong)}@foobar.com"
            fields = {"name": "Busy", "email": email, "form_token": token}
            status, text, headers = self.site.ask("POST", "/users/new", fields, {"Cookie": cookie})
            if status != 303:
                self.wrong.append((email, status, text))
                continue
            self.added.append(email)
            position = headers["Set-Cookie"].split(";")[0]
            status, text, _ = self.site.ask("GET", f"/?q={email}", headers={"Cookie": position})
            if status != 200 or f">{email}<" not in text:
                self.wrong.append((email, status, text))


def test_visitors_do_not_notice_that_the_primary_moves():
    site = Foobar()
    busy = []
    try:
        site.start().wait_whole()
        busy = [Busy(site, number) for number in range(3)]
        for one in busy:
            one.start()
        wait_until(lambda: all(len(one.added) >= 5 for one in busy), 60, "users before the move")
        done = subprocess.run([BINARY, "switchover", "--to", "web2", *site.options()], capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        before = [len(one.added) for one in busy]
        wait_until(lambda: all(len(one.added) >= had + 5 for one, had in zip(busy, before)), 60, "users after the move")
        for one in busy:
            one.ending.set()
            one.join(90)
            assert not one.is_alive() and one.wrong == [], one.wrong[:3]
        there = {row[0] for row in site.sql("web2", "SELECT email FROM foobar.users WHERE name = 'Busy'")}
        assert there == {email for one in busy for email in one.added}
    finally:
        for one in busy:
            one.ending.set()
        site.finish()
