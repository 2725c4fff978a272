"""What a session may ask of its last statement: whatever ran, wherever it ran, and whatever the router answered itself, the answers are the server's."""

import contextlib
import itertools
import struct

import pytest
from pymysql.constants import CLIENT

import mariadb_cluster
from binary_statements import FETCH, BinaryClient
from mariadb_cluster import MariadbCluster
from sql_router_site import RouterSite
from sql_steps import HONEST_ERRORS, without_tracking

pytestmark = pytest.mark.skipif(not mariadb_cluster.IS_THERE, reason="no mariadbd here: scripts/install-dependencies test")

PING, INIT_DB, SET_OPTION, FIELD_LIST, STATISTICS, RESET_CONNECTION, EXECUTE, RESET = 0x0E, 0x02, 0x1B, 0x04, 0x09, 0x1F, 0x17, 0x1A
UNKNOWN = 777  # the number of no statement


@pytest.fixture(scope="module")
def cluster():
    made = MariadbCluster(replicas=1)
    made.primary.sql("CREATE TABLE shop.t (id INT AUTO_INCREMENT PRIMARY KEY, a INT)")
    made.wait_caught_up()
    yield made
    made.finish()


@pytest.fixture(scope="module")
def router(cluster, trilith):
    assert trilith
    site = RouterSite(cluster.addresses)
    try:
        yield site.start()
    finally:
        site.finish()


class Client(BinaryClient):
    def one(self, command, payload=b""):
        """A command whose response is one packet."""
        self.send(command, payload)
        return [self.packet()]

    def run(self, sql, *values, **options):
        """Prepared and executed."""
        statement, packets = self.prepare(sql)
        return packets if statement is None else self.execute(statement, *values, **options)


# They leave rows, counts, warnings or an error, on the replica or on the primary.
BEFORE = ["SELECT a, 1/0 FROM t", "INSERT IGNORE INTO t (a) VALUES ('no'), ('no')", "SELECT a FROM t", "UPDATE nowhere SET a = 1", "SELECT 1/0", "SET autocommit = 0"]
BETWEEN = {
    "nothing": lambda client: [],
    "ping": lambda client: client.one(PING),
    "init_db": lambda client: client.one(INIT_DB, b"shop"),
    "set_option": lambda client: client.one(SET_OPTION, b"\0\0"),
    "field_list": lambda client: client.until_eofs(client.one(FIELD_LIST, b"t\0%"), 1),
    "statistics": lambda client: client.one(STATISTICS)[1:],
    "reset_connection": lambda client: client.one(RESET_CONNECTION),
    "unknown command": lambda client: client.one(0x3C),
    "execute of nothing": lambda client: client.one(EXECUTE, struct.pack("<IBI", UNKNOWN, 0, 1)),
    "reset of nothing": lambda client: client.one(RESET, struct.pack("<I", UNKNOWN)),
    "fetch of nothing": lambda client: client.one(FETCH, struct.pack("<II", UNKNOWN, 1)),
    "prepare without tables": lambda client: client.prepare("SELECT 5")[1][1:],
    "prepare": lambda client: client.prepare("SELECT a FROM t WHERE a = ?")[1][1:],
    "reset": lambda client: client.reset(client.prepare("SELECT 5")[0]),
    "execute that fails": lambda client: client.run("INSERT INTO t (a) VALUES (?)", "B"),
    "execute without tables": lambda client: client.run("SELECT ?", 5),
    "cursor": lambda client: client.run("SELECT a FROM t", cursor=True),
    **{sql: (lambda client, sql=sql: client.text(sql)) for sql in [
        "SELECT 1", "SELECT a FROM t LIMIT 2", "EXPLAIN SELECT a FROM t WHERE id = 1", "VALUES (1), (2)", "SHOW COUNT(*) WARNINGS", "SELECT nope FROM t", "COMMIT", "SET @x = 1",
        "UPDATE t SET a = a + 1", "SELECT 1; SELECT a FROM t", "INSERT INTO t (a) VALUES ('B')"]},
}
QUESTIONS = ["SHOW WARNINGS", "SELECT ROW_COUNT()", "SELECT FOUND_ROWS()", "SELECT @@warning_count, @@error_count, ROW_COUNT()"]


def answers(host, port, cluster):
    """By what ran before, what came between, and the question."""
    given = {}
    cluster.primary.sql("TRUNCATE shop.t")
    cluster.wait_caught_up()
    with contextlib.closing(Client(host, port, client_flag=CLIENT.MULTI_STATEMENTS)) as client:
        for before, between, question in itertools.product(BEFORE, BETWEEN, QUESTIONS):
            client.one(RESET_CONNECTION)
            client.types.clear()
            client.text("BEGIN; DELETE FROM t; INSERT INTO t VALUES (1, 1), (2, 2), (3, 3); COMMIT")
            client.text("SELECT 1 LIMIT 0")
            client.text(before)
            packets = BETWEEN[between](client) + client.text(question) + client.one(PING)
            given[before, between, question] = [without_tracking(packet) for packet in packets]
    return given


def test_whatever_came_between_the_answer_is_the_servers(router, cluster):
    direct = answers(cluster.primary.host, cluster.primary.port, cluster)
    before = router.metrics()
    routed = answers(router.host, router.port, cluster)
    honest = {key for key in routed if any(error in packet for error in HONEST_ERRORS for packet in routed[key])}
    different = {key: (direct[key], routed[key]) for key in direct if routed[key] != direct[key] and key not in honest}
    assert not different
    # FOUND_ROWS() behind a statement that may have left it as it was, and ran elsewhere; values of two servers in one question.
    assert all(question in ("SELECT FOUND_ROWS()", QUESTIONS[-1]) for _, _, question in honest), honest
    assert len(honest) <= len(direct) / 10
    at_replica = 'trilith_sql_reads_total{target="replica"}'
    assert int(router.metrics()[at_replica]) - int(before[at_replica]) > len(direct), "the two servers were not both asked"


def test_an_error_of_the_router_is_listed(router):
    with contextlib.closing(Client(router.host, router.port)) as client:
        client.text("SELECT 1/0")
        refused = client.one(0x12)[0]  # COM_BINLOG_DUMP
        message = refused[9:].decode()
        assert message.startswith("trilith:")
        assert message in client.text("SHOW WARNINGS")[-2].decode()
        assert message in client.text("SHOW ERRORS")[-2].decode()  # the one is as the other found it
        client.text("SELECT a FROM t")
        assert client.text("SHOW WARNINGS")[-2][0] == 0xFE  # none


def test_a_transaction_that_a_failed_statement_began_is_the_sessions(router, cluster):
    """With autocommit off, and an ERR says nothing of it: its locks must end with the session, and not stay with a connection of the pool."""
    cluster.primary.sql("CREATE TABLE shop.locked (a INT)")
    with contextlib.closing(Client(router.host, router.port)) as client:
        client.text("SET autocommit = 0")
        assert client.text("INSERT INTO locked VALUES ('B')")[0][0] == 0xFF
        assert client.one(PING)[0][3] & 1, "it is in a transaction"
    cluster.primary.sql("SET SESSION lock_wait_timeout = 30; DROP TABLE shop.locked")
