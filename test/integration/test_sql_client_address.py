"""Accounts that are good for some client addresses only: databases that are kept here are told the client's address, others see the router's."""

import contextlib
import os
import socket
import struct

import pymysql
import pytest

import mariadb_cluster
from app_site import own_addresses
from database_site import NAME, DatabaseSite
from mariadb_cluster import MariadbCluster
from raw_client import wait_until
from sql_router_site import RouterSite, error_of, one, rows

pytestmark = pytest.mark.skipif(not mariadb_cluster.IS_THERE, reason="no mariadbd here: scripts/install-dependencies test")

SECRET = "near secret"
# An IPv4 client 10.9.8.7:1 of the PROXY protocol, version 2.
SPOOFED = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c" + bytes([10, 9, 8, 7, 10, 9, 8, 6]) + struct.pack(">HH", 1, 2)


@pytest.fixture(scope="module")
def near():
    """Two addresses of clients, of nobody else."""
    return own_addresses(2)[0]


# ---- databases that are kept here


@pytest.fixture(scope="module")
def site(trilith, near):
    made = DatabaseSite(2)
    made.sql_socket = os.path.join(made.home, "sql.sock")
    with open(made.file, encoding="utf-8") as file:
        text = file.read()
    made.write(text.replace("[database]\n", f'[database]\nlisten = ["{made.router}:3306", "unix:{made.sql_socket}"]\n'))
    try:
        made.start().wait_whole()
        first, second = near
        text = f"CREATE TABLE {NAME}.t (a INT); INSERT INTO {NAME}.t VALUES (7); CREATE TABLE {NAME}.w (a INT);"
        text += "".join(f"CREATE USER near@'{host}' IDENTIFIED BY '{SECRET}';" for host in (first, second, "localhost"))
        text += f"GRANT SELECT ON {NAME}.t TO near@'{first}'; GRANT SELECT, INSERT ON {NAME}.w TO near@'{first}'; GRANT SELECT ON {NAME}.w TO near@'{second}';"
        text += f"GRANT SELECT ON {NAME}.t TO near@'localhost'"
        made.sql(made.primary, text)
        wait_until(lambda: can_log_in(made, first) and can_log_in(made, second), 60, "the new accounts")
        yield made
    finally:
        made.finish()


def connect(site, address, user="near", password=SECRET, **options):
    options = {"autocommit": True, "read_timeout": 60, "database": NAME, "bind_address": address, **options}
    return pymysql.connect(host=site.router, port=3306, user=user, password=password, **options)


def can_log_in(site, address):
    try:
        connect(site, address).close()
        return True
    except pymysql.MySQLError:
        return False


def test_an_account_of_the_clients_address_is_the_servers_too(site, near):
    first, _ = near
    with contextlib.closing(connect(site, first)) as connection:
        assert one(connection, "SELECT CURRENT_USER()") == f"near@{first}"
        assert one(connection, "SELECT a FROM t") == 7
        rows(connection, "BEGIN")  # at the primary
        rows(connection, "INSERT INTO w VALUES (1)")
        assert one(connection, "SELECT CURRENT_USER()") == one(connection, "SELECT USER()") == f"near@{first}"
        rows(connection, "COMMIT")


def test_another_address_is_refused_like_by_a_server(site, near):
    first, _ = near
    stranger = own_addresses(1)[0][0]
    with pytest.raises(pymysql.MySQLError) as refused:
        connect(site, stranger)
    assert refused.value.args[0] == 1045 and f"'near'@'{stranger}'" in refused.value.args[1]


def test_accounts_of_one_user_share_no_connection(site, near):
    first, second = near
    with contextlib.ExitStack() as stack:
        ones = [stack.enter_context(contextlib.closing(connect(site, first))) for _ in range(4)]
        others = [stack.enter_context(contextlib.closing(connect(site, second))) for _ in range(4)]
        for _ in range(5):
            for connection, other in zip(ones, others):
                assert one(connection, "SELECT a FROM t") == 7
                rows(connection, "INSERT INTO w VALUES (2)")
                assert error_of(other, "SELECT a FROM t") == 1142
                assert error_of(other, "INSERT INTO w VALUES (3)") == 1142
                assert one(other, "SELECT CURRENT_USER()") == f"near@{second}"
    assert site.sql(site.primary, f"SELECT COUNT(*) FROM {NAME}.w WHERE a = 3") == [["0"]]


def test_a_client_of_the_unix_socket_is_localhost(site):
    connection = pymysql.connect(unix_socket=site.sql_socket, user="near", password=SECRET, database=NAME, read_timeout=60)
    with contextlib.closing(connection):
        assert one(connection, "SELECT CURRENT_USER()") == "near@localhost"
        assert error_of(connection, "INSERT INTO w VALUES (4)") == 1142


def test_a_change_of_user_and_a_kill_are_the_clients_too(site, near):
    first, second = near
    with contextlib.closing(connect(site, first)) as connection, contextlib.closing(connect(site, first)) as killer:
        rows(connection, "BEGIN")
        rows(connection, "INSERT INTO w VALUES (5)")
        rows(killer, f"KILL {connection.thread_id()}")
        assert error_of(connection, "INSERT INTO w VALUES (6)") in (2006, 2013)
    assert site.sql(site.primary, f"SELECT COUNT(*) FROM {NAME}.w WHERE a IN (5, 6)") == [["0"]]
    assert can_log_in(site, second)


def test_a_server_believes_its_routers_alone(site, near):
    assert site.sql(site.primary, "SELECT @@proxy_protocol_networks") == [[site.router]]
    for source, is_believed in ((near[0], False), (site.router, True)):
        with socket.create_connection((site.addresses[site.primary], 3307), timeout=20, source_address=(source, 0)) as raw:
            greeting = raw.recv(4096)
            assert greeting[4] == 10, "control: it greets"
            capabilities = 0x00000200 | 0x00008000 | 0x00080000  # 4.1, secure connection, plugin
            login = struct.pack("<IIB23x", capabilities, 1 << 24, 45) + b"near\0" + b"\0" + b"mysql_native_password\0"
            raw.sendall(SPOOFED + struct.pack("<I", len(login) | 1 << 24) + login)
            answer = raw.recv(4096)
            assert answer[4] == 0xFF, answer
            assert (b"10.9.8.7" in answer) == is_believed, answer


# ---- databases of others


@pytest.fixture(scope="module")
def cluster():
    made = MariadbCluster(replicas=1)
    yield made
    made.finish()


@pytest.fixture(scope="module")
def router(cluster, trilith):
    made = RouterSite(cluster.addresses)
    try:
        yield made.start()
    finally:
        made.finish()


def test_others_see_the_routers_address_and_the_refusal_says_so(cluster, router, near):
    first, second = near
    cluster.primary.sql("".join(f"CREATE USER {user}@'{host}' IDENTIFIED BY '{SECRET}';" for user, host in (("far", first), ("twin", first), ("twin", "%"))))
    cluster.wait_caught_up()

    def told(user, address):
        try:
            router.connect(user=user, password=SECRET, database=None, bind_address=address).close()
            return 0, ""
        except pymysql.MySQLError as refused:
            return refused.args

    number, text = told("far", first)
    assert number == 1045 and "the password is right" in text and "router's address" in text
    assert told("far", second)[0] == 1045 and "the password is right" not in told("far", second)[1]
    # By the router's address the server would take the other account, which may have other rights.
    number, text = told("twin", first)
    assert number == 1045 and f"'twin'@'{first}'" in text and "another account" in text
    assert told("twin", second) == (0, "")
    with contextlib.closing(router.connect(user="twin", password=SECRET, database=None, bind_address=second)) as connection:
        assert one(connection, "SELECT CURRENT_USER()") == "twin@%"
