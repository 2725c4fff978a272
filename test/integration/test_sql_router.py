"""The SQL router before a real primary and a real replica: what a client of one MariaDB server may expect, it gets."""

import contextlib
import os
import signal
import struct
import threading

import pymysql
import pytest

import mariadb_cluster
from mariadb_cluster import APP_PASSWORD, APP_USER, MariadbCluster, SqlError
from raw_client import wait_until
from sql_router_site import CLIENT, PLACE, RouterSite, error_of, mark_places, one, router, rows, wait_place  # noqa: F401

pytestmark = pytest.mark.skipif(not mariadb_cluster.IS_THERE, reason="no mariadbd here: scripts/install-dependencies test")


@pytest.fixture(scope="module")
def cluster():
    # What a killed server has acknowledged, it must still have.
    made = MariadbCluster(replicas=1, options={"innodb-flush-log-at-trx-commit": "1", "sync-binlog": "1"})
    mark_places(made)
    yield made
    made.finish()


@pytest.fixture
def session(router):
    connection = router.connect()
    yield connection
    connection.close()


@pytest.fixture
def table(cluster):
    """An empty table of a number and a text, on both servers."""
    cluster.primary.sql("DROP TABLE IF EXISTS shop.t; CREATE TABLE shop.t (id INT AUTO_INCREMENT PRIMARY KEY, a INT, b LONGTEXT)")
    cluster.wait_caught_up()
    return "shop.t"


def make_procedure(cluster, name, body):
    cluster.primary.sql(f"DROP PROCEDURE IF EXISTS shop.{name};\nDELIMITER //\nCREATE PROCEDURE shop.{name}() BEGIN {body}; END//")


# ---- logging in


def test_the_right_password_comes_in_over_tcp_and_unix_socket(router):
    assert router.client("SELECT 1") == [["1"]]
    assert mariadb_cluster.client("SELECT 2", socket=router.socket, user=APP_USER, password=APP_PASSWORD) == [["2"]]


@pytest.mark.parametrize(("user", "password"), [(APP_USER, "wrong"), (APP_USER, ""), ("nobody here", "x"), ("nobody here", "")])
def test_a_wrong_login_is_refused_as_the_server_does(router, cluster, user, password):
    with pytest.raises(pymysql.OperationalError) as refused:
        router.connect(user=user, password=password)
    with pytest.raises(pymysql.OperationalError) as direct:
        pymysql.connect(host=cluster.primary.host, port=cluster.primary.port, user=user, password=password)
    assert refused.value.args[0] == direct.value.args[0] == 1045
    assert refused.value.args[1] == direct.value.args[1]


def test_an_account_made_or_locked_just_now_is_known(router, cluster):
    cluster.primary.sql("CREATE USER fresh@'%' IDENTIFIED BY 'new'")
    router.connect(user="fresh", password="new", database=None).close()
    cluster.primary.sql("ALTER USER fresh@'%' ACCOUNT LOCK")

    def is_locked():
        try:
            router.connect(user="fresh", password="new", database=None).close()
        except pymysql.OperationalError as error:
            return error.args[0] == 4151
        return False

    wait_until(is_locked, 30, "the lock")
    cluster.primary.sql("DROP USER fresh@'%'")


def test_an_account_without_a_password_and_one_of_a_foreign_plugin(router, cluster):
    cluster.primary.sql("CREATE USER open@'%'; CREATE USER socket@'%' IDENTIFIED VIA unix_socket")
    router.connect(user="open", password="", database=None).close()
    with pytest.raises(pymysql.OperationalError) as refused:
        router.connect(user="socket", password="x", database=None)
    assert refused.value.args[0] == 1045
    assert "trilith:" in refused.value.args[1] and "unix_socket" in refused.value.args[1]
    cluster.primary.sql("DROP USER open@'%'; DROP USER socket@'%'")


def test_a_schema_that_is_not_there_is_refused_at_the_login(router):
    with pytest.raises(pymysql.OperationalError) as refused:
        router.connect(database="missing")
    assert refused.value.args[0] in (1044, 1049)


# ---- statements


def test_reads_go_to_the_replica_and_writes_to_the_primary(session, table):
    assert one(session, PLACE) == "replica1"
    assert rows(session, f"INSERT INTO {table} (a) VALUES (1)") == ()
    assert one(session, f"SELECT a FROM {table}") == 1
    assert one(session, "SELECT name FROM shop.place FOR UPDATE") == "primary"
    assert one(session, "SELECT @@server_id") == 1
    assert one(session, "/* trilith:primary */ " + PLACE) == "primary"


def test_types_and_nulls_come_as_from_the_server(router, cluster):
    cluster.primary.sql("""CREATE OR REPLACE TABLE shop.types (i BIGINT UNSIGNED, d DECIMAL(30,10), f DOUBLE, s VARCHAR(50), b BLOB, dt DATETIME(6), tm TIME(3), y YEAR, bits BIT(9),
        e ENUM('a','b'), st SET('x','y'), j JSON, n INT);
        SET sql_mode=''; INSERT INTO shop.types VALUES (18446744073709551615, 1234567890.0123456789, 1.5e300, 'ü€😀', x'00ff27',
        '2024-02-29 23:59:59.123456', '-838:59:59', 1999, b'101010101', 'b', 'x,y', '{"a": [1]}', NULL),
        (0, 0, 0, '', '', '0000-00-00', '00:00:00', 0, b'0', '', '', NULL, NULL)""")
    cluster.wait_caught_up()
    direct = pymysql.connect(host=cluster.primary.host, port=cluster.primary.port, user=APP_USER, password=APP_PASSWORD, charset="utf8mb4")
    with contextlib.closing(direct), contextlib.closing(router.connect()) as through:
        for statement in ("SELECT * FROM shop.types", "SELECT * FROM shop.types WHERE 0", "SELECT NULL, 1, 'x'", "SHOW COLUMNS FROM shop.types"):
            with direct.cursor() as one_side, through.cursor() as other_side:
                one_side.execute(statement)
                other_side.execute(statement)
                assert one_side.fetchall() == other_side.fetchall()
                assert one_side.description == other_side.description


def test_errors_keep_number_and_message(session, cluster):
    for statement in ("SELECT * FROM nowhere", "SELEC 1", "INSERT INTO shop.place VALUES (1, 2)", "SELECT 1/0 FROM"):
        with pytest.raises(pymysql.MySQLError) as through:
            rows(session, statement)
        direct = pymysql.connect(host=cluster.primary.host, port=cluster.primary.port, user=APP_USER, password=APP_PASSWORD, database="shop")
        with contextlib.closing(direct), pytest.raises(pymysql.MySQLError) as straight:
            rows(direct, statement)
        assert through.value.args == straight.value.args


def test_a_transaction_sees_itself_and_ends(session, router, table):
    rows(session, "BEGIN")
    rows(session, f"INSERT INTO {table} (a) VALUES (7)")
    assert one(session, f"SELECT COUNT(*) FROM {table}") == 1
    assert one(session, PLACE) == "primary"
    with contextlib.closing(router.connect()) as other:
        assert one(other, f"SELECT COUNT(*) FROM {table}") == 0
    rows(session, "ROLLBACK")
    assert one(session, PLACE) == "replica1"
    assert one(session, f"SELECT COUNT(*) FROM {table}") == 0
    rows(session, "SET autocommit = 0")
    rows(session, f"INSERT INTO {table} (a) VALUES (8)")
    assert one(session, PLACE) == "primary"
    rows(session, "COMMIT")
    rows(session, "SET autocommit = 1")
    assert one(session, PLACE) == "replica1"
    assert one(session, f"SELECT a FROM {table}") == 8


def test_variables_follow_the_session_to_the_replica(session):
    rows(session, "SET time_zone = '+03:00', sql_mode = 'ANSI_QUOTES'")
    rows(session, "SET NAMES latin1")
    assert rows(session, 'SELECT "name", @@time_zone, @@character_set_client FROM shop.place') == (("replica1", "+03:00", "latin1"),)
    rows(session, "SET time_zone = CONCAT('+0', '5:00')")
    assert rows(session, "SELECT @@time_zone, name FROM shop.place") == (("+05:00", "replica1"),)
    rows(session, "SET group_concat_max_len = 5")
    assert rows(session, "SELECT GROUP_CONCAT(name), name FROM shop.place")[0][0] == "repli"


def test_the_schema_follows_the_session(session, cluster):
    cluster.primary.sql("CREATE DATABASE IF NOT EXISTS second; CREATE OR REPLACE TABLE second.place (name INT); INSERT INTO second.place VALUES (2); GRANT ALL ON second.* TO app@'%'")
    assert one(session, "SELECT name FROM place") == "replica1"
    session.select_db("second")
    assert one(session, "SELECT name FROM place") == 2
    rows(session, "USE shop")
    assert one(session, "SELECT name FROM place") == "replica1"
    assert one(session, "SELECT DATABASE()") == "shop"


def test_user_variables_and_temporary_tables_stay(session):
    rows(session, "SET @a = 5")
    assert one(session, "SELECT @a") == 5
    rows(session, "SELECT @b := 6")
    assert one(session, "SELECT @b + @a") == 11
    rows(session, "CREATE TEMPORARY TABLE shop.mine (a INT)")
    rows(session, "INSERT INTO shop.mine VALUES (1)")
    assert one(session, "SELECT a FROM shop.mine") == 1
    assert one(session, PLACE) == "primary"


def test_a_procedure_that_makes_a_temporary_table_pins_its_session(session, cluster):
    make_procedure(cluster, "p", "CREATE TEMPORARY TABLE shop.hidden AS SELECT 3 AS a")
    rows(session, "CALL shop.p()")
    assert one(session, "SELECT a FROM shop.hidden") == 3


def test_what_is_asked_of_the_statement_before(session, table):
    rows(session, f"INSERT INTO {table} (a) VALUES (1), (2)")
    assert one(session, PLACE) == "replica1"
    first = one(session, "SELECT LAST_INSERT_ID()")
    assert first >= 1
    rows(session, f"SELECT SQL_CALC_FOUND_ROWS id FROM {table} LIMIT 1")
    assert one(session, "SELECT FOUND_ROWS()") == 2
    rows(session, "SELECT 1/0, name FROM shop.place")
    assert rows(session, "SHOW WARNINGS")[0][1] == 1365
    rows(session, f"UPDATE {table} SET a = 9")
    assert one(session, "SELECT ROW_COUNT()") == 2
    wait_until(lambda: one(session, PLACE) == "replica1", 15, "a read at the replica, which has the write then")


def test_what_two_servers_know_is_refused_in_one_statement(session, table):
    rows(session, f"INSERT INTO {table} (a) VALUES (1), (2)")
    assert rows(session, "SELECT LAST_INSERT_ID() > 0, ROW_COUNT()") == ((1, 2),)
    for text in ("SELECT LAST_INSERT_ID(), FOUND_ROWS()", f"INSERT INTO {table} (a) VALUES (FOUND_ROWS())", "SET @n = FOUND_ROWS()"):
        wait_until(lambda: one(session, PLACE) == "replica1", 15, "a read at the replica, which has the write then")
        with pytest.raises(pymysql.err.MySQLError) as refused:
            rows(session, text)
        assert refused.value.args[0] == 1235 and "FOUND_ROWS()" in refused.value.args[1]
        assert one(session, "SELECT FOUND_ROWS()") == 1
    assert one(session, f"SELECT COUNT(*) FROM {table}") == 2


def test_several_statements_in_one_text_and_several_results(router, cluster, table):
    make_procedure(cluster, "several", "SELECT 1; SELECT 2, 3")
    with contextlib.closing(router.connect(client_flag=CLIENT.MULTI_STATEMENTS)) as connection, connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {table} (a) VALUES (1); SELECT a FROM {table}; SELECT name FROM shop.place")
        assert cursor.rowcount == 1
        cursor.nextset()
        assert cursor.fetchall() == ((1,),)
        cursor.nextset()
        assert cursor.fetchall() == (("primary",),)
        cursor.execute("CALL shop.several()")
        assert cursor.fetchall() == ((1,),)
        cursor.nextset()
        assert cursor.fetchall() == ((2, 3),)


def test_prepared_statements_as_text_and_binary(router, table):
    assert router.client("PREPARE s FROM 'SELECT ? + 1'; SET @n = 4; EXECUTE s USING @n; DEALLOCATE PREPARE s") == [["5"]]
    with contextlib.closing(Binary(router)) as binary:
        statement, columns, parameters = binary.prepare(f"INSERT INTO {table} (a) VALUES (?)")
        assert (columns, parameters) == (0, 1)
        assert binary.execute(statement, 41)[0] == 0x00
        assert binary.execute(statement, 42)[0] == 0x00
        statement, columns, parameters = binary.prepare(f"SELECT COUNT(*) FROM {table} WHERE a > ?")
        assert (columns, parameters) == (1, 1)
        assert binary.execute(statement, 41)[0] == 1


class Binary(pymysql.connections.Connection):
    """PyMySQL with binary prepared statements of one number."""

    def __init__(self, router):
        super().__init__(host=router.host, port=router.port, user=APP_USER, password=APP_PASSWORD, database="shop", autocommit=True)

    def command(self, payload):
        self._next_seq_id = 0
        self.write_packet(payload)

    def prepare(self, text):
        self.command(b"\x16" + text.encode())
        first = self._read_packet().get_all_data()
        assert first[0] == 0
        statement, columns, parameters = struct.unpack_from("<IHH", first, 1)
        for count in (parameters, columns):
            for _ in range(count + 1 if count else 0):
                self._read_packet()
        return statement, columns, parameters

    def execute(self, statement, number):
        """The first packet of the response; a result set is read to its end."""
        self.command(b"\x17" + struct.pack("<IBIBBHq", statement, 0, 1, 0, 1, 8, number))
        first = self._read_packet().get_all_data()
        ends = 0 if first[0] == 0 else 2
        while ends:
            ends -= self._read_packet().is_eof_packet()
        return first


# ---- large and long


def test_packets_of_20_mib_pass_in_both_directions(router, cluster, table):
    text = "0123456789abcdef" * (20 << 16)
    with contextlib.closing(router.connect(max_allowed_packet=64 << 20)) as connection:
        rows(connection, f"INSERT INTO {table} (b) VALUES (%s)", (text,))
        cluster.wait_caught_up()
        assert one(connection, f"SELECT LENGTH(b) FROM {table}") == len(text)
        assert one(connection, f"SELECT b FROM {table}") == text


def test_a_result_is_streamed(router):
    with contextlib.closing(router.connect(cursorclass=pymysql.cursors.SSCursor)) as connection:
        assert sum(1 for _ in rows_of(connection, "SELECT seq, REPEAT('x', 200) FROM seq_1_to_200000")) == 200000
        # One that the client does not want any more.
        cursor = connection.cursor()
        cursor.execute("SELECT seq, REPEAT('x', 200) FROM seq_1_to_2000000")
        assert cursor.fetchone()[0] == 1
        connection._force_close()
        cursor._result.unbuffered_active = False
    assert router.client("SELECT 1") == [["1"]]


def rows_of(connection, statement):
    with connection.cursor() as cursor:
        cursor.execute(statement)
        yield from cursor


def test_load_data_local(router, table, tmp_path):
    file = tmp_path / "rows"
    file.write_text("".join(f"{number}\tline {number}\n" for number in range(100_000)))
    statement = f"LOAD DATA LOCAL INFILE '{file}' INTO TABLE {table} (a, b)"
    with contextlib.closing(router.connect(local_infile=True)) as connection:
        rows(connection, statement)
        assert one(connection, f"SELECT COUNT(*) FROM {table}") == 100_000
        assert one(connection, f"SELECT b FROM {table} WHERE a = 99999") == "line 99999"
    assert router.client(statement + f"; SELECT COUNT(*) FROM {table}", options=["--local-infile=1"]) == [["200000"]]


# ---- the other commands


def test_ping_statistics_and_reset(session):
    session.ping(reconnect=False)
    rows(session, "SET @a = 1, time_zone = '+01:00'")
    rows(session, "CREATE TEMPORARY TABLE shop.gone (a INT)")
    session._execute_command(0x1F, b"")
    session._read_ok_packet()
    assert rows(session, "SELECT @a, @@time_zone") == ((None, "SYSTEM"),)
    assert error_of(session, "SELECT * FROM shop.gone") == 1146
    assert one(session, PLACE) == "replica1"
    session._execute_command(0x09, b"")
    assert b"Uptime" in session._read_packet().get_all_data()


def test_change_of_user(router, cluster):
    cluster.primary.sql("CREATE USER other@'%' IDENTIFIED BY 'other secret'; GRANT SELECT ON shop.* TO other@'%'")
    cluster.wait_caught_up()
    with contextlib.closing(router.connect()) as connection:
        rows(connection, "SET time_zone = '+01:00'")
        change_user(connection, "other", "other secret", "shop")
        assert one(connection, "SELECT CURRENT_USER()") == "other@%"
        assert rows(connection, "SELECT @@time_zone, name FROM shop.place") == (("SYSTEM", "replica1"),)
        change_user(connection, APP_USER, APP_PASSWORD, "shop", plugin=b"client_ed25519")
        change_user(connection, "other", "other secret", "shop")
        rows(connection, "SET time_zone = '+01:00'")
        for _ in range(3):
            with pytest.raises(pymysql.OperationalError) as refused:
                change_user(connection, APP_USER, "wrong", "shop")
            assert refused.value.args[0] == 1045
            assert rows(connection, "SELECT CURRENT_USER(), DATABASE(), @@time_zone") == (("other@%", "shop", "SYSTEM"),), "it remains who it was"
        with pytest.raises(pymysql.MySQLError) as refused:
            change_user(connection, APP_USER, APP_PASSWORD, "shop")
        assert refused.value.args[0] == 1047, "as a server: no fourth guess"
    cluster.primary.sql("DROP USER other@'%'")


def change_user(connection, user, password, database, plugin=b"mysql_native_password"):
    """As Connector/C does: the answer is made with the greeting's nonce; another plugin waits to be asked."""
    answer = pymysql._auth.scramble_native_password(password.encode(), connection.salt[:20]) if plugin == b"mysql_native_password" else b"?"
    connection._execute_command(0x11, user.encode() + b"\0" + bytes([len(answer)]) + answer + database.encode() + b"\0\x2d\0" + plugin + b"\0")
    packet = connection._read_packet()
    if packet.is_auth_switch_request():
        packet.read_uint8()
        assert packet.read_string() == b"mysql_native_password"
        connection.salt = packet.read_all()[:20]
        connection.write_packet(pymysql._auth.scramble_native_password(password.encode(), connection.salt))
        packet = connection._read_packet()
    packet.check_error()


@pytest.mark.parametrize("command", [b"\x12\0\0\0\0\0\0\0\0\0\0", b"\x15", b"\x08", b"\xfe", b"\x63"])
def test_what_the_router_does_not_do_is_refused_and_the_session_goes_on(session, command):
    session._next_seq_id = 0
    session.write_packet(command)
    with pytest.raises(pymysql.MySQLError) as refused:
        session._read_packet()
    known = command[0] < 0x20
    assert ("trilith:" if known else "Unknown command") in refused.value.args[1]
    assert one(session, "SELECT 1") == 1


def test_kill_by_the_primarys_id(router, session):
    with contextlib.closing(router.connect()) as victim:
        number = one(victim, "SELECT CONNECTION_ID()")
        rows(session, f"KILL {number}")
        wait_until(lambda: error_of_next(victim) in (2006, 2013, 1927, 0), 10, "the kill")


def error_of_next(connection):
    try:
        return 0 if one(connection, "SELECT CONNECTION_ID()") else 0
    except pymysql.MySQLError as error:
        return error.args[0]


def test_commands_that_are_sent_at_once_are_answered_in_order(session, table):
    texts = [PLACE, f"INSERT INTO {table} (a) VALUES (5)", f"SELECT a FROM {table}", "SET time_zone = '+02:00'", "SELECT @@time_zone, name FROM shop.place", "SELEC", "SELECT 9"]
    session._sock.sendall(b"".join(struct.pack("<I", len(text) + 1)[:3] + b"\0\x03" + text.encode() for text in texts))
    answers = []
    for _ in texts:
        session._next_seq_id = 1
        try:
            session._read_query_result()
            answers.append(session._result.rows)
        except pymysql.MySQLError as error:
            answers.append(error.args[0])
    assert answers == [(("replica1",),), None, ((5,),), None, (("+02:00", "replica1"),), 1064, ((9,),)]


def test_metrics_tell_what_ran_where(router, session, table):
    before = router.metrics()
    rows(session, f"INSERT INTO {table} (a) VALUES (1)")
    one(session, PLACE)
    rows(session, "CREATE TEMPORARY TABLE shop.counted (a INT)")
    after = router.metrics()

    def grown(name):
        return float(after[name]) - float(before[name])

    assert grown('trilith_sql_statements_total{verb="insert"}') == 1
    assert grown('trilith_sql_reads_total{target="replica"}') == 1
    assert grown('trilith_sql_pins_total{reason="temporary_table"}') == 1
    assert grown("proxysql_questions_total") == 3
    assert float(after["proxysql_client_connections_connected"]) >= 1
    assert sum(name.startswith("proxysql_connpool_conns{") for name in after) == 4


def test_a_session_that_asks_for_tracking_gets_it_and_stays_at_the_primary(router):
    with contextlib.closing(router.connect(client_flag=1 << 23)) as connection:
        rows(connection, "SET SESSION session_track_schema = 1")
        assert one(connection, PLACE) == "primary"
        connection._execute_command(0x03, "USE shop")
        assert b"\x04shop" in connection._read_packet().get_all_data()


# ---- reading one's own writes


def test_a_session_reads_its_own_writes_while_the_replica_stands_still(router, cluster, table):
    replica = cluster.replicas[0]
    with contextlib.closing(router.connect()) as connection:
        assert one(connection, PLACE) == "replica1"
        replica.sql("STOP SLAVE SQL_THREAD")
        try:
            for number in range(50):
                rows(connection, f"INSERT INTO {table} (a) VALUES ({number})")
                assert one(connection, f"SELECT COUNT(*) FROM {table}") == number + 1
                # Without its token the same session would see the past, as long as the replica is thought fit.
            stale = one(connection, f"/* trilith:replica noryw */ SELECT COUNT(*) FROM {table}")
            place = one(connection, "/* trilith:replica noryw */ " + PLACE)
            assert (place, stale) in (("replica1", 0), ("primary", 50))
        finally:
            replica.sql("START SLAVE SQL_THREAD")
        replica.wait_caught_up(cluster.primary)
    wait_place(router, "replica1")


def test_a_token_is_taken_while_the_primary_hangs(router, cluster, table):
    """A visitor who has written reads on at the replica that has it."""
    with contextlib.closing(router.connect()) as writer, contextlib.closing(router.connect(read_timeout=5)) as reader:
        rows(writer, f"INSERT INTO {table} (a) VALUES (78)")
        token = one(writer, "SELECT @trilith_token")
        cluster.wait_caught_up()
        wait_until(lambda: one(reader, f"{PLACE} WHERE (SELECT COUNT(*) FROM {table}) = 1") == "replica1", 20, "a read at the replica that has the write")
        cluster.primary.signal(signal.SIGSTOP)
        try:
            rows(reader, f"SET @trilith_token = '{token}'")
            assert one(reader, f"{PLACE} WHERE (SELECT COUNT(*) FROM {table} WHERE a = 78) = 1") == "replica1"
        finally:
            cluster.primary.signal(signal.SIGCONT)
        wait_until(lambda: one(writer, "SELECT @trilith_token") == token, 20, "the primary again")


def test_a_token_carries_own_writes_to_another_connection(router, cluster, table):
    with contextlib.closing(router.connect()) as writer, contextlib.closing(router.connect()) as reader, contextlib.closing(router.connect()) as stranger:
        assert one(writer, "SELECT @trilith_token") is None
        cluster.replicas[0].sql("STOP SLAVE SQL_THREAD")
        try:
            rows(writer, f"INSERT INTO {table} (a) VALUES (77)")
            token = one(writer, "SELECT @trilith_token")
            assert token == cluster.primary.value("SELECT @@gtid_binlog_pos")
            # The control: without the token it is stale, as long as the replica is thought fit.
            assert rows(reader, f"SELECT name, (SELECT COUNT(*) FROM {table} WHERE a = 77) FROM shop.place") in ((("replica1", 0),), (("primary", 1),))
            assert error_of(reader, "SET @trilith_token = 'tomorrow'") == 1210
            rows(reader, f"SET @trilith_token = '{token}'")
            assert one(reader, f"SELECT COUNT(*) FROM {table} WHERE a = 77") == 1
            assert one(reader, "SELECT CONCAT(@TRILITH_token, '!')") == f"{token}!"
            assert one(stranger, "SELECT @trilith_token") is None, "a token is its session's alone"
        finally:
            cluster.replicas[0].sql("START SLAVE SQL_THREAD")
        cluster.wait_caught_up()
        # The replica is known to serve again after a look at it.
        question = f"SELECT name FROM shop.place WHERE (SELECT COUNT(*) FROM {table} WHERE a = 77) = 1"
        wait_until(lambda: one(reader, question) == "replica1", 20, "a read on the replica that has the write")


@pytest.mark.parametrize("deprecate_eof", [0, 1 << 24])
def test_a_write_that_returns_rows_is_seen_by_old_and_new_clients(router, cluster, table, deprecate_eof):
    replica = cluster.replicas[0]
    wait_place(router, "replica1")
    with contextlib.closing(router.connect(client_flag=deprecate_eof)) as connection:
        assert packets(connection, PLACE, deprecate_eof)[-1] == b"\x08replica1"
        replica.sql("STOP SLAVE SQL_THREAD")
        try:
            answer = packets(connection, f"INSERT INTO {table} (a) VALUES (31) RETURNING a", deprecate_eof)
            assert answer[-1] == b"\x0231"
            assert packets(connection, f"SELECT a FROM {table}", deprecate_eof)[-1] == b"\x0231"
        finally:
            replica.sql("START SLAVE SQL_THREAD")
    replica.wait_caught_up(cluster.primary)


def packets(connection, statement, deprecate_eof):
    """The payloads of a result set of one column up to its last row; its end has the form that was agreed on, and no session track."""
    connection._execute_command(0x03, statement)
    found = [connection._read_packet().get_all_data() for _ in range(2 if deprecate_eof else 3)]
    assert found[0] == b"\x01"
    assert deprecate_eof or found[2][0] == 0xFE
    while True:
        payload = connection._read_packet().get_all_data()
        if payload[0] == 0xFE:
            assert len(payload) == (7 if deprecate_eof else 5), payload
            return found
        found.append(payload)


def test_a_write_that_ends_in_an_error_is_seen_too(router, cluster, table):
    make_procedure(cluster, "fails", f"INSERT INTO {table} (a) VALUES (77); SIGNAL SQLSTATE '45000'")
    replica = cluster.replicas[0]
    wait_place(router, "replica1")
    with contextlib.closing(router.connect()) as connection:
        assert one(connection, PLACE) == "replica1"
        replica.sql("STOP SLAVE SQL_THREAD")
        try:
            assert error_of(connection, "CALL shop.fails()") == 1644
            assert one(connection, f"SELECT a FROM {table}") == 77
        finally:
            replica.sql("START SLAVE SQL_THREAD")
    replica.wait_caught_up(cluster.primary)


# ---- many, and hostile


def test_200_clients_at_once(router, table):
    failures = []

    def work(number):
        try:
            with contextlib.closing(router.connect()) as connection:
                rows(connection, f"INSERT INTO {table} (a) VALUES ({number})")
                for _ in range(5):
                    assert one(connection, f"SELECT a FROM {table} WHERE a = {number}") == number
        except Exception as error:  # noqa: BLE001
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(200)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures, failures[:3]


def test_garbage_on_the_port_harms_nobody_else(router, session):
    for garbage in (b"GET / HTTP/1.1\r\n\r\n", b"\xff" * 5000, os.urandom(3000), b"\x01\x00\x00\x07\x01", b"\x00\x00\x00\x01", b""):
        with contextlib.closing(router.raw()) as raw:
            raw.recv(4096)
            raw.sendall(garbage)
            raw.shutdown(1)
            with contextlib.suppress(ConnectionError):
                while raw.recv(4096):
                    pass
    assert one(session, "SELECT 1") == 1


def test_malformed_commands_end_their_session_alone(router, session):
    for packet in (b"\x00\x00\x00\x00", b"\x01\x00\x00\x05\x0e", b"\x05\x00\x00\x00\x11abc", b"\x02\x00\x00\x00\x17\x01"):
        connection = router.connect()
        connection._sock.sendall(packet)
        connection._sock.shutdown(1)
        with contextlib.suppress(ConnectionError):
            while connection._sock.recv(4096):
                pass
    assert one(session, "SELECT 1") == 1


# ---- servers that go; last, because the cluster is another one afterwards


def test_a_replica_that_is_killed_fails_no_read(router, cluster):
    wait_place(router, "replica1")
    stop, failures, places = threading.Event(), [], set()

    def read():
        try:
            with contextlib.closing(router.connect()) as connection:
                while not stop.is_set():
                    places.add(one(connection, PLACE))
        except Exception as error:  # noqa: BLE001
            failures.append(error)

    threads = [threading.Thread(target=read) for _ in range(8)]
    for thread in threads:
        thread.start()
    try:
        wait_until(lambda: "replica1" in places, 10, "reads at the replica")
        cluster.replicas[0].kill()
        wait_until(lambda: "primary" in places, 10, "reads at the primary")
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert not failures, failures[:3]
    cluster.replicas[0].start(read_only="1")
    cluster.replicas[0].sql("START SLAVE")
    wait_place(router, "replica1", 30)


def test_a_primary_that_was_changed_by_hand_is_followed(router, cluster, table):
    old, new = cluster.nodes
    with contextlib.closing(router.connect()) as idle, contextlib.closing(router.connect()) as busy:
        rows(busy, "BEGIN")
        rows(busy, f"INSERT INTO {table} (a) VALUES (1)")
        rows(idle, f"INSERT INTO {table} (a) VALUES (2)")
        cluster.switch_over(old, new)
        rows(idle, f"INSERT INTO {table} (a) VALUES (3)")
        assert one(idle, "SELECT @@server_id") == 2
        assert rows(idle, f"SELECT a FROM {table}") == ((2,), (3,))
        # Its transaction was the old primary's: it is told, and not run in part.
        assert error_of(busy, f"INSERT INTO {table} (a) VALUES (4)") in (1290, 2006, 2013)
    with contextlib.closing(router.connect()) as connection:
        assert rows(connection, f"SELECT a FROM {table}") == ((2,), (3,))
    cluster.switch_over(new, old)
    router.wait_log("primary is " + old.address)


def test_without_a_primary_reads_go_on_and_writes_wait_and_are_told(router, cluster, table):
    wait_place(router, "replica1", 30)
    with contextlib.closing(router.connect()) as connection:
        assert one(connection, PLACE) == "replica1"
        cluster.primary.kill()
        assert one(connection, PLACE) == "replica1"
        assert error_of(connection, f"INSERT INTO {table} (a) VALUES (1)") == 2006
        cluster.primary.start()
        rows(connection, f"INSERT INTO {table} (a) VALUES (2)")
        # In the session that wrote: the replica, which has yet to find the primary again, may be late for others.
        assert rows(connection, f"SELECT a FROM {table}") == ((2,),)


def test_sessions_that_idle_are_closed_at_the_end_and_a_transaction_may_finish(cluster, trilith):
    site = RouterSite(cluster.addresses).start()
    try:
        idle, busy = site.connect(), site.connect()
        rows(busy, "BEGIN")
        site.site.signal(15)
        wait_until(lambda: not is_open(idle), 10, "the idle one to be closed")
        rows(busy, "COMMIT")
        assert site.site.wait_exit() == 0
    finally:
        site.finish()


def is_open(connection):
    try:
        connection._sock.settimeout(0.1)
        return connection._sock.recv(1) != b""
    except TimeoutError:
        return True


def test_the_mariadb_programs_error_is_the_servers(router):
    with pytest.raises(SqlError) as refused:
        router.client("SELECT * FROM nowhere")
    assert refused.value.number == 1146


# ---- KILL of a session of the router, by the id of its greeting


def run_aside(connection, sql):
    """Runs it in a thread: (thread, what came of it)."""
    came = []

    def work():
        try:
            came.append(rows(connection, sql))
        except pymysql.MySQLError as error:
            came.append(error.args[0])

    thread = threading.Thread(target=work)
    thread.start()
    return thread, came


def wait_running(cluster, words):
    question = f"SELECT GROUP_CONCAT(info) FROM information_schema.processlist WHERE id <> CONNECTION_ID() AND info LIKE '%{words}%'"
    wait_until(lambda: any(words in node.value(question) for node in cluster.nodes), 20, f"{words} to run")


@pytest.mark.parametrize("sql", ["SELECT SLEEP(30) FROM shop.place", "DO SLEEP(30)"], ids=["a-read", "on-the-primary"])
def test_kill_query_ends_what_another_session_runs(router, cluster, session, sql):
    with contextlib.closing(router.connect()) as other:
        rows(other, "SET @mine = 5")
        thread, came = run_aside(other, sql)
        wait_running(cluster, "SLEEP(30)")
        rows(session, f"KILL QUERY {other.thread_id()}")
        thread.join(10)
        assert came and came[0] in (1317, ((1,),), ()), "SLEEP gives 1 when it is killed, or the statement an error"
        assert one(other, "SELECT @mine") == 5, "the session goes on as it was"


def test_kill_ends_another_session(router, cluster, session):
    with contextlib.closing(router.connect()) as other:
        rows(other, "BEGIN")
        thread, came = run_aside(other, "DO SLEEP(31)")
        wait_running(cluster, "SLEEP(31)")
        rows(session, f"KILL {other.thread_id()}")
        thread.join(10)
        assert came and came[0] in (1317, 1927, 2013, 2006)
        with pytest.raises(pymysql.MySQLError):
            rows(other, "SELECT 1")
    idle = router.connect()
    session.kill(idle.thread_id())
    with pytest.raises(pymysql.MySQLError):
        rows(idle, "SELECT 1")


def test_kill_needs_an_id_that_is_there_and_the_right_to_it(router, cluster, session):
    assert error_of(session, f"KILL {2**31 + 123_456_789}") == 1094
    assert error_of(session, f"KILL QUERY {session.thread_id()}") == 1317
    cluster.primary.sql("CREATE USER stranger@'%' IDENTIFIED BY 'x'")
    cluster.wait_caught_up()
    with contextlib.closing(router.connect(user="stranger", password="x", database=None)) as stranger:
        assert error_of(stranger, f"KILL {session.thread_id()}") == 1095
        thread, came = run_aside(session, "DO SLEEP(2)")
        wait_running(cluster, "SLEEP(2)")
        assert error_of(stranger, f"KILL {session.thread_id()}") == 1095
        thread.join(10)
        assert came == [()]
    cluster.primary.sql("DROP USER stranger@'%'")
    assert error_of(session, f"KILL {session.thread_id()}") == 1927
