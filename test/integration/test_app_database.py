"""trilith::Database against real MariaDB servers, through the SQL router: values, errors, what ends a statement early, own writes at late replicas."""

import contextlib
import http.client
import json
import os
import subprocess
import threading
import urllib.parse

import pymysql
import pytest

import mariadb_cluster
from app_site import free_port
from mariadb_cluster import APP_PASSWORD, APP_USER, MariadbCluster
from raw_client import RawClient, wait_until
from sql_router_site import router, rows  # noqa: F401

PROGRAM = os.environ.get("DATABASE_PROGRAM", "")
pytestmark = [
    pytest.mark.skipif(not mariadb_cluster.IS_THERE, reason="no mariadbd here: scripts/install-dependencies test"),
    pytest.mark.skipif(not PROGRAM, reason="DATABASE_PROGRAM is not set: ctest sets it"),
]
ROUNDS = 60


@pytest.fixture(scope="module")
def cluster():
    made = MariadbCluster(replicas=2)
    made.primary.sql("""CREATE TABLE shop.kinds (id INT AUTO_INCREMENT PRIMARY KEY, whole INT, large BIGINT UNSIGNED, fraction DOUBLE, exact DECIMAL(20,4), name VARCHAR(200),
        born DATE, at DATETIME(6), span TIME, flag TINYINT(1));
        CREATE TABLE shop.notes (id INT PRIMARY KEY, n BIGINT); INSERT INTO shop.notes VALUES (1, 0), (2, 0), (3, 0)""")
    made.wait_caught_up()
    yield made
    made.finish()


class Program:
    """One process of database_program; `get` and `post` give (status, body, cookie)."""

    def __init__(self, site, **environment):
        self.port = free_port(["127.0.0.1"])
        password = urllib.parse.quote(APP_PASSWORD, safe="")
        url = f"mysql://{APP_USER}:{password}@{site.host}:{site.port}/shop"
        variables = {**os.environ, "DATABASE_URL": url, **environment}
        self.process = subprocess.Popen([PROGRAM, "--port", str(self.port)], env=variables, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        wait_until(self._answers, 30, "the program's answer")

    def _answers(self):
        assert self.process.poll() is None, self.process.stderr.read()
        with contextlib.suppress(OSError):
            return self.get("/healthz")[0] == 200
        return False

    def ask(self, method, path, body=None, cookie=None, seconds=60, kind="application/x-www-form-urlencoded"):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=seconds)
        with contextlib.closing(connection):
            fields = {"Content-Type": kind} if body is not None else {}
            if cookie:
                fields["Cookie"] = cookie
            connection.request(method, path, body, fields)
            answer = connection.getresponse()
            given = answer.getheader("Set-Cookie")
            return answer.status, answer.read(), given.split(";")[0] if given else None

    def get(self, path, **options):
        return self.ask("GET", path, **options)

    def post(self, path, fields=None, **options):
        return self.ask("POST", path, urllib.parse.urlencode(fields or {}), **options)

    def end(self):
        self.process.terminate()
        assert self.process.wait(30) == 0, self.process.stderr.read()
        self.process.stderr.close()


@pytest.fixture(scope="module")
def program(router):  # noqa: F811
    made = Program(router)
    yield made
    made.end()


def test_values_of_every_kind_come_back_as_they_went(program):
    hostile = "Robert'); DROP TABLE notes;-- \\ \" é 𝄞 <b>"
    fields = {"whole": -7, "large": 18446744073709551615, "fraction": 0.25, "exact": "12345678901234.5678", "name": hostile, "born": "2026-11-28", "at": "2026-11-28 13:05:09.250000",
              "span": "-26:03:04", "flag": "yes"}
    status, body, _ = program.post("/values", fields)
    assert (status, json.loads(body)["rows"]) == (200, 1)
    number = json.loads(body)["id"]
    cookie = program.post("/values", {})[2]  # all NULL
    found = json.loads(program.get("/values", cookie=cookie)[1])
    assert found[0] == {"id": number, "whole": -7, "large": 1.8446744073709552e19, "fraction": 0.25, "exact": "12345678901234.5678", "name": hostile, "born": "2026-11-28",
                        "at": "2026-11-28 13:05:09.250000", "span": "-26:03:04", "flag": 1}
    assert all(found[1][name] is None for name in ("whole", "large", "fraction", "exact", "name", "born", "at", "span")) and found[1]["flag"] == 0


@pytest.mark.parametrize("size", [0, 1, 250, 251, 49_000, 65_535, 65_536, 70_000, 900_000])
def test_texts_of_every_size_come_back(program, size):
    text = ("0123456789" * (size // 10 + 1))[:size].encode()
    assert program.ask("POST", "/echo", text, kind="text/plain")[:2] == (200, text)


def test_an_error_has_its_number_and_the_program_goes_on(program):
    assert json.loads(program.post("/fail")[1]) == {"number": 1062, "sqlstate": "23000", "kind": 0}
    assert program.get("/notes/1")[0] == 200


def sleepers(cluster):
    """How many of the statements run at the servers just now."""
    text = "SELECT COUNT(*) FROM information_schema.processlist WHERE info = 'SELECT SLEEP(50)'"
    return sum(int(database.sql(text)[0][0]) for database in cluster.nodes)


def begin(program, cluster, method, path, body=b""):
    """Asks for what sleeps, and returns when it does, without the answer."""
    client = RawClient(program.port)
    fields = b"Content-Type: application/x-www-form-urlencoded\r\n" if body else b""
    client.send(b"%s %s HTTP/1.1\r\nHost: a\r\n%sContent-Length: %d\r\n\r\n%s" % (method, path, fields, len(body), body))
    wait_until(lambda: sleepers(cluster) == 1, 20, "the statement at a server")
    return client


def test_a_client_that_leaves_ends_its_statement_at_the_server(program, cluster):
    begin(program, cluster, b"GET", b"/sleep").close()
    wait_until(lambda: not sleepers(cluster), 20, "the end of the statement")


def test_the_time_of_a_request_ends_its_statement_at_the_server(router, cluster):  # noqa: F811
    hasty = Program(router, HANDLER_TIME="2000")
    try:
        with begin(hasty, cluster, b"GET", b"/sleep") as client:
            assert client.response().status == 503
        wait_until(lambda: not sleepers(cluster), 20, "the end of the statement")
    finally:
        hasty.end()


def test_a_transaction_that_is_left_leaves_nothing(program, cluster):
    before = cluster.primary.sql("SELECT n FROM shop.notes WHERE id = 2")
    assert program.post("/leave")[0] == 409
    begin(program, cluster, b"POST", b"/leave", b"how=hang").close()
    # Its row is free again: whoever waits for it gets it.
    cluster.primary.sql("SELECT n FROM shop.notes WHERE id = 2 FOR UPDATE", seconds=30)
    assert cluster.primary.sql("SELECT n FROM shop.notes WHERE id = 2") == before
    assert program.post("/both")[0] == 200
    assert cluster.primary.sql("SELECT SUM(n) FROM shop.notes WHERE id < 3") == [["0"]]


@contextlib.contextmanager
def late_replicas(cluster):
    """Both replicas' appliers wait for a lock on the table, again and again for a moment."""
    stop = threading.Event()

    def hold(replica):
        with contextlib.closing(pymysql.connect(unix_socket=replica.socket, user="root", database="shop")) as admin:
            while not stop.is_set():
                rows(admin, "LOCK TABLES notes READ")
                stop.wait(0.1)
                rows(admin, "UNLOCK TABLES")
                stop.wait(0.01)

    holders = [threading.Thread(target=hold, args=(replica,)) for replica in cluster.replicas]
    for holder in holders:
        holder.start()
    try:
        yield
    finally:
        stop.set()
        for holder in holders:
            holder.join()


def stale_reads(writer, reader, takes_cookie):
    """A visitor writes at one program and reads at another; how often the read misses the write."""
    stale, cookie = 0, None
    written = json.loads(writer.get("/notes/3")[1])["n"]
    for _ in range(ROUNDS):
        status, _, given = writer.post("/notes/3", cookie=cookie)
        assert status == 200 and given.startswith("trilith_position=")
        cookie = given if takes_cookie else None
        written += 1
        stale += json.loads(reader.get("/notes/3", cookie=cookie)[1])["n"] < written
    return stale


def test_a_visitor_reads_what_they_wrote_at_another_program(program, router, cluster):  # noqa: F811
    cluster.wait_caught_up()
    other = Program(router)
    try:
        with late_replicas(cluster):
            assert stale_reads(program, other, takes_cookie=True) == 0
            cluster.wait_caught_up()
            assert stale_reads(program, other, takes_cookie=False) > 0
    finally:
        other.end()


def test_the_program_survives_its_database(program, cluster, router):  # noqa: F811
    """Every connection is ended at the servers: reads do not notice."""
    assert program.get("/notes/1")[0] == 200
    for database in cluster.nodes:
        for (number,) in database.sql(f"SELECT id FROM information_schema.processlist WHERE user = '{APP_USER}'"):
            with contextlib.suppress(mariadb_cluster.SqlError):
                database.sql(f"KILL {number}")
    assert program.get("/notes/1")[0] == 200
