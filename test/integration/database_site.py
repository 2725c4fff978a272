"""A site that keeps its own databases: servers with the role `database`, SQL routers before them, and writers that record what was acknowledged to them."""

import contextlib
import os
import re
import shutil
import subprocess
import threading
import time

import pymysql
import pytest

from app_site import IS_ROOT, AppSite, own_addresses, stat_of
from balancer_site import toml_table
from mariadb_cluster import SqlError, client
from raw_client import wait_until

NAME = "shop"
APP_USER = "app"
# A sanitizer and a busy machine make everything slow; what is measured is measured elsewhere.
UP_SECONDS = 90


class DatabaseSite(AppSite):
    """`databases` servers db1, db2 … and one SQL router r1, all below one `trilith up`. `keys` go to [database]."""

    def __init__(self, databases=3, **keys):
        addresses, _, _ = own_addresses(databases + 1)
        self.addresses = {f"db{at + 1}": address for at, address in enumerate(addresses[:-1])}
        self.addresses["r1"] = self.router = addresses[-1]
        self.databases = [name for name in self.addresses if name != "r1"]
        text = 'site = "it.foobar.com"\n' + toml_table(
            "servers", {name: {"address": address, "roles": ["database" if name != "r1" else "router"]} for name, address in self.addresses.items()}
        )
        text += toml_table("database", {"name": NAME, "memory": "32MiB", "hold": "20s", **keys})
        super().__init__(text, "up")
        self.hidden = {}

    # ---- what is installed

    def hide(self, *programs):
        """The site is to be started on a machine without these programs: other files, which nobody may run, are put over them, for it alone."""
        if not IS_ROOT or subprocess.run(["unshare", "--mount", "true"], capture_output=True, timeout=20, check=False).returncode != 0:
            pytest.skip("a program is hidden by root only, where it may make mount namespaces")
        for program in programs:
            cover = self.touch(f"no-{program}", "")
            self.hidden[shutil.which(program, path="/usr/sbin:/usr/bin")] = cover

    def words(self):
        if not self.hidden:
            return super().words()
        covers = " && ".join(f"mount --bind {cover} {program}" for program, cover in self.hidden.items())
        return ["unshare", "--mount", "sh", "-c", f'{covers} && exec "$@"', "sh", *super().words()]

    # ---- what the servers say

    def secret(self, name):
        with open(os.path.join(self.state, "database", "secrets", name), encoding="ascii") as file:
            return file.read().strip()

    def database_status(self, server):
        return (self.status_of(server) or {}).get("database") or {}

    def topology(self):
        """What is recorded: a dictionary, with members as a dictionary of standings."""
        found = {"members": {}, "epoch": "0", "primary": ""}
        with contextlib.suppress(OSError), open(os.path.join(self.state, "database", "topology"), encoding="ascii") as file:
            for line in file:
                key, _, value = line.strip().partition(" ")
                if key == "member":
                    server, _, standing = value.partition(" ")
                    found["members"][server] = standing
                else:
                    found[key] = value
        return found

    @property
    def primary(self):
        return self.topology()["primary"]

    def journal(self):
        with contextlib.suppress(OSError), open(os.path.join(self.state, "database", "journal"), encoding="utf-8") as file:
            return file.read()
        return ""

    def is_whole(self):
        """There is a primary, every other server acknowledges, and nothing is to be done."""
        topology = self.topology()
        standings = sorted(topology["members"].values())
        return (standings == ["acker"] * (len(self.databases) - 1) + ["primary"] and topology["durability"] == "lossless"
                and topology["gate"] == "open" and self._all_acknowledge())

    def wait_whole(self, seconds=UP_SECONDS):
        try:
            wait_until(self.is_whole, seconds, "a whole cluster")
        except AssertionError as late:
            raise AssertionError(f"{late}: {self.topology()}\n{self.stderr()[-4000:]}") from None
        return self

    def _all_acknowledge(self):
        primary = self.primary
        with contextlib.suppress(Exception):
            rows = self.sql(primary, "SHOW GLOBAL STATUS LIKE 'Rpl_semi_sync_master_clients'")
            return int(rows[0][1]) == len(self.databases) - 1 and self.sql(primary, "SELECT @@read_only") == [["0"]]
        return False

    def sql(self, server, text, **options):
        """As administrator at one server itself."""
        return client(text, address=(self.addresses[server], 3307), user="trilith_admin", password=self.secret("admin"), **options)

    def connect(self, **options):
        """As the site's program, by the router."""
        options = {"autocommit": True, "database": NAME, "read_timeout": 60, "write_timeout": 60, "connect_timeout": 30, **options}
        return pymysql.connect(host=self.router, port=3306, user=APP_USER, password=self.secret("app"), **options)

    # ---- processes

    def mariadbd(self, server):
        """The pid of the server's mariadbd; 0 where none runs."""
        word = f"--defaults-file={self.state}/database/servers/{server}/my.cnf".encode()
        for name in os.listdir("/proc"):
            if not name.isdigit():
                continue
            with contextlib.suppress(OSError), open(f"/proc/{name}/cmdline", "rb") as file:
                words = file.read().split(b"\0")
                if words[0].endswith(b"mariadbd") and word in words and stat_of(int(name)):
                    return int(name)
        return 0

    def wait_mariadbd(self, server, seconds=30):
        return wait_until(lambda: self.mariadbd(server), seconds, f"mariadbd of {server}")

    def serve_pid(self, server):
        status = self.status_of(server)
        return status["pid"] if status else 0

    def leader(self):
        return next((name for name in self.databases if self.database_status(name).get("leads")), None)

    def log_count(self, pattern):
        return len(re.findall(pattern, self.stderr()))


class Writer(threading.Thread):
    """Inserts numbers, each once, and never again: what was acknowledged must be there once, what was not may be."""

    def __init__(self, site, number, table="acks"):
        super().__init__(daemon=True)
        self.site, self.number, self.table = site, number, table
        self.acknowledged, self.failed = [], []
        self.slowest = 0.0
        self.times = []  # (when it was begun, when it was acknowledged)
        self._ending = threading.Event()

    def run(self):
        connection, at = None, 0
        while not self._ending.is_set():
            began = time.monotonic()
            try:
                connection = connection or self.site.connect()
                at += 1
                with connection.cursor() as cursor:
                    cursor.execute(f"INSERT INTO {self.table} VALUES (%s, %s)", (self.number, at))
            except (pymysql.MySQLError, OSError) as error:
                self.failed.append((at, str(error)))
                with contextlib.suppress(Exception):
                    connection.close()
                connection = None
                self._ending.wait(0.02)  # not a wait for anything: so that a router that refuses is not stormed
                continue
            now = time.monotonic()
            self.acknowledged.append(at)
            self.times.append((began, now))
            self.slowest = max(self.slowest, now - began)
        if connection:
            with contextlib.suppress(Exception):
                connection.close()

    def end(self):
        self._ending.set()
        self.join(70)
        assert not self.is_alive(), "a writer hangs"


class Writers:
    """Some writers over a site, and the count of what is missing in the end."""

    def __init__(self, site, count=4):
        self.site = site
        with contextlib.closing(site.connect()) as connection, connection.cursor() as cursor:
            cursor.execute("CREATE TABLE IF NOT EXISTS acks (writer INT, number INT, PRIMARY KEY (writer, number))")
            cursor.execute("SELECT COALESCE(MAX(writer), 0) FROM acks")
            first = cursor.fetchone()[0] + 1
        self.writers = [Writer(site, first + at) for at in range(count)]

    def __enter__(self):
        for writer in self.writers:
            writer.start()
        return self

    def __exit__(self, *_):
        for writer in self.writers:
            writer.end()

    def acknowledged(self):
        return sum(len(writer.acknowledged) for writer in self.writers)

    def wait_more(self, count=20, seconds=60):
        """Until each writer has so many more acknowledged."""
        before = [len(writer.acknowledged) for writer in self.writers]
        wait_until(lambda: all(len(writer.acknowledged) >= had + count for writer, had in zip(self.writers, before)), seconds, f"{count} more writes of each")

    def first_after(self, instant):
        """When the first write that was begun after `instant` was acknowledged; None: none yet."""
        times = [at for writer in self.writers for began, at in writer.times if began > instant]
        return min(times, default=None)

    def lost(self, server):
        """What was acknowledged and is not at this server."""
        rows = self.site.sql(server, f"SELECT writer, number FROM {NAME}.acks")
        there = {(int(writer), int(number)) for writer, number in rows}
        return [(writer.number, at) for writer in self.writers for at in writer.acknowledged if (writer.number, at) not in there]


def assert_equal_everywhere(site, table="acks"):
    """All servers have the same rows, once the replicas have caught up."""

    def sum_at(server):
        try:
            return site.sql(server, f"CHECKSUM TABLE {NAME}.{table}")[0][1]
        except SqlError as error:  # it may be starting
            return f"{server}: {error}"

    def sums():
        return {server: sum_at(server) for server in site.databases}

    def is_equal():
        found = set(sums().values())
        return len(found) == 1 and found != {"NULL"}

    try:
        wait_until(is_equal, 60, "equal tables")
    except AssertionError as late:
        raise AssertionError(f"{late}: {sums()}") from None
