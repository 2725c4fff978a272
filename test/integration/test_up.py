"""`trilith up`: when it calls a server ready, and what it makes of one that dies early."""

import re

from app_site import app_table, kill_9, make_tiers
from raw_client import wait_until

THREE = {"lb1": ["balancer"], "web1": ["web", "app"], "web2": ["web", "app"]}
READY = r"info up: a server is ready .*server={}\b"
UP = r"info up: the site is up servers=3 after="


def gated(stage, roles, **health):
    """A site whose program is healthy when the file `good` is there; `up` runs, and all its servers listen."""
    app = app_table(["--healthy-if", "good"], instances=1)
    app["health"] = {**app.get("health", {}), "interval": "100ms", **health}
    return make_tiers(stage, roles, app=app).start()


def test_a_site_is_up_when_its_programs_have_passed_their_gates_and_the_balancer_has_seen_it(stage):
    site = gated(stage, THREE, within="20s")
    site.wait_count(r"info node: serving ", 3)
    wait_until(lambda: all((site.status_of(name) or {}).get("uptime_seconds", 0) > 1.2 for name in THREE), 10, "a second of each")
    assert site.log_count("info up: a server is ready") == 0 and site.log_count("the site is up") == 0
    site.touch("good")
    site.wait_count(UP, 1)
    for server in THREE:
        assert site.log_count(READY.format(server)) == 1, site.stderr()
    assert site.request("/who").status == 200


def test_a_server_that_is_not_ready_in_time_is_told_once_with_the_reason_and_goes_on(stage):
    site = gated(stage, {"web1": ["web", "app"]}, within="1s")
    site.wait_count(r"error up: a server is not ready in time; it goes on trying .*server=web1 ", 1, seconds=25)
    line = re.search(r"error up: a server is not ready in time.*", site.stderr()).group(0)
    assert "the program's instance app-1 is" in line, line
    site.touch("good")
    site.wait_count(READY.format("web1"), 1, seconds=40)
    assert site.log_count("not ready in time") == 1


def test_a_server_that_dies_in_its_first_second_after_it_has_listened_is_started_again(stage):
    site = gated(stage, {"web1": ["web", "app"]}, within="20s")
    site.wait_serving("web1")
    old = wait_until(lambda: (site.status_of("web1") or {}).get("pid"), 5, "its pid")
    kill_9(old)
    site.touch("good")
    site.wait_restarted("web1", old)
    site.wait_count(READY.format("web1"), 1)
    assert site.log_count("a server could not start") == 0
