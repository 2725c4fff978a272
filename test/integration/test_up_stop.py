"""How `trilith up` stops: tier by tier, so that nothing is lost that was begun, and with everything there at the next start."""

import re
import signal

import pytest

import mariadb_cluster
from app_site import SiteLoad, app_table, start_tiers
from foobar_site import Foobar, Visitors
from raw_client import GET, RawClient, wait_until
from raw_http import WireError

STEPS = [
    r"the balancers have ended their requests after=\d+\S* servers=lb1\n",
    r"the web servers have ended their requests after=\d+\S* servers=\"web1, web2\"\n",
    r"the application has ended after=\d+\S* servers=\"web1, web2\"\n",
    r"the SQL routers have ended their sessions after=\d+\S* servers=\"web1, web2\"\n",
    r"the database primary has ended, its replicas have all of it after=\d+\S* servers=\"web1, web2\"\n",
]


@pytest.mark.skipif(not mariadb_cluster.IS_THERE, reason="no mariadbd here: scripts/install-dependencies test")
def test_nothing_is_lost_and_no_request_fails_that_was_begun(trilith):
    site = Foobar()
    try:
        site.start().wait_whole()
        primary, epoch = site.primary, site.topology()["epoch"]
        with Visitors(site) as visitors, SiteLoad((site.balancer, site.entry), clients=4, request=GET) as readers:
            visitors.wait_more()
            site.signal(signal.SIGTERM)
            assert site.wait_exit(90) == 0, site.stderr()
        told = site.stderr()
        places = [re.search("info up: stopping: " + step, told) for step in STEPS]
        assert all(places), told[-3000:]
        assert [found.start() for found in places] == sorted(found.start() for found in places)
        assert "mariadbd has ended" not in told and "is killed: it does not end" not in told
        # What was begun was answered; what came later found nobody, or was on its way when its connection was closed.
        refused = ("ConnectionRefusedError", "ConnectionResetError", "RemoteDisconnected", "BrokenPipeError", "WireError: the connection was")
        assert [failure for failure in readers.failures if not failure.startswith(refused)] == []
        assert [wrong for wrong in visitors.wrong() if wrong[1] != 0] == []
        assert not site.family()
        site.start().wait_whole()
        assert (site.primary, site.topology()["epoch"]) == (primary, epoch), "nobody took its place meanwhile"
        for server in ("web1", "web2"):
            wait_until(lambda where=server: visitors.missing(where) == set(), 30, f"every user at {server}")
    finally:
        site.finish()


def hold(site, client):
    """A request that the program has begun and answers when the file `go` is there."""
    client.send(f"GET /hold?until={site.path('go')} HTTP/1.1\r\nHost: a.test\r\n\r\n".encode())


def test_a_request_that_runs_is_answered_before_what_it_needs_ends(stage):
    site = start_tiers(stage, {"lb1": ["balancer"], "web1": ["web", "app"]}, app=app_table(instances=1))
    with RawClient(site.place[1], 60, host=site.place[0]) as client:
        hold(site, client)
        wait_until(lambda: site.pool_of("lb1", "web")["backends"][0]["in_flight"] == 1, 20, "the request on its way")
        site.signal(signal.SIGTERM)
        site.wait_count("info up: stopping: a second signal stops at once", 1)
        site.wait_count("info balancer: draining", 1)
        assert site.status_of("web1")["draining"] is True and site.log_count("info web: draining") == 0
        site.touch("go")
        assert client.response().status == 200
    assert site.wait_exit(60) == 0
    assert site.log_count("info web: draining") == 1


def test_control_a_second_signal_stops_at_once_and_cuts_the_request(stage):
    site = start_tiers(stage, {"lb1": ["balancer"], "web1": ["web", "app"]}, app=app_table(instances=1))
    with RawClient(site.place[1], 60, host=site.place[0]) as client:
        hold(site, client)
        wait_until(lambda: site.pool_of("lb1", "web")["backends"][0]["in_flight"] == 1, 20, "the request on its way")
        site.signal(signal.SIGTERM)
        site.wait_count("info balancer: draining", 1)
        site.signal(signal.SIGINT)
        assert site.wait_exit(60) == 1, "a request was cut"
        with pytest.raises((WireError, OSError)):
            client.response()
        assert site.log_count("warn node: stopping at once") == 2
    assert not site.family()
