"""How `trilith up` stops: tier by tier, so that nothing is taken away from what still uses it. With databases: test_server_drain.py."""

import contextlib
import signal

import pytest

import mariadb_cluster
from app_site import AppSite, app_table, send_signal, start_tiers
from foobar_site import Foobar
from raw_client import RawClient, wait_until
from raw_http import WireError


def hold(site, client):
    """A request that the program has begun and answers when the file `go` is there."""
    client.send(f"GET /hold?until={site.path('go')} HTTP/1.1\r\nHost: a.test\r\n\r\n".encode())


def command_of(pid):
    with contextlib.suppress(OSError):
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read()
    return b""


def test_a_request_that_runs_is_answered_before_what_it_needs_ends(stage):
    site = start_tiers(stage, {"lb1": ["balancer"], "web1": ["web", "app"]}, app=app_table(instances=1))
    with RawClient(site.place[1], 60, host=site.place[0]) as client:
        hold(site, client)
        wait_until(lambda: site.pool_of("lb1", "web")["backends"][0]["in_flight"] == 1, 20, "the request on its way")
        site.signal(signal.SIGTERM)
        site.wait_count("info up: stopping: a second signal stops at once", 1)
        site.wait_count("info balancer: draining", 1)
        wait_until(lambda: site.status_of("web1")["draining"], 20, "web1's order to stop as well")
        assert site.log_count("info web: draining") == 0
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
        try:
            status = client.response().status
        except (WireError, OSError):
            status = 0
        assert status != 200
        assert site.log_count("warn node: stopping at once") == 2
    assert not site.family()


def test_a_server_that_is_stopped_holds_the_end_up_for_a_while_only(stage):
    site = start_tiers(stage, {"lb1": ["balancer"], "web1": ["web", "app"]}, app=app_table(instances=1))
    send_signal(site.status_of("lb1")["pid"], signal.SIGSTOP)
    site.signal(signal.SIGTERM)
    assert site.wait_exit(60) == 1, "a server was killed"
    assert site.log_count("stopping: a server does not answer and is not waited for server=lb1") == 1
    assert site.log_count("the balancers have ended") == 0, "nobody knows"
    assert site.log_count("stopped or stuck: it is killed server=lb1") == 1
    assert site.log_count("stopped server=web1 by=\"status 0\"") == 1
    assert not site.family()


@pytest.mark.skipif(not mariadb_cluster.IS_THERE, reason="no mariadbd here: scripts/install-dependencies test")
def test_a_run_of_the_migrations_that_hangs_and_is_stopped_ends_with_the_site():
    site = Foobar()
    try:
        with open(site.path("migrations/0003_hangs.sql"), "w", encoding="utf-8") as file:
            file.write("SELECT SLEEP(1000)")
        AppSite.start(site, wait=False)

        def run():
            return next((pid for pid in site.family() if b"\0migrate\0" in command_of(pid)), None)

        def hangs():
            return site.sql("web1", "SELECT 1 FROM information_schema.processlist WHERE info LIKE 'SELECT SLEEP%'")

        pid = wait_until(run, 60, "the run of the migrations")
        wait_until(hangs, 60, "its last statement")
        send_signal(pid, signal.SIGSTOP)
        site.signal(signal.SIGTERM)
        assert site.wait_exit(60) == 0
    finally:
        site.finish()
