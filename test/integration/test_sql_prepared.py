"""Prepared statements of the binary protocol: they go where their text would go, over connections that sessions share, and a client sees no difference."""

import contextlib
import os
import random
import struct

import pytest

import mariadb_cluster
from binary_statements import IN_PIECES, LAST_ROW_SENT, BinaryClient, number_of
from mariadb_cluster import MariadbCluster
from raw_client import wait_until
from sql_router_site import PLACE, RouterSite, mark_places
from sql_steps import HONEST_ERRORS, without_tracking

pytestmark = pytest.mark.skipif(not mariadb_cluster.IS_THERE, reason="no mariadbd here: scripts/install-dependencies test")


@pytest.fixture(scope="module")
def cluster():
    made = MariadbCluster(replicas=1)
    mark_places(made)
    made.primary.sql("""CREATE TABLE shop.t (id INT AUTO_INCREMENT PRIMARY KEY, a BIGINT, b LONGTEXT);
        CREATE DATABASE second; CREATE TABLE second.which (name VARCHAR(20)); INSERT INTO second.which VALUES ('second');
        CREATE TABLE shop.which (name VARCHAR(20)); INSERT INTO shop.which VALUES ('shop'); GRANT ALL ON second.* TO app@'%'""")
    made.wait_caught_up()
    yield made
    made.finish()


def started(cluster, trilith, **keys):
    assert trilith
    return RouterSite(cluster.addresses, **keys).start()


@pytest.fixture(scope="module")
def router(cluster, trilith):
    site = started(cluster, trilith, pool={"connections": 4, "queue_timeout": "20s"})
    try:
        yield site
    finally:
        site.finish()


@pytest.fixture(scope="module")
def single(cluster, trilith):
    """One connection to each server, which keeps two statements; reads go to the primary."""
    site = started(cluster, trilith, reads="primary", pool={"connections": 1, "prepared": 2, "queue_timeout": "20s"})
    try:
        yield site
    finally:
        site.finish()


@pytest.fixture
def table(cluster):
    cluster.primary.sql("TRUNCATE shop.t")
    cluster.wait_caught_up()
    return "shop.t"


def client(site, **options):
    """On the first core, which alone has the unix socket."""
    return contextlib.closing(BinaryClient(site.host, site.port, unix_socket=site.socket, **options))


def held(site):
    return int(site.metrics()['trilith_sql_pinned_sessions{reason="prepared_statement"}'])


def test_a_prepared_read_runs_on_a_replica_and_a_write_on_the_primary(router, table):
    with client(router) as session:
        place, _ = session.prepare(PLACE)
        assert session.value(place) == "replica1"
        insert, _ = session.prepare(f"INSERT INTO {table} (a) VALUES (?)")
        count, _ = session.prepare(f"SELECT CONCAT(COUNT(*), '') FROM {table} WHERE a < ?")
        for number in range(20):
            assert session.execute(insert, number)[0][0] == 0
            assert session.value(count, 100) == str(number + 1)  # its own write
        assert session.value(place) == "replica1"
        wait_until(lambda: held(router) == 0)


@pytest.mark.parametrize("command, behind, is_known", [
    (0x17, struct.pack("<BI", 0, 1), False), (0x1C, struct.pack("<I", 1), False), (0x1A, b"", False), (0x17, b"", False), (0x1A, b"", True),
    (0x17, struct.pack("<BI", 0, 1), True), (0x17, struct.pack("<BIBB", 0, 1, 0, 1), True), (0x17, struct.pack("<BIBBH", 0, 1, 0, 1, 8), True),
    (0x17, struct.pack("<BIBBH", 0, 1, 1, 1, 8), True), (0x17, struct.pack("<BIBB", 0, 1, 0, 0), True), (0x1C, struct.pack("<I", 1), True),
], ids=str)
def test_what_is_wrong_is_refused_as_a_server_refuses_it(router, cluster, command, behind, is_known):
    answers = []
    for host, port in ((cluster.primary.host, cluster.primary.port), (router.host, router.port)):
        with contextlib.closing(BinaryClient(host, port)) as session:
            statement, _ = session.prepare("SELECT ?")
            session.send(command, struct.pack("<I", statement if is_known else 77_777) + behind)
            answers.append(session.packet().replace(f"({statement})".encode(), b"(its)"))
            assert session.text("SELECT 1")[-1][0] == 0xFE
    assert answers[0] == answers[1]


def test_each_session_has_its_own_types(single):
    """On the one connection, which knows the statement once."""
    with client(single) as numbers, client(single) as texts:
        both = [(session, session.prepare("SELECT HEX(?)")[0]) for session in (numbers, texts)]
        for _ in range(3):
            assert numbers.value(both[0][1], 65) == "41"
            assert texts.value(both[1][1], "65") == "3635"
        assert texts.value(both[1][1], 66) == "42"
        assert numbers.value(both[0][1], 67) == "43"
        assert numbers.value(both[0][1], None) is None


def test_a_long_execution_has_its_own_types(single, table):
    with client(single) as one, client(single) as other:
        text = f"INSERT INTO {table} (a, b) VALUES (?, ?)"
        first, second = one.prepare(text)[0], other.prepare(text)[0]
        assert one.execute(first, 1, "short")[0][0] == 0
        assert other.execute(second, 2.0, 7)[0][0] == 0
        assert one.execute(first, 3, "x" * 300_000)[0][0] == 0  # says no types
        assert other.execute(second, 4.0, 9)[0][0] == 0
        with one.cursor() as cursor:
            cursor.execute(f"SELECT a, LENGTH(b) FROM {table} ORDER BY id")
            assert cursor.fetchall() == ((1, 5), (2, 1), (3, 300_000), (4, 1))


def test_a_connection_keeps_few_statements_and_a_session_many(single, cluster):
    def at_server():
        return int(cluster.primary.sql("SHOW GLOBAL STATUS LIKE 'Prepared_stmt_count'")[0][1])

    before = at_server()
    with client(single) as session:
        statements = [session.prepare(f"SELECT CONCAT('{number}', ?)")[0] for number in range(8)]
        for _ in range(2):
            for number, statement in enumerate(statements):
                assert session.value(statement, "x") == f"{number}x"
        assert at_server() <= before + 3  # two, and one that is closed with the next PREPARE


def test_names_and_quotes_mean_what_they_meant(single):
    """When the statement was prepared, although the session has changed schema and sql_mode since, and no connection knows it any more."""
    with client(single) as session, client(single) as other:
        session.text("SET sql_mode = 'ANSI_QUOTES'")
        quoted, _ = session.prepare('SELECT "name" FROM which')
        session.text("SET sql_mode = ''")
        plain, _ = session.prepare('SELECT "name" FROM which')
        session.text("USE second")
        elsewhere, _ = session.prepare('SELECT name FROM which')
        for _ in range(3):
            for number in range(3):
                assert other.value(other.prepare(f"SELECT '{number}'")[0]) == str(number)
            assert session.value(quoted) == "shop"
            assert session.value(plain) == "name"
            assert session.value(elsewhere) == "second"
        assert session.text("SELECT DATABASE(), @@sql_mode")[4] == b"\x06second\x00"


def test_parameters_in_pieces(router, table):
    with client(router) as session:
        insert, _ = session.prepare(f"INSERT INTO {table} (b) VALUES (?)")
        for pieces in (3, 2):
            for piece in range(pieces):
                session.long_data(insert, 0, bytes([ord("a") + piece]) * 100_000)
            wait_until(lambda: held(router) == 1)
            assert session.execute(insert, IN_PIECES)[0][0] == 0
        read, _ = session.prepare(f"SELECT CONCAT(LENGTH(b), RIGHT(b, 1)) FROM {table} ORDER BY id")
        assert session.values(read) == ["300000c", "200000b"]
        session.forget(insert)
        assert session.value(session.prepare("SELECT 'x'")[0]) == "x"
        wait_until(lambda: held(router) == 0)
        session.long_data(insert, 0, b"x" * 200_000)  # of a statement that is gone: nobody answers
        assert session.value(session.prepare("SELECT 'y'")[0]) == "y"


def test_parameters_in_pieces_where_others_executed_with_numbers(single, table):
    """MariaDB itself stores garbage where a parameter was a number before, so the session's statement must not be the others'."""
    with client(single) as session, client(single) as other:
        text = f"INSERT INTO {table} (b) VALUES (?)"
        insert, others = session.prepare(text)[0], other.prepare(text)[0]
        assert session.execute(insert, "text")[0][0] == 0
        assert other.execute(others, 37)[0][0] == 0
        session.long_data(insert, 0, b"in pieces")
        assert session.execute(insert, IN_PIECES)[0][0] == 0
        session.forget(insert)
        assert session.values(session.prepare(f"SELECT b FROM {table} ORDER BY id")[0]) == ["text", "37", "in pieces"]


def test_a_cursor_has_its_sessions_types(single):
    with client(single) as session, client(single) as other:
        text = "SELECT HEX(?)"
        own, others = session.prepare(text)[0], other.prepare(text)[0]
        assert session.value(own, "65") == "3635"
        assert other.value(others, 65) == "41"
        opened = session.execute(own, "66", cursor=True)  # says no types
        assert opened[-1][0] == 0xFE
        assert b"3636" in b"".join(session.fetch(own, 5))
        session.forget(own)


def test_a_cursor_keeps_its_connection(router):
    with client(router) as session, client(router) as other:
        statement, _ = session.prepare("SELECT CONCAT(seq, '') FROM seq_1_to_7")
        opened = session.execute(statement, cursor=True)
        assert opened[-1][0] == 0xFE
        wait_until(lambda: held(router) == 1)
        rows, status = [], 0
        while not status & LAST_ROW_SENT:
            packets = session.fetch(statement, 3)
            rows += packets[:-1]
            status = struct.unpack_from("<H", packets[-1], 3)[0]
            assert other.value(other.prepare("SELECT 'other'")[0]) == "other"
        assert len(rows) == 7
        assert session.reset(statement)[0][0] == 0
        session.forget(statement)
        assert session.value(session.prepare("SELECT 'x'")[0]) == "x"
        wait_until(lambda: held(router) == 0)


def test_a_transaction_has_its_statements(router, table):
    with client(router) as session:
        insert, _ = session.prepare(f"INSERT INTO {table} (a) VALUES (?)")
        count, _ = session.prepare(f"SELECT CONCAT(COUNT(*)) FROM {table}")
        session.text("BEGIN")
        assert session.execute(insert, 1)[0][0] == 0
        assert session.value(count) == "1"
        session.text("ROLLBACK")
        assert session.value(count) == "0"
        begin, commit = session.prepare("BEGIN")[0], session.prepare("COMMIT")[0]
        session.execute(begin)
        session.execute(insert, 5)
        with client(router) as other:
            assert other.value(other.prepare(f"SELECT CONCAT(COUNT(*)) FROM {table}")[0]) == "0"
        session.execute(commit)
        assert session.value(count) == "1"


def test_the_last_insert_id_of_an_execution_is_the_sessions(single, table):
    with client(single) as one, client(single) as other:
        insert = [session.prepare(f"INSERT INTO {table} (a) VALUES (?)")[0] for session in (one, other)]
        asks = [session.prepare("SELECT CONCAT(LAST_INSERT_ID())")[0] for session in (one, other)]
        one.execute(insert[0], 1)
        other.execute(insert[1], 2)
        assert (one.value(asks[0]), other.value(asks[1])) == ("1", "2")
        explicit = one.prepare(f"INSERT INTO {table} (id) VALUES (?)")[0]
        one.execute(explicit, 900)
        assert (one.value(asks[0]), other.value(asks[1])) == ("1", "2")


def test_a_table_that_is_gone_is_the_same_error(single, cluster):
    cluster.primary.sql("CREATE TABLE shop.short (a INT)")
    with client(single) as session:
        read, _ = session.prepare("SELECT a FROM short WHERE a = ?")
        assert session.execute(read, 1)[-1][0] == 0xFE
        cluster.primary.sql("DROP TABLE shop.short")
        for _ in range(2):
            assert number_of(session.execute(read, 1)[0]) == 1146
        for number in range(3):  # until the connection has forgotten it
            session.value(session.prepare(f"SELECT '{number}'")[0])
        assert number_of(session.execute(read, 1)[0]) == 1146
        cluster.primary.sql("CREATE TABLE shop.short (a INT)")
        assert session.execute(read, 1)[-1][0] == 0xFE
        cluster.primary.sql("DROP TABLE shop.short")


def test_statements_outlive_the_connection_that_prepared_them(router, cluster, table):
    with client(router) as session:
        insert, _ = session.prepare(f"INSERT INTO {table} (a) VALUES (?)")
        assert session.execute(insert, 1)[0][0] == 0
        cluster.primary.sql("KILL USER app")
        assert session.execute(insert, 2)[0][0] == 0
        assert session.value(session.prepare(f"SELECT CONCAT(COUNT(*)) FROM {table}")[0]) == "2"


def test_a_text_that_is_too_long_to_be_kept_stays_with_its_connection(router):
    with client(router) as session:
        statement, _ = session.prepare("SELECT CONCAT(LENGTH('" + "x" * 100_000 + "') + ?)")
        wait_until(lambda: held(router) == 1)
        assert [session.value(statement, number) for number in (1, 2)] == ["100001", "100002"]
        session.forget(statement)
        assert session.value(session.prepare("SELECT 'x'")[0]) == "x"
        wait_until(lambda: held(router) == 0)


def test_a_token_is_read_and_taken_by_a_prepared_statement(router, cluster, table):
    with client(router) as writer, client(router) as reader:
        writer.execute(writer.prepare(f"INSERT INTO {table} (a) VALUES (?)")[0], 1)
        token = writer.value(writer.prepare("SELECT @trilith_token")[0])
        assert token.count("-") >= 2
        reader.text(f"SET @trilith_token = '{token}'")
        assert reader.value(reader.prepare(f"SELECT CONCAT(COUNT(*)) FROM {table}")[0]) == "1"


# ---- generated sessions


class Writer:
    """Says what a session does next, by the dice; the same for the same seed, whatever is answered."""

    def __init__(self, dice, number):
        self.dice, self.table = dice, f"p{number}"
        self.text_insert = f"INSERT INTO {self.table} (b) VALUES (?)"
        self.texts = {}  # number of a statement: its parameters
        self.piecemeal = set()  # of them, those whose parameter may come in pieces
        self.made = 0

    def value(self):
        return self.dice.choice([None, 0, 1, -5, self.dice.randrange(40), 2.5, "a", "B", "", "Größe", "x" * 300, "7"])

    def new_text(self):
        return self.dice.choice([
            (f"SELECT * FROM {self.table} WHERE a > ? ORDER BY id", 1), (f"SELECT COUNT(*), MAX(b) FROM {self.table}", 0), ("SELECT ?, ? + 1, CONCAT(?, 'x')", 3),
            (f"INSERT INTO {self.table} (a, b) VALUES (?, ?)", 2), (f"UPDATE {self.table} SET b = ? WHERE a = ?", 2), (f"DELETE FROM {self.table} WHERE id = ?", 1),
            ("SELECT LAST_INSERT_ID()", 0), (f"INSERT INTO {self.table} (id, a) VALUES (?, 1)", 1), (f"REPLACE INTO {self.table} (id, a) VALUES (?, ?) RETURNING id, a", 2),
            (f"SELECT b FROM {self.table} WHERE id IN (?, ?) FOR UPDATE", 2), ("SELECT @u, ?", 1), ("SELECT DATABASE(), @@sql_mode, 'it''s'", 0), ("SELECT 1 / 0, ?", 1),
            ("BEGIN", 0), ("COMMIT", 0), ("ROLLBACK", 0), ("SELECT FOUND_ROWS()", 0), (f"SELECT SQL_CALC_FOUND_ROWS id FROM {self.table} LIMIT 1", 0), ("SELEC ?", 0),
            ("SELECT not_there", 0), (self.text_insert, 1), ("DO ?", 1), (f"SELECT {self.dice.randrange(3)}, ?", 1),
        ])

    def step(self):
        dice = self.dice
        kind = dice.choices(["prepare", "execute", "text", "forget", "reset", "pieces"], [4, 12, 3, 1, 1, 1])[0]
        if kind == "prepare" or (kind != "text" and not self.texts):
            self.made += 1
            return "prepare", self.made, *self.new_text()
        if kind == "text":
            return "text", dice.choice([
                "BEGIN", "COMMIT", "ROLLBACK", "SET @u = 5", "SET sql_mode = 'ANSI_QUOTES'", "SET sql_mode = DEFAULT", "SET autocommit = 0", "SET autocommit = 1", "SELECT 1",
                "SHOW WARNINGS",
                f"INSERT INTO {self.table} (a) VALUES (3)", "SELECT LAST_INSERT_ID()", "USE second", "USE shop", f"SELECT * FROM shop.{self.table} ORDER BY id LIMIT 3",
            ])
        statement = dice.choice(sorted(self.texts))
        if kind == "execute":
            return "execute", statement, [self.value() for _ in range(self.texts[statement])]
        if kind == "pieces":
            return ("pieces", statement, dice.randrange(3)) if statement in self.piecemeal else ("reset", statement)
        return kind, statement

    def note(self, step, is_done):
        if step[0] == "prepare" and is_done:
            self.texts[step[1]] = step[3]
            self.piecemeal |= {step[1]} if step[2] == self.text_insert else set()
        elif step[0] == "forget":
            del self.texts[step[1]]


def run(session, ids, step):
    """What the server said, without the ids that it gave."""
    kind = step[0]
    if kind == "prepare":
        ids[step[1]], packets = session.prepare(step[2])
        return packets if ids[step[1]] is None else [packets[0][5:], *packets[1:]]
    if kind == "text":
        return session.text(step[1])
    statement = ids[step[1]]
    if kind == "execute":
        return session.execute(statement, *step[2])
    if kind == "pieces":
        for piece in range(step[2]):
            session.long_data(statement, 0, f"piece {piece}".encode())
        return session.execute(statement, IN_PIECES)
    if kind == "reset":
        return session.reset(statement)
    session.forget(statement)
    return []


def play(host, port, seed, cluster, steps=40, at_a_time=4):
    dice = random.Random(seed)
    cluster.primary.sql("".join(f"CREATE OR REPLACE TABLE shop.p{number} (id INT AUTO_INCREMENT PRIMARY KEY, a INT, b TEXT);" for number in range(at_a_time)))
    cluster.wait_caught_up()
    said = []
    with contextlib.ExitStack() as stack:
        sessions = [stack.enter_context(contextlib.closing(BinaryClient(host, port))) for _ in range(at_a_time)]
        writers = [Writer(random.Random(dice.random()), number) for number in range(at_a_time)]
        for session in sessions:
            session.text("SELECT 1 LIMIT 0")  # a server's own thread has the FOUND_ROWS() of another session at first
        ids = [{} for _ in range(at_a_time)]
        for _ in range(steps * at_a_time):
            number = dice.randrange(at_a_time)
            step = writers[number].step()
            packets = run(sessions[number], ids[number], step)
            writers[number].note(step, ids[number].get(step[1]) is not None)
            said.append((number, step, [without_tracking(packet) for packet in packets]))
    return said


def seeds(count, first):
    one = os.environ.get("TRILITH_SQL_SEED")
    return [int(one)] if one else range(first, first + count)


def compare(cluster, router, chosen):
    honest_errors = 0
    for seed in chosen:
        direct = play(cluster.primary.host, cluster.primary.port, seed, cluster)
        routed = play(router.host, router.port, seed, cluster)
        refused = set()  # sessions that had such an error: what they ask of it is another answer than that of a server
        for at, (expected, given) in enumerate(zip(direct, routed, strict=True)):
            if given[0] in refused:
                continue
            if any(error in packet for error in HONEST_ERRORS for packet in given[2]):
                honest_errors += 1
                refused.add(given[0])
                continue
            history = [step for number, step, _ in direct[:at] if number == expected[0]][-8:]
            assert given == expected, f"TRILITH_SQL_SEED={seed}: session {expected[0]}, after {history}"
    assert honest_errors <= 4 * len(chosen), "more than one of forty steps"


def test_generated_sessions_get_the_servers_packets(cluster, router):
    compare(cluster, router, seeds(10, 1))


@pytest.mark.long
def test_many_generated_sessions_get_the_servers_packets(cluster, router):
    compare(cluster, router, seeds(400, 1000))
