"""Balancers, web servers and app servers of one site: who reaches whom, and what a visitor sees when one of them dies."""

import collections
import json
import signal

import pytest

from app_site import Processes, app_table, kill_9, make_tiers, send_signal, start_tiers
from metrics_text import parse_metrics
from raw_client import wait_until

THREE = {"lb1": ["balancer"], "web1": ["web", "app"], "web2": ["web", "app"]}
APART = {"web1": ["web"], "app1": ["app"], "app2": ["app"]}


def visitor_of(site, place, *lines):
    """What the program is told of a visitor who comes from 127.9.8.7 with these header lines."""
    fields = json.loads(site.get("/request", *lines, place=place, source="127.9.8.7"))["fields"]
    return [value for name, value in fields if name.lower() == "x-forwarded-for"]


# ---- three servers


def test_a_balancer_and_two_web_servers_with_the_program(stage):
    site = start_tiers(stage, THREE)
    site.touch("public/index.html", "a file")
    assert [(b["name"], b["weight"]) for b in site.pool_of("lb1", "web")["backends"]] == [("web1", 100), ("web2", 100)]
    pids = {pid for server in ("web1", "web2") for pid in site.pids(server)}
    with site.client() as client:
        seen = [int(client.request(b"GET /who HTTP/1.1\r\nHost: a.test\r\n\r\n").body.split()[1]) for _ in range(20)]
    assert set(seen) == pids and len(pids) == 4
    assert collections.Counter(seen) == dict.fromkeys(pids, 5)
    assert site.get("/") == b"a file"
    assert site.request("/nothing").get("X-Instance")


def test_the_visitors_address_comes_through_all_tiers(stage):
    site = start_tiers(stage, THREE)
    for _ in range(4):
        (told,) = visitor_of(site, site.places["lb1"])
        assert told.split(",")[0] == "127.9.8.7", told
    for place in (site.places["lb1"], site.places["web1"]):
        (told,) = visitor_of(site, place, "X-Forwarded-For: 6.6.6.6")
        assert "6.6.6.6" not in told and "127.9.8.7" in told, told


def test_a_servers_weight_is_its_share(stage):
    site = start_tiers(stage, THREE, weights={"web1": 200, "web2": 100}, app=app_table(instances=1))
    names = {site.pids(server)[0]: server for server in ("web1", "web2")}
    with site.client() as client:
        seen = collections.Counter(names[int(client.request(b"GET /who HTTP/1.1\r\nHost: a.test\r\n\r\n").body.split()[1])] for _ in range(30))
    assert seen == {"web1": 20, "web2": 10}


def kill_a_server_under_load(site, server):
    """Kills the process of that server, waits until all its instances are back; the load with what it saw."""
    old = site.status_of(server)["pid"]
    dead = Processes(site.pids(server))
    with site.load(clients=6) as load:
        load.wait_requests(60)
        kill_9(old)
        dead.wait_gone(3, "the instances of the dead server")
        load.wait_requests(60)
        site.wait_restarted(server, old)
        site.wait_instances(server=server)
        load.wait_requests(60)
        load.stop()
    assert not set(dead.known) & set(site.pids(server))
    return load


def test_kill_9_of_a_server_fails_no_safe_request_and_it_comes_back_by_itself(stage):
    site = start_tiers(stage, THREE, app=app_table(["--delay", "5"]))
    load = kill_a_server_under_load(site, "web1")
    assert load.failures == []
    # And it takes its share again.
    new = site.pids("web1")
    wait_until(lambda: int(site.get("/who").split()[1]) in new, 10, "a request that reaches the new instances")
    assert site.log_count("error up: a server died: it is started again server=web1") == 1
    assert len(site.instances("web1")) == 2


def test_control_without_retries_kill_9_of_a_server_fails_requests(stage):
    site = start_tiers(stage, THREE, app=app_table(["--delay", "5"]), balancer_limits={"retries": 0})
    assert kill_a_server_under_load(site, "web1").failures


def test_kill_9_of_instances_behind_a_balancer_fails_no_safe_request(stage):
    site = start_tiers(stage, THREE, app=app_table(["--delay", "5"]))
    with site.load(clients=6) as load:
        load.wait_requests(50)
        for server in ("web1", "web2"):
            old = site.pids(server)
            for pid in old:
                kill_9(pid)
            site.wait_new(old, server=server)
            load.wait_requests(50)
    assert load.failures == []


def test_a_web_server_without_a_healthy_program_gets_no_requests(stage):
    """Its /healthz says so, and the balancer follows."""
    site = start_tiers(stage, THREE, app=app_table(["--exit-if", "broken"], instances=1))
    site.touch("broken")
    kill_9(site.pids("web1")[0])
    wait_until(lambda: site.request("/healthz", place=site.places["web1"]).status == 503, 15, "web1 not healthy")
    wait_until(lambda: [b["state"] for b in site.pool_of("lb1", "web")["backends"]] == ["down", "up"], 10, "web1 down at lb1")
    other = site.pids("web2")[0]
    assert {int(site.get("/who").split()[1]) for _ in range(6)} == {other}
    site.remove("broken")
    site.wait_instances(server="web1")
    site.wait_pools_up("lb1")
    assert len({int(site.get("/who").split()[1]) for _ in range(6)}) == 2


def test_up_ends_everything_in_order(stage):
    site = start_tiers(stage, THREE)
    everybody = Processes(site.family())
    assert len(everybody.known) == 1 + 3 + 2 * 4
    with site.client() as client:
        client.send(f"GET /hold?until={site.path('go')} HTTP/1.1\r\nHost: a.test\r\n\r\n".encode())
        site.wait_count("line=\"holding", 1)
        site.signal(signal.SIGTERM)
        # The balancer first: what it has sent on, the servers behind it still do.
        site.wait_count("draining: no new connections", 1)
        assert site.log_count("stopping: the balancers have ended their requests") == 0
        site.touch("go")
        assert client.response().status == 200
    assert site.wait_exit(30) == 0
    assert site.log_count("draining: no new connections") == 3
    assert everybody.alive() == []
    assert site.sockets_there() == []
    assert site.log_count("an instance has stopped: exited with status 0") == 4


def test_a_restart_goes_from_server_to_server(stage):
    site = start_tiers(stage, THREE, app=app_table(["--delay", "5"]), balancer_limits={"retries": 0}, web_limits={"retries": 0})
    with site.load(clients=4) as load:
        load.wait_requests(30)
        output = site.do("restart", "app")
        load.wait_requests(30)
    assert load.failures == []
    assert [line.split(":")[:2] for line in output.splitlines()] == [
        ["web1", " app-1"], ["web1", " app-2"], ["web2", " app-1"], ["web2", " app-2"]
    ]
    only = site.do("restart", "app", "--server", "web2")
    assert [line.split(":")[0] for line in only.splitlines()] == ["web2", "web2"]
    generations = {server: [instance["generation"] for instance in site.instances(server)] for server in ("web1", "web2")}
    assert generations == {"web1": [2, 2], "web2": [3, 3]}


def test_a_restart_that_fails_on_one_server_leaves_those_behind_it_alone(stage):
    site = start_tiers(stage, THREE, app=app_table(["--exit-if", "broken"], instances=1))
    old = site.pids("web2")
    site.touch("broken")
    done = site.verb("restart", "app")
    assert done.returncode == 1 and "web1: app-1: exited with status 7" in done.stderr, done
    assert site.pids("web2") == old and site.app("web2")["restart"]["number"] == 0


# ---- app servers without a web tier of their own


def test_a_web_server_without_the_program_uses_the_app_servers(stage):
    site = start_tiers(stage, APART)
    site.touch("public/index.html", "a file")
    assert [b["name"] for b in site.pool_of("web1", "app")["backends"]] == ["app1", "app2"]
    pids = {pid for server in ("app1", "app2") for pid in site.pids(server)}
    assert {int(site.get("/who").split()[1]) for _ in range(8)} == pids and len(pids) == 4
    assert site.get("/") == b"a file"
    (told,) = visitor_of(site, site.places["web1"])
    assert told.split(",")[0] == "127.9.8.7"
    assert "app" not in site.status_of("web1")


def test_an_app_server_answers_for_its_own_health(stage):
    site = make_tiers(stage, APART, app=app_table(["--healthy-if", "well"], instances=1)).start()
    app1, web1 = site.places["app1"], site.places["web1"]
    site.wait_instances(lambda instance: instance["pid"] > 0, server="app1", what="a program")
    assert site.request("/healthz", place=app1).status == 503
    assert site.request("/who", place=app1).status == 503
    wait_until(lambda: site.request("/healthz", place=web1).status == 503, 10, "web1 not healthy without any app server")
    assert site.request("/who", place=web1).status == 503
    site.touch("well")
    site.wait_instances(server="app1")
    assert site.get("/healthz", place=app1) == b"ok\n", "the server's own answer, not the program's"
    assert site.get("/who", place=app1) == f"app-1 {site.pids('app1')[0]}".encode()
    wait_until(lambda: site.request("/healthz", place=web1).status == 200, 10, "web1 healthy")
    wait_until(lambda: site.request("/who", place=web1).body.startswith(b"app-1"), 10, "an answer through web1")


def test_an_app_server_has_limits_and_request_ids_of_its_own(stage):
    """Without a web server before it: nobody else would bound what reaches the program."""
    site = start_tiers(stage, {"lb1": ["balancer"], "app1": ["app"]}, app=app_table(instances=1))
    place = site.places["app1"]
    assert site.request("/who", "X-Long: " + "x" * 20_000, place=place).status == 431
    assert site.request("/" + "x" * 9_000, place=place).status == 414
    seen = [dict(site.ask("/request", "X-Forwarded-For: 192.0.2.9", place=place)["fields"]) for _ in range(2)]
    ids = {fields["X-Request-Id"] for fields in seen}
    assert len(ids) == 2 and all(len(one) >= 16 for one in ids)
    assert all("192.0.2.9" not in fields["X-Forwarded-For"] for fields in seen), "who is no balancer of ours is not believed"


def test_an_app_server_that_dies_or_is_stopped_fails_no_safe_request(stage):
    site = start_tiers(stage, APART, app=app_table(["--delay", "5"]))
    assert kill_a_server_under_load(site, "app1").failures == []
    old = site.status_of("app2")["pid"]
    site.wait_pools_up("web1")
    with site.load(clients=4) as load:
        load.wait_requests(50)
        send_signal(old, signal.SIGTERM)
        site.wait_restarted("app2", old)
        site.wait_instances(server="app2")
        load.wait_requests(50)
    assert load.failures == []


def test_control_without_retries_kill_9_of_an_app_server_fails_requests(stage):
    site = start_tiers(stage, APART, app=app_table(["--delay", "5"]), web_limits={"retries": 0})
    assert kill_a_server_under_load(site, "app1").failures


@pytest.mark.parametrize("listen", ["unix", "port"])
def test_a_balancer_sends_to_app_servers_where_there_is_no_web_tier(stage, listen):
    site = start_tiers(stage, {"lb1": ["balancer"], "app1": ["app"], "app2": ["app"]}, app=app_table(listen=listen))
    assert [b["name"] for b in site.pool_of("lb1", "app")["backends"]] == ["app1", "app2"]
    pids = {pid for server in ("app1", "app2") for pid in site.pids(server)}
    assert {int(site.get("/who").split()[1]) for _ in range(8)} == pids
    (told,) = visitor_of(site, site.places["lb1"])
    assert told.split(",")[0] == "127.9.8.7"


def test_a_web_server_without_the_program_beside_one_that_has_it(stage):
    """Where only web1 runs the program, web2 reaches it there, on app.port."""
    site = make_tiers(stage, {"web1": ["web", "app"], "web2": ["web"]}, app=app_table(instances=1)).start()
    site.wait_instances(server="web1")
    pid = site.pids("web1")[0]
    assert site.get("/who", place=site.places["web1"]) == f"app-1 {pid}".encode()
    wait_until(lambda: site.request("/who", place=site.places["web2"]).status == 200, 10, "an answer of web2")
    assert site.get("/who", place=site.places["web2"]) == f"app-1 {pid}".encode()


def test_one_server_may_be_all_three(stage):
    site = start_tiers(stage, {"one": ["balancer", "web", "app"]})
    site.touch("public/index.html", "a file")
    assert site.get("/") == b"a file"
    assert {int(site.get("/who").split()[1]) for _ in range(4)} == set(site.pids("one"))
    (told,) = visitor_of(site, site.places["one"])
    assert told.split(",")[0] == "127.9.8.7"


# ---- metrics


def samples_of(site, server, family):
    """{labels: value} of a family in the metrics of a server, which are read strictly."""
    code, text = site.control_of(server, "GET", "/v1/metrics")
    assert code == 200, text
    _, samples = parse_metrics(text)[family]
    return {frozenset(labels.items()): value for _, labels, value in samples}


def labels(**pairs):
    return frozenset(pairs.items())


def test_each_front_and_each_instance_has_series_of_its_own(stage):
    """The balancer's derived pool and that of the instances have one name here, "app"."""
    site = start_tiers(stage, {"one1": ["balancer", "app"]})
    for _ in range(5):
        site.get("/who")
    name = json.loads(site.control_of("one1", "GET", "/v1/status")[1])["site"]
    # A client may have its answer a moment before that is counted, at each of the two fronts.
    counted = lambda family: samples_of(site, "one1", family).values()
    wait_until(lambda: min(counted("haproxy_frontend_http_requests_total")) >= 5 <= min(counted("haproxy_backend_http_requests_total")), 15, "all to be counted")
    requests = samples_of(site, "one1", "haproxy_frontend_http_requests_total")
    assert set(requests) == {labels(proxy=name, tier="balancer"), labels(proxy=name, tier="app")}
    assert requests[labels(proxy=name, tier="balancer")] == 5
    assert requests[labels(proxy=name, tier="app")] >= 5
    pools = samples_of(site, "one1", "haproxy_backend_http_requests_total")
    assert pools[labels(proxy="app", tier="balancer")] == pools[labels(proxy="app", tier="app")] == 5
    up = samples_of(site, "one1", "trilith_instance_up")
    assert up == {labels(instance=f"app-{slot}", generation="1"): 1 for slot in (1, 2)}
    assert all(value > 1 << 20 for value in samples_of(site, "one1", "trilith_instance_resident_bytes").values())
    (old, _) = site.pids("one1")
    kill_9(old)
    site.wait_new({old}, server="one1")
    assert sum(samples_of(site, "one1", "trilith_instance_restarts_total").values()) == 1
