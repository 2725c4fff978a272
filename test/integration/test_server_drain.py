"""`trilith drain SERVER` and its kin on the whole sample site: what visitors notice of a server that is drained, ends, comes back."""

import contextlib
import os
import re
import signal
import threading

import pymysql
import pytest

import mariadb_cluster
from app_site import SiteLoad, kill_9
from foobar_site import Foobar, Visitors
from raw_client import GET, wait_until

pytestmark = pytest.mark.skipif(not mariadb_cluster.IS_THERE, reason="no mariadbd here: scripts/install-dependencies test")


@pytest.fixture(scope="module")
def started(trilith):
    made = Foobar(health={"interval": "200ms", "timeout": "2s", "fall": 2, "rise": 1})
    try:
        yield made.start().wait_whole()
    finally:
        made.finish()


@pytest.fixture
def site(started):
    """Whole, with nothing overridden before and after, and both servers in the balancer's rotation."""
    started.wait_whole()
    wait_until(lambda: all(backend(started, name)["in_rotation"] for name in ("web1", "web2")), 30, "both in rotation")
    yield started
    started.do("undo", "--all")


def backend(site, name):
    return next(each for each in site.pool_of("lb1", "web")["backends"] if each["name"] == name)


def router_node(site, router, name):
    return next(each for each in site.status_of(router)["sql_router"]["nodes"] if each["name"] == name)


def overrides(site, name):
    """What every server says of that one: of its web tier, and of its database."""
    return [backend(site, name)["override"], *(router_node(site, router, name)["override"] for router in ("web1", "web2"))]


DRAINED = [{"admin": "drain"}] * 3


def test_visitors_do_not_notice_that_a_server_is_drained_ends_and_comes_back(site):
    first, second = site.primary, "web2" if site.primary == "web1" else "web1"
    with Visitors(site) as visitors, SiteLoad((site.balancer, site.entry), clients=4, request=GET) as readers:
        visitors.wait_more()
        said = site.do("drain", first, timeout=120)
        assert site.primary == second
        for line in (
            f"web/{first}: draining: running requests end, no new ones come",
            f"database/{first}: draining: running reads end, no new ones come",
            f"web/{first} is drained: no request runs on it",
            f"database/{first} is drained: no statement runs on it",
        ):
            assert said.splitlines().count(line) == 1, said
        assert said.endswith(f"{first} can be switched off\n"), said
        before = backend(site, first)["requests_total"]
        old = site.serve_pid(first)
        os.kill(old, signal.SIGTERM)
        visitors.wait_more()
        site.wait_restarted(first, old, seconds=60)
        visitors.wait_more()
        assert overrides(site, first) == DRAINED
        site.wait_whole()
        assert backend(site, first)["requests_total"] == before, "it stays drained"
        site.do("enable", first)
        wait_until(lambda: backend(site, first)["requests_total"] > before or visitors.wrong(), 30, f"requests at {first}")
        visitors.wait_more()
        readers.wait_requests(50)
    assert visitors.wrong() == [] and readers.failures == []
    assert readers.requests > 100 and site.primary == second, "the primary stays where it is"
    wait_until(lambda: visitors.missing(first) == visitors.missing(second) == set(), 30, "every user at both")


def test_it_survives_a_reload_and_kill_9_until_it_is_undone(site):
    site.do("drain", "web1", "--no-wait", timeout=120)
    site.do("weight", "web2", "50")
    site.do("reload")
    old = site.serve_pid("lb1")
    kill_9(old)
    site.wait_restarted("lb1", old)
    assert overrides(site, "web1") == DRAINED
    assert overrides(site, "web2") == [{"weight": 50}, None, None], "a server's weight is its share of the requests"
    undone = site.do("undo", "web1")
    assert undone == "web/web1: as configured again: weight 100, enabled\ndatabase/web1: as configured again: weight 100, enabled\n"
    assert overrides(site, "web1") == [None] * 3 and overrides(site, "web2")[0] == {"weight": 50}


def test_a_balancer_and_an_unknown_server_are_told(site):
    refused = site.verb("drain", "lb1")
    assert refused.returncode == 1 and "sends anything to lb1" in refused.stderr
    assert f"lb1 is a balancer: clients that come to it (http://{site.balancer}:{site.entry}) are not moved" in refused.stderr
    refused = site.verb("drain", "web3")
    assert refused.returncode == 1 and 'no backend is named "web3"' in refused.stderr and "web1" in refused.stderr


def other_than_the_primary(site):
    """A server, all new requests to which go there alone from now on."""
    if site.primary == "web1":
        site.do("switchover", "--to", "web2", timeout=120)
        site.wait_whole()
    site.do("weight", "web2", "0")
    return "web1"


@contextlib.contextmanager
def slow_request(site, server):
    """A form that web1 has and cannot answer before unlock() is called; gives unlock and the list in which its status comes."""
    cookie, token = site.form()
    fields = {"name": "Slow", "email": f"slow-{os.urandom(4).hex()}@foobar.com", "form_token": token}
    came = []
    sender = threading.Thread(target=lambda: came.append(site.ask("POST", "/users/new", fields, {"Cookie": cookie})[0]))
    place = {"host": site.addresses[site.primary], "port": 3307}
    with contextlib.closing(pymysql.connect(user="trilith_admin", password=site.secret("admin"), **place)) as holder, holder.cursor() as cursor:
        cursor.execute("LOCK TABLES foobar.users WRITE")
        sender.start()
        try:
            wait_until(lambda: backend(site, server)["in_flight"] >= 1, 30, "the form on its way")
            yield lambda: (cursor.execute("UNLOCK TABLES"), sender.join(60)), came
        finally:
            cursor.execute("UNLOCK TABLES")
            sender.join(60)


def test_a_drain_waits_for_the_request_that_runs(site):
    server = other_than_the_primary(site)
    with slow_request(site, server) as (unlock, came):
        site.do("undo", "web2")
        drain = site.start_verb("drain", server)
        lines = []
        while not lines or "1 request runs on it" not in lines[-1]:
            lines.append(drain.stdout.readline())
            assert lines[-1], lines
        assert drain.poll() is None and came == []
        unlock()
        assert drain.communicate(timeout=60)[0].endswith(f"{server} can be switched off\n") and drain.returncode == 0
        assert came == [303]


def test_control_without_a_drain_the_request_that_runs_is_lost(site):
    server = other_than_the_primary(site)
    with slow_request(site, server) as (unlock, came):
        site.do("undo", "web2")
        old = site.serve_pid(server)
        kill_9(old)
        wait_until(lambda: came, 60, "an answer")
        assert came != [303]
        site.wait_restarted(server, old, seconds=60)
        unlock()


# ---- the stop of all of them

STEPS = [
    r"the balancers have ended their requests after=\d+\S* servers=lb1\n",
    r"the web servers have ended their requests after=\d+\S* servers=\"web1, web2\"\n",
    r"the application has ended after=\d+\S* servers=\"web1, web2\"\n",
    r"the SQL routers have ended their sessions after=\d+\S* servers=\"web1, web2\"\n",
    r"the database primary has ended after=\d+\S*\n",
]


def test_a_stop_of_all_loses_nothing_and_fails_no_request_that_was_begun(site):
    primary, epoch = site.primary, site.topology()["epoch"]
    with Visitors(site) as visitors, SiteLoad((site.balancer, site.entry), clients=4, request=GET) as readers:
        visitors.wait_more()
        site.signal(signal.SIGTERM)
        assert site.wait_exit(90) == 0, site.stderr()
    told = site.stderr()
    told = told[told.index("stopping: a second signal stops at once"):]
    places = [re.search("info up: stopping: " + step, told) for step in STEPS]
    assert all(places), told[-3000:]
    assert [found.start() for found in places] == sorted(found.start() for found in places)
    assert "mariadbd has ended" not in told and "is killed: it does not end" not in told
    # What was begun was answered; what came later found nobody, or was on its way when its connection was closed.
    unheard = ("ConnectionRefusedError", "ConnectionResetError", "BrokenPipeError", "WireError: the connection was")
    assert [failure for failure in readers.failures if not failure.startswith(unheard)] == []
    assert [wrong for wrong in visitors.wrong() if wrong[1] != 0] == []
    assert not site.family()
    site.start().wait_whole()
    assert (site.primary, site.topology()["epoch"]) == (primary, epoch), "nobody took its place meanwhile"
    for server in ("web1", "web2"):
        wait_until(lambda where=server: visitors.missing(where) == set(), 30, f"every user at {server}")
