"""A reload while the program runs: what is not its own is applied, and it is left alone; what is its own needs a restart."""

import os
import re
import signal

import pytest

from app_site import app_table, kill_9, make_app, start_app
from balancer_site import balancer_config
from raw_client import wait_until


def change(site, before, after):
    with open(site.file, encoding="utf-8") as file:
        text = file.read()
    assert before in text, text
    site.write(text.replace(before, after))


def reload_by_signal(site):
    count = site.log_count("reloaded|reload refused")
    site.signal(signal.SIGHUP)
    site.wait_count("reloaded|reload refused", count + 1)


def test_a_reload_leaves_the_instances_alone(stage):
    """Also under load, and with what the web tier says of its clients and files changed each time."""
    site = start_app(stage, app=app_table(["--delay", "2"]), web_timeouts={"idle": "30s"})
    old = site.instances()
    with site.load(clients=4) as load:
        load.wait_requests(30)
        for at in range(6):
            change(site, f'idle = "{30 + at}s"', f'idle = "{31 + at}s"')
            reload_by_signal(site)
            load.wait_requests(20)
        load.stop()
    assert load.failures == [] and load.connections == 4
    assert site.log_count(r"reloaded changes=1") == 6
    for before, now in zip(old, site.instances()):
        assert {**before, "last_change_seconds": 0, "memory_bytes": 0} == {**now, "last_change_seconds": 0, "memory_bytes": 0}
    assert {site.get("/who").split()[0] for _ in range(4)} == {b"app-1", b"app-2"}


def test_files_of_the_web_tier_change_at_once(stage):
    site = start_app(stage)
    site.touch("public/index.html", "the old")
    site.touch("other/index.html", "the new")
    assert site.get("/") == b"the old"
    old = site.pids()
    change(site, 'root = "public"', 'root = "other"')
    assert "web.root" in site.do("reload")
    assert site.get("/") == b"the new"
    assert site.get("/who") and site.pids() == old


@pytest.mark.parametrize(
    ("before", "after", "key"),
    [
        ('"app.py"', '"app.py", "--delay", "1"', "app.command"),
        ("instances = 2", "instances = 3", "app.instances"),
        ('env = { X = "y" }', 'env = { X = "z" }', "app.env.X"),
        ('within = "5s"', 'within = "6s"', "app.stop.within"),
        ('listen = "unix"', 'listen = "tcp"', "app.listen"),
        ("open_files = 256", "open_files = 512", "app.limits.open_files"),
    ],
)
def test_a_change_of_the_program_needs_a_restart_and_nothing_is_applied(stage, before, after, key):
    app = app_table(env={"X": "y"}, listen="unix", limits={"open_files": 256})
    site = start_app(stage, app=app, web_timeouts={"idle": "30s"})
    old = site.pids()
    change(site, before, after)
    change(site, 'idle = "30s"', 'idle = "31s"')
    done = site.verb("reload")
    text = done.stdout + done.stderr
    assert done.returncode == 1 and key in text and "restart" in text, done
    assert '"z"' not in text and "→ z" not in text, "values of the environment may be secrets"
    reload_by_signal(site)
    assert site.log_count(f"error node: reload refused, nothing has changed reason=\"needs restart: {key}\"") >= 1
    assert site.pids() == old
    assert site.status()["reloads_total"] == 0
    assert site.get("/who")


def test_after_a_reload_instances_come_and_go_as_before(stage):
    site = start_app(stage, web_timeouts={"idle": "30s"})
    change(site, 'idle = "30s"', 'idle = "31s"')
    reload_by_signal(site)
    old = site.pids()
    kill_9(old[0])
    site.wait_new([old[0]])
    site.do("restart", "app")
    assert [instance["generation"] for instance in site.instances()] == [2, 2]
    assert {int(site.get("/who").split()[1]) for _ in range(4)} == set(site.pids())
    change(site, 'idle = "31s"', 'idle = "32s"')
    reload_by_signal(site)
    assert {int(site.get("/who").split()[1]) for _ in range(4)} == set(site.pids())
    site.wait_up()


@pytest.mark.parametrize("listen", ["unix", "port"])
def test_reloads_and_restarts_at_the_same_time_fail_no_request(stage, listen):
    site = start_app(stage, app=app_table(["--delay", "2"], listen=listen), web_timeouts={"idle": "30s"})
    with site.load(clients=4) as load:
        load.wait_requests(30)
        restart = site.start_verb("restart", "app")
        for at in range(1000):
            change(site, f'idle = "{30 + at}s"', f'idle = "{31 + at}s"')
            site.do("reload")
            if restart.poll() is not None:
                break
        output, _ = restart.communicate(timeout=15)
        load.wait_requests(30)
        load.stop()
    assert restart.returncode == 0, output
    assert load.failures == []
    assert {int(site.get("/who").split()[1]) for _ in range(4)} == set(site.pids())


def test_a_reload_of_a_wrong_file_changes_nothing(stage):
    site = start_app(stage)
    old = site.pids()
    change(site, "instances = 2", "instances = 65")
    done = site.verb("reload")
    assert done.returncode == 1 and re.search(r":\d+:\d+: .*instances", done.stdout + done.stderr), done
    assert site.pids() == old and site.get("/who")


def test_a_reload_does_not_reach_the_program(stage):
    """SIGHUP is the server's; the program's session is another one."""
    site = make_app(stage, app=app_table(instances=1)).start()
    site.wait_instances()
    old = site.pids()
    for _ in range(3):
        reload_by_signal(site)
    assert site.pids() == old and os.path.exists(f"/proc/{old[0]}")
    assert site.log_count("signal ") == 0


def test_a_backend_that_a_reload_puts_first_is_checked(site, origin):
    """So is an instance that comes up first: both arrive in a pool that is being served."""
    a, b = origin(name="a"), origin(name="b")
    lb = site([a])
    lb.write(balancer_config([b]))
    lb.do("reload")
    wait_until(lambda: lb.backend(b.address)["state"] == "up", 15, "the new backend up by its checks")


def test_a_key_that_changed_in_several_places_is_named_once(stage):
    site = start_app(stage)
    change(site, "web1", "web9")
    done = site.verb("reload")
    assert done.returncode == 1 and done.stderr == "needs restart: servers; nothing was applied\n", done
