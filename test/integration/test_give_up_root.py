"""A server that root starts goes on as another user, and still does all that it has to do."""

import os
import pathlib
import pwd
import re
import shutil
import signal
import subprocess
import tempfile

import pytest

from app_site import OTHER_USER, PYTHON, app_table, make_app, own_addresses, site_text, start_tiers
from balancer_site import BINARY, SERVING_USER, Site, balancer_config
from raw_client import RawClient, wait_until

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give root up")
NET_BIND_SERVICE, KILL, SETGID, SETUID = (1 << bit for bit in (10, 5, 6, 7))
GAMES = "games"


def status_of(pid):
    """The lines of /proc/PID/status."""
    with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as text:
        return dict(line.rstrip("\n").split(":\t", 1) for line in text if ":\t" in line)


def rights_of(pid):
    """(real, effective, saved and file-system uid), groups, and the effective capabilities of a process."""
    status = status_of(pid)
    return status["Uid"].split(), status["Groups"].split(), int(status["CapEff"], 16)


def user_of(name):
    return str(pwd.getpwnam(name).pw_uid)


def low_port():
    """A port below 1024 that is free now."""
    for port in range(600, 1024):
        done = subprocess.run(["ss", "-Hltn", f"sport = :{port}"], capture_output=True, text=True, check=False)
        if done.returncode == 0 and not done.stdout:
            return port
    pytest.skip("no low port is free")


def test_a_server_keeps_one_capability_and_nothing_else(site, origin):
    made = site([origin()])
    threads = os.listdir(f"/proc/{made.pid}/task")
    assert len(threads) >= 3
    for thread in threads:
        status = status_of(f"{made.pid}/task/{thread}")
        assert set(status["Uid"].split()) == {str(SERVING_USER[0])} and set(status["Gid"].split()) == {str(SERVING_USER[1])}
        assert "0" not in status["Groups"].split()
        assert int(status["CapEff"], 16) == int(status["CapPrm"], 16) == NET_BIND_SERVICE
        assert int(status["CapAmb"], 16) == int(status["CapInh"], 16) == 0
        assert status["NoNewPrivs"] == "1"
    assert os.stat(f"/proc/{made.pid}/status").st_uid == 0, "its memory is not for its user's other processes"


def test_a_file_owner_is_who_serves_and_the_key_wins(stage, origin):
    text = balancer_config([origin()])
    made = stage.text(text)
    os.chown(made.home, 0, 0)  # where root alone can put anything, so that what belongs to one user may go on to another
    os.chown(made.file, int(user_of(GAMES)), -1)
    made.start()
    assert rights_of(made.pid)[0] == [user_of(GAMES)] * 4
    made.stop()
    made.write(f'user = "{OTHER_USER}"\n' + text)
    os.chown(made.file, int(user_of(GAMES)), -1)
    shutil.rmtree(made.state)
    made.start()
    assert rights_of(made.pid)[0] == [user_of(OTHER_USER)] * 4


def test_a_state_directory_follows_its_user(stage, origin):
    """It lies where only root can put anything, so it was given away by root."""
    made = stage.text(f'user = "{GAMES}"\n' + balancer_config([origin()]))
    os.chown(made.home, 0, 0)
    made.start()
    made.stop()
    assert os.stat(made.state).st_uid == int(user_of(GAMES))
    made.write(balancer_config([origin()]))
    made.start()
    assert {os.lstat(os.path.join(made.state, name)).st_uid for name in [".", *os.listdir(made.state)]} <= {0, SERVING_USER[0]}
    assert os.stat(made.state).st_uid == SERVING_USER[0]
    logs = os.path.join(made.state, "logs")
    assert {os.lstat(os.path.join(logs, name)).st_uid for name in os.listdir(logs)} == {SERVING_USER[0]}


def test_root_stays_root_where_it_is_written_and_is_warned_of(stage, origin):
    made = stage.text('user = "root"\n' + balancer_config([origin()])).start()
    assert rights_of(made.pid)[0] == ["0"] * 4
    assert len(re.findall(r"warn node: user = \"root\"", made.stderr())) == 1, made.stderr()


@pytest.fixture
def closed():
    """A site's folder that is open to all, in one that only root may enter."""
    with tempfile.TemporaryDirectory(prefix="closed-", dir="/tmp") as place:
        home = pathlib.Path(place) / "site"
        (home / "public").mkdir(parents=True)
        (home / "public" / "index.html").write_text("from the root")
        yield home


def test_a_file_of_somebody_elses_cannot_name_root_nor_reach_what_is_roots(stage, origin, closed):
    made = stage.text("")
    log = closed.parent / "log"
    log.write_text("")
    log.chmod(0o600)
    for text, words in (
        ('user = "root"\n' + balancer_config([origin()]), "user: only a file that is root's alone"),
        (balancer_config([origin()], access_log={"file": str(log)}), "access_log.file"),
    ):
        made.write(text)
        os.chown(made.file, *SERVING_USER)
        assert words in refusal(made)
        assert not os.path.exists(made.socket_path)
    assert os.stat(log).st_uid == 0
    made.write(balancer_config([origin()], routes=[{"root": str(closed / "public")}]))
    os.chown(made.file, *SERVING_USER)
    told = refusal(made)
    assert "routes.root: opening root" in told and f"chmod o+x {closed.parent}" in told
    made.write('user = "root"\n' + balancer_config([origin()]))
    os.chmod(made.file, 0o666)
    assert "chmod go-w" in refusal(made)


def refusal(made):
    made.start(wait=False)
    assert made.wait_exit() in (1, 2)
    lines = [line for line in made.stderr().splitlines() if not re.match(r"\d{4}-", line)]
    assert len(lines) == 1, lines
    return lines[0]


def test_a_user_that_is_not_there_is_named_with_the_cure(stage, origin):
    made = stage.text('user = "no-such-user"\n' + balancer_config([origin()]))
    line = refusal(made)
    assert '"no-such-user"' in line and "adduser --system --group no-such-user" in line
    checked = subprocess.run([BINARY, "check", made.file], capture_output=True, text=True, check=False)
    assert checked.returncode == 2 and "adduser" in checked.stderr


def test_a_low_port_is_added_by_a_reload(stage, origin):
    port = low_port()
    made = stage.text(balancer_config([origin()])).start()
    made.write(balancer_config([origin()], balancer={"listen": ["http://127.0.0.1:0", f"http://127.0.0.1:{port}"]}))
    made.signal(signal.SIGHUP)
    made.wait_log(r"\breloaded\b")
    with RawClient(port) as client:
        assert client.request(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").status == 200


def test_what_an_operator_changed_and_a_rotated_log_are_still_written(stage, origin):
    made = stage.text("")
    log = os.path.join(made.home, "access.log")
    with open(log, "w", encoding="ascii"):
        pass
    assert os.stat(log).st_uid == 0
    made.write(balancer_config([{"address": origin(), "name": "b1"}], access_log={"file": log}))
    made.start()
    made.wait_up()
    assert os.stat(log).st_uid == SERVING_USER[0]
    made.do("drain", "b1")
    overrides = os.path.join(made.state, "lb1.overrides.json")
    assert os.stat(overrides).st_uid == SERVING_USER[0]
    os.rename(log, log + ".1")
    made.signal(signal.SIGHUP)
    wait_until(lambda: os.path.exists(log), 10, "a new access log")
    assert os.stat(log).st_uid == SERVING_USER[0]
    made.kill()
    made.start()
    assert made.backend("b1")["override"] == {"admin": "drain"}


def test_the_sites_program_cannot_command_the_server(stage):
    """It runs as the same user, and the control socket is root's."""
    made = make_app(stage, app=app_table(instances=1, user=None)).start()
    (instance,) = made.wait_instances()
    uids, _, capabilities = rights_of(instance["pid"])
    assert uids == rights_of(made.pid)[0] == [str(SERVING_USER[0])] * 4 and capabilities == 0
    assert os.stat(made.socket_path).st_uid == 0 and os.stat(made.socket_path).st_mode & 0o777 == 0o600
    asked = subprocess.run(
        [BINARY, "status", "--runtime-dir", made.runtime],
        user=SERVING_USER[0], group=SERVING_USER[1], extra_groups=[], capture_output=True, text=True, check=False,
    )
    assert asked.returncode != 0


def test_a_program_of_another_user_is_started_watched_and_killed(stage):
    made = make_app(stage, app=app_table(instances=1, user=GAMES)).start()
    (instance,) = made.wait_instances()
    uids, groups, capabilities = rights_of(instance["pid"])
    assert uids == [user_of(GAMES)] * 4 and "0" not in groups and capabilities == 0
    assert int(status_of(instance["pid"])["CapAmb"], 16) == int(status_of(instance["pid"])["CapPrm"], 16) == 0
    assert rights_of(made.pid)[2] == NET_BIND_SERVICE | KILL | SETGID | SETUID
    os.kill(instance["pid"], signal.SIGKILL)
    (again,) = made.wait_new({instance["pid"]})
    assert rights_of(again["pid"])[0] == [user_of(GAMES)] * 4
    with made.load(clients=2) as load:
        load.wait_requests(20)
        made.do("restart", "app")
        load.wait_requests(20)
        load.stop()
    assert not load.failures, load.failures[:5]
    (replaced,) = made.wait_new({again["pid"]})
    assert rights_of(replaced["pid"])[0] == [user_of(GAMES)] * 4
    made.kill()
    wait_until(lambda: not made.family(), 10, "the end of the program after kill -9 of the server")


def test_a_socket_that_stays_behind_confuses_neither_status_nor_a_start(stage, origin):
    made = stage.text(balancer_config([origin()])).start()
    made.stop()
    status = subprocess.run(
        [BINARY, "status", "--runtime-dir", made.runtime], capture_output=True, text=True, check=False, timeout=20
    )
    assert status.returncode != 0 and "no site runs" in status.stderr, status
    made.start()
    assert made.status()["pid"] == made.pid


def test_a_root_behind_a_closed_folder_is_served_and_told_of(stage, closed):
    addresses, port, _ = own_addresses(1)
    text = site_text({"web1": {"address": addresses[0], "roles": ["web"]}}, web={"port": port, "root": f"{closed}/public"})
    made = Site(text, "web1")
    stage.ends.append(made.finish)
    made.start(wait=False)
    made.wait_log(r"\bserving\b")
    with RawClient(port, host=addresses[0]) as client:
        assert client.request(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").body == b"from the root"
    warning = re.search(r"warn node: (.*web\.root.*)", made.stderr())
    assert warning and f"chmod o+x {closed.parent}" in warning.group(1), made.stderr()


def test_what_cannot_be_read_is_named_at_its_key_at_start_and_by_check(stage, closed):
    addresses, port, app_port = own_addresses(1)
    shutil.copy(shutil.which("true"), closed / "program")
    (closed / "program").chmod(0o700)
    (closed / "public").chmod(0o755)
    (closed / "public" / "404.html").write_text("x")
    (closed / "public" / "404.html").chmod(0o600)
    text = site_text(
        {"web1": {"address": addresses[0], "roles": ["web", "app"]}},
        web={"port": port, "root": f"{closed}/public", "error_pages": {"404": "/404.html", "500": "/none.html"}},
        app={"command": ["./program"], "directory": str(closed), "port": app_port},
    )
    made = Site(text, "web1")
    stage.ends.append(made.finish)
    done = subprocess.run([BINARY, "check", made.file], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done
    for key, words in (
        ("web.error_pages.404", "must be allowed to read it"),
        ("web.error_pages.500", "create it"),
        ("app.command", "chmod a+rx"),
    ):
        assert re.search(rf"^{made.file}:\d+:\d+: warning: {re.escape(key)}: .*{re.escape(words)}", done.stderr, re.M), done.stderr
    made.start(wait=False)
    made.wait_log(r"\bserving\b")
    assert all(key in made.stderr() for key in ("web.error_pages.404", "app.command"))
    made.stop()
    (closed / "public").chmod(0o700)
    line = refusal(made)
    assert re.match(rf"trilith: {made.file}:\d+:\d+: web\.root: ", line) and "x right" in line, line
    done = subprocess.run([BINARY, "check", made.file], capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "web.root" in done.stderr


def test_a_program_behind_a_closed_folder_runs_where_its_folder_is_open(stage, closed):
    made = make_app(stage, app=app_table(instances=1, directory=str(closed), command=["./run"]))
    (closed / "run").write_text(f"#!/bin/sh\nexec {' '.join(PYTHON)} {made.path('app.py')}\n")
    (closed / "run").chmod(0o755)
    made.start()
    (instance,) = made.wait_instances()
    assert os.readlink(f"/proc/{instance['pid']}/cwd") == str(closed)
    assert re.search(rf"warn node: .*app\.directory: .*chmod o\+x {closed.parent}; the program is started in", made.stderr()), made.stderr()


def test_a_state_directory_out_of_reach_is_refused_with_the_cure(stage, origin, closed):
    made = stage.text(balancer_config([origin()]))
    made.state = str(closed / "state")
    line = refusal(made)
    assert f"chmod o+x {closed.parent}" in line, line


def test_a_file_that_a_reload_could_not_read_is_told_at_the_start(stage, origin):
    made = stage.text(balancer_config([origin()]))
    os.chmod(made.file, 0o600)
    made.start()
    assert re.search(r"warn node: .*a reload will be refused: .*chmod g\+r", made.stderr()), made.stderr()


def test_up_goes_on_as_root_and_its_servers_do_not(stage, origin):
    made = start_tiers(stage, {"web1": ["web", "app"]}, app=app_table(instances=1, user=None))
    assert rights_of(made.pid)[0] == ["0"] * 4
    server = made.status_of("web1")["pid"]
    assert rights_of(server)[0] == [str(SERVING_USER[0])] * 4
    made.kill()
    wait_until(lambda: not made.family(), 15, "the end of all after kill -9 of up")
