"""MariaDB's own test program of its C client (package mariadb-test) through the router: what succeeds on a server must succeed here."""

import shutil
import subprocess

import pytest

import mariadb_cluster
from mariadb_cluster import MariadbCluster
from sql_router_site import RouterSite

PROGRAM = shutil.which("mariadb-client-test")
pytestmark = [pytest.mark.long,
              pytest.mark.skipif(not (mariadb_cluster.IS_THERE and PROGRAM), reason="no mariadb-client-test here; its package, mariadb-test, brings a service")]

DIFFERENT = {
    "test_progress_reporting": "progress packets are not offered, by capability",
    "test_bug20023": "it sets a global variable, which the replica that answers the next question does not have",
    "test_connect_autocommit": "it sets a global variable, which connections that were opened before do not have",
}


SECONDS = 60

# Some leave behind what others hang or fail by: test_connect_autocommit where it fails, test_bug31669 always, which deletes accounts from their table alone.
SET_BACK = "SET GLOBAL autocommit = 1; FLUSH PRIVILEGES"


def names():
    listed = subprocess.run([PROGRAM, "-T"], capture_output=True, text=True, timeout=20, check=True).stdout.split()
    return [name for name in listed if name.startswith("test_")]


def fails(address, name):
    """What it said, or nothing where it succeeded."""
    command = [PROGRAM, "--no-defaults", f"--host={address[0]}", f"--port={address[1]}", "--user=tester", "--password=test", "--silent", name]
    try:
        done = subprocess.run(command, cwd="/tmp", capture_output=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return f"no end within {SECONDS} s"
    return None if done.returncode == 0 else done.stdout[-500:] + done.stderr[-500:]


def test_what_succeeds_on_a_server_succeeds_through_the_router(trilith):
    cluster = MariadbCluster(replicas=1)
    router = RouterSite(cluster.addresses, limits={"failed_logins": 10_000})  # some log in with wrong passwords, again and again
    try:
        cluster.primary.sql("CREATE DATABASE test; CREATE USER tester@'%' IDENTIFIED BY 'test'; GRANT ALL ON *.* TO tester@'%' WITH GRANT OPTION")
        cluster.wait_caught_up()
        router.start()
        primary = (cluster.primary.host, cluster.primary.port)
        compared, worse = 0, {}
        for name in names():
            # One right after the other: some leave behind what decides about later ones.
            cluster.primary.sql(SET_BACK)
            if fails(primary, name) is not None:
                continue
            compared += 1
            cluster.primary.sql(SET_BACK)
            said = fails((router.host, router.port), name)
            if said is not None and name not in DIFFERENT:
                worse[name] = said
        assert not worse
        assert compared > 250, "the program's tests did not run"
    finally:
        router.finish()
        cluster.finish()
