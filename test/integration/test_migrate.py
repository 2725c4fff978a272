"""`trilith migrate`: every migration once and in order, also where it is interrupted at each of its commands, before or behind the server's answer."""

import contextlib
import os
import select
import socket
import subprocess
import threading

import pymysql
import pytest

import mariadb_cluster
from app_site import free_port
from balancer_site import BINARY
from mariadb_cluster import APP_PASSWORD, APP_USER, MariadbCluster
from raw_client import wait_until
from sql_router_site import rows

pytestmark = pytest.mark.skipif(not mariadb_cluster.IS_THERE, reason="no mariadbd here: scripts/install-dependencies test")
FILES = {
    "0001_a.sql": "CREATE TABLE a (id INT AUTO_INCREMENT PRIMARY KEY, n INT);\nINSERT INTO a (n) VALUES (1);\nINSERT INTO a (n) SELECT n + 1 FROM a",
    "0002_b.sql": "ALTER TABLE a ADD COLUMN m INT; -- ; no statement\nALTER TABLE a RENAME COLUMN n TO k; UPDATE a SET m = COALESCE(m, 0) + 10",
    "0010_c.sql": "CREATE TABLE b LIKE a; RENAME TABLE b TO c;",
}
ENV = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
# Few, for what is done again and again: two that can be rolled back, two that commit by themselves.
FEW = {"0001_a.sql": "CREATE TABLE a (id INT AUTO_INCREMENT PRIMARY KEY, n INT); INSERT INTO a (n) VALUES (1), (2)",
       "0002_b.sql": "ALTER TABLE a RENAME COLUMN n TO k; UPDATE a SET k = k * 10"}
CONFIG = '[balancer]\nlisten = ["http://127.0.0.1:0"]\n[pools.origin]\nbackends = ["127.0.0.1:1"]\n'


@pytest.fixture(scope="module")
def cluster():
    made = MariadbCluster(replicas=0)
    yield made
    made.finish()


@pytest.fixture
def schema(cluster):
    """The primary with an empty schema `shop`."""
    cluster.primary.sql("DROP DATABASE shop; CREATE DATABASE shop")
    return cluster.primary


class Site:
    """A configuration file with migrations beside it."""

    def __init__(self, folder, files):
        self.folder = folder
        (folder / "migrations").mkdir()
        (folder / "trilith.toml").write_text(CONFIG)
        for name, text in files.items():
            self.write(name, text)

    def write(self, name, text):
        (self.folder / "migrations" / name).write_text(text)

    def start(self, address):
        password = APP_PASSWORD.replace(" ", "%20")
        command = [BINARY, "migrate", str(self.folder / "trilith.toml"), "--state-dir", str(self.folder / "state")]
        return subprocess.Popen(command, env={**ENV, "DATABASE_URL": f"mysql://{APP_USER}:{password}@{address}/shop"}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True)

    def migrate(self, address):
        """(exit status, what it says)."""
        process = self.start(address)
        out, err = process.communicate(timeout=120)
        return process.returncode, out + err


@pytest.fixture
def site(tmp_path):
    return Site(tmp_path, FILES)


def state_of(database):
    """All that the migrations make."""
    tables = database.sql("SELECT table_name FROM information_schema.tables WHERE table_schema = 'shop' ORDER BY 1")
    rows = database.sql("SELECT k, m FROM shop.a ORDER BY 1")
    record = database.sql("SELECT number, statement, statements, file, state FROM shop.trilith_migrations ORDER BY 1, 2")
    return tables, rows, record


WHOLE = ([["a"], ["c"], ["trilith_migrations"]], [["1", "10"], ["2", "10"]],
         [[str(number), str(at), str(count), name, "done"] for number, name, count in ((1, "0001_a.sql", 3), (2, "0002_b.sql", 3), (10, "0010_c.sql", 2)) for at in range(count)])


def as_it_is(text):
    return text


class WithoutBegun:
    """What a program would send that writes no "begun" before a statement, and "done" behind it."""

    def __init__(self):
        self.begun = b""

    def __call__(self, text):
        if text.startswith(b"REPLACE INTO trilith_migrations"):
            self.begun, text = text, b"DO 0"
        elif text.startswith(b"UPDATE trilith_migrations SET state = 'done'"):
            text = self.begun.replace(b"'begun'", b"'done'")
        return text


class WithoutLock:
    """What a program would send that takes no lock; each waits for `others` before it begins."""

    def __init__(self, others):
        self.others = others

    def __call__(self, text):
        if not text.startswith(b"SELECT GET_LOCK("):
            return text
        self.others.wait(60)
        return b"SELECT 1 AS taken"


class Cut:
    """Before a database server: cuts the first connection at its `at`th command, before the server gets it or behind its answer. `rewrite` changes a statement."""

    LOGIN = 1  # packets of the client before its commands

    def __init__(self, database, at=None, is_late=False, rewrite=as_it_is):
        self.database, self.at, self.is_late, self.rewrite = database, at, is_late, rewrite
        self.has_cut = False
        self.port = free_port(["127.0.0.1"])
        self.listener = socket.create_server(("127.0.0.1", self.port))
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def _serve(self):
        client, _ = self.listener.accept()
        server = socket.create_connection((self.database.host, self.database.port))
        with client, server:
            packets, must_cut = -self.LOGIN, False
            while True:
                ready, _, _ = select.select([client, server], [], [], 60)
                if client in ready:
                    data = client.recv(1 << 20)
                    if not data:
                        return
                    packets += 1  # the program asks one question at a time
                    if packets == self.at:
                        self.has_cut = must_cut = True
                        if not self.is_late:
                            return
                    if packets > 0 and data[4:5] == b"\x03":
                        text = self.rewrite(data[5:])
                        data = (len(text) + 1).to_bytes(3, "little") + data[3:5] + text
                    server.sendall(data)
                if server in ready:
                    data = server.recv(1 << 20)
                    if not data or must_cut:
                        return
                    client.sendall(data)

    def close(self):
        self.listener.close()
        self.thread.join(60)


def test_migrations_run_once_and_in_order(site, schema):
    status, said = site.migrate(schema.address)
    assert status == 0, said
    assert state_of(schema) == WHOLE
    assert said.splitlines()[0] == "0001_a.sql: statement 1 of 3 is done" and len(said.splitlines()) == 8
    assert site.migrate(schema.address) == (0, "nothing to do: 3 migrations are done\n")
    assert state_of(schema) == WHOLE
    site.write("0011_d.sql", "INSERT INTO a (k, m) VALUES (7, 7)")
    assert site.migrate(schema.address) == (0, "0011_d.sql: statement 1 of 1 is done\n")


def what_goes_wrong(folder, schema, is_late, rewriter=lambda: as_it_is, wrongs_max=1000):
    """Interrupts a run at each of its commands, and runs again: what is not as it has to be then, and how many commands there are."""
    site, at, has_cut, wrong = Site(folder, FEW), 0, True, []

    def check(holds, said):
        if not holds:
            wrong.append(f"interrupted at {at}: {said}")

    def run(cut):
        try:
            return site.migrate(cut.address)
        finally:
            cut.close()

    with contextlib.closing(pymysql.connect(unix_socket=schema.socket, user="root", autocommit=True)) as admin:
        while has_cut and len(wrong) < wrongs_max:
            at += 1
            rows(admin, "DROP DATABASE shop")
            rows(admin, "CREATE DATABASE shop")
            cut = Cut(schema, at, is_late, rewriter())
            status, said = run(cut)
            has_cut = cut.has_cut and status != 0
            check(status == (1 if has_cut else 0), said)
            status, said = run(Cut(schema, rewrite=rewriter()))
            check(status == 0, said)
            if status == 0:
                check(rows(admin, "SELECT k FROM shop.a ORDER BY id") == ((10,), (20,)), "other rows")
                record = rows(admin, "SELECT number, statement, state FROM shop.trilith_migrations ORDER BY 1, 2")
                check(record == tuple((number, place, "done") for number in (1, 2) for place in (0, 1)), record)
    return wrong, at


@pytest.mark.parametrize("is_late", [False, True], ids=["before", "behind"])
def test_an_interruption_anywhere_changes_nothing_in_the_end(tmp_path, schema, is_late):
    wrong, commands = what_goes_wrong(tmp_path, schema, is_late)
    assert wrong == []
    assert commands > 4 * 5, "it was not interrupted at every command"


def test_without_a_record_of_what_has_begun_an_interruption_is_noticed(tmp_path, schema):
    """That what is checked above depends on it."""
    wrong, _ = what_goes_wrong(tmp_path, schema, True, WithoutBegun, wrongs_max=1)
    assert wrong and all("(error 10" in one for one in wrong), wrong


def test_two_runs_wait_for_each_other(site, schema):
    site.write("0001_a.sql", FILES["0001_a.sql"] + "; DO SLEEP(1)")
    both = [site.start(schema.address) for _ in range(2)]
    said = [process.communicate(timeout=120) for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert sorted(len(out.splitlines()) for out, _ in said) == [1, 9]
    assert state_of(schema)[:2] == WHOLE[:2]


def test_without_the_lock_two_runs_are_in_each_others_way(site, schema):
    """That what is checked above depends on it."""
    others = threading.Barrier(2)
    cuts = [Cut(schema, rewrite=WithoutLock(others)) for _ in range(2)]
    both = [site.start(cut.address) for cut in cuts]
    said = [process.communicate(timeout=120) for process in both]
    for cut in cuts:
        cut.close()
    assert [process.returncode for process in both] != [0, 0] or state_of(schema) != WHOLE, said


def test_a_run_waits_for_the_lock_of_one_that_was_killed(site, schema):
    site.write("0001_a.sql", FILES["0001_a.sql"] + "; DO SLEEP(2)")
    process = site.start(schema.address)
    wait_until(lambda: schema.sql("SELECT COUNT(*) FROM information_schema.processlist WHERE info = 'DO SLEEP(2)'") == [["1"]], 20, "its last statement")
    process.kill()
    process.communicate()
    assert site.migrate(schema.address)[0] == 0
    assert state_of(schema)[:2] == WHOLE[:2]


def test_what_was_run_cannot_be_changed(site, schema):
    assert site.migrate(schema.address)[0] == 0
    site.write("0002_b.sql", FILES["0002_b.sql"].replace("10", "11"))
    status, said = site.migrate(schema.address)
    assert status == 2 and "0002_b.sql: statement 3 was run and reads otherwise now" in said
    site.write("0002_b.sql", FILES["0002_b.sql"])
    site.write("0003_new.sql", "SELECT 1")
    status, said = site.migrate(schema.address)
    assert status == 2 and "0003_new.sql is new, but 0010_c.sql has begun already" in said


def test_a_faulty_statement_is_told_and_can_be_corrected(site, schema):
    site.write("0002_b.sql", "CREATE TABEL x (n INT)")
    status, said = site.migrate(schema.address)
    assert status == 2 and "0002_b.sql: statement 1 of 1: " in said and "(error 1064)" in said
    site.write("0002_b.sql", "CREATE TABLE a (n INT)")  # is there, and was not made by this
    for _ in range(2):
        status, said = site.migrate(schema.address)
        assert status == 2 and "(error 1050)" in said
    site.write("0002_b.sql", FILES["0002_b.sql"])
    assert site.migrate(schema.address)[0] == 0
    assert state_of(schema) == WHOLE


def test_without_a_database_it_says_so(site):
    status, said = site.migrate(f"127.0.0.1:{free_port(['127.0.0.1'])}")
    assert status == 1 and "the database cannot be reached" in said
    done = subprocess.run([BINARY, "migrate", str(site.folder / "trilith.toml")], env={**ENV, "TRILITH_STATE_DIR": str(site.folder)}, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2 and "DATABASE_URL" in done.stderr
