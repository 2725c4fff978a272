"""Servers that went apart: what they alone have is saved and told, and they come back by order, or by themselves where the file says so. And copies of a running primary."""

import contextlib
import glob
import os
import shutil
import signal
import subprocess

import pytest

from app_site import kill_9
from balancer_site import BINARY
from database_site import NAME, DatabaseSite, Writers, assert_equal_everywhere
from mariadb_cluster import IS_THERE, SqlError, client
from raw_client import wait_until

pytestmark = pytest.mark.skipif(not IS_THERE, reason="MariaDB's programs are not there")
needs_backup = pytest.mark.skipif(not shutil.which("mariadb-backup"), reason="mariadb-backup is not there")


def started(**keys):
    site = DatabaseSite(2, **keys)
    try:
        return site.start()
    except BaseException:
        site.finish()
        raise


@pytest.fixture(scope="module")
def site(trilith):
    site = started()
    try:
        yield site.wait_whole()
    finally:
        site.finish()


def replica_of(site):
    return next(server for server in site.databases if server != site.primary)


def lead_astray(site, server, beat):
    """A transaction of its own at a replica, as only our manager could make one."""
    text = f"INSERT INTO trilith.heartbeat VALUES (77, {beat})"
    client(text, address=(site.addresses[server], 3307), user="trilith_manager", password=site.secret("manager"))


def wait_apart(site, server):
    def is_apart():
        site.sql(site.primary, f"INSERT INTO {NAME}.apart VALUES (NULL)")  # it has to meet one of the primary's
        return site.topology()["members"].get(server) == "diverged"

    site.sql(site.primary, f"CREATE TABLE IF NOT EXISTS {NAME}.apart (id INT AUTO_INCREMENT PRIMARY KEY)")
    wait_until(is_apart, 60, f"{server} apart; {site.stderr()[-3000:]}")


def told_of(site, server):
    """What the leader says of a server."""
    status = site.database_status(wait_until(site.leader, 20, "a leader"))
    return next(one for one in status.get("servers", [{"server": server}]) if one["server"] == server)


def purge_first_binlog(site):
    """So that nobody can begin empty any more."""
    site.sql(site.primary, "FLUSH BINARY LOGS")
    newest = site.sql(site.primary, "SHOW BINARY LOGS")[-1][0]

    def is_purged():
        site.sql(site.primary, f"PURGE BINARY LOGS TO '{newest}'")
        return site.sql(site.primary, "SHOW BINARY LOGS")[0][0] == newest

    wait_until(is_purged, 30, "a purged binlog")


def follows(site, server):
    with contextlib.suppress(SqlError):
        return "Yes" in str(site.sql(server, "SHOW ALL SLAVES STATUS")) and site.sql(server, f"SELECT COUNT(*) FROM {NAME}.acks") != [["0"]]
    return False


def is_copying(site, server, program):
    """That program of MariaDB's runs for this server."""
    ours = f"--defaults-file={site.state}/database/servers/{server}/tmp/copy".encode()
    for path in glob.glob("/proc/[0-9]*/cmdline"):
        with contextlib.suppress(OSError), open(path, "rb") as file:
            words = file.read().split(b"\0")
            if words[0].endswith(program.encode()) and any(word.startswith(ours) for word in words):
                return True
    return False


def origin_of(site, server):
    with open(os.path.join(site.state, "database", "servers", server, "data", "trilith-origin"), encoding="ascii") as file:
        return file.read()


def administrate(site, text, *words):
    return subprocess.run([BINARY, "sql", *words, *site.options(), "--", "-N", "-e", text], capture_output=True, text=True, timeout=60, check=False)


def test_the_administrators_client_opens_at_the_primary_or_where_it_is_asked_to(site):
    done = administrate(site, "SELECT @@read_only, CURRENT_USER(), DATABASE()")
    assert done.stdout.split() == ["0", "trilith_admin@%", NAME], done.stderr
    done = administrate(site, "SELECT @@read_only", "--server", replica_of(site))
    assert done.stdout.split() == ["1"], done.stderr
    done = administrate(site, "SELECT 1", "--server", "db9")
    assert done.returncode == 1 and "db1, db2" in done.stderr
    done = administrate(site, "SELECT nonsense FROM nowhere")
    assert done.returncode == 1 and "ERROR 1146" in done.stderr


def test_a_server_with_transactions_of_its_own_is_left_alone_until_it_is_ordered_back(site):
    server = replica_of(site)
    assert site.verb("rejoin", server).returncode == 1  # it is a replica
    lead_astray(site, server, 4711)
    wait_apart(site, server)
    told = wait_until(lambda: (one := told_of(site, server)).get("aside") and one, 30, f"a file; {site.stderr()[-3000:]}")
    assert told["extra"]
    with open(told["aside"][0], encoding="utf-8") as file:
        saved = file.read()
    assert "@2=4711" in saved and "`trilith`.`heartbeat`" in saved and "`apart`" not in saved
    assert told["aside"][0] in site.verb("status").stdout

    done = site.verb("rejoin", server)
    assert done.returncode == 1 and "--discard-extra" in done.stderr, done.stderr
    assert "put aside" in site.do("rejoin", server, "--discard-extra", "--dry-run")
    assert site.topology()["members"][server] == "diverged"
    site.do("rejoin", server, "--discard-extra")
    site.wait_whole()
    assert_equal_everywhere(site, "apart")
    kept = glob.glob(os.path.join(site.state, "database", "servers", server, "data.aside-*", "binlog.000001"))
    assert len(kept) == 1  # nothing was deleted
    assert site.sql(server, "SELECT COUNT(*) FROM trilith.heartbeat WHERE id = 77") == [["0"]]


@needs_backup
def test_a_copy_of_the_running_primary_that_is_broken_off_is_made_anew(site):
    server = replica_of(site)
    site.sql(site.primary, f"CREATE TABLE IF NOT EXISTS {NAME}.bulk (id INT PRIMARY KEY, text LONGTEXT)")
    site.sql(site.primary, f"REPLACE INTO {NAME}.bulk SELECT seq, REPEAT('x', 60000) FROM seq_1_to_500", database=NAME)
    site.wait_whole()
    purge_first_binlog(site)
    lead_astray(site, server, 4712)
    wait_apart(site, server)
    wait_until(lambda: told_of(site, server).get("aside"), 30, "a file")
    with Writers(site, 2) as writers:
        site.do("rejoin", server, "--discard-extra")
        wait_until(lambda: is_copying(site, server, "mariadb-backup"), 60, f"a copy; {site.stderr()[-3000:]}")
        kill_9(site.serve_pid(server))
        writers.wait_more()
        site.wait_whole()
        writers.wait_more()
    assert writers.lost(site.primary) == []
    assert_equal_everywhere(site, "bulk")
    assert_equal_everywhere(site)
    assert f"copy {site.primary} 0-" in origin_of(site, server)


@needs_backup
def test_where_the_file_says_so_a_server_comes_back_by_itself(trilith):
    site = started(rejoin="automatic")
    try:
        site.wait_whole()
        server = replica_of(site)
        purge_first_binlog(site)
        lead_astray(site, server, 4713)
        site.sql(site.primary, f"CREATE TABLE {NAME}.apart (id INT AUTO_INCREMENT PRIMARY KEY)")
        wait_until(lambda: f"the data of {server} are put aside" in site.journal(), 60, f"a renewal; {site.stderr()[-3000:]}")
        site.wait_whole()
        assert_equal_everywhere(site, "apart")
        saved = glob.glob(os.path.join(site.state, "database", "aside", f"{server}-*.sql"))
        assert len(saved) == 1
    finally:
        site.finish()


def test_a_primary_that_is_gone_while_async_is_replaced_by_order_only(trilith):
    site = started(durability="async")
    try:
        wait_until(lambda: site.primary and site.verb("status").returncode == 0, 60, "a primary")
        old, new = site.primary, replica_of(site)
        with Writers(site, 1) as writers:
            writers.wait_more()
        assert_equal_everywhere(site)
        assert "answers" in site.verb("failover").stderr

        # What hangs is ended and started again, once: its silence from before is no reason to end what starts.
        pid, ends = site.mariadbd(old), site.log_count("mariadbd has ended")
        os.kill(pid, signal.SIGSTOP)
        wait_until(lambda: site.mariadbd(old) not in (0, pid), 60, f"another mariadbd; {site.stderr()[-3000:]}")
        with Writers(site, 1) as more:
            more.wait_more()
        assert more.lost(old) == [] and site.log_count("mariadbd has ended") == ends + 1, site.stderr()[-3000:]

        data = os.path.join(site.state, "database", "servers", old, "data")
        os.rename(data, data + ".gone")
        kill_9(site.mariadbd(old))
        done = wait_until(lambda: "async" in (done := site.verb("failover")).stderr and done, 30, f"a refusal; {site.verb('failover').stderr}")
        assert done.returncode == 1 and "--accept-loss" in done.stderr
        assert f"{new} is primary from epoch 2 on" in site.do("failover", "--accept-loss", "--dry-run")
        assert "is the primary already" in site.verb("failover", "--to", old, "--accept-loss").stderr
        assert site.topology()["epoch"] == "1"
        assert f"{new} is primary" in site.do("failover", "--accept-loss")
        assert site.topology()["epoch"] == "2" and site.primary == new
        with Writers(site, 1) as more:
            more.wait_more()
        assert more.lost(new) == [] and writers.lost(new) == []
        wait_until(lambda: follows(site, old), 60, f"{old} again; {site.stderr()[-3000:]}")  # it begins anew, without its data
        assert_equal_everywhere(site)
    finally:
        site.finish()
