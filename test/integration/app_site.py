"""A site with the application tier under test: its addresses, its configuration, its processes, and what is left of them."""

import contextlib
import json
import os
import pwd
import random
import re
import shutil
import signal
import socket
import subprocess
import sys

from balancer_site import BINARY, Site, toml_table
from raw_client import Load, RawClient, wait_until

PROGRAM = os.path.join(os.path.dirname(os.path.abspath(__file__)), "app_program.py")
# The system's interpreter, which every user may run; without its site packages it starts in a third of the time.
PYTHON = [sys.executable, "-S", "-E", "-s"]
IS_ROOT = os.geteuid() == 0
# Whom the program runs as, where it has to be somebody else.
OTHER_USER = "nobody"
WHO = b"GET /who HTTP/1.1\r\nHost: a.test\r\n\r\n"
POST_WHO = b"POST /who HTTP/1.1\r\nHost: a.test\r\nContent-Length: 4\r\n\r\nabcd"


# ---- addresses


def own_addresses(count):
    """Addresses of the loopback network that no other test has, as far as chance can tell, and two ports that are free on all."""
    network = f"127.{random.randrange(16, 250)}.{random.randrange(256)}"
    first = random.randrange(1, 200)
    addresses = [f"{network}.{first + at}" for at in range(count)]
    return addresses, free_port(addresses), free_port(addresses)


def free_port(addresses):
    """Below the ports that the system hands out by itself, so that it stays free."""
    while True:
        port = random.randrange(10000, 30000)
        with contextlib.ExitStack() as held:
            try:
                for address in addresses:
                    held.enter_context(socket.socket()).bind((address, port))
            except OSError:
                continue
            return port


# ---- the configuration


def program_command(*options):
    return [*PYTHON, "app.py", *options]


def app_table(options=(), **keys):
    """[app]: two instances of app_program.py that are started again quickly."""
    table = {
        "command": program_command(*options),
        "instances": 2,
        "health": {"within": "20s", "interval": "200ms"},
        "restart": {"first_pause": "50ms"},
        "stop": {"within": "5s"},
    }
    if IS_ROOT:
        table["user"] = OTHER_USER
    return {**table, **keys}


def without_none(table):
    return {key: value for key, value in table.items() if value is not None}


def site_text(servers, **tables):
    """A configuration file of these [servers] and tables; `web_limits` is [web.limits]. A key that is None is left out."""
    text = 'site = "it.foobar.com"\n' + toml_table("servers", servers)
    return text + "".join(toml_table(name.replace("_", "."), without_none(values)) for name, values in tables.items() if values)


# ---- processes


def stat_of(pid):
    """(state, start time) of a process; None when it is gone, or waits only for its parent to notice that."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] in "ZX" else (fields[0], fields[19])


def send_signal(pid, number):
    """To one process; a pid of 0, of an instance that does not run just now, would mean our own group."""
    assert pid > 1, pid
    os.kill(pid, number)


def kill_9(pid):
    send_signal(pid, signal.SIGKILL)


class Processes:
    """Some processes as they are now; a later one with a pid of theirs is not mistaken for them."""

    def __init__(self, pids):
        self.known = {pid: stat_of(pid) for pid in pids}
        assert None not in self.known.values(), f"not all of {pids} run: {self.known}"

    def alive(self):
        found = []
        for pid, known in self.known.items():
            now = stat_of(pid)
            if now and now[1] == known[1]:
                found.append(pid)
        return found

    def wait_gone(self, seconds, what="the processes"):
        wait_until(lambda: not self.alive(), seconds, f"end of {what} {list(self.known)}")


def processes_below(directory):
    """The pids of all processes that run there: of a site's whole family, for nobody in it changes its directory."""
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            with contextlib.suppress(OSError):
                place = os.readlink(f"/proc/{name}/cwd")
                if (place + "/").startswith(directory + "/") and stat_of(name):
                    found.append(int(name))
    return found


def is_up(instance):
    """By status; one whose program has ended this moment is still called up, without a pid."""
    return instance["state"] == "up" and instance["pid"] > 0


# ---- the load


class SiteLoad(Load):
    """Load at one of the site's own addresses; `bodies` counts who answered."""

    def __init__(self, place, **options):
        host, port = place
        super().__init__(port, host=host, **{"request": WHO, **options})

    def pids(self):
        """Of the instances that answered."""
        return {int(body.split()[1]) for body in self.bodies}


# ---- the site


class AppSite(Site):
    """One server, or with `server="up"` all of a file; app.py is app_program.py, beside the file."""

    def __init__(self, config, server):
        super().__init__(config, server)
        os.chmod(self.home, 0o755)
        shutil.copy(PROGRAM, self.path("app.py"))
        os.mkdir(self.path("public"))
        self.place = None  # (address, port) of its web tier
        self.environment = None
        self.user = None  # whom the server itself runs as, if not as we do

    def path(self, name):
        return os.path.join(self.home, name)

    def touch(self, name, text="x"):
        """A file beside the configuration that everybody may read."""
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        return self.path(name)

    def remove(self, name):
        os.unlink(self.path(name))

    # ---- the process

    def run_as(self, name):
        """The server itself is to run as this user."""
        account = pwd.getpwnam(name)
        self.user = name
        for place, _, names in os.walk(self.home):
            for path in (place, *(os.path.join(place, file) for file in names)):
                os.chown(path, account.pw_uid, account.pw_gid)
        return self

    def start(self, wait=True, nofile=None):
        """Starts the server, or all of them; with `wait` they serve when this returns."""
        assert nofile is None
        assert self.process is None or self.process.poll() is not None, "still running"
        if self.process is not None:
            self.earlier_stderr += self.stderr()
        with open(self._path("stdout"), "wb") as out, open(self._path("stderr"), "wb") as err:
            self.process = subprocess.Popen(
                self.words(),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                cwd=self.home,
                env=self.environment,
                user=self.user,
                group=pwd.getpwnam(self.user).pw_gid if self.user else None,
                extra_groups=[] if self.user else None,
            )
        if wait:
            for server in self.names():
                self.wait_serving(server)
        return self

    def words(self):
        """The command line."""
        verb = ["up"] if self.server == "up" else ["serve", "--server", self.server]
        return [BINARY, *verb, self.file, *self.options()]

    def names(self):
        if self.server != "up":
            return [self.server]
        with open(self.file, encoding="utf-8") as file:
            return re.findall(r"^(\w+) = \{ address", file.read(), re.MULTILINE)

    def wait_serving(self, server, times=1):
        pattern = re.compile(rf"\bserving\b.*\bserver={server}\b")
        wait_until(
            lambda: len(pattern.findall(self.stderr())) >= times or self.exit_code() is not None, 20, f"serving of {server}"
        )
        assert self.exit_code() is None, f"it ended with {self.exit_code()}: {self.stderr()}"

    def family(self):
        """Every process of the site: servers, guards, programs and what they started."""
        return processes_below(self.home)

    def finish(self):
        """Ends everything, and checks that nothing broke and no process is left."""
        try:
            self.stop()
            wait_until(lambda: not self.family(), 15, f"end of every process of the site (left: {self.family()})")
        finally:
            for pid in self.family():  # only ours run below this directory
                os.kill(pid, signal.SIGKILL)
            super().finish()

    # ---- status

    def control_of(self, server, method, path):
        """One request to the control socket of `server`; (0, reason) when it does not answer."""
        kept, self.socket_path = self.socket_path, os.path.join(self.runtime, f"{server}.sock")
        try:
            return self.control(method, path)
        except OSError as error:
            return 0, str(error)
        finally:
            self.socket_path = kept

    def status_of(self, server):
        code, text = self.control_of(server, "GET", "/v1/status")
        return json.loads(text) if code == 200 else None

    def app(self, server=None):
        """status's "app"; an empty one while the server does not answer."""
        status = self.status_of(server or self.server)
        return status["app"] if status else {"instances": [], "restart": {}}

    def instances(self, server=None):
        return self.app(server)["instances"]

    def pids(self, server=None):
        return [instance["pid"] for instance in self.instances(server)]

    def socket_files(self):
        """The unix sockets of the instances."""
        return [instance["address"].removeprefix("unix:") for instance in self.instances()]

    def sockets_there(self):
        """The unix sockets below the runtime directory that are no server's own."""
        found = []
        for place, _, names in os.walk(self.runtime):
            found += [os.path.join(place, name) for name in names if name.startswith("app-") and name.endswith(".sock")]
        return sorted(found)

    def wait_instances(self, condition=None, server=None, seconds=20, what="every instance up"):
        """Waits until condition(instance) holds for each instance; without one, until all are up. Gives them."""
        holds = condition or is_up
        seen = []

        def all_hold():
            seen[:] = self.instances(server)
            return seen and all(holds(instance) for instance in seen)

        try:
            wait_until(all_hold, seconds, what)
        except AssertionError:
            raise AssertionError(f"{what} did not come true within {seconds} s: {seen}; log: {self.stderr()[-3000:]}") from None
        return seen

    def wait_new(self, old_pids, server=None, seconds=20):
        """Waits until every instance is up and none has one of these pids."""
        return self.wait_instances(
            lambda instance: is_up(instance) and instance["pid"] not in old_pids,
            server,
            seconds,
            f"every instance up, none of {old_pids}",
        )

    def wait_pools_up(self, server, seconds=15):
        """Waits until that server has found every other server up that it sends to."""

        def all_up():
            status = self.status_of(server)
            backends = [backend for pool in status["pools"] for backend in pool["backends"]] if status else []
            return status and all(backend["state"] == "up" for backend in backends if not backend["name"].startswith("app-"))

        wait_until(all_up, seconds, f"every backend of {server} up")

    def pool_of(self, server, name):
        return next(pool for pool in self.status_of(server)["pools"] if pool["name"] == name)

    def wait_restarted(self, server, old_pid, seconds=20):
        """Waits until another process serves as `server`; its pid."""

        def new_pid():
            status = self.status_of(server)
            return status and status["pid"] != old_pid and status["pid"]

        return wait_until(new_pid, seconds, f"another process for {server}")

    # ---- requests

    def request(self, path, *lines, method="GET", place=None, source=None, timeout=15.0):
        """One request over a connection of its own."""
        host, port = place or self.place
        head = "\r\n".join([f"{method} {path} HTTP/1.1", "Host: a.test", *lines])
        with RawClient(port, timeout, host=host, source=source) as client:
            return client.request(head.encode() + b"\r\n\r\n")

    def get(self, path, *lines, **options):
        """The body of a request that must be answered with 200."""
        response = self.request(path, *lines, **options)
        assert response.status == 200, response
        return response.body

    def ask(self, path, *lines, **options):
        """The JSON that the program answers."""
        return json.loads(self.get(path, *lines, **options))

    def client(self):
        return RawClient(self.place[1], host=self.place[0])

    def load(self, **options):
        return SiteLoad(self.place, **options)

    # ---- the log

    def log_count(self, pattern):
        return len(re.findall(pattern, self.stderr(), re.MULTILINE))

    def wait_count(self, pattern, count, seconds=10):
        wait_until(lambda: self.log_count(pattern) >= count, seconds, f"{count} log lines {pattern!r}")


def make_app(stage, *, server="web1", roles=("web", "app"), text=None, web=None, app=None, **tables):
    """A site of one server that runs web and app; not started."""
    (address,), port, app_port = own_addresses(1)
    config = text or site_text(
        {server: {"address": address, "roles": list(roles)}},
        web={"port": port, "threads": 1, "root": "public", **(web or {})} if "web" in roles else None,
        web_limits={"connections": 1000, **tables.pop("web_limits", {})} if "web" in roles else None,
        app={"port": app_port, **(app_table() if app is None else app)},
        **tables,
    )
    site = AppSite(config, server)
    site.place = (address, port if "web" in roles else app_port)
    stage.ends.append(site.finish)
    return site


def start_app(stage, up=True, **options):
    """The same, serving; with `up`, all its instances are up."""
    site = make_app(stage, **options).start()
    if up:
        site.wait_instances()
    return site


def make_tiers(stage, roles, *, weights=None, web=None, app=None, **tables):
    """A site of several servers for `trilith up`, {"lb1": ["balancer"], …}; site.places has where each takes requests. Not started."""
    addresses, port, app_port = own_addresses(len(roles))
    listen = free_port(addresses)
    servers = {}
    for (name, its_roles), address in zip(roles.items(), addresses):
        servers[name] = {"address": address, "roles": its_roles}
        if weights and name in weights:
            servers[name]["weight"] = weights[name]
    everybodys = {role for its_roles in roles.values() for role in its_roles}
    quick = {"interval": "200ms", "timeout": "1s", "fall": 2, "rise": 1}
    balancers = [address for (_, its_roles), address in zip(roles.items(), addresses) if "balancer" in its_roles]
    config = site_text(
        servers,
        balancer={"listen": [f"http://{address}:{listen}" for address in balancers], "threads": 1} if balancers else None,
        balancer_health=quick if balancers else None,
        balancer_limits={"connections": 1000, **tables.pop("balancer_limits", {})} if balancers else None,
        web={"port": port, "threads": 1, "root": "public", **(web or {})} if "web" in everybodys else None,
        web_limits={"connections": 1000, **tables.pop("web_limits", {})} if "web" in everybodys else None,
        app={"port": app_port, **(app_table() if app is None else app)} if "app" in everybodys else None,
        **tables,
    )
    site = AppSite(config, "up")
    stage.ends.append(site.finish)
    site.places = {}
    for (name, its_roles), address in zip(roles.items(), addresses):
        site.places[name] = (address, listen if "balancer" in its_roles else port if "web" in its_roles else app_port)
    site.place = next(iter(site.places.values()))
    return site


def start_tiers(stage, roles, **options):
    """The same, serving; all instances are up, and every server is up for those that send to it."""
    site = make_tiers(stage, roles, **options).start()
    for name, its_roles in roles.items():
        if "app" in its_roles:
            site.wait_instances(server=name)
    for name in roles:
        site.wait_pools_up(name)
    return site
