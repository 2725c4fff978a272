"""A reload of [database] with sessions that run: bounds, reads and nodes change, a node that is removed drains, and no session breaks."""

import contextlib
import os
import threading

import pymysql
import pytest

import mariadb_cluster
from mariadb_cluster import APP_USER, ROUTER_PASSWORD, ROUTER_USER, MariadbCluster
from raw_client import wait_until
from sql_router_site import PLACE, Load, RouterSite, error_of, mark_places, node, nodes, one, places, rows, sessions

pytestmark = pytest.mark.skipif(not mariadb_cluster.IS_THERE, reason="no mariadbd here: scripts/install-dependencies test")


@pytest.fixture(scope="module")
def cluster():
    made = MariadbCluster(replicas=2)
    mark_places(made)
    made.primary.sql("CREATE TABLE shop.w (id INT AUTO_INCREMENT PRIMARY KEY, a INT)")
    made.wait_caught_up()
    yield made
    made.finish()


@pytest.fixture
def router(cluster, trilith):
    """With both replicas fit. A `hold` that no test can wait for: what waits is waited with."""
    site = RouterSite(cluster.addresses, hold="1h")
    try:
        site.start()
        wait_fit(site, 2)
        yield site
    finally:
        site.finish()


def wait_fit(router, count):
    wait_until(lambda: sum(node["fit"] for node in nodes(router)) == count, 30, f"{count} fit replicas")


def wait_gone(router, database):
    """Until nothing is left of a node that was removed."""
    wait_until(lambda: all(node["address"] != database.address for node in nodes(router)), 30, f"end of {database.address}")


def connected(database, user=APP_USER):
    return int(database.value(f"SELECT COUNT(*) FROM information_schema.processlist WHERE user = '{user}'"))


def without(cluster, *removed):
    return [each.address for each in cluster.nodes if each not in removed]


class Later(threading.Thread):
    """What `run` returns, once it does."""

    def __init__(self, run):
        super().__init__(daemon=True)
        self.call, self.value = run, None
        self.start()

    def run(self):
        self.value = self.call()

    def result(self):
        self.join(60)
        assert not self.is_alive(), "it still waits"
        return self.value


# ---- values


def test_where_reads_go_changes_under_open_sessions(router):
    with Load(router) as load:
        with sessions(router, 20) as connections:
            assert set(places(connections)) == {"replica1", "replica2"}
            assert router.reload(reads="primary") and places(connections) == {"primary": 20}
            router.reload(reads="all", nodes=[{"address": node["address"], "weight": 256 if at == 0 else 1} for at, node in enumerate(nodes(router))])
            wait_until(lambda: [node["configured_weight"] for node in nodes(router)] == [256, 1, 1], 20, "the weights")
            assert places(connections)["primary"] > 10
            router.reload(reads="replicas")
            assert "primary" not in places(connections)
        load.wait_more()
    assert not load.errors


def test_max_lag_and_the_wait_for_own_writes(router, cluster):
    first, second = cluster.replicas
    try:
        for replica in cluster.replicas:
            replica.sql("STOP SLAVE; CHANGE MASTER TO MASTER_DELAY = 3; START SLAVE")
        router.reload(max_lag="1h", read_your_writes={"wait": "30s"})
        wait_fit(router, 2)
        with contextlib.closing(router.connect()) as connection:
            rows(connection, "INSERT INTO shop.w (a) VALUES (1)")
            assert one(connection, PLACE).startswith("replica"), "it waits there, longer than the replica is behind"
            router.reload(read_your_writes={"wait": "0s"})
            rows(connection, "INSERT INTO shop.w (a) VALUES (1)")
            assert one(connection, PLACE) == "primary"
            router.reload(max_lag="500ms")
            wait_fit(router, 0)
            router.reload(max_lag="1h")
            wait_fit(router, 2)
    finally:
        for replica in (first, second):
            replica.sql("STOP SLAVE; CHANGE MASTER TO MASTER_DELAY = 0; START SLAVE")


def test_bounds_of_the_pool_go_down_and_up(router, cluster):
    primary = cluster.primary
    with contextlib.ExitStack() as stack:
        held = [stack.enter_context(contextlib.closing(router.connect())) for _ in range(6)]
        for connection in held:
            rows(connection, "BEGIN")
            rows(connection, "INSERT INTO shop.w (a) VALUES (1)")
        assert connected(primary) == 6
        router.reload(pool={"connections": 2, "queue_timeout": "10m"})
        for connection in held:
            rows(connection, "INSERT INTO shop.w (a) VALUES (1)")  # each goes on
        with contextlib.closing(router.connect()) as other:
            waiting = Later(lambda: one(other, "SELECT 1 FROM shop.place FOR UPDATE"))
            wait_until(lambda: node(router, primary)["waiting"] == 1, 20, "a session that waits")
            for connection in held[:4]:
                rows(connection, "COMMIT")
            wait_until(lambda: connected(primary) == 2, 30, "as many as are allowed")
            assert waiting.is_alive(), "two transactions have both places"
            rows(held[4], "COMMIT")
            waiting.result()
            assert connected(primary) <= 2
        router.reload(pool={"connections": 4})
        for connection in held[:3]:
            rows(connection, "BEGIN")
            rows(connection, "INSERT INTO shop.w (a) VALUES (1)")
        assert connected(primary) == 4
        refused = router.site.status()["sql_router"]
        assert refused["connections_limit"] == 4
        for connection in held:
            rows(connection, "COMMIT")


def test_bounds_of_clients_and_the_hold(router):
    router.reload(limits={"clients": 1})
    with contextlib.closing(router.connect()) as only:
        with pytest.raises(pymysql.MySQLError) as refused:
            router.connect()
        assert refused.value.args[0] == 1040
        router.reload(limits={"clients": 2}, hold="100ms")
        with contextlib.closing(router.connect()) as other:
            router.reload(nodes=router.keys["nodes"][1:])
            wait_until(lambda: all(node["state"] not in ("primary", "removed") for node in nodes(router)), 20, "no primary")
            for connection in (only, other):
                assert error_of(connection, "INSERT INTO shop.w (a) VALUES (1)") == 2006
            assert error_of(only, PLACE) == 2006, "they are replicas of a server that is none of the nodes"


def test_another_account_is_taken_over(router, cluster):
    primary = cluster.primary
    primary.sql("CREATE USER second@'%' IDENTIFIED BY 'second secret'; GRANT REPLICA MONITOR ON *.* TO second@'%'; GRANT SELECT ON mysql.global_priv TO second@'%'")
    try:
        cluster.wait_caught_up()
        with open(os.path.join(router.site.home, "second"), "w", encoding="utf-8") as file:
            file.write("second secret\n")
        with Load(router) as load:
            said = router.reload(account={"user": "second", "password_file": "second"})
            assert f"database.account.user: {ROUTER_USER} → second" in said
            wait_until(lambda: connected(primary, ROUTER_USER) == 0 and connected(primary, "second") > 0, 30, "the other account")
            primary.sql("CREATE USER newcomer@'%' IDENTIFIED BY 'new secret'")  # read by the new account
            wait_until(lambda: can_log_in(router, "newcomer", "new secret"), 30, "the new account's login")
            wait_fit(router, 2)
            load.wait_more()
        assert not load.errors
        refused = router.site.verb("reload") if not router.keys.update(account={"user": "second", "password_file": "nowhere"}) and not router.write() else None
        assert refused.returncode == 1 and "password_file" in refused.stderr
        assert one(router.connect(), PLACE).startswith("replica"), "nothing has changed"
    finally:
        primary.sql("DROP USER second@'%'; DROP USER IF EXISTS newcomer@'%'")


def can_log_in(router, user, password):
    try:
        router.connect(user=user, password=password, database=None).close()
        return True
    except pymysql.MySQLError:
        return False


def test_what_needs_a_restart_is_said_and_changes_nothing(router):
    other = f"{router.host}:1"
    before = dict(router.keys)
    router.keys.update(listen=[other], max_lag="7s")
    router.write()
    refused = router.site.verb("reload")
    assert refused.returncode == 1 and "needs restart: database.listen" in refused.stdout + refused.stderr
    router.keys = before
    assert "max_lag" not in router.reload(), "it was not taken over"


# ---- nodes


def test_a_replica_leaves_under_load_and_comes_back(router, cluster):
    first, second = cluster.replicas
    with Load(router) as load:
        with sessions(router, 40) as connections:
            assert places(connections)["replica1"] > 0, "control: it was read at"
            said = router.reload(nodes=without(cluster, first))
            assert f"database.nodes: removed {first.address}" in said
            wait_gone(router, first)
            wait_until(lambda: connected(first) == connected(first, ROUTER_USER) == 0, 30, "no connection there")
            assert places(connections) == {"replica2": 40}
            router.site.do("weight", second.address, "30")
            said = router.reload(nodes=cluster.addresses[::-1])  # in another order
            assert f"database.nodes: added {first.address}" in said
            wait_fit(router, 2)
            assert [each["address"] for each in nodes(router)] == cluster.addresses[::-1]
            assert node(router, second)["weight"] == 30, "an operator's change is kept"
            assert places(connections)["replica1"] > 0
            router.reload(nodes=[cluster.primary.address, {"address": first.address, "weight": 0}, second.address])
            wait_until(lambda: node(router, first)["configured_weight"] == 0, 20, "no share")
            assert places(connections) == {"replica2": 40}
            load.wait_more()
    assert not load.errors


def test_an_override_of_a_node_that_comes_back_is_kept(router, cluster):
    first = cluster.replicas[0]
    router.site.do("disable", first.address)
    router.reload(nodes=without(cluster, first))
    wait_gone(router, first)
    router.reload(nodes=cluster.addresses)
    wait_fit(router, 2)
    assert node(router, first)["override"] == {"admin": "disable"} and not node(router, first)["in_rotation"]


def test_the_primary_leaves_and_its_transactions_end_there(router, cluster):
    primary = cluster.primary
    pinned = router.connect()
    with contextlib.closing(router.connect()) as held, contextlib.closing(router.connect()) as free:
        rows(held, "BEGIN")
        rows(held, "INSERT INTO shop.w (a) VALUES (100)")
        rows(pinned, "CREATE TEMPORARY TABLE shop.t (a INT)")
        rows(free, "INSERT INTO shop.w (a) VALUES (101)")
        free_id = int(primary.value("SELECT MAX(id) FROM shop.w"))
        router.reload(nodes=without(cluster, primary))
        wait_until(lambda: node(router, primary)["state"] == "removed", 20, "the primary's removal")
        rows(held, "INSERT INTO shop.w (a) VALUES (102)")
        rows(pinned, "INSERT INTO shop.t VALUES (1)")
        assert one(pinned, "SELECT COUNT(*) FROM shop.t") == 1
        writing = Later(lambda: (rows(free, "UPDATE shop.w SET a = LAST_INSERT_ID() WHERE a = 101"), one(free, "SELECT LAST_INSERT_ID()"))[1])
        rows(held, "COMMIT")
        assert int(primary.value("SELECT COUNT(*) FROM shop.w WHERE a IN (100, 102)")) == 2
        pinned.close()
        wait_gone(router, primary)
        assert connected(primary) == 0 and writing.is_alive(), "a write waits for a primary"
        router.reload(nodes=cluster.addresses)
        assert writing.result() == free_id
        assert int(primary.value(f"SELECT a FROM shop.w WHERE id = {free_id}")) == free_id
        rows(held, "INSERT INTO shop.w (a) VALUES (103)")


def test_a_transaction_at_a_removed_node_is_lost_with_the_node_alone(cluster, trilith):
    """The control of the test above: a session whose server is gone is told so."""
    own = MariadbCluster(replicas=1)
    site = RouterSite(own.addresses)
    try:
        own.primary.sql("CREATE TABLE shop.w (a INT)")
        site.start()
        with contextlib.closing(site.connect()) as held:
            rows(held, "BEGIN")
            rows(held, "INSERT INTO shop.w VALUES (1)")
            site.reload(nodes=[own.replicas[0].address])
            wait_until(lambda: node(site, own.primary)["state"] == "removed", 20, "the primary's removal")
            own.primary.kill()
            assert error_of(held, "INSERT INTO shop.w VALUES (2)") in (2006, 2013)
    finally:
        site.finish()
        own.finish()


def test_who_waits_for_a_place_at_a_node_that_leaves_goes_elsewhere(router, cluster):
    first, second = cluster.replicas
    router.reload(pool={"connections": 1, "queue_timeout": "10m"}, nodes=without(cluster, second))
    wait_gone(router, second)
    lock = pymysql.connect(unix_socket=first.socket, user="root")
    with contextlib.closing(router.connect()) as reading, contextlib.closing(router.connect()) as waiting, contextlib.closing(lock):
        rows(lock, "LOCK TABLES shop.place WRITE")
        runs = Later(lambda: one(reading, PLACE))
        wait_until(lambda: node(router, first)["connections"] - node(router, first)["connections_idle"] == 1, 20, "the read to run")
        waits = Later(lambda: one(waiting, PLACE))
        wait_until(lambda: node(router, first)["waiting"] == 1, 20, "the read to wait")
        router.reload(nodes=without(cluster, first))
        assert waits.result() in ("primary", "replica2")
        assert runs.is_alive() and node(router, first)["state"] == "removed"
        rows(lock, "UNLOCK TABLES")
        assert runs.result() == "replica1", "what ran there ended there"
    wait_gone(router, first)


def test_many_reloads_under_load(router, cluster):
    """Nodes come and go again and again, under reads and transactions."""
    errors, ending = [], threading.Event()

    def write():
        with contextlib.closing(router.connect(autocommit=False)) as connection:
            while not ending.is_set():
                try:
                    rows(connection, "INSERT INTO shop.w (a) VALUES (7)")
                    rows(connection, "UPDATE shop.w SET a = 8 WHERE id = LAST_INSERT_ID()")
                    connection.commit()
                except pymysql.MySQLError as error:
                    errors.append(error.args)
                    return

    writers = [threading.Thread(target=write) for _ in range(3)]
    try:
        with Load(router) as load:
            for thread in writers:
                thread.start()
            for at in range(12):
                left = cluster.nodes[at % 3]
                router.reload(nodes=without(cluster, left), pool={"connections": 3 + at % 3}, max_lag=f"{20 + at}s")
                if left is not cluster.primary:  # reads and writes wait without it
                    load.wait_more(2)
                router.reload(nodes=cluster.addresses)
                load.wait_more(2)
            wait_fit(router, 2)
    finally:
        ending.set()
        for thread in writers:
            thread.join(60)
    assert not load.errors and not errors
    assert ROUTER_PASSWORD not in router.site.stderr()
