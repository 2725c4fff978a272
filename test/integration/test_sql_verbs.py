"""The operator's verbs on the nodes of a SQL router: weights, drains and disables of real servers, and what reads make of them."""

import contextlib
import threading

import pymysql
import pytest

import mariadb_cluster
from mariadb_cluster import APP_USER, MariadbCluster
from raw_client import wait_until
from sql_router_site import PLACE, Load, RouterSite, mark_places, node, nodes, one, places, rows, sessions

pytestmark = pytest.mark.skipif(not mariadb_cluster.IS_THERE, reason="no mariadbd here: scripts/install-dependencies test")


@pytest.fixture(scope="module")
def cluster():
    made = MariadbCluster(replicas=2)
    mark_places(made)
    yield made
    made.finish()


@pytest.fixture(scope="module")
def started(cluster, trilith):
    site = RouterSite(cluster.addresses)
    try:
        yield site.start()
    finally:
        site.finish()


@pytest.fixture
def router(started):
    """With both replicas fit, and nothing overridden before and after."""
    wait_until(lambda: sum(node["fit"] for node in nodes(started)) == 2, 30, "two fit replicas")
    yield started
    started.site.do("undo", "--all")


def named(database):
    return f"database/{database.address}"


# ---- weights


def test_shares_of_reads_follow_weights_and_old_sessions_move(router, cluster):
    first, second = cluster.replicas
    with sessions(router, 300) as connections:
        before = places(connections)
        assert before.total() == 300 and 105 <= before["replica1"] <= 195
        assert places(connections) == before, "a session stays where it reads"
        assert router.site.do("weight", named(first), "25") == f"{named(first)}: weight 100 → 25 (configured 100; kept over reload and restart until undone)\n"
        after = places(connections)
        assert after.total() == 300 and 25 <= after["replica1"] <= 100, "a fifth, of sessions that were there before"
        router.site.do("weight", first.address, "0")
        assert places(connections) == {"replica2": 300}
        router.site.do("weight", second.address, "0")
        assert places(connections) == {"primary": 300}
        router.site.do("undo", second.address)
        assert places(connections) == {"replica2": 300}


def test_the_primarys_weight_counts_where_it_serves_reads(cluster, trilith):
    site = RouterSite(cluster.addresses, reads="all")
    try:
        site.start()
        wait_until(lambda: sum(node["in_rotation"] for node in nodes(site)) == 3, 30, "all in rotation")
        with sessions(site, 40) as connections:
            assert places(connections)["primary"] > 0
            assert "the primary still takes writes" in site.site.do("weight", named(cluster.primary), "0")
            assert places(connections)["primary"] == 0
            for replica in cluster.replicas:
                site.site.do("disable", named(replica))
            assert places(connections) == {"primary": 40}, "what no replica can take"
    finally:
        site.finish()


# ---- drain, disable, enable


def test_a_drain_under_load_fails_no_read_and_the_server_can_go(router, cluster):
    first = cluster.replicas[0]
    with Load(router) as load:
        with sessions(router, 40) as connections:
            assert places(connections)["replica1"] > 0, "control: it was read at"
        said = router.site.do("drain", named(first))
        assert f"{named(first)}: draining: running reads end, no new ones come\n" in said
        assert said.endswith(f"{named(first)} is drained: no statement runs on it\n")
        load.wait_more(2)  # a session may have been on its way to tell where it read
        before = node(router, first)["statements_total"]
        load.wait_more()
        assert set(load.last) == {"replica2"}
        assert node(router, first)["statements_total"] == before
        first.stop()
        load.wait_more()
        first.start(read_only="1")
        first.sql("START SLAVE")
        wait_until(lambda: node(router, first)["fit"], 30, "the replica's return")
        load.wait_more()
        assert set(load.last) == {"replica2"}, "it stays drained"
        router.site.do("enable", named(first))
        load.wait_more()
    assert not load.errors
    with sessions(router, 40) as connections:
        assert places(connections)["replica1"] > 0


def test_a_drain_waits_for_the_read_that_runs(router, cluster):
    first, second = cluster.replicas
    router.site.do("disable", named(second))
    lock = pymysql.connect(unix_socket=first.socket, user="root")
    with contextlib.closing(router.connect()) as connection, contextlib.closing(lock):
        rows(lock, "LOCK TABLES shop.place WRITE")
        came = []
        thread = threading.Thread(target=lambda: came.append(one(connection, PLACE)))
        thread.start()
        wait_until(lambda: node(router, first)["connections"] > node(router, first)["connections_idle"], 20, "the read to run")
        refused = router.site.verb("drain", named(first), "--timeout", "300ms")
        assert refused.returncode == 1 and f"{named(first)}: 1 statement runs on it after 300ms; it stays draining" in refused.stderr
        assert " draining" in router.site.verb("status").stdout
        drain = router.site.start_verb("drain", named(first))
        assert drain.stdout.readline() and "1 statement runs on it" in drain.stdout.readline()
        assert drain.poll() is None and not came
        rows(lock, "UNLOCK TABLES")
        thread.join(20)
        assert drain.communicate(timeout=20)[0] == f"{named(first)} is drained: no statement runs on it\n" and drain.returncode == 0
        assert came == ["replica1"], "the running read ended there"
        assert one(connection, PLACE) == "primary"
        assert " drained" in router.site.verb("status").stdout


def test_a_disabled_replica_has_no_connection_of_sessions(router, cluster):
    first = cluster.replicas[0]

    def connected():
        return int(first.value(f"SELECT COUNT(*) FROM information_schema.processlist WHERE user = '{APP_USER}'"))

    with sessions(router, 20) as connections:
        assert places(connections)["replica1"] > 0 and connected() > 0
        router.site.do("drain", named(first))
        assert connected() > 0, "a drain leaves them to idle"
        assert router.site.do("disable", named(first)) == f"{named(first)}: disabled: gets no reads from now on\n"
        wait_until(lambda: connected() == 0 and node(router, first)["connections"] == 0, 5, "no connection")
        assert places(connections) == {"replica2": 20}
        assert node(router, first)["fit"], "it is looked at all the same"
        assert router.site.do("enable", named(first)) == f"{named(first)}: enabled: takes reads again\n"
        assert places(connections)["replica1"] > 0


def test_the_primary_goes_on_with_writes(router, cluster):
    primary = cluster.primary
    cluster.primary.sql("CREATE OR REPLACE TABLE shop.w (a INT)")
    with contextlib.closing(router.connect()) as connection:
        rows(connection, "BEGIN")
        rows(connection, "INSERT INTO shop.w VALUES (1)")
        for verb in ("drain", "disable"):
            said = router.site.do(verb, named(primary))  # does not wait for the transaction
            assert "; the primary still takes writes, and reads that no replica can take\n" in said
            rows(connection, "INSERT INTO shop.w VALUES (2)")
        rows(connection, "COMMIT")
        assert one(connection, "SELECT COUNT(*) FROM shop.w") == 3
        with contextlib.closing(router.connect()) as other:
            rows(other, "INSERT INTO shop.w VALUES (3)")


# ---- what is kept and shown


def test_overrides_are_kept_shown_and_undone(router, cluster):
    first, second = cluster.replicas
    router.site.do("weight", named(first), "7")
    router.site.do("drain", second.address, "--no-wait")
    router.site.do("reload")
    for _ in range(2):
        assert node(router, first)["override"] == {"weight": 7} and node(router, first)["weight"] == 7
        assert node(router, first)["configured_weight"] == 100 and node(router, second)["override"] == {"admin": "drain"}
        wait_until(lambda: node(router, first)["in_rotation"], 30, "a fit replica")
        assert [node(router, each)["in_rotation"] for each in cluster.nodes] == [False, True, False]
        table = {line.split()[0]: line.split() for line in router.site.verb("status").stdout.splitlines() if line.strip()}
        assert table[first.address][2] == "100→7" and table[first.address][-1] == "yes"
        assert table[second.address][2] == "100" and table[second.address][-1] == "drained"
        labels = f'{{hostgroup="replica",endpoint="{second.address}"}}'
        metrics = router.metrics()
        assert metrics[f"trilith_sql_server_overridden{labels}"] == "1" and metrics[f"proxysql_connpool_conns_status{labels}"] == "3"
        assert metrics[f"trilith_sql_server_in_rotation{labels}"] == "0" and metrics[f"trilith_sql_server_weight{labels}"] == "100"
        with sessions(router, 10) as connections:
            assert places(connections) == {"replica1": 10}
        router.site.kill()
        router.start()
        wait_until(lambda: sum(each["fit"] for each in nodes(router)) == 2, 30, "two fit replicas")
    undone = router.site.do("undo", "--all")
    assert undone == "".join(f"{named(each)}: as configured again: weight 100, enabled\n" for each in (first, second))
    assert all(each["override"] is None for each in nodes(router))


def test_an_unknown_name_is_refused_with_the_nearest(router, cluster):
    first = cluster.replicas[0]
    for verb in (("weight", "5"), ("drain",), ("disable",), ("enable",), ("undo",)):
        refused = router.site.verb(verb[0], named(first) + "0", *verb[1:])
        assert refused.returncode == 1
        assert f'no backend is named "{named(first)}0"' in refused.stderr and named(first) in refused.stderr.split("named", 1)[1].split('"', 2)[2]
    assert router.site.verb("weight", named(first), "257").returncode == 2
    assert all(each["override"] is None for each in nodes(router))
