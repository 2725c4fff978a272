"""What becomes of a site's databases when something dies or hangs, under writers: nothing acknowledged is lost, and it comes together again."""

import contextlib
import os
import signal
import time

import pymysql
import pytest

from app_site import kill_9
from database_site import NAME, DatabaseSite, Writers, assert_equal_everywhere
from mariadb_cluster import IS_THERE
from raw_client import wait_until

pytestmark = pytest.mark.skipif(not IS_THERE, reason="MariaDB's programs are not there")


@pytest.fixture(scope="module")
def site(trilith):
    site = DatabaseSite(3)
    try:
        site.start()
        yield site.wait_whole()
    finally:
        site.finish()


@pytest.fixture
def writers(site):
    """Running ones; when the test is over nothing that they had acknowledged is missing anywhere."""
    site.wait_whole()
    with Writers(site) as writers:
        writers.wait_more()
        yield writers
    site.wait_whole()
    assert writers.lost(site.primary) == []
    assert_equal_everywhere(site)


def wait_moved(site, writers, before, since):
    """Until another server is primary and writes are acknowledged again: after how many seconds the first was."""
    wait_until(lambda: site.primary != before["primary"], 30, f"another primary; {site.stderr()[-3000:]}")
    first = wait_until(lambda: writers.first_after(since), 30, "a write after it")
    assert int(site.topology()["epoch"]) == int(before["epoch"]) + 1
    return first - since


def test_the_primary_is_killed_and_another_takes_its_place(site, writers):
    before, since = site.topology(), time.monotonic()
    kill_9(site.mariadbd(before["primary"]))
    assert wait_moved(site, writers, before, since) < 15
    site.wait_whole()
    assert site.topology()["members"][before["primary"]] == "acker"


def test_the_primary_is_stopped_and_writes_nothing_when_it_wakes(site, writers):
    before, since = site.topology(), time.monotonic()
    pid = site.mariadbd(before["primary"])
    os.kill(pid, signal.SIGSTOP)
    wait_moved(site, writers, before, since)
    assert site.mariadbd(before["primary"]) != pid  # it was ended, not left to wake up


def test_a_replica_is_killed_and_writes_go_on(site, writers):
    before = site.topology()
    replica = next(server for server in site.databases if server != before["primary"])
    kill_9(site.mariadbd(replica))
    writers.wait_more()
    site.wait_whole()
    assert (site.topology()["primary"], site.topology()["epoch"]) == (before["primary"], before["epoch"])


@pytest.mark.parametrize("name", ["relay-log.info", "master.info", "relay.index"])
def test_a_replica_that_was_killed_while_it_wrote_where_it_is_comes_back(site, writers, name):
    replica = next(server for server in site.databases if server != site.primary)
    pid = site.mariadbd(replica)
    os.kill(pid, signal.SIGSTOP)
    os.truncate(os.path.join(site.state, "database", "servers", replica, "data", name), 0)
    kill_9(pid)
    wait_until(lambda: site.mariadbd(replica) not in (0, pid), 60, "another mariadbd")
    writers.wait_more()


@pytest.fixture
def lone_writer(site):
    site.wait_whole()
    with Writers(site, 1) as writers:
        writers.wait_more()
        yield writers
    site.wait_whole()
    assert writers.lost(site.primary) == []


def lose_acknowledgements(site, waiting):
    """The replicas receive what waits, and what they say of it reaches nobody."""
    primary = site.primary
    replicas = [site.mariadbd(server) for server in site.databases if server != primary]
    for pid in replicas:
        os.kill(pid, signal.SIGSTOP)
    try:
        text = "SELECT COUNT(*) FROM information_schema.processlist WHERE state IN ('Waiting for semi-sync ACK from slave', 'Commit')"
        wait_until(lambda: int(site.sql(primary, text)[0][0]) >= waiting, 20, "writes that wait")
        for (number,) in site.sql(primary, "SELECT id FROM information_schema.processlist WHERE command LIKE 'Binlog Dump%'"):
            site.sql(primary, f"KILL {number}")
    finally:
        for pid in replicas:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


def test_a_write_whose_acknowledgement_is_lost_is_acknowledged_all_the_same(site, lone_writer):
    lose_acknowledgements(site, 1)
    since = time.monotonic()
    wait_until(lambda: lone_writer.first_after(since), 60, f"a write after it; {site.stderr()[-3000:]}")


def test_writes_that_no_further_write_gets_past_are_acknowledged_all_the_same(site, writers):
    lose_acknowledgements(site, 3)
    since = time.monotonic()
    wait_until(lambda: writers.first_after(since), 60, f"a write after it; {site.stderr()[-3000:]}")


def test_the_server_of_the_primary_is_killed_with_all_that_belongs_to_it(site, writers):
    before, since = site.topology(), time.monotonic()
    kill_9(site.serve_pid(before["primary"]))
    wait_moved(site, writers, before, since)
    site.wait_whole()


def test_the_leader_is_killed_and_another_leads(site, writers):
    leader = wait_until(site.leader, 20, "a leader")
    kill_9(site.serve_pid(leader))
    wait_until(lambda: site.leader() not in (None, leader), 20, "another leader")
    writers.wait_more()


def test_the_leader_is_stopped_and_the_primary_killed_and_writes_resume(site, writers):
    leader = wait_until(site.leader, 20, "a leader")
    pid = site.serve_pid(leader)
    os.kill(pid, signal.SIGSTOP)  # it keeps its lock
    kill_9(site.mariadbd(site.primary))
    since = time.monotonic()
    wait_until(lambda: writers.first_after(since), 60, f"a write after it; {site.stderr()[-3000:]}")
    wait_until(lambda: site.log_count(rf"stopped or stuck: it is killed server={leader}") == 1, 20, "its end")
    wait_until(lambda: site.serve_pid(leader) not in (0, pid), 60, "the server again")
    site.wait_whole()


def test_primary_and_replica_die_together(site, writers):
    before = site.topology()
    for server in (before["primary"], next(server for server in site.databases if server != before["primary"])):
        kill_9(site.mariadbd(server))
    writers.wait_more(seconds=90)


def test_the_primary_is_moved_by_order_and_no_write_fails(site, writers):
    plan = site.do("switchover", "--dry-run")
    assert "takes no writes any more" in plan
    for _ in range(3):
        before = site.topology()
        target = next(server for server in site.databases if server != before["primary"])
        said = site.do("switchover", "--to", target)
        assert f"{target} is primary in the place of {before['primary']}" in said
        assert site.topology()["primary"] == target and int(site.topology()["epoch"]) == int(before["epoch"]) + 1
        writers.wait_more()
        site.wait_whole()
    assert not any(writer.failed for writer in writers.writers), [writer.failed for writer in writers.writers]


def test_a_transaction_that_does_not_end_stops_a_move_unless_it_may_be_killed(site):
    site.wait_whole()
    before = site.topology()
    target = next(server for server in site.databases if server != before["primary"])
    site.sql(before["primary"], f"CREATE TABLE IF NOT EXISTS {NAME}.long_ones (id INT PRIMARY KEY)")
    with contextlib.closing(site.connect(autocommit=False)) as connection, connection.cursor() as cursor:
        cursor.execute("INSERT INTO long_ones VALUES (1)")
        done = site.verb("switchover", "--to", target)
        assert done.returncode == 1 and "do not end" in done.stderr and "--kill" in done.stderr, done.stderr
        assert site.topology()["primary"] == before["primary"]
        cursor.execute("INSERT INTO long_ones VALUES (2)")  # undone, and nothing happened to it
        site.do("switchover", "--to", target, "--kill")
        assert site.topology()["primary"] == target
        with pytest.raises(pymysql.MySQLError):
            cursor.execute("INSERT INTO long_ones VALUES (3)")
            connection.commit()
    site.wait_whole()
    assert site.sql(target, f"SELECT COUNT(*) FROM {NAME}.long_ones") == [["0"]]


def test_a_move_that_cannot_be_done_is_refused_with_the_reason(site):
    site.wait_whole()
    primary, epoch = site.primary, site.topology()["epoch"]
    for words, reason in ((["--to", primary], "is the primary already"), (["--to", "db9"], "no server of the cluster is named")):
        done = site.verb("switchover", *words)
        assert done.returncode == 1 and reason in done.stderr, done.stderr
    assert (site.primary, site.topology()["epoch"]) == (primary, epoch)


def test_status_says_what_each_server_is_and_why_nothing_would_be_replaced(site):
    site.wait_whole()
    text = site.verb("status").stdout
    assert "lossless" in text and "STANDING" in text and "acker" in text
    status = site.database_status(wait_until(site.leader, 20, "a leader"))
    assert status["no_failover"] == "" and {server["standing"] for server in status["servers"]} == {"primary", "acker"}
