"""A session reads its own writes at replicas that lag: every read after a write finds it, on the same connection and, by the token, on another."""

import contextlib
import multiprocessing
import random
import threading

import pymysql
import pytest

import mariadb_cluster
from mariadb_cluster import MariadbCluster
from sql_router_site import router, rows  # noqa: F401

pytestmark = pytest.mark.skipif(not mariadb_cluster.IS_THERE, reason="no mariadbd here: scripts/install-dependencies test")

READS_A_WRITE = 10
WITHOUT_IT = "/* trilith:replica noryw */"


@pytest.fixture(scope="module")
def cluster():
    made = MariadbCluster(replicas=2)
    made.primary.sql("CREATE TABLE shop.own (id INT PRIMARY KEY, n BIGINT); INSERT INTO shop.own SELECT seq, 0 FROM mysql.seq_1_to_64")
    made.wait_caught_up()
    yield made
    made.finish()


def write_and_read(site, number, checks, hint, token_every, result):
    """Counts reads that did not find what the session had written before."""
    stale = 0
    with contextlib.closing(site.connect()) as session, contextlib.closing(site.connect()) as other:
        written = rows(session, f"SELECT n FROM own WHERE id = {number}")[0][0]
        for done in range(0, checks, READS_A_WRITE):
            written += 1
            rows(session, f"UPDATE own SET n = {written} WHERE id = {number}")
            if token_every and done // READS_A_WRITE % token_every == 0:
                token = rows(session, "SELECT @trilith_token")[0][0]
                rows(other, f"SET @trilith_token = '{token}'")
                stale += rows(other, f"SELECT n FROM own WHERE id = {number}")[0][0] < written
            for _ in range(READS_A_WRITE):
                stale += rows(session, f"SELECT {hint} n FROM own WHERE id = {number}")[0][0] != written
    result.put(stale)


@contextlib.contextmanager
def lagging(cluster, seed):
    """The replicas' appliers wait for a lock again and again, for up to 60 ms; not both at the same time."""
    stop = threading.Event()

    def hold():
        dice = random.Random(seed)
        with contextlib.ExitStack() as stack:
            admins = [stack.enter_context(contextlib.closing(pymysql.connect(unix_socket=replica.socket, user="root", database="shop"))) for replica in cluster.replicas]
            while not stop.is_set():
                admin = dice.choice(admins)
                rows(admin, "LOCK TABLES own READ")
                stop.wait(dice.random() * 0.06)
                rows(admin, "UNLOCK TABLES")
                stop.wait(dice.random() * 0.02)

    holder = threading.Thread(target=hold)
    holder.start()
    try:
        yield
    finally:
        stop.set()
        holder.join()


def stale_reads(site, cluster, checks, sessions, hint="", token_every=0, seed=1):
    context = multiprocessing.get_context("fork")
    result = context.Queue()
    writers = [context.Process(target=write_and_read, args=(site, number + 1, checks // sessions, hint, token_every, result)) for number in range(sessions)]
    with lagging(cluster, seed):
        for writer in writers:
            writer.start()
        stale = sum(result.get(timeout=3000) for _ in writers)
        for writer in writers:
            writer.join()
    return stale


def replica_reads(site):
    return float(site.metrics()['trilith_sql_reads_total{target="replica"}'])


def check(site, cluster, checks, sessions):
    before = replica_reads(site)
    assert stale_reads(site, cluster, checks, sessions, token_every=10) == 0
    assert replica_reads(site) - before > checks / 5, "the primary answered nearly everything"


def test_no_read_misses_the_sessions_write(router, cluster):
    check(router, cluster, checks=8_000, sessions=4)


def test_without_it_many_reads_do(router, cluster):
    assert stale_reads(router, cluster, checks=4_000, sessions=4, hint=WITHOUT_IT) > 100


@pytest.mark.long
def test_a_million_reads_miss_none(router, cluster):
    check(router, cluster, checks=1_000_000, sessions=8)
