"""A SQL router under test before a cluster of real MariaDB servers, and clients of it."""

import collections
import contextlib
import json
import os
import socket
import threading

import pymysql
import pytest
from pymysql.constants import CLIENT

from app_site import own_addresses
from balancer_site import Site
from mariadb_cluster import APP_PASSWORD, APP_USER, ROUTER_PASSWORD, ROUTER_USER, client
from raw_client import wait_until

# Where a read ran: this table's row differs from server to server.
PLACE = "SELECT name FROM shop.place"


def toml_value(value):
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {toml_value(inner)}" for key, inner in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml_value, value)) + "]"
    return json.dumps(value)


class RouterSite:
    """One trilith that is a SQL router and nothing else. `keys` go to [database]."""

    def __init__(self, nodes, **keys):
        (self.host,), self.port, self.admin_port = own_addresses(1)
        self.site = Site("", server="lb1")
        self.socket = os.path.join(self.site.home, "sql.sock")
        with open(os.path.join(self.site.home, "password"), "w", encoding="utf-8") as file:
            file.write(ROUTER_PASSWORD + "\n")
        self.keys = {"listen": [f"{self.host}:{self.port}", f"unix:{self.socket}"], "nodes": nodes,
                     "account": {"user": ROUTER_USER, "password_file": "password"}, "hold": "3s", **keys}
        self.write()

    def write(self):
        text = f'[servers]\nlb1 = {{ address = "{self.host}", roles = ["router"] }}\n[admin]\nlisten = "http://{self.host}:{self.admin_port}"\n[database]\n'
        self.site.write(text + "".join(f"{key} = {toml_value(value)}\n" for key, value in self.keys.items()))

    def reload(self, **keys):
        """With these keys of [database] in place of those of before; what the verb said."""
        self.keys.update(keys)
        self.write()
        return self.site.do("reload")

    def start(self):
        self.site.start()
        self.wait_log("primary is")
        return self

    def finish(self):
        self.site.finish()

    def wait_log(self, words, seconds=20):
        wait_until(lambda: words in self.site.stderr(), seconds, f"log line with {words!r}")

    def connect(self, user=APP_USER, password=APP_PASSWORD, database="shop", **options):
        """A PyMySQL connection with autocommit."""
        options = {"autocommit": True, "charset": "utf8mb4", "read_timeout": 60, "write_timeout": 60, **options}
        return pymysql.connect(host=self.host, port=self.port, user=user, password=password, database=database, **options)

    def client(self, text, user=APP_USER, password=APP_PASSWORD, database="shop", **options):
        """Runs SQL by the `mariadb` program."""
        return client(text, address=(self.host, self.port), user=user, password=password, database=database, **options)

    def raw(self):
        """A bare TCP connection."""
        return socket.create_connection((self.host, self.port), timeout=20)

    def metrics(self):
        """/metrics as a dictionary of the text before each value."""
        with socket.create_connection((self.host, self.admin_port), timeout=20) as admin:
            admin.sendall(b"GET /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            text = b"".join(iter(lambda: admin.recv(65536), b"")).decode()
        pairs = (line.rsplit(" ", 1) for line in text.splitlines() if " " in line and not line.startswith("#"))
        return {name: value for name, value in pairs}


@pytest.fixture(scope="module")
def router(cluster, trilith):
    """With its defaults, before the module's own `cluster`; for modules that import it."""
    site = RouterSite(cluster.addresses)
    try:
        yield site.start()
    finally:
        site.finish()


def rows(connection, sql, arguments=None):
    with connection.cursor() as cursor:
        cursor.execute(sql, arguments)
        return cursor.fetchall()


def one(connection, sql, arguments=None):
    return rows(connection, sql, arguments)[0][0]


def error_of(connection, sql):
    """The number of the error that the statement ends in."""
    try:
        rows(connection, sql)
    except pymysql.MySQLError as error:
        return error.args[0]
    raise AssertionError(f"no error: {sql}")


def nodes(router):
    return router.site.status()["sql_router"]["nodes"]


def node(router, database):
    return next(node for node in nodes(router) if node["address"] == database.address)


@contextlib.contextmanager
def sessions(router, count):
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(contextlib.closing(router.connect())) for _ in range(count)]


def places(connections):
    """How many of them read where."""
    return collections.Counter(one(connection, PLACE) for connection in connections)


class Load:
    """Sessions that read again and again, each in a thread of its own. `errors` are the reads that failed, `last` where each read last."""

    def __init__(self, router, count=8):
        self.router, self.stop, self.errors, self.last, self.reads = router, threading.Event(), [], [None] * count, [0] * count
        self.threads = [threading.Thread(target=self._run, args=(at,)) for at in range(count)]

    def _run(self, at):
        with contextlib.closing(self.router.connect()) as connection:
            while not self.stop.is_set():
                try:
                    self.last[at] = one(connection, PLACE)
                    self.reads[at] += 1
                except pymysql.MySQLError as error:
                    self.errors.append(error.args)
                    return

    def wait_more(self, reads=20):
        """Until every session has read so often again."""
        wanted = [done + reads for done in self.reads]
        wait_until(lambda: self.errors or all(done >= want for done, want in zip(self.reads, wanted)), 60, "more reads")
        return self

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self.wait_more()

    def __exit__(self, *_):
        self.stop.set()
        for thread in self.threads:
            thread.join()


def mark_places(cluster):
    """shop.place says on each server which one it is."""
    cluster.primary.sql("CREATE TABLE shop.place (name VARCHAR(20)); INSERT INTO shop.place VALUES ('primary')")
    cluster.wait_caught_up()
    for at, replica in enumerate(cluster.replicas):
        replica.sql(f"SET sql_log_bin = 0; UPDATE shop.place SET name = 'replica{at + 1}'")


def wait_place(site, place, seconds=20):
    """Until new sessions read at `place`."""

    def is_there():
        with contextlib.closing(site.connect()) as connection:
            return one(connection, PLACE) == place

    wait_until(is_there, seconds, f"reads at {place}")


__all__ = ["CLIENT", "PLACE", "Load", "RouterSite", "error_of", "mark_places", "node", "nodes", "one", "places", "router", "rows", "sessions", "wait_place"]
