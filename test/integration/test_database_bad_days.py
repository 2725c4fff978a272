"""What keeps a database from running: each is told in one line with its cure, nothing is touched, and it goes on when it is mended."""

import contextlib
import os
import signal
import socket
import stat
import subprocess

import pytest

from app_site import IS_ROOT, OTHER_USER, kill_9
from database_site import NAME, DatabaseSite, Writers, assert_equal_everywhere
from mariadb_cluster import IS_THERE
from raw_client import wait_until

pytestmark = pytest.mark.skipif(not IS_THERE, reason="MariaDB's programs are not there")


@pytest.fixture(scope="module")
def site(trilith):
    site = DatabaseSite(2)
    try:
        site.start()
        yield site.wait_whole()
    finally:
        site.finish()


def directory_of(site, server):
    return os.path.join(site.state, "database", "servers", server)


def replica_of(site):
    return next(server for server in site.databases if server != site.primary)


def wait_told(site, server, *words):
    """Until the server's own status says why its mariadbd does not run."""

    def told():
        agent = site.database_status(server).get("mariadbd", {})
        return agent.get("state") in ("waiting", "blocked") and all(word in agent.get("reason", "") for word in words)

    try:
        wait_until(told, 60, f"{words}")
    except AssertionError as late:
        raise AssertionError(f"{late}: {site.database_status(server).get('mariadbd')}; {site.stderr()[-3000:]}") from None


def unbegun(**keys):
    """A site of one database that was not started yet, with the directory that is going to be its database's."""
    site = DatabaseSite(1, **keys)
    directory = directory_of(site, "db1")
    return site, directory


def give_away(path):
    """To whoever the servers run as, where that is not us."""
    if IS_ROOT:
        import pwd  # noqa: PLC0415

        entry = pwd.getpwnam(OTHER_USER)
        for base, _, files in os.walk(path):
            for name in ["", *files]:
                os.chown(os.path.join(base, name), entry.pw_uid, entry.pw_gid)


def test_a_file_that_cannot_be_read_is_told_and_nothing_is_done_to_it(site):
    server = replica_of(site)
    path = os.path.join(directory_of(site, server), "data", "ibdata1")
    mode = stat.S_IMODE(os.stat(path).st_mode)
    os.chmod(path, 0)
    try:
        kill_9(site.mariadbd(server))
        wait_told(site, server, "chown and chmod", directory_of(site, server))
    finally:
        os.chmod(path, mode)
    site.wait_whole()


def test_a_port_that_is_taken_is_told(site):
    server = replica_of(site)
    with socket.socket() as taker:
        taker.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        kill_9(site.mariadbd(server))

        def is_taken():
            with contextlib.suppress(OSError):
                taker.bind((site.addresses[server], 3307))
                taker.listen()
                return True
            pid = site.mariadbd(server)
            if pid:
                kill_9(pid)
            return False

        wait_until(is_taken, 60, "the port")
        pid = site.mariadbd(server)
        if pid:
            kill_9(pid)
        wait_told(site, server, "port 3307 or 3308", "is taken")
    site.wait_whole()


def test_damaged_data_are_told_left_alone_and_replaced_by_order(site):
    server = replica_of(site)
    with Writers(site, 1) as writers:
        writers.wait_more()
    path = os.path.join(directory_of(site, server), "data", "ibdata1")
    kill_9(site.mariadbd(server))
    # Again, should it have been started in between: then it ends, and finds the damage the next time.
    with open(path, "r+b") as file:
        file.write(os.urandom(1 << 20))
    pid = site.mariadbd(server)
    if pid:
        kill_9(pid)
    wait_told(site, server, "damaged", "trilith rejoin")
    done = site.verb("rejoin", server)
    assert done.returncode == 1 and "--discard-extra" in done.stderr, done.stderr
    wait_until(lambda: site.verb("rejoin", server, "--discard-extra").returncode == 0, 30, f"an order; {site.stderr()[-3000:]}")
    site.wait_whole()
    assert_equal_everywhere(site)
    with open(path, "rb") as file:
        assert file.read(4)  # a new one
    aside = [name for name in os.listdir(directory_of(site, server)) if name.startswith("data.aside-")]
    assert len(aside) == 1


def test_settings_that_are_changed_while_running_are_told(site):
    site.wait_whole()
    server = replica_of(site)
    site.sql(server, "SET GLOBAL sync_binlog = 0")
    leader = wait_until(site.leader, 20, "a leader")

    def drift():
        return next(one["drift"] for one in site.database_status(leader)["servers"] if one["server"] == server)

    wait_until(lambda: drift() == "sync_binlog is 0, not 1", 30, "a drift")
    assert "sync_binlog is 0, not 1" in site.verb("status").stdout
    site.sql(server, "SET GLOBAL sync_binlog = 1")
    wait_until(lambda: drift() == "", 30, "no drift")
    status = site.database_status(leader)
    assert status["mariadbd"]["free_bytes"] > 0
    wait_until(lambda: site.database_status(leader)["write_seconds"] > 0, 30, "a write")


def test_data_of_somebody_else_are_left_alone(trilith):
    site, directory = unbegun()
    try:
        os.makedirs(os.path.join(directory, "data"))
        precious = os.path.join(directory, "data", "precious.ibd")
        with open(precious, "w", encoding="ascii") as file:
            file.write("precious")
        give_away(site.state)
        site.start()
        wait_told(site, "db1", "was not made by Trilith", "move it away")
        assert os.listdir(os.path.join(directory, "data")) == ["precious.ibd"]
        os.rename(os.path.join(directory, "data"), os.path.join(directory, "theirs"))
        wait_until(lambda: site.primary == "db1", 60, "a primary")
        assert os.listdir(os.path.join(directory, "theirs")) == ["precious.ibd"]
    finally:
        site.finish()


def test_a_server_program_that_is_too_old_is_refused(trilith):
    site, _ = unbegun()
    programs = os.path.join(site.home, "programs")
    os.makedirs(programs)
    fake = os.path.join(programs, "mariadbd")
    with open(fake, "w", encoding="ascii") as file:
        file.write("#!/bin/sh\necho 'mariadbd  Ver 10.5.29-MariaDB for debian-linux-gnu on x86_64'\n")
    os.chmod(fake, 0o755)
    os.chmod(programs, 0o755)
    try:
        path = os.environ["PATH"]
        os.environ["PATH"] = f"{programs}:{path}"
        try:
            site.start()
        finally:
            os.environ["PATH"] = path
        wait_told(site, "db1", "10.11 or newer", "10.5.29")
        assert not os.path.exists(os.path.join(directory_of(site, "db1"), "data"))
    finally:
        site.finish()


def test_a_server_program_that_is_missing_is_told_and_waited_for(trilith):
    site, _ = unbegun()
    try:
        site.hide("mariadbd")
        site.start()
        wait_told(site, "db1", "mariadbd is not there", "apt-get install mariadb-server-core")
        assert "apt-get install mariadb-server-core" in site.verb("status").stdout
        assert not os.path.exists(os.path.join(directory_of(site, "db1"), "data"))
        program = next(iter(site.hidden))
        subprocess.run(["nsenter", f"--mount=/proc/{site.process.pid}/ns/mnt", "umount", program], timeout=20, check=True)
        wait_until(lambda: site.primary == "db1", 60, "a primary")
        site.signal(signal.SIGTERM)
        assert site.wait_exit(60) == 0
    finally:
        site.finish()


@pytest.mark.skipif(not IS_ROOT, reason="a small file system is mounted by root only")
def test_a_replica_whose_disk_is_full_holds_up_nobody_and_comes_back_when_there_is_room(trilith):
    site = DatabaseSite(2)
    small = directory_of(site, "db2")
    os.makedirs(small)
    give_away(site.state)
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=300m,mode=0777", "tmpfs", small], capture_output=True, text=True, timeout=20, check=False)
    if mounted.returncode != 0:
        site.finish()
        pytest.skip(f"no file system can be mounted here: {mounted.stderr}")
    try:
        give_away(small)
        site.start().wait_whole()
        filler = os.path.join(small, "filler")
        with Writers(site, 2) as writers:
            writers.wait_more()
            with contextlib.suppress(OSError), open(filler, "wb") as file:
                while True:
                    file.write(b"x" * (1 << 20))
            wait_until(lambda: site.log_count("little room is left") == 1, 30, "a warning")
            site.sql(site.primary, f"CREATE TABLE {NAME}.bulk (id INT PRIMARY KEY, text LONGTEXT)")
            wait_until(lambda: site.topology()["durability"] == "async", 120, f"a primary alone; {site.stderr()[-3000:]}")
            writers.wait_more(200, 120)
            os.remove(filler)
            site.wait_whole(180)
        assert site.primary == "db1" and writers.lost("db1") == []
        assert_equal_everywhere(site)
    finally:
        site.finish()
        subprocess.run(["umount", "-l", small], timeout=20, check=False)
