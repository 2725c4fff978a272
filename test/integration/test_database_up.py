"""A site that keeps its databases: from nothing to serving, what is where, and again after a stop."""

import contextlib
import os
import re
import stat

import pytest

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


def test_one_primary_takes_writes_and_every_replica_acknowledges_them(site):
    assert site.primary == "db1"
    read_only = {server: site.sql(server, "SELECT @@read_only")[0][0] for server in site.databases}
    assert read_only == {"db1": "0", "db2": "1", "db3": "1"}
    with Writers(site) as writers:
        writers.wait_more()
    assert writers.lost("db1") == [] and not any(writer.failed for writer in writers.writers)
    assert_equal_everywhere(site)


def test_secrets_are_in_files_that_nobody_else_reads(site):
    for name in ("manager", "replica", "router", "app", "admin"):
        path = os.path.join(site.state, "database", "secrets", name)
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
        assert site.secret(name) not in site.stderr()


def test_servers_run_as_somebody_who_is_not_root(site):
    for server in site.databases:
        assert os.stat(f"/proc/{site.mariadbd(server)}").st_uid != 0


def test_the_program_of_the_site_may_do_what_it_likes_in_its_own_schema_only(site):
    with contextlib.closing(site.connect()) as connection, connection.cursor() as cursor:
        cursor.execute("SHOW GRANTS")
        grants = " ".join(row[0] for row in cursor.fetchall())
    assert re.search(rf"ALL PRIVILEGES ON `{NAME}`", grants) and "READ_ONLY" not in grants


def test_after_a_stop_the_same_primary_goes_on_with_all_that_was_written(site):
    with Writers(site, 2) as writers:
        writers.wait_more()
    before = site.topology()
    site.stop()
    wait_until(lambda: not site.family(), 10, "end of all processes")
    site.start().wait_whole()
    after = site.topology()
    assert (after["primary"], after["epoch"]) == (before["primary"], before["epoch"])
    assert writers.lost(after["primary"]) == []
    assert_equal_everywhere(site)
