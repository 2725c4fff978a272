"""The end: nothing that the program started outlives the server, whatever ended it; what runs is answered; the next start finds no obstacle."""

import contextlib
import os
import re
import signal
import socket
import subprocess

import pytest

from app_site import IS_ROOT, PYTHON, WHO, Processes, app_table, kill_9, make_app, own_addresses, processes_below, send_signal, start_app
from balancer_site import SERVING_USER, elapsed
from raw_client import RawClient, wait_until
from raw_http import WireError


def family_of(site):
    """Every process of the site but the server itself, after each instance has made a family of its own."""
    grown = set()
    for _ in site.instances():
        grown |= set(site.ask("/family"))
    assert len(grown) == 3 * len(site.instances())
    everybody = Processes(set(site.family()) - {site.pid})
    assert grown < set(everybody.known)
    sessions = {os.getsid(pid) for pid in grown}
    assert len(sessions) == 2 * len(site.instances()), "some have left the program's session"
    return everybody


# ---- nothing survives


@pytest.mark.parametrize("listen", ["unix", "tcp", "port"])
def test_kill_9_of_the_server_leaves_no_process(stage, listen):
    site = start_app(stage, app=app_table(listen=listen))
    everybody = family_of(site)
    site.kill()
    everybody.wait_gone(2, "all that the server started")
    assert site.family() == []


def test_control_without_a_guard_the_family_outlives_the_program(stage):
    """What the tests here look for is there: run by hand, the program leaves its family behind."""
    site = make_app(stage)
    (address,), port, _ = own_addresses(1)
    program = subprocess.Popen([*PYTHON, "app.py", "--host", address], cwd=site.home, env={"PORT": str(port)}, stdout=subprocess.PIPE)
    try:
        assert program.stdout.readline().startswith(b"started")
        family = Processes(site.ask("/family", place=(address, port)))
        program.kill()
        program.wait()
        assert len(family.alive()) == 3
    finally:
        program.kill()
        program.stdout.close()
        for pid in processes_below(site.home):
            kill_9(pid)
    family.wait_gone(5)


def test_kill_9_of_up_leaves_no_process(stage):
    site = make_app(stage, server="up", app=app_table(["--delay", "1"]))
    text = open(site.file, encoding="utf-8").read()
    site.write(text.replace('up = { address', 'web1 = { address'))
    site.start().wait_instances(server="web1")
    site.ask("/family")
    everybody = Processes(set(site.family()) - {site.pid})
    assert len(everybody.known) == 1 + 2 * 2 + 3
    site.kill()
    everybody.wait_gone(3, "servers, guards and programs")


def test_kill_9_of_a_guard_takes_its_program_along(stage):
    """The program is tied to its guard; its own descendants are the supervisor's to find, or nobody's: only the program is judged."""
    site = start_app(stage, app=app_table(instances=1))
    old = site.pids()
    (guard,) = set(site.family()) - {site.pid, *old}
    program = Processes(old)
    kill_9(guard)
    program.wait_gone(2, "the program")
    site.wait_new(old)
    assert site.get("/who")
    assert "its guard was killed by signal 9" in site.instances()[0]["last_end"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_leaves_no_process_and_no_socket(stage, number):
    site = start_app(stage)
    everybody = family_of(site)
    sockets = site.sockets_there()
    assert len(sockets) == 2
    site.signal(number)
    assert site.wait_exit(8) == 0
    assert everybody.alive() == [], "when the server has ended, all have"
    assert site.sockets_there() == []
    # Who was root cannot remove what lies in root's directory; test_give_up_root.py has what becomes of it.
    assert IS_ROOT or not os.path.exists(site.socket_path)
    assert site.log_count("an instance has stopped: exited with status 0") == 2
    assert site.log_count(" (warn|error) app: ") == 0


# ---- in order


def test_requests_that_run_end_before_the_program_is_stopped(stage):
    site = start_app(stage, app=app_table(instances=1))
    with site.client() as client, site.client() as idle:
        assert idle.request(WHO).status == 200
        client.send(f"POST /hold?until={site.path('go')} HTTP/1.1\r\nHost: a.test\r\nContent-Length: 0\r\n\r\n".encode())
        site.wait_count("line=\"holding", 1)
        site.signal(signal.SIGTERM)
        site.wait_log("draining")
        wait_until(lambda: is_refused(site.place), 15, "no new connections")
        assert site.pids()[0] > 0 and site.log_count("line=\"signal") == 0
        site.touch("go")
        response = client.response("POST")
        assert response.status == 200 and "close" in response.tokens("connection")
    assert site.wait_exit(8) == 0
    lines = re.findall(r'instance=app-1 stream=stdout line="?(\w+)', site.stderr())
    assert lines == ["started", "holding", "released", "signal", "stopping", "stopped"]


def is_refused(place):
    try:
        RawClient(place[1], timeout=2, host=place[0]).close()
        return False
    except ConnectionError:
        return True


def test_a_stop_under_load_fails_no_request_that_was_taken(stage):
    """A connection may end between two answers, and a new one be refused; no answer is cut, and none is an error."""
    site = start_app(stage, app=app_table(["--delay", "5"]))
    with site.load(clients=6) as load:
        load.wait_requests(50)
        site.signal(signal.SIGTERM)
        assert site.wait_exit(8) == 0
        load.stopping.set()
    harmless = re.compile("ConnectionRefused|ConnectionReset|BrokenPipe|WireError: the connection was (closed|reset)")
    assert [failure for failure in load.failures if not harmless.match(failure)] == []
    assert sum(load.bodies.values()) > 50


def test_a_program_that_ignores_the_signal_is_killed_after_within(stage):
    site = start_app(stage, app=app_table(["--ignore-term"], instances=1, stop={"within": "1s"}))
    everybody = family_of(site)
    site.signal(signal.SIGTERM)
    seconds, status = elapsed(lambda: site.wait_exit(10))
    assert status == 0 and 0.9 < seconds < 3.5, (status, seconds)
    assert everybody.alive() == []
    assert site.log_count('line="signal 15 came"') == 1


def test_the_signal_is_the_one_that_was_chosen(stage):
    site = start_app(stage, app=app_table(instances=1, stop={"signal": "SIGINT", "within": "5s"}))
    site.signal(signal.SIGTERM)
    assert site.wait_exit(8) == 0
    assert site.log_count('line="signal 2 came"') == 1 and site.log_count('line="signal 15 came"') == 0


def test_a_second_sigterm_cuts_what_runs_and_stops_at_once(stage):
    """Also a program that would wait for its request itself."""
    site = start_app(stage, app=app_table(instances=1, stop={"within": "8s"}))
    everybody = family_of(site)
    with site.client() as client:
        client.send(f"GET /hold?until={site.path('never')} HTTP/1.1\r\nHost: a.test\r\n\r\n".encode())
        site.wait_count("line=\"holding", 1)
        site.signal(signal.SIGTERM)
        site.wait_log("draining")
        assert site.exit_code() is None
        site.signal(signal.SIGTERM)
        seconds, status = elapsed(lambda: site.wait_exit(15))
        assert status == 1 and seconds < 4, (status, seconds)
        # Cut: told so, or broken off.
        with contextlib.suppress(WireError):
            assert client.response().status == 503
    assert everybody.alive() == []


def test_a_second_sigterm_does_not_wait_for_a_program_that_ignores_its_signal(stage):
    site = start_app(stage, app=app_table(["--ignore-term"], instances=1, stop={"within": "8s"}))
    everybody = family_of(site)
    site.signal(signal.SIGTERM)
    site.wait_count('line="signal 15 came"', 1)
    site.signal(signal.SIGTERM)
    seconds, _ = elapsed(lambda: site.wait_exit(15))
    assert seconds < 4, f"it took {seconds} s"
    assert everybody.alive() == []


def test_a_stop_during_the_start_ends_at_once(stage):
    site = start_app(stage, up=False, app=app_table(["--healthy-if", "never"], health={"within": "1h"}))
    site.wait_count('line="started', 2)
    everybody = Processes(set(site.family()) - {site.pid})
    site.signal(signal.SIGTERM)
    seconds, status = elapsed(lambda: site.wait_exit(8))
    assert status == 0 and seconds < 4
    assert everybody.alive() == []


def test_a_stop_during_the_pause_after_a_crash_ends_at_once(stage):
    site = start_app(stage, up=False, app=app_table(["--exit-if", "app.py"], restart={"first_pause": "1m", "longest_pause": "1m"}))
    site.wait_instances(lambda instance: instance["state"] == "waiting", what="the pause")
    site.signal(signal.SIGTERM)
    seconds, status = elapsed(lambda: site.wait_exit(8))
    assert status == 0 and seconds < 2


# ---- the next start


@pytest.mark.parametrize("listen", ["unix", "tcp", "port"])
def test_a_start_right_after_kill_9_finds_no_obstacle(stage, listen):
    site = start_app(stage, app=app_table(listen=listen))
    for _ in range(3):
        before = Processes(site.family())
        left = site.sockets_there()
        assert len(left) == (2 if listen == "unix" else 0)
        site.kill()
        seconds, _ = elapsed(lambda: site.start().wait_instances())
        assert seconds < 10
        assert site.get("/who")
        assert site.log_count(" (warn|error) app: ") == 0, site.stderr()
        before.wait_gone(2, "those of the run before")
    assert len(site.sockets_there()) == (2 if listen == "unix" else 0), "no stale socket is left"


def test_sockets_of_other_instances_and_generations_are_swept_away(stage):
    """A run with more instances, and restarted ones, died: the next start leaves no file of it."""
    site = start_app(stage)
    site.do("restart", "app")
    directory = os.path.dirname(site.sockets_there()[0])
    site.kill()
    wait_until(lambda: not site.family(), 5)
    for name in ("app-web1-7.3.sock", "app-web2-1.1.sock"):
        with socket.socket(socket.AF_UNIX) as stale:
            stale.bind(os.path.join(directory, name))
        if IS_ROOT:
            os.chown(os.path.join(directory, name), *SERVING_USER)
    site.start().wait_instances()
    names = sorted(os.path.basename(path) for path in site.sockets_there())
    assert names == ["app-web1-1.1.sock", "app-web1-2.1.sock", "app-web2-1.1.sock"], "another server's are not ours to remove"


def test_a_second_server_of_the_name_is_refused_and_harms_nobody(stage):
    site = start_app(stage)
    old = site.pids()
    second = subprocess.run(site.process.args, capture_output=True, text=True, timeout=20, check=False, cwd=site.home)
    assert second.returncode == 1 and "runs already" in second.stderr, second
    assert site.pids() == old
    assert {site.get("/who").split()[0] for _ in range(4)} == {b"app-1", b"app-2"}


def test_a_server_that_hangs_for_a_while_loses_nothing(stage):
    """SIGSTOP and SIGCONT of the server: the guards wait."""
    site = start_app(stage)
    old = site.pids()
    send_signal(site.pid, signal.SIGSTOP)
    everybody = Processes(site.family())
    send_signal(site.pid, signal.SIGCONT)
    assert site.get("/who")
    assert site.pids() == old and len(everybody.alive()) == 5
