"""Real MariaDB servers of a test's own: a primary and its replicas, each a mariadbd that is started from a template, without privileges, and ended by its pid."""

import atexit
import contextlib
import os
import pwd
import re
import shutil
import signal
import subprocess
import tempfile
import time

from app_site import own_addresses
from raw_client import wait_until

MARIADBD = shutil.which("mariadbd", path="/usr/sbin:/usr/bin:" + os.environ.get("PATH", ""))
CLIENT = shutil.which("mariadb")
IS_THERE = bool(MARIADBD and CLIENT and shutil.which("mariadb-install-db"))
IS_ROOT = os.geteuid() == 0
# Whom the servers run as, where we are root.
SERVER_USER = "nobody"
ROUTER_USER, ROUTER_PASSWORD = "trilith", "router secret"
APP_USER, APP_PASSWORD = "app", "app secret"
START_SECONDS, STOP_SECONDS = 60, 30

COMMON_OPTIONS = {
    "skip-slave-start": "1",
    "log-bin": "bin",
    "log-slave-updates": "1",
    "binlog-format": "ROW",
    "gtid-strict-mode": "1",
    "slave-net-timeout": "4",
    "skip-name-resolve": "1",
    "innodb-buffer-pool-size": "24M",
    "innodb-log-file-size": "16M",
    "innodb-flush-log-at-trx-commit": "0",
    "performance-schema": "0",
    "max-allowed-packet": "64M",
    "character-set-server": "utf8mb4",
    "max-connections": "600",
}


def as_server_user(command):
    if not IS_ROOT:
        return command
    entry = pwd.getpwnam(SERVER_USER)
    return ["setpriv", f"--reuid={entry.pw_uid}", f"--regid={entry.pw_gid}", "--clear-groups", "--", *command]


def give_to_server_user(path):
    if IS_ROOT:
        entry = pwd.getpwnam(SERVER_USER)
        os.chown(path, entry.pw_uid, entry.pw_gid)


def new_directory():
    """Short, for its sockets' paths."""
    path = tempfile.mkdtemp(prefix="tri-db-", dir="/tmp")
    give_to_server_user(path)
    return path


class Template:
    """A data directory that no server has ever run in: one a test process, made when first needed."""

    _made = None

    @classmethod
    def path(cls):
        if cls._made is None:
            directory = new_directory()
            atexit.register(shutil.rmtree, directory, ignore_errors=True)
            options = ["--innodb-log-file-size=16M", "--skip-test-db", "--skip-name-resolve", "--auth-root-authentication-method=normal"]
            command = ["mariadb-install-db", "--no-defaults", f"--datadir={directory}/data", *options]
            done = subprocess.run(as_server_user(command), cwd=directory, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, check=False,
                                  env={**os.environ, "TMPDIR": directory})  # in a common one, servers that start remove each other's temporary tables
            assert done.returncode == 0, done.stdout + done.stderr
            cls._made = f"{directory}/data"
        return cls._made


class SqlError(AssertionError):
    """What the server answered with an ERR: `number` and the client's text."""

    def __init__(self, text):
        super().__init__(text)
        found = re.search(r"^ERROR (\d+)", text, re.MULTILINE)
        self.number = int(found[1]) if found else 0


def client(text, socket=None, address=None, user="root", password=None, database=None, options=(), seconds=60):
    """Runs SQL by the `mariadb` program, by unix socket or (host, port): the rows, each a list of texts, "NULL" for NULL."""
    command = [CLIENT, "--no-defaults", "--batch", "--raw", "--skip-column-names", "--default-character-set=utf8mb4", f"--user={user}", *options]
    command += [f"--socket={socket}"] if socket else [f"--host={address[0]}", f"--port={address[1]}", "--protocol=tcp"]
    environment = {**os.environ, "MYSQL_PWD": password or ""}
    if database:
        command.append(f"--database={database}")
    done = subprocess.run(command, input=text.encode(), env=environment, capture_output=True, timeout=seconds, check=False)
    if done.returncode != 0:
        raise SqlError(done.stderr.decode(errors="replace"))
    return [line.split("\t") for line in done.stdout.decode().splitlines()]


class Database:
    """One mariadbd in a directory of its own, with a unix socket and an address in 127/8."""

    def __init__(self, address, port, server_id, options=None):
        self.host, self.port, self.server_id = address, port, server_id
        self.directory = new_directory()
        self.data = f"{self.directory}/data"
        self.socket = f"{self.directory}/s"
        self.log = f"{self.directory}/log"
        self.options = {**COMMON_OPTIONS, **(options or {})}
        self.process = None
        subprocess.run(["cp", "-a", "--sparse=always", Template.path(), self.data], check=True)

    @property
    def address(self):
        """As a configuration file has it."""
        return f"{self.host}:{self.port}"

    @property
    def pid(self):
        return self.process.pid

    def start(self, **options):
        """Starts it and waits until it answers; `read_only="1"` is --read-only=1."""
        given = {**self.options, **{name.replace("_", "-"): value for name, value in options.items()}}
        command = [MARIADBD, "--no-defaults", f"--datadir={self.data}", f"--socket={self.socket}", f"--bind-address={self.host}", f"--port={self.port}", f"--server-id={self.server_id}",
                   f"--tmpdir={self.directory}", f"--log-error={self.log}", "--pid-file=pid", *(f"--{name}={value}" for name, value in given.items() if value is not None)]
        self.process = subprocess.Popen(as_server_user(command), cwd=self.directory, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        wait_until(self._answers, START_SECONDS, f"start of {self.address}")
        return self

    def _answers(self):
        assert self.process.poll() is None, f"mariadbd ended: {self.last_words()}"
        try:
            self.sql("SELECT 1")
        except SqlError:
            return False
        return True

    def last_words(self):
        with contextlib.suppress(OSError), open(self.log, encoding="utf-8", errors="replace") as log:
            return log.read()[-3000:]
        return ""

    def sql(self, text, **options):
        """As root over the unix socket."""
        return client(text, socket=self.socket, **options)

    def value(self, text, **options):
        """The first value of the first row."""
        return self.sql(text, **options)[0][0]

    def tcp(self, text, user=APP_USER, password=APP_PASSWORD, **options):
        """As somebody else, over TCP, without the router."""
        return client(text, address=(self.host, self.port), user=user, password=password, **options)

    def signal(self, number):
        """SIGSTOP, SIGCONT …, to this process alone."""
        os.kill(self.pid, number)

    def kill(self):
        """kill -9, and waits for its end."""
        self._end(signal.SIGKILL)

    def stop(self):
        """A clean shutdown."""
        self._end(signal.SIGTERM)

    def _end(self, number):
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.send_signal(number)
            with contextlib.suppress(ProcessLookupError):
                self.process.send_signal(signal.SIGCONT)
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None

    def finish(self):
        self.kill()
        shutil.rmtree(self.directory, ignore_errors=True)

    # ---- replication

    def follow(self, primary):
        """Becomes a replica of `primary` by GTID, and starts."""
        self.sql(f"CHANGE MASTER TO MASTER_HOST='{primary.host}', MASTER_PORT={primary.port}, MASTER_USER='repl', MASTER_PASSWORD='repl secret', "
                 "MASTER_CONNECT_RETRY=1, MASTER_HEARTBEAT_PERIOD=1, MASTER_USE_GTID=slave_pos; START SLAVE")

    def wait_caught_up(self, primary, seconds=30):
        position = primary.value("SELECT @@gtid_binlog_pos")
        result = self.value(f"SELECT MASTER_GTID_WAIT('{position}', {seconds})")
        assert result == "0", f"{self.address} did not reach {position}: {self.sql('SHOW ALL SLAVES STATUS')}"


class MariadbCluster:
    """A primary and `replicas` replicas that have caught up, with the accounts of the router and of an application."""

    def __init__(self, replicas=1, options=None):
        addresses, port, _ = own_addresses(1 + replicas)
        self.nodes = []
        try:
            for at, address in enumerate(addresses):
                self.nodes.append(Database(address, port, server_id=at + 1, options=options))
            for node in self.nodes:
                node.start(**({} if node is self.primary else {"read_only": "1"}))
            self._make_accounts()
            for replica in self.replicas:
                replica.follow(self.primary)
            self.wait_caught_up()
        except BaseException:
            self.finish()
            raise

    @property
    def primary(self):
        """The first one, as the cluster was made: switch_over() does not change that."""
        return self.nodes[0]

    @property
    def replicas(self):
        return self.nodes[1:]

    @property
    def addresses(self):
        return [node.address for node in self.nodes]

    def _make_accounts(self):
        self.primary.sql(f"""
            CREATE USER repl@'%' IDENTIFIED BY 'repl secret'; GRANT REPLICATION SLAVE ON *.* TO repl@'%';
            CREATE USER {ROUTER_USER}@'%' IDENTIFIED BY '{ROUTER_PASSWORD}';
            GRANT SELECT ON mysql.global_priv TO {ROUTER_USER}@'%'; GRANT REPLICA MONITOR, BINLOG MONITOR ON *.* TO {ROUTER_USER}@'%';
            CREATE DATABASE shop; CREATE USER {APP_USER}@'%' IDENTIFIED BY '{APP_PASSWORD}'; GRANT ALL ON shop.* TO {APP_USER}@'%'""")

    def allow_heartbeat(self):
        """What the router needs to measure lag by its own heartbeat."""
        self.primary.sql(f"CREATE DATABASE trilith; GRANT SELECT, INSERT, UPDATE, CREATE ON trilith.* TO {ROUTER_USER}@'%'")

    def wait_caught_up(self):
        for replica in self.replicas:
            replica.wait_caught_up(self.primary)

    def switch_over(self, old, new):
        """`new` becomes primary and all others follow it; by the order of statements that loses nothing."""
        old.sql("SET GLOBAL read_only=1")
        new.wait_caught_up(old)
        new.sql("STOP SLAVE; RESET SLAVE ALL; SET GLOBAL read_only=0")
        old.sql(f"SET GLOBAL gtid_slave_pos='{old.value('SELECT @@gtid_binlog_pos')}'")
        old.follow(new)
        for node in self.nodes:
            if node not in (old, new):
                node.sql("STOP SLAVE")
                node.follow(new)

    def finish(self):
        for node in self.nodes:
            node.finish()


def main():
    """By hand: starts a cluster, says where it is, and ends it on Enter."""
    began = time.monotonic()
    cluster = MariadbCluster()
    try:
        print(f"{time.monotonic() - began:.2f} s; nodes {cluster.addresses}, sockets {[node.socket for node in cluster.nodes]}; Enter ends it", flush=True)
        input()
    finally:
        cluster.finish()


if __name__ == "__main__":
    main()
