"""Generated sessions, several open at a time, run straight on the primary and then through the router: every answer must be equal.

A failure tells its seed; TRILITH_SQL_SEED=N runs that one alone."""

import os
import random

import pytest

import mariadb_cluster
from mariadb_cluster import APP_USER, MariadbCluster
from sql_router_site import router  # noqa: F401
from sql_steps import HONEST_ERRORS, Session

pytestmark = pytest.mark.skipif(not mariadb_cluster.IS_THERE, reason="no mariadbd here: scripts/install-dependencies test")

SCHEMA = "generated"
SESSIONS_AT_A_TIME = 4
STEPS = 30  # of one session


@pytest.fixture(scope="module")
def cluster():
    made = MariadbCluster(replicas=1)
    made.primary.sql(f"GRANT ALL ON {SCHEMA}.* TO {APP_USER}@'%'")
    made.wait_caught_up()
    yield made
    made.finish()


class Writer:
    """Writes the statements of one session. Its tables are its own, so that no session waits for another's locks."""

    def __init__(self, dice, number):
        self.dice, self.number = dice, number
        self.tables = [f"t{number}a", f"t{number}b"]

    def table(self):
        return self.dice.choice(self.tables)

    def number_text(self):
        return str(self.dice.choice([0, 1, 2, 3, 5, 8, -1, 100, 2147483647, self.dice.randrange(30)]))

    def text(self):
        return self.dice.choice(["'a'", "'B'", "''", "'it''s'", "NULL", "'Größe'", "'😀'", "REPEAT('x', 40)", "\"q\"", "'a\\\\b'", "CONCAT('c', 1)", "x'41'"])

    def condition(self):
        return self.dice.choice([f"a = {self.number_text()}", f"a > {self.number_text()}", f"b LIKE {self.text()}", "a IS NULL", "1", "0",
                                 f"id IN ({self.number_text()}, {self.number_text()})", "b = 'b'"])

    def expression(self):
        return self.dice.choice(["a", "b", "id", "a + 1", "CONCAT(a, b)", "UPPER(b)", "COUNT(*)", "MAX(a)", "COALESCE(b, 'none')", "@u", "@v", "@w + 1", "1 / 3", "LENGTH(b)", "a / 0",
                                 "IF(a > 2, 'x', b)", "DATABASE()",
                                 "@@sql_mode", "@@time_zone", "@@autocommit", "@@in_transaction", "FROM_UNIXTIME(0)"])

    def read(self):
        dice = self.dice
        return dice.choice([
            f"SELECT {self.expression()} FROM {self.table()} WHERE {self.condition()} ORDER BY id",
            f"SELECT * FROM {self.table()} ORDER BY id LIMIT {dice.randrange(5)}",
            f"SELECT SQL_CALC_FOUND_ROWS * FROM {self.table()} ORDER BY id LIMIT 2",
            f"SELECT x.a, y.b FROM {self.tables[0]} x LEFT JOIN {self.tables[1]} y ON x.id = y.id ORDER BY x.id",
            f"SELECT b, COUNT(*), SUM(a) FROM {self.table()} GROUP BY b ORDER BY b",
            f"SELECT {self.expression()}",
            f"SELECT a FROM {self.table()} UNION SELECT {self.number_text()} ORDER BY 1",
            f"SELECT (SELECT MAX(a) FROM {self.table()}), {self.text()}",
            f"SELECT * FROM {self.table()} WHERE {self.condition()} ORDER BY id FOR UPDATE",
            f"SHOW COLUMNS FROM {self.table()}",
            f"EXPLAIN SELECT * FROM {self.table()} WHERE id = 1",
            f"SELECT 1; SELECT COUNT(*) FROM {self.table()}; SELECT 'x'",
        ])

    def write(self):
        dice = self.dice
        return dice.choice([
            f"INSERT INTO {self.table()} (a, b) VALUES ({self.number_text()}, {self.text()})",
            f"INSERT INTO {self.table()} (a, b) VALUES ({self.number_text()}, {self.text()}), ({self.number_text()}, {self.text()})",
            f"INSERT INTO {self.table()} VALUES ({self.number_text()}, {self.number_text()}, {self.text()})",
            f"INSERT IGNORE INTO {self.table()} VALUES ({self.number_text()}, 'no number', REPEAT('y', 300))",
            f"INSERT INTO {self.table()} (a) VALUES ({self.number_text()}) RETURNING id, a",
            f"UPDATE {self.table()} SET a = {self.number_text()}, b = {self.text()} WHERE {self.condition()}",
            f"DELETE FROM {self.table()} WHERE {self.condition()} ORDER BY id LIMIT 2",
            f"REPLACE INTO {self.table()} VALUES ({self.number_text()}, {self.number_text()}, {self.text()})",
            f"INSERT INTO {self.table()} (a, b) SELECT a, b FROM {self.table()} ORDER BY id LIMIT 1",
            f"UPDATE {self.table()} SET a = LAST_INSERT_ID({self.number_text()}) LIMIT 1",
            f"INSERT INTO {self.table()} (a) VALUES (1); SELECT LAST_INSERT_ID(); UPDATE {self.table()} SET a = 2 WHERE a = 1",
            f"TRUNCATE {self.table()}",
        ])

    def session(self):
        dice = self.dice
        return dice.choice([
            "BEGIN", "START TRANSACTION WITH CONSISTENT SNAPSHOT", "COMMIT", "ROLLBACK", "COMMIT", "SAVEPOINT s", "ROLLBACK TO s", "SET autocommit = 0", "SET autocommit = 1",
            "SET autocommit = 1",
            f"SET @u = {self.number_text()}", f"SET @v = {self.text()}", f"SET @w = (SELECT COUNT(*) FROM {self.table()})", f"SELECT @w := {self.number_text()}",
            "SET sql_mode = 'ANSI_QUOTES'", "SET sql_mode = 'NO_BACKSLASH_ESCAPES'", "SET sql_mode = ''", "SET sql_mode = DEFAULT", "SET SESSION time_zone = '+03:00'",
            "SET time_zone = DEFAULT", "SET NAMES utf8mb4",
            "SET NAMES utf8mb4 COLLATE utf8mb4_bin", "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED", "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE",
            "SET group_concat_max_len = 10", "SET nonsense = 1",
            f"CREATE TEMPORARY TABLE IF NOT EXISTS tmp{self.number} (a INT)", f"INSERT INTO tmp{self.number} VALUES (1), (2)", f"SELECT * FROM tmp{self.number}",
            f"DROP TEMPORARY TABLE IF EXISTS tmp{self.number}",
            f"PREPARE p FROM 'SELECT COUNT(*), ? FROM {self.table()}'", "EXECUTE p USING 5", "DEALLOCATE PREPARE p", f"USE {SCHEMA}",
            f"LOCK TABLES {self.tables[0]} WRITE, {self.tables[1]} WRITE", "UNLOCK TABLES",
            f"SELECT GET_LOCK('l{self.number}', 0)", f"SELECT RELEASE_LOCK('l{self.number}')",
        ])

    def question(self):
        return self.dice.choice(["SELECT LAST_INSERT_ID()", "SHOW COUNT(*) WARNINGS", "SHOW WARNINGS", "SHOW ERRORS", "SELECT @@warning_count", "SELECT FOUND_ROWS()", "SELECT ROW_COUNT()",
                                 "SELECT @@in_transaction, @@autocommit", "SELECT @u, @v, @w", "SELECT DATABASE()", "SELECT @@sql_mode",
                                 "SELECT @@tx_isolation, @@time_zone, @@group_concat_max_len"])

    def wrong(self):
        return self.dice.choice(["SELEC 1", "SELECT * FROM nowhere", f"INSERT INTO {self.table()} VALUES (1)", f"SELECT nothing FROM {self.table()}",
                                 f"SELECT * FROM {self.table()} WHERE b = 'open", ";", "SELECT 1; SELEC 2; SELECT 3"])

    def step(self):
        kind = self.dice.choices([self.read, self.write, self.session, self.question, self.wrong], [40, 25, 20, 12, 3])[0]
        text = kind()
        if self.dice.random() < 0.05:
            return {"ping": 1} if self.dice.random() < 0.7 else {"reset": 1}
        return {"sql": text}

    def opening(self):
        return [{"sql": f"CREATE OR REPLACE TABLE {name} (id INT AUTO_INCREMENT PRIMARY KEY, a INT, b VARCHAR(50))"} for name in self.tables]


def script(seed):
    """Which session says what, in order; None: it leaves without a word."""
    dice = random.Random(seed)
    writers = [Writer(dice, number) for number in range(SESSIONS_AT_A_TIME)]
    steps = [(writer.number, step) for writer in writers for step in writer.opening()]
    left = {writer.number: STEPS for writer in writers}
    while left:
        number = dice.choice(list(left))
        left[number] -= 1
        steps.append((number, writers[number].step()))
        if left[number] == 0:
            del left[number]
            steps.append((number, None))
    return steps


def play(address, steps):
    """(session, step, what it gave) of each."""
    open_sessions, told = {}, []
    try:
        for number, step in steps:
            if number not in open_sessions:
                open_sessions[number] = Session(address, SCHEMA)
                open_sessions[number].run({"sql": "SELECT 1 LIMIT 0"})  # a server's own thread has the FOUND_ROWS() of another session at first
            if step is None:
                open_sessions.pop(number).close()
                continue
            told.append((number, step, open_sessions[number].run(step)))
    finally:
        for session in open_sessions.values():
            session.close()
    return told


def check(cluster, router, seed):
    steps = script(seed)
    direct = play((cluster.primary.host, cluster.primary.port), steps)
    routed = play((router.host, router.port), steps)
    refused = set()  # sessions that had an honest error: what they ask of it is another answer than that of a server
    for at, (expected, given) in enumerate(zip(direct, routed)):
        if given[0] in refused:
            continue
        if any(error.decode() in str(given[2]) for error in HONEST_ERRORS):
            refused.add(given[0])
            continue
        history = [step for number, step, _ in direct[:at] if number == expected[0]][-12:]
        assert given == expected, f"TRILITH_SQL_SEED={seed}: session {expected[0]}, after {history}"
    assert len(direct) == len(routed)
    return len(refused)


def seeds(count, first):
    chosen = os.environ.get("TRILITH_SQL_SEED")
    return [int(chosen)] if chosen else range(first, first + count)


def run(cluster, router, numbers):
    cluster.primary.sql(f"CREATE DATABASE IF NOT EXISTS {SCHEMA}")
    cluster.wait_caught_up()
    before = router.metrics()
    honest_errors = sum(check(cluster, router, seed) for seed in numbers)
    assert honest_errors <= len(numbers), "more than one of a hundred steps"
    after = router.metrics()
    reads = [name for name in after if "replica" in name and after[name] != before.get(name)]
    assert reads, "no read went to the replica: the comparison would be worth nothing"


def test_generated_sessions_get_the_servers_answers(cluster, router):
    run(cluster, router, seeds(15, 1))


@pytest.mark.long
def test_thousands_of_generated_sessions_get_the_servers_answers(cluster, router):
    run(cluster, router, seeds(775, 10_000))
