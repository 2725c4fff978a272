"""examples/foobar as a whole, without a browser: who answers, forms, migrations, without a primary, while the primary moves."""

import contextlib
import os
import re
import subprocess
import threading

import pytest

import mariadb_cluster
from app_site import kill_9
from balancer_site import BINARY
from foobar_site import Foobar, Visitors
from raw_client import wait_until

pytestmark = pytest.mark.skipif(not mariadb_cluster.IS_THERE, reason="no mariadbd here: scripts/install-dependencies test")


@pytest.fixture(scope="module")
def site():
    made = Foobar()
    try:
        yield made.start()
    finally:
        made.finish()


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
    assert site.ask("POST", "/users/new", {"name": b"\xff", "email": "a@foobar.com", "form_token": token}, {"Cookie": cookie})[0] == 400


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


@contextlib.contextmanager
def without_primary(site):
    """web1's mariadbd is killed as often as it is started; with `async` nobody takes its place."""
    ending = threading.Event()

    def kill():
        while not ending.is_set():
            pid = site.mariadbd("web1")
            if pid:
                with contextlib.suppress(ProcessLookupError):
                    kill_9(pid)
            ending.wait(0.02)

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        yield
    finally:
        ending.set()
        killer.join()


def test_without_a_primary_everything_is_shown_and_changes_wait():
    site = Foobar(durability="async", hold="2s")
    try:
        site.start()
        cookie, token = site.form()
        fields = {"name": "Wait", "email": "wait@foobar.com", "form_token": token}
        # Each of the SQL routers: a read that waits for the primary goes on waiting for it when a replica comes.
        wait_until(lambda: all("replica" in site.ask("GET", "/", server=name)[1] for name in site.databases), 60, "a replica that answers")
        with without_primary(site):
            wait_until(lambda: "Changes must wait" in site.ask("GET", "/")[1], 60, "the notice")
            for _ in range(20):
                status, text, _ = site.ask("GET", "/?q=ada")
                assert status == 200 and "Ada Lovelace" in text and "web2, replica" in text, f"{text}\n{site.stderr()[-6000:]}"
            status, text, _ = site.ask("POST", "/users/new", fields, {"Cookie": cookie})
            assert status == 503 and 'class="notice bad"' in text and 'value="wait@foobar.com"' in text
            for server in ("web1", "web2"):
                assert site.ask("GET", "/healthz", server=server)[0] == 200
        wait_until(lambda: "Changes must wait" not in site.ask("GET", "/", server="web1")[1] + site.ask("GET", "/", server="web2")[1], 60, "an end of the notice")
        assert site.ask("POST", "/users/new", fields, {"Cookie": cookie})[0] == 303
        assert ">wait@foobar.com<" in wait_until(lambda: "wait@" in (text := site.ask("GET", "/?q=wait@")[1]) and text, 30, "the user")
    finally:
        site.finish()


def test_visitors_do_not_notice_that_the_primary_moves(site):
    site.wait_whole()
    with Visitors(site, "moved") as visitors:
        visitors.wait_more()
        done = subprocess.run([BINARY, "switchover", "--to", "web2", *site.options()], capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        visitors.wait_more()
    assert visitors.wrong() == []
    assert visitors.there("web2") == visitors.added()


def test_a_primary_that_is_killed_costs_no_read_and_no_change_that_was_acknowledged(site):
    with Visitors(site, "killed") as visitors:
        for _ in range(2):
            site.wait_whole()
            visitors.wait_more()
            primary = site.primary
            kill_9(site.mariadbd(primary))
            wait_until(lambda: site.primary != primary, 60, "another primary")
            visitors.wait_more()
    site.wait_whole()
    there = visitors.there(site.primary)
    assert visitors.unread() == []
    assert visitors.added() <= there
    for email, status, text in visitors.refused():
        assert 'class="notice bad"' in text, (status, text)
        assert status == 503 and "Nothing was changed" in text and email not in there or status == 500 and "It is not known" in text, (status, text)
