"""Many clients over few connections to the servers: no session sees what is another's, and the bounds hold."""

import contextlib
import random
import threading
import time

import pymysql
import pytest

import mariadb_cluster
from mariadb_cluster import MariadbCluster
from raw_client import wait_until
from sql_router_site import CLIENT, RouterSite, error_of, mark_places, one, rows

pytestmark = pytest.mark.skipif(not mariadb_cluster.IS_THERE, reason="no mariadbd here: scripts/install-dependencies test")


@pytest.fixture(scope="module")
def cluster():
    made = MariadbCluster(replicas=1)
    mark_places(made)
    made.primary.sql("""CREATE TABLE shop.t (id INT AUTO_INCREMENT PRIMARY KEY, a INT, b LONGTEXT);
        CREATE DATABASE second; CREATE TABLE second.which (name VARCHAR(20)); INSERT INTO second.which VALUES ('second');
        CREATE TABLE shop.which (name VARCHAR(20)); INSERT INTO shop.which VALUES ('shop'); GRANT ALL ON second.* TO app@'%'""")
    made.wait_caught_up()
    yield made
    made.finish()


def started(cluster, connections, **keys):
    """A router with so few connections to each server, whose reads all go to the primary."""
    return RouterSite(cluster.addresses, reads="primary", pool={"connections": connections, "queue_timeout": "2s", **keys}).start()


@pytest.fixture(scope="module")
def narrow(cluster, trilith):
    site = started(cluster, 2)
    try:
        yield site
    finally:
        site.finish()


@pytest.fixture(scope="module")
def single(cluster, trilith):
    """One connection to each server: each statement of another session takes it away."""
    site = started(cluster, 1, queue_timeout="20s")
    try:
        yield site
    finally:
        site.finish()


@pytest.fixture
def table(cluster):
    cluster.primary.sql("TRUNCATE shop.t")
    cluster.wait_caught_up()
    return "shop.t"


def pair(site, **options):
    """Two sessions on one core: only the first one has the unix socket."""
    return tuple(contextlib.closing(site.connect(unix_socket=site.socket, **options)) for _ in range(2))


def connections_made(node):
    return int(node.sql("SHOW GLOBAL STATUS LIKE 'Connections'")[0][1])


def processes(node):
    """Connections of the application's account at the server, by all routers of this file."""
    return int(node.value("SELECT COUNT(*) FROM information_schema.processlist WHERE user = 'app'"))


def connections(site, cluster):
    """The site's connections to the primary."""
    return sum(int(value) for name, value in site.metrics().items() if name.startswith("proxysql_connpool_conns{") and cluster.primary.address in name)


def waiting_at(site):
    """Sessions that wait for a connection, to any server."""
    return sum(int(value) for name, value in site.metrics().items() if name.startswith("trilith_sql_pool_waiting{"))


# ---- short sessions


def test_short_sessions_share_one_connection(narrow, cluster):
    narrow.client("SELECT 1")
    one_connection = {one_of(narrow, "SELECT @@pseudo_thread_id")}
    before = connections_made(cluster.primary)
    for _ in range(50):
        with contextlib.closing(narrow.connect()) as connection:
            one_connection.add(one(connection, "SELECT @@pseudo_thread_id"))
    # That question itself is a connection, and the watch may have made another.
    assert connections_made(cluster.primary) - before <= 3
    assert len(one_connection) <= 2


def one_of(site, statement, **options):
    with contextlib.closing(site.connect(**options)) as connection:
        return one(connection, statement)


def test_a_schema_that_is_not_there_is_refused_by_the_server_although_a_connection_is_there(narrow, cluster):
    narrow.client("SELECT 1")
    for _ in range(3):
        with pytest.raises(pymysql.OperationalError) as refused:
            narrow.connect(database="missing")
        with pytest.raises(pymysql.OperationalError) as direct:
            pymysql.connect(host=cluster.primary.host, port=cluster.primary.port, user="app", password="app secret", database="missing")
        assert refused.value.args == direct.value.args
    assert one_of(narrow, "SELECT DATABASE()") == "shop"
    assert one_of(narrow, "SELECT DATABASE()", database="second") == "second"
    assert one_of(narrow, "SELECT DATABASE()", database=None) is None


def test_many_clients_have_few_connections(narrow, cluster):
    with contextlib.ExitStack() as stack:
        sessions = [stack.enter_context(contextlib.closing(narrow.connect())) for _ in range(60)]
        for number, session in enumerate(sessions * 2):
            assert one(session, f"SELECT {number}") == number
        assert processes(cluster.primary) <= 3  # with the one of `single`


# ---- state


class Model:
    """What one session has set, as it must see it."""

    CHARSETS = {"utf8mb4": "utf8mb4_general_ci", "latin1": "latin1_swedish_ci", "koi8r": "koi8r_general_ci"}
    MODES = ("", "ANSI_QUOTES", "NO_BACKSLASH_ESCAPES", "STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION")

    def __init__(self, connection, number):
        self.connection, self.number = connection, number
        first = rows(connection, "SELECT @@time_zone, @@sql_mode, @@group_concat_max_len, @@tx_isolation, @@autocommit")[0]
        self.zone, self.mode, self.concat, self.isolation, self.autocommit = first
        self.charset, self.schema, self.variables = "utf8mb4", "shop", {}

    def change(self, dice):
        what = dice.randrange(9)
        if what == 0:
            self.zone = dice.choice(["+01:00", "-05:30", "SYSTEM"])
            rows(self.connection, f"SET time_zone = '{self.zone}'")
        elif what == 1:
            self.mode = dice.choice(self.MODES)
            rows(self.connection, f"SET SESSION sql_mode = '{self.mode}'")
        elif what == 2:
            self.concat = dice.randrange(4, 2000)
            rows(self.connection, f"SET group_concat_max_len = {self.concat}")
        elif what == 3:
            self.charset = dice.choice(list(self.CHARSETS))
            rows(self.connection, f"SET NAMES {self.charset}")
        elif what == 4:
            self.schema = dice.choice(["shop", "second"])
            if dice.randrange(2):
                rows(self.connection, f"USE {self.schema}")
            else:
                self.connection.select_db(self.schema)
        elif what == 5:
            name, value = dice.choice("abc"), dice.randrange(1000)
            self.variables[name] = value
            rows(self.connection, f"SET @{name} = {value}")
        elif what == 6:
            self.isolation = dice.choice(["READ-COMMITTED", "REPEATABLE-READ"])
            rows(self.connection, f"SET SESSION TRANSACTION ISOLATION LEVEL {self.isolation.replace('-', ' ')}")
        elif what == 7:
            self.autocommit = dice.randrange(2)
            rows(self.connection, f"SET autocommit = {self.autocommit}")
        elif dice.randrange(4) == 0:
            self.__init__(reset(self.connection), self.number) if dice.randrange(2) else None
            self.schema = one(self.connection, "SELECT DATABASE()")

    def check(self):
        seen = rows(self.connection, "SELECT @@time_zone, @@sql_mode, @@group_concat_max_len, @@tx_isolation, @@autocommit, @@character_set_client, @@character_set_results, "
                    "@@collation_connection, DATABASE(), name FROM which")[0]
        assert seen == (self.zone, self.mode, self.concat, self.isolation, self.autocommit, self.charset, self.charset, self.CHARSETS[self.charset], self.schema, self.schema)
        variables = rows(self.connection, "SELECT @a, @b, @c")[0]
        assert variables == tuple(self.variables.get(name) for name in "abc")
        if self.autocommit == 0:
            rows(self.connection, "COMMIT")


def reset(connection):
    connection._execute_command(0x1F, b"")
    connection._read_ok_packet()
    return connection


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_no_session_sees_the_state_of_another(narrow, cluster, seed):
    dice = random.Random(seed)
    with contextlib.ExitStack() as stack:
        models = [Model(stack.enter_context(contextlib.closing(narrow.connect())), number) for number in range(12)]
        for _ in range(400):
            model = dice.choice(models)
            if dice.randrange(3) == 0:
                model.change(dice)
            else:
                model.check()
        for model in models:
            model.check()
        assert connections(narrow, cluster) <= 2


def test_sessions_that_are_alike_say_nothing_again(single, cluster):
    def said(name):
        return int(cluster.primary.sql(f"SHOW GLOBAL STATUS LIKE '{name}'")[0][1])

    first, second = pair(single)
    with first as one_side, second as other_side:
        for session in (one_side, other_side):
            rows(session, "SET time_zone = '+01:00'")
            rows(session, "SET NAMES utf8mb4")
        before = said("Com_set_option"), said("Com_change_db")
        for _ in range(10):
            for session in (one_side, other_side):
                assert one(session, "SELECT @@time_zone") == "+01:00"
        assert (said("Com_set_option"), said("Com_change_db")) == before


# ---- what only the connection of the statement before knows


def test_the_last_insert_id_is_the_sessions_own(single, table):
    first, second = pair(single)
    with first as one_side, second as other_side:
        assert one(one_side, "SELECT LAST_INSERT_ID()") == 0
        rows(one_side, f"INSERT INTO {table} (a) VALUES (1)")
        rows(other_side, f"INSERT INTO {table} (a) VALUES (1), (2)")
        assert one(other_side, "SELECT LAST_INSERT_ID()") == 2
        assert one(one_side, "SELECT LAST_INSERT_ID()") == 1
        rows(one_side, f"INSERT INTO {table} (id, a) VALUES (1000, 1)")
        assert one(other_side, "SELECT @@last_insert_id") == 2
        assert one(one_side, "SELECT LAST_INSERT_ID()") == 1
        rows(other_side, f"INSERT INTO {table} (a) VALUES (LAST_INSERT_ID())")
        rows(one_side, f"INSERT INTO {table} (a) VALUES (LAST_INSERT_ID() + 10)")
        assert rows(one_side, f"SELECT a FROM {table} WHERE id > 1000 ORDER BY id") == ((2,), (11,))
        reset(one_side)
        assert one(one_side, "SELECT LAST_INSERT_ID()") == 0
        with contextlib.closing(single.connect()) as third:
            assert one(third, "SELECT LAST_INSERT_ID()") == 0


@pytest.mark.parametrize("statement", [
    "INSERT INTO shop.t (id, a) VALUES (700, 1)", "INSERT INTO shop.t (id, a) VALUES (701, 1) RETURNING id", "INSERT INTO shop.t (id) VALUES (1)",
    "INSERT INTO shop.t (a) SELECT a FROM shop.t WHERE 0", "SELECT id FROM shop.t FOR UPDATE", "ROLLBACK TO nothing", "UPDATE shop.t SET a = 2",
    "REPLACE INTO shop.t (id, a) VALUES (702, 1) RETURNING id", "DELETE FROM shop.t WHERE a = 77 RETURNING id", "DO 1; INSERT INTO shop.t (id) VALUES (1)",
    "CREATE TABLE shop.t (a INT)", "UPDATE shop.t SET a = 1 WHERE nothing = 1",
])
def test_what_gives_no_id_leaves_the_sessions_own(single, table, statement):
    """Although the connection that it runs on came from a session with another."""
    first, second = pair(single, client_flag=CLIENT.MULTI_STATEMENTS)
    with first as one_side, second as other_side:
        for own in (0, 1, 2):  # of other_side
            if own > 0:
                rows(other_side, f"INSERT INTO {table} (a) VALUES (1)")
            rows(one_side, f"INSERT INTO {table} (a) VALUES (1)")
            with contextlib.suppress(pymysql.err.Error), other_side.cursor() as cursor:
                cursor.execute(statement)
                while cursor.nextset():
                    pass
            assert one(other_side, "SELECT 1") == 1  # or, after an error, the connection would be its own for 5 s
            rows(one_side, f"DELETE FROM {table} WHERE id >= 700")
            assert one(other_side, "SELECT LAST_INSERT_ID()") == (0, 2, 4)[own]
            rows(one_side, f"ALTER TABLE {table} AUTO_INCREMENT = 1")


def test_an_id_that_an_update_sets_is_its_sessions_alone(single, table):
    first, second = pair(single)
    with first as one_side, second as other_side:
        rows(one_side, f"INSERT INTO {table} (a) VALUES (1)")
        assert one(other_side, "SELECT LAST_INSERT_ID()") == 0
        rows(other_side, f"UPDATE {table} SET a = LAST_INSERT_ID(77)")
        assert one(one_side, "SELECT LAST_INSERT_ID()") == 1
        assert one(other_side, "SELECT LAST_INSERT_ID()") == 77
        with contextlib.closing(single.connect()) as third:
            assert one(third, "SELECT LAST_INSERT_ID()") == 0


def test_the_last_insert_id_is_there_for_what_is_prepared_and_called(single, cluster, table):
    cluster.primary.sql("DROP PROCEDURE IF EXISTS shop.tell;\nDELIMITER //\nCREATE PROCEDURE shop.tell() BEGIN SELECT LAST_INSERT_ID(); END//")
    first, second = pair(single)
    with first as one_side, second as other_side:
        rows(one_side, f"INSERT INTO {table} (a) VALUES (1)")
        rows(other_side, f"INSERT INTO {table} (a) VALUES (1)")
        with one_side.cursor() as cursor:
            cursor.execute("CALL shop.tell()")
            assert cursor.fetchall() == ((1,),)
            while cursor.nextset():
                pass
        reset(one_side)
        assert one(other_side, "SELECT LAST_INSERT_ID()") == 2


def test_counts_and_warnings_are_the_sessions_own_or_an_error(single, table):
    first, second = pair(single)
    with first as one_side, second as other_side:
        rows(one_side, f"INSERT INTO {table} (a) VALUES (1), (2), (3)")
        rows(other_side, f"UPDATE {table} SET a = 9 WHERE id = 1")
        assert one(one_side, "SELECT ROW_COUNT()") == 3
        assert one(other_side, "SELECT ROW_COUNT() AS n") == 1
        rows(one_side, f"SELECT * FROM {table}")
        rows(other_side, f"SELECT * FROM {table} WHERE id = 1")
        assert one(one_side, "SELECT FOUND_ROWS()") == 3
        assert one(other_side, "SELECT FOUND_ROWS()") == 1
        # Without its connection nobody knows, and this is said.
        rows(one_side, f"SELECT * FROM {table} LIMIT 1, 1")
        rows(other_side, "SELECT 1")
        assert error_of(one_side, "SELECT FOUND_ROWS()") == 1235
        assert error_of(one_side, "SELECT FOUND_ROWS() + 1") == 1235
        # Another's warnings are not shown.
        rows(other_side, "SELECT CAST('x' AS INT)")
        # It waits until the other one's are five seconds old.
        assert rows(one_side, "SELECT 1") == ((1,),)
        assert [row[1] for row in rows(one_side, "SHOW WARNINGS")] == [1235]  # as behind any error
        assert rows(one_side, f"SELECT * FROM {table} LIMIT 0") == ()
        assert rows(one_side, "SHOW WARNINGS") == ()
        # Its own were taken from it, after a long time.
        assert error_of(other_side, "SHOW WARNINGS") == 1235


def test_statements_without_tables_do_not_show_the_errors_of_another(single):
    first, second = pair(single)
    with first as one_side, second as other_side:
        assert error_of(other_side, "SELECT * FROM nowhere") == 1146
        assert one(other_side, "SELECT 1") == 1
        assert one(one_side, "SELECT 1") == 1
        assert one(one_side, "SELECT @@warning_count") == 0
        assert error_of(other_side, "SET sql_mode = 'nonsense'") == 1231
        assert rows(other_side, "SHOW WARNINGS")[0][1] == 1231
        rows(one_side, "BEGIN")
        assert rows(one_side, "SHOW WARNINGS") == ()
        assert rows(one_side, "SHOW ERRORS") == ()
        rows(one_side, "COMMIT")


def test_a_transaction_sees_its_sessions_last_insert_id(single, table):
    first, second = pair(single)
    with first as one_side, second as other_side:
        rows(one_side, f"INSERT INTO {table} (a) VALUES (1)")
        rows(other_side, f"INSERT INTO {table} (a) VALUES (1)")
        for session, number in ((one_side, 1), (other_side, 2)):
            rows(session, "BEGIN")
            assert rows(session, "SELECT LAST_INSERT_ID()") == ((number,),)
            rows(session, "ROLLBACK")


def test_warnings_and_counted_rows_stay_until_the_next_statement(single, table):
    first, second = pair(single)
    with first as one_side, second as other_side:
        rows(other_side, f"INSERT INTO {table} (a) VALUES (1), (2), (3)")
        answers = []
        rows(one_side, "SELECT CAST('x' AS INT)")
        waiting = threading.Thread(target=lambda: answers.append(one(other_side, "SELECT 7")))
        waiting.start()
        wait_until(lambda: waiting_at(single) == 1, 10, "a session that waits")
        assert answers == []
        assert rows(one_side, "SHOW WARNINGS")[0][1] == 1292
        waiting.join()
        assert answers == [7]
        rows(one_side, f"SELECT SQL_CALC_FOUND_ROWS * FROM {table} LIMIT 1")
        waiting = threading.Thread(target=lambda: answers.append(one(other_side, "SELECT 8")))
        waiting.start()
        wait_until(lambda: waiting_at(single) == 1, 10, "a session that waits")
        assert answers == [7]
        assert one(one_side, "SELECT FOUND_ROWS()") == 3
        waiting.join()
        assert answers == [7, 8]


def test_last_gtid_is_the_sessions_own_or_an_error(single, table):
    first, second = pair(single)
    with first as one_side, second as other_side:
        rows(one_side, f"INSERT INTO {table} (a) VALUES (1)")
        gtid = one(one_side, "SELECT @@last_gtid")
        assert gtid.startswith("0-1-")
        assert one(other_side, "SELECT @@last_gtid") == ""
        assert error_of(one_side, "SELECT @@last_gtid") == 1235


def test_sessions_at_random_ask_for_what_is_theirs(narrow, table):
    """Eight at once over two connections: inserts, counts, warnings, and every answer their own."""
    failures = []

    def work(number):
        dice = random.Random(number)
        try:
            with contextlib.closing(narrow.connect()) as connection:
                last = 0
                for _ in range(120):
                    what = dice.randrange(5)
                    if what == 0:
                        with connection.cursor() as cursor:
                            cursor.execute(f"INSERT INTO {table} (a) VALUES ({number})")
                            last = cursor.lastrowid
                    elif what == 1:
                        assert one(connection, "SELECT LAST_INSERT_ID()") == last
                    elif what == 2:
                        count = dice.randrange(1, 9)
                        rows(connection, f"SELECT seq FROM seq_1_to_{count}")
                        assert one(connection, "SELECT FOUND_ROWS()") == count
                    elif what == 3:
                        changed = one(connection, f"SELECT COUNT(*) FROM {table} WHERE a = {number}")
                        rows(connection, f"UPDATE {table} SET b = IFNULL(b, 0) + 1 WHERE a = {number}")
                        assert one(connection, "SELECT ROW_COUNT()") == changed
                    else:
                        rows(connection, f"SELECT CAST('x{number}' AS INT)")
                        assert f"'x{number}'" in rows(connection, "SHOW WARNINGS")[0][2]
        except Exception as error:  # noqa: BLE001
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures, failures[:3]


# ---- what a session holds


def test_a_transaction_is_never_shared(narrow, table):
    sessions = [narrow.connect() for _ in range(6)]
    try:
        busy, others = sessions[0], sessions[1:]
        rows(busy, "BEGIN")
        rows(busy, f"INSERT INTO {table} (a) VALUES (1)")
        for other in others:
            assert one(other, f"SELECT COUNT(*) FROM {table}") == 0
            assert one(other, "SELECT @@in_transaction") == 0
        assert one(busy, f"SELECT COUNT(*) FROM {table}") == 1
        rows(busy, "ROLLBACK")
        assert one(others[0], f"SELECT COUNT(*) FROM {table}") == 0
    finally:
        for session in sessions:
            session.close()


def test_the_bound_holds_and_says_what_to_do(narrow, table, cluster):
    with contextlib.ExitStack() as stack:
        sessions = [stack.enter_context(contextlib.closing(narrow.connect())) for _ in range(4)]
        for session in sessions[:2]:
            rows(session, "BEGIN")
            rows(session, f"SELECT * FROM {table} FOR UPDATE")
        began = time.monotonic()
        with pytest.raises(pymysql.MySQLError) as refused:
            rows(sessions[2], "SELECT 1")
        assert 1.5 < time.monotonic() - began < 10
        assert refused.value.args[0] == 1040
        assert refused.value.args[1].startswith("trilith: ") and "database.pool.connections" in refused.value.args[1]
        assert connections(narrow, cluster) == 2
        # Who waits is served as soon as a transaction ends.
        answers = []
        waiting = threading.Thread(target=lambda: answers.append(one(sessions[3], "SELECT 4")))
        waiting.start()
        wait_until(lambda: waiting_at(narrow) == 1, 10, "a session that waits")
        rows(sessions[0], "COMMIT")
        waiting.join()
        assert answers == [4]
        rows(sessions[1], "COMMIT")
        assert one(sessions[2], "SELECT 5") == 5


def test_a_client_that_leaves_the_queue_takes_nobodys_place(single, table):
    with contextlib.ExitStack() as stack:
        leaving = single.connect()  # before the connection is taken: on another core, its login needs one
        holding, next_one = (stack.enter_context(contextlib.closing(single.connect())) for _ in range(2))
        rows(holding, "BEGIN")
        rows(holding, f"SELECT * FROM {table}")
        leaving._execute_command(0x03, f"INSERT INTO {table} (a) VALUES (1)")
        wait_until(lambda: waiting_at(single) == 1, 15, "the session that waits")
        leaving._force_close()
        wait_until(lambda: waiting_at(single) == 0, 15, "its leaving the queue, long before it would be refused")
        rows(holding, "COMMIT")
        assert one(next_one, f"SELECT COUNT(*) FROM {table}") == 0


def test_a_client_that_leaves_gives_up_its_transaction_locks_and_tables(narrow, table):
    for close in (lambda session: session.close(), lambda session: session._force_close()):
        leaving = narrow.connect()
        rows(leaving, "BEGIN")
        rows(leaving, f"INSERT INTO {table} (a) VALUES (1)")
        rows(leaving, "SELECT GET_LOCK('mine', 0)")
        rows(leaving, "CREATE TEMPORARY TABLE shop.only_mine (a INT)")
        rows(leaving, "SELECT @mine := 5")
        close(leaving)
        with contextlib.ExitStack() as stack:
            sessions = [stack.enter_context(contextlib.closing(narrow.connect())) for _ in range(4)]
            wait_until(lambda: one(sessions[0], "SELECT IS_FREE_LOCK('mine')") == 1, 10, "the lock")
            for session in sessions:
                assert one(session, f"SELECT COUNT(*) FROM {table}") == 0
                assert error_of(session, "SELECT * FROM shop.only_mine") == 1146
                assert one(session, "SELECT @mine") is None
                assert one(session, "SELECT @@in_transaction") == 0


def test_a_client_that_leaves_within_its_result_takes_the_connection_along(narrow):
    for _ in range(4):
        connection = narrow.connect(cursorclass=pymysql.cursors.SSCursor)
        cursor = connection.cursor()
        cursor.execute("SELECT seq, REPEAT('x', 500) FROM seq_1_to_1000000")
        assert cursor.fetchone()[0] == 1
        connection._force_close()
        cursor._result.unbuffered_active = False
    assert one_of(narrow, "SELECT 5") == 5
    assert one_of(narrow, "SELECT 6") == 6


def test_a_pin_keeps_its_connection_and_is_counted(narrow, cluster):
    with contextlib.closing(narrow.connect()) as session:
        number = one(session, "SELECT CONNECTION_ID()")
        for _ in range(5):
            assert one_of(narrow, "SELECT 1") == 1
            assert one(session, "SELECT CONNECTION_ID()") == number
        assert narrow.metrics()['trilith_sql_pinned_sessions{reason="connection_id"}'] == "1"
    wait_until(lambda: narrow.metrics()['trilith_sql_pinned_sessions{reason="connection_id"}'] == "0", 10, "the pin's end")


def test_multi_statements_are_switched_for_their_session_alone(narrow):
    first, second = pair(narrow)
    with first as one_side, second as other_side:
        one_side._execute_command(0x1B, b"\0\0")
        one_side._read_packet()
        with one_side.cursor() as cursor:
            cursor.execute("SELECT 1; SELECT 2")
            assert cursor.fetchall() == ((1,),)
            cursor.nextset()
            assert cursor.fetchall() == ((2,),)
        for _ in range(3):
            assert error_of(other_side, "SELECT 1; SELECT 2") == 1064
            assert one(one_side, "SELECT 3") == 3


def test_clients_of_other_capabilities_and_characters_have_connections_of_their_own(narrow):
    options = [{}, {"charset": "latin1"}, {"client_flag": CLIENT.FOUND_ROWS}, {"client_flag": CLIENT.MULTI_STATEMENTS}, {"database": None}]
    with contextlib.ExitStack() as stack:
        sessions = [stack.enter_context(contextlib.closing(narrow.connect(**each))) for each in options]
        for _ in range(3):
            for session, each in zip(sessions, options):
                assert one(session, "SELECT @@character_set_client") == each.get("charset", "utf8mb4")
                assert one(session, "SELECT DATABASE()") == each.get("database", "shop")


# ---- the servers


def test_idle_connections_are_closed_but_the_warm_ones(cluster, trilith):
    for warm, left in ((0, 0), (1, 1)):
        site = started(cluster, 10, idle="1s", warm=warm)
        try:
            sessions = [site.connect() for _ in range(4)]
            for session in sessions:
                rows(session, "BEGIN")
                rows(session, "SELECT name FROM shop.which")
            assert connections(site, cluster) == 4
            for session in sessions:
                rows(session, "COMMIT")
            wait_until(lambda: connections(site, cluster) <= left * 2, 15, "the idle ones to be closed")
            assert connections(site, cluster) >= left
            assert all(one(session, "SELECT 1") == 1 for session in sessions)
            for session in sessions:
                session.close()
        finally:
            site.finish()


def test_a_connection_that_the_server_closed_is_not_used(narrow, cluster):
    first, second = pair(narrow)
    with first as one_side, second as other_side:
        for _ in range(3):
            assert one(one_side, "SELECT 1") == 1
            for (number,) in cluster.primary.sql("SELECT id FROM information_schema.processlist WHERE user = 'app'"):
                cluster.primary.sql(f"KILL {number}")
            assert one(other_side, "SELECT 2") == 2
            assert one(one_side, "SELECT 3") == 3


def test_sessions_read_their_own_writes_over_shared_connections(cluster, table, trilith):
    site = RouterSite(cluster.addresses, pool={"connections": 2}).start()
    failures = []

    def work(number):
        try:
            with contextlib.closing(site.connect()) as connection:
                for count in range(1, 40):
                    rows(connection, f"INSERT INTO {table} (a) VALUES ({number})")
                    assert one(connection, f"SELECT COUNT(*) FROM {table} WHERE a = {number}") == count
        except Exception as error:  # noqa: BLE001
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not failures, failures[:3]
        read = site.metrics()
        assert float(read['trilith_sql_reads_total{target="replica"}']) > 0
    finally:
        site.finish()


def test_both_cores_get_their_share(cluster, trilith):
    """The kernel spreads the clients over the cores: with one connection for all of them nobody starves."""
    site = started(cluster, 1, queue_timeout="20s")
    stop, failures, counts = threading.Event(), [], [0] * 12

    def work(number):
        try:
            with contextlib.closing(site.connect()) as connection:
                while not stop.is_set():
                    assert one(connection, f"SELECT {number}") == number
                    counts[number] += 1
        except Exception as error:  # noqa: BLE001
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(12)]
    try:
        for thread in threads:
            thread.start()
        wait_until(lambda: min(counts) >= 50, 60, "each client to be served")
        stop.set()
        for thread in threads:
            thread.join()
        assert not failures, failures[:3]
        assert min(counts) * 20 > max(counts), counts
        assert connections(site, cluster) <= 1
    finally:
        stop.set()
        site.finish()
