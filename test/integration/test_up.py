"""`trilith up`: when it calls a server ready, and what it makes of one that dies early."""

import re
import urllib.request

from app_site import AppSite, app_table, kill_9, make_tiers, own_addresses, site_text, start_tiers
from metrics_text import parse_metrics
from raw_client import wait_until

THREE = {"lb1": ["balancer"], "web1": ["web", "app"], "web2": ["web", "app"]}
READY = r"info up: a server is ready .*server={}\b"
UP = r"info up: the site is up servers=3 after=\S+ at=http://127\.\S+ files=/\S+"


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
    old = wait_until(lambda: (site.status_of("web1") or {}).get("pid"), 15, "its pid")
    kill_9(old)
    site.touch("good")
    site.wait_restarted("web1", old)
    site.wait_count(READY.format("web1"), 1)
    assert site.log_count("a server could not start") == 0


# ---- a file of several machines

# 192.0.2.0/24 is nobody's (RFC 5737).
ELSEWHERE = {"web2": {"address": "192.0.2.7", "roles": ["web"]}, "web3": {"address": "192.0.2.8", "roles": ["web"]}}


def start_up(stage, servers, port):
    """`up` of web servers at these addresses; not waited for."""
    site = AppSite(site_text(servers, web={"port": port, "root": "public", "threads": 1}, web_limits={"connections": 100}), "up")
    stage.ends.append(site.finish)
    return site.start(wait=False)


def test_servers_of_other_machines_are_left_to_them_and_told(stage):
    (address,), port, _ = own_addresses(1)
    site = start_up(stage, {"web1": {"address": address, "roles": ["web"]}, **ELSEWHERE}, port)
    site.wait_count(r"info up: the site is up servers=1 after=", 1)
    line = re.search(r"info up: servers whose address is of another machine.*", site.stderr()).group(0)
    assert "web2 at 192.0.2.7, web3 at 192.0.2.8" in line and "web1" not in line, line
    assert site.status_of("web1") and not site.status_of("web2") and not site.status_of("web3")
    assert " error " not in site.stderr()


def test_a_file_without_a_server_of_this_machine_is_told_and_ends(stage):
    site = start_up(stage, ELSEWHERE, 8081)
    assert site.wait_exit() == 2
    assert "no server of the file has an address of this machine" in site.stderr() and "web3 at 192.0.2.8" in site.stderr()


def test_control_a_file_of_this_machine_alone_leaves_nobody(stage):
    addresses, port, _ = own_addresses(2)
    site = start_up(stage, {f"web{at}": {"address": address, "roles": ["web"]} for at, address in enumerate(addresses, 1)}, port)
    site.wait_count(r"info up: the site is up servers=2 after=", 1)
    assert "another machine" not in site.stderr()


def test_servers_of_one_machine_have_metrics_each_at_its_own_address(stage):
    site = start_tiers(stage, THREE, app=app_table(instances=1), admin={"listen": "http://*:9180"})
    for server, (address, _) in site.places.items():
        with urllib.request.urlopen(f"http://{address}:9180/metrics", timeout=20) as answer:
            text = answer.read().decode()
        parse_metrics(text)
        assert re.search(rf'^trilith_build_info{{.*server="{server}".*}} 1$', text, re.MULTILINE), text[:500]
