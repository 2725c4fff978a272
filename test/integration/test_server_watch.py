"""The SQL router's watch against real servers: who is primary, who may serve reads, which accounts there are, and what follows a change."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import threading

import pytest

from balancer_site import ROOT
from mariadb_cluster import CLIENT, IS_THERE, ROUTER_PASSWORD, ROUTER_USER, MariadbCluster
from raw_client import wait_until

WATCH = os.environ.get("SQL_WATCH") or os.path.join(ROOT, "build", "asan", "sql_watch")
pytestmark = [
    pytest.mark.skipif(not IS_THERE, reason="mariadb-server-core and mariadb-client are not installed"),
    pytest.mark.skipif(not os.access(WATCH, os.X_OK), reason=f"{WATCH} is not built"),
]


class Watch:
    """The program sql_watch: what it published last, and its log."""

    def __init__(self, nodes, interval="100ms", timeout="1s", max_lag="2s", user=ROUTER_USER, password=ROUTER_PASSWORD):
        ours, theirs = socket.socketpair()
        theirs.setblocking(False)
        self.orders = ours
        command = [WATCH, interval, timeout, max_lag, user, password, *nodes]
        with theirs:
            self.process = subprocess.Popen(command, stdin=theirs, stdout=subprocess.PIPE, text=True)
        self.routings, self.log = [], []
        self.reader = threading.Thread(target=self._read)
        self.reader.start()

    def _read(self):
        for line in self.process.stdout:
            said = json.loads(line)
            if "routing" in said:
                self.routings.append(said["routing"])
            else:
                self.log.append(said["log"])

    @property
    def last(self):
        return self.routings[-1] if self.routings else None

    def order(self, text):
        self.orders.sendall(text.encode() + b"\n")

    def wait(self, condition, what, seconds=15):
        """The first routing, the last one included, that fulfils the condition."""
        try:
            wait_until(lambda: self.last and condition(self.last), seconds, what)
        except AssertionError as late:
            raise AssertionError(f"{late}; last {self.last}; log {self.log[-10:]}") from None
        return self.last

    def wait_ready(self):
        return self.wait(lambda routing: routing["primary"] == 0 and routing["accounts"] and all(node["is_fit"] for node in routing["nodes"][1:]), "a primary, accounts, fit replicas")

    def wait_log(self, text, seconds=15):
        wait_until(lambda: any(text in line for line in self.log), seconds, f'"{text}" in {self.log}')

    def finish(self):
        self.orders.close()
        try:
            assert self.process.wait(20) == 0
        finally:
            self.process.kill()
            self.reader.join()


@pytest.fixture(name="cluster", scope="module")
def make_cluster():
    made = MariadbCluster(replicas=2)
    yield made
    made.finish()


@pytest.fixture(name="own_cluster")
def make_own_cluster():
    """For tests that leave it in another state."""
    made = MariadbCluster(replicas=2)
    yield made
    made.finish()


@contextlib.contextmanager
def watching(nodes, **options):
    watch = Watch(nodes, **options)
    try:
        yield watch
    finally:
        watch.finish()


def test_primary_replicas_and_accounts_are_found(cluster):
    with watching(cluster.addresses) as watch:
        routing = watch.wait_ready()
        assert [node["state"] for node in routing["nodes"]] == ["primary", "replica", "replica"]
        assert [node["server_id"] for node in routing["nodes"]] == [1, 2, 3]
        assert all(node["version"].startswith("10.") for node in routing["nodes"])
        assert routing["nodes"][1]["applied"] == cluster.primary.value("SELECT @@gtid_binlog_pos")
        assert {"'app'@'%'", "'trilith'@'%'"} <= set(routing["accounts"])
        assert routing["accounts_why"] == "" and routing["primary_why"] == ""
        watch.wait_log(f"primary is {cluster.addresses[0]} (server id 1)")
        # Each snapshot is a change.
        numbers = [routing["number"] for routing in watch.routings]
        assert numbers == list(range(1, len(numbers) + 1))


def test_the_order_of_the_nodes_does_not_matter(cluster):
    with watching(list(reversed(cluster.addresses))) as watch:
        watch.wait(lambda routing: routing["primary"] == 2, "the primary as third node")


def test_a_new_account_is_known_after_a_failed_login(cluster):
    with watching(cluster.addresses) as watch:
        watch.wait_ready()
        cluster.primary.sql("CREATE USER newcomer@'%' IDENTIFIED BY 'x'")
        watch.order("login")
        watch.wait(lambda routing: "'newcomer'@'%'" in routing["accounts"], "the new account", seconds=9)
        cluster.primary.sql("DROP USER newcomer@'%'")
        watch.order("login")
        watch.wait(lambda routing: "'newcomer'@'%'" not in routing["accounts"], "its end", seconds=9)


def hold_table(database, table):
    """A client that keeps the applier from writing into the table until its input ends."""
    command = [CLIENT, "--no-defaults", "--batch", "--skip-column-names", "--unbuffered", f"--socket={database.socket}", "--user=root"]
    holder = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    holder.stdin.write(f"LOCK TABLES {table} READ;\nSELECT 'held';\n")
    holder.stdin.flush()
    assert holder.stdout.readline() == "held\n"
    return holder


def test_a_lagging_replica_gets_no_reads_and_comes_back(cluster):
    replica = cluster.replicas[0]
    cluster.primary.sql("CREATE TABLE IF NOT EXISTS shop.lag (a INT)")
    cluster.wait_caught_up()
    with watching(cluster.addresses, max_lag="1s") as watch:
        watch.wait_ready()
        holder = hold_table(replica, "shop.lag")
        try:
            cluster.primary.sql("INSERT INTO shop.lag VALUES (1)")
            routing = watch.wait(lambda routing: not routing["nodes"][1]["is_fit"], "an unfit replica")
            assert routing["nodes"][1]["state"] == "replica" and "lags" in routing["nodes"][1]["why"]
            assert routing["nodes"][2]["is_fit"]
        finally:
            holder.communicate(timeout=20)
        watch.wait(lambda routing: routing["nodes"][1]["is_fit"], "a fit replica")
        watch.wait_log(f"replica {replica.address} gets no reads: lags")


def test_a_stopped_applier_shows_at_once(cluster):
    replica = cluster.replicas[1]
    with watching(cluster.addresses) as watch:
        watch.wait_ready()
        replica.sql("STOP SLAVE SQL_THREAD")
        try:
            watch.wait(lambda routing: "applier" in routing["nodes"][2]["why"], "a broken replica", seconds=9)
        finally:
            replica.sql("START SLAVE SQL_THREAD")
        watch.wait(lambda routing: routing["nodes"][2]["is_fit"], "a fit replica")


def test_positions_are_followed_while_tokens_are_outstanding(cluster):
    cluster.primary.sql("CREATE TABLE IF NOT EXISTS shop.seen (a INT)")
    # Looks come too seldom to show it.
    with watching(cluster.addresses, interval="20s") as watch:
        watch.wait(lambda routing: routing["primary"] == 0 and routing["nodes"][1]["is_fit"], "the first looks")
        cluster.primary.sql("INSERT INTO shop.seen VALUES (1)")
        position = cluster.primary.value("SELECT @@gtid_binlog_pos")

        def is_seen(routing):
            watch.order("tokens")  # it holds for a second
            return routing["nodes"][1]["applied"] == position == routing["nodes"][2]["applied"]

        watch.wait(is_seen, "the position", seconds=9)


def test_two_writable_nodes_are_not_trusted(cluster):
    with watching(cluster.addresses) as watch:
        watch.wait_ready()
        replica = cluster.replicas[0]
        replica.sql("STOP SLAVE; SET GLOBAL read_only=0")
        try:
            routing = watch.wait(lambda routing: routing["primary"] is None, "no primary")
            assert "writable at the same time" in routing["primary_why"]
        finally:
            replica.sql("SET GLOBAL read_only=1; START SLAVE")
        watch.wait_ready()
        watch.wait_log("no primary: ")


def test_a_wrong_password_is_said(cluster):
    with watching(cluster.addresses, password="wrong") as watch:
        routing = watch.wait(lambda routing: "Access denied" in routing["primary_why"], "the reason")
        assert routing["primary"] is None and not routing["accounts"]
        assert "1045" in routing["nodes"][0]["why"]


def test_missing_privileges_are_said_with_their_cure(cluster):
    cluster.primary.sql("CREATE USER bare@'%' IDENTIFIED BY 'bare'")
    cluster.wait_caught_up()
    with watching(cluster.addresses, user="bare", password="bare") as watch:
        watch.wait_log("GRANT REPLICA MONITOR")
        cluster.primary.sql("GRANT REPLICA MONITOR ON *.* TO bare@'%'")
        watch.wait_log("GRANT SELECT ON mysql.global_priv", seconds=20)
        assert watch.last["primary"] == 0 and not watch.last["accounts"]


def test_a_switchover_is_followed(own_cluster):
    old, new, other = own_cluster.nodes
    with watching(own_cluster.addresses) as watch:
        before = watch.wait_ready()
        own_cluster.switch_over(old, new)
        routing = watch.wait(lambda routing: routing["primary"] == 1 and routing["nodes"][0]["is_fit"] and routing["nodes"][2]["is_fit"], "the new roles")
        for place in (0, 1):
            assert routing["nodes"][place]["generation"] > before["nodes"][place]["generation"]
        # Positions go on under the new primary.
        new.sql("CREATE TABLE shop.after (a INT)")
        position = new.value("SELECT @@gtid_binlog_pos")
        watch.wait(lambda routing: all(routing["nodes"][place]["applied"] == position for place in (0, 2)), "the positions")
        assert other.value("SELECT @@gtid_slave_pos") == position


def test_lag_is_measured_by_a_heartbeat_where_the_account_may_write_one(own_cluster):
    replica = own_cluster.replicas[0]
    with watching(own_cluster.addresses) as watch:
        watch.wait_ready()
        watch.wait_log("lag is measured by GTID positions and Seconds_Behind_Master: no heartbeat")
    own_cluster.allow_heartbeat()
    with watching(own_cluster.addresses, max_lag="1s") as watch:
        watch.wait_ready()
        watch.wait_log("lag is measured by a heartbeat")
        wait_until(lambda: replica.sql("SELECT beat FROM trilith.heartbeat"), 10, "a beat on the replica")
        first = replica.value("SELECT beat FROM trilith.heartbeat")
        wait_until(lambda: replica.value("SELECT beat FROM trilith.heartbeat") != first, 10, "another beat")
        # Nobody but the heartbeat writes: without it, a replica that receives nothing would not lag.
        holder = hold_table(replica, "trilith.heartbeat")
        try:
            routing = watch.wait(lambda routing: not routing["nodes"][1]["is_fit"], "an unfit replica")
            assert "lags" in routing["nodes"][1]["why"] and routing["nodes"][2]["is_fit"]
        finally:
            holder.communicate(timeout=20)
        watch.wait(lambda routing: routing["nodes"][1]["is_fit"], "a fit replica")


def test_a_killed_primary_is_noticed_at_once_and_replaced(own_cluster):
    old, new, other = own_cluster.nodes
    # A look would come in twenty seconds: the end of the connection says it.
    with watching(own_cluster.addresses, interval="20s") as watch:
        watch.wait(lambda routing: routing["primary"] == 0, "the first looks")
        old.kill()
        routing = watch.wait(lambda routing: routing["primary"] is None, "no primary", seconds=9)
        assert routing["nodes"][0]["state"] == "unreachable"
        assert "does not answer" in routing["primary_why"]
    with watching(own_cluster.addresses) as watch:
        watch.wait(lambda routing: routing["nodes"][1]["is_fit"] and routing["nodes"][2]["is_fit"], "replicas that serve reads without a primary")
        new.sql("STOP SLAVE; RESET SLAVE ALL; SET GLOBAL read_only=0")
        routing = watch.wait(lambda routing: routing["primary"] == 1, "the new primary")
        assert routing["nodes"][2]["state"] in ("unfit", "replica") and not routing["nodes"][2]["is_fit"]
        other.sql("STOP SLAVE")
        other.follow(new)
        watch.wait(lambda routing: routing["nodes"][2]["is_fit"], "the other replica")
        # The old one comes back, alone and read-only.
        old.start(read_only="1")
        routing = watch.wait(lambda routing: routing["nodes"][0]["state"] == "unfit", "the old primary back")
        assert routing["primary"] == 1


def test_a_hanging_replica_gets_no_reads(own_cluster):
    replica = own_cluster.replicas[0]
    with watching(own_cluster.addresses, timeout="500ms") as watch:
        watch.wait_ready()
        replica.signal(signal.SIGSTOP)
        try:
            watch.wait(lambda routing: not routing["nodes"][1]["is_fit"], "an unfit replica", seconds=9)
            watch.wait(lambda routing: routing["nodes"][1]["state"] == "unreachable", "an unreachable replica")
            assert watch.last["primary"] == 0 and watch.last["nodes"][2]["is_fit"]
        finally:
            replica.signal(signal.SIGCONT)
        watch.wait_ready()


def test_a_reload_takes_nodes_in_and_out(own_cluster):
    first, second, third = own_cluster.addresses
    with watching([first, second]) as watch:
        watch.wait_ready()
        watch.order(f"nodes {third} {first}")
        routing = watch.wait(lambda routing: len(routing["nodes"]) == 3 and routing["nodes"][2]["is_fit"], "the new nodes")
        assert routing["primary"] == 0 and [node["name"] for node in routing["nodes"]] == [first, second, third]
        assert routing["nodes"][1]["state"] == "removed" and not routing["nodes"][1]["is_fit"]
        assert all(routing["primary"] is not None for routing in watch.routings[-3:])
