"""How `trilith up` stops: tier by tier, so that nothing is taken away from what still uses it. With databases: test_server_drain.py."""

import signal

from app_site import app_table, start_tiers
from raw_client import RawClient, wait_until
from raw_http import WireError


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
