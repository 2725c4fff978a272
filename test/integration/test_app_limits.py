"""What an instance may take: memory and files; whom it runs as; and a program in Node within such limits."""

import json
import os
import pwd
import re
import resource
import shutil

import pytest

from app_site import IS_ROOT, OTHER_USER, PYTHON, Processes, app_table, make_app, start_app
from balancer_site import ROOT
from raw_client import wait_until

NODE = shutil.which("node")
needs_root = pytest.mark.skipif(not IS_ROOT, reason="only root may run the program as another user")


# ---- memory


@pytest.mark.parametrize("where", ["itself", "child"])
def test_a_memory_hog_is_contained_and_started_again_while_the_other_serves(stage, where):
    app = app_table(["--delay", "2", "--close"], limits={"memory": "64MiB"})
    site = start_app(stage, app=app)
    old = site.pids()
    with site.load(clients=2) as load:
        load.wait_requests(20)
        # A POST, which is not sent to the other instance when this one dies of it.
        hog = site.request(f"/memory?mib=120&in={where}", "Content-Length: 0", method="POST")
        name = hog.get("X-Instance")
        wait_until(lambda: any("over its memory limit of 64MiB" in i["last_end"] for i in site.instances()), 15, "the end of the hog")
        site.wait_instances()
        load.wait_requests(50)
    assert load.failures == []
    new = {instance["name"]: instance for instance in site.instances()}
    (ended,) = [instance for instance in new.values() if instance["last_end"]]
    assert name in (ended["name"], None)
    assert ended["restarts_total"] == 1 and len(set(old) - {instance["pid"] for instance in new.values()}) == 1
    assert site.log_count(r"warn app: an instance ended: over its memory limit of 64MiB.*instance=" + ended["name"]) == 1
    assert all(instance["memory_bytes"] < 64 << 20 for instance in new.values())


def test_control_without_a_limit_the_hog_stays(stage):
    site = start_app(stage, app=app_table(instances=1))
    old = site.pids()
    assert site.request("/memory?mib=120", "Content-Length: 0", method="POST").status == 200
    wait_until(lambda: site.instances()[0]["memory_bytes"] > 120 << 20, 15, "120 MiB in the status")
    assert site.pids() == old


def test_a_limit_that_a_program_does_not_reach_costs_it_nothing(stage):
    site = start_app(stage, app=app_table(["--delay", "20"], instances=1, limits={"memory": "256MiB"}))
    old = site.pids()
    assert site.request("/memory?mib=120", "Content-Length: 0", method="POST").status == 200
    for _ in range(75):  # 1.5 s: the memory was looked at meanwhile
        assert site.get("/who")
    assert site.pids() == old and site.instances()[0]["restarts_total"] == 0


def test_open_files_are_bounded(stage):
    site = start_app(stage, app=app_table(instances=1, limits={"open_files": 64}))
    answer = site.ask("/files?count=100")
    assert answer["problem"] == "Too many open files" and 40 < answer["opened"] < 64, answer
    assert site.get("/who")
    plain = start_app(stage, app=app_table(instances=1))
    assert plain.ask("/files?count=100") == {"opened": 100, "problem": ""}


def test_a_limit_that_the_system_does_not_allow_is_told_with_its_key(stage):
    if IS_ROOT or resource.getrlimit(resource.RLIMIT_NOFILE)[1] >= 1048576:
        pytest.skip("this user may have as many files as can be asked for")
    site = start_app(stage, up=False, app=app_table(instances=1, limits={"open_files": 1048576}))
    site.wait_log(r" error app: .*\[app\] limits")


# ---- the user


@needs_root
def test_the_program_runs_as_the_user_that_is_named(stage):
    site = start_app(stage, app=app_table(instances=1, user=OTHER_USER))
    account = pwd.getpwnam(OTHER_USER)
    facts = site.ask("/facts")
    assert facts["user"] == [account.pw_uid] * 3
    assert set(facts["groups"]) == {account.pw_gid, *os.getgrouplist(OTHER_USER, account.pw_gid)}
    given = facts["environment"]
    assert (given["USER"], given["LOGNAME"], given["HOME"]) == (OTHER_USER, OTHER_USER, account.pw_dir)
    with open(f"/proc/{facts['pid']}/status", encoding="ascii") as status:
        text = status.read()
    for capabilities in ("CapPrm", "CapEff"):
        assert re.search(rf"{capabilities}:\s+0+$", text, re.MULTILINE), text


@needs_root
def test_the_program_runs_as_the_owner_of_the_file_where_nobody_is_named(stage):
    site = make_app(stage, app=app_table(instances=1, user=None))
    account = pwd.getpwnam("daemon")
    os.chown(site.file, account.pw_uid, account.pw_gid)
    site.start().wait_instances()
    assert site.ask("/facts")["user"] == [account.pw_uid] * 3


@needs_root
def test_root_runs_nobodys_program_as_root_unasked(stage):
    if "trilith" in [account.pw_name for account in pwd.getpwall()]:
        pytest.skip("this system has a user trilith, who is taken then")
    site = make_app(stage, app=app_table(instances=1, user=None)).start()
    site.wait_instances()
    assert site.ask("/facts")["user"] == [pwd.getpwnam("nobody").pw_uid] * 3
    assert site.log_count("warn node: .*adduser --system --group trilith") == 1


@needs_root
def test_root_runs_a_program_as_root_when_asked(stage):
    site = start_app(stage, app=app_table(instances=1, user="root"))
    assert site.ask("/facts")["user"] == [0, 0, 0]


@needs_root
def test_a_user_that_the_system_does_not_know_is_refused_with_a_cure(stage):
    site = make_app(stage, app=app_table(instances=1, user="no-such-user")).start(wait=False)
    assert site.wait_exit(10) == 1
    assert "app.user" in site.stderr() and "adduser --system --group no-such-user" in site.stderr()


@needs_root
def test_files_that_the_user_may_not_read_are_told(stage):
    site = make_app(stage, app=app_table(instances=1, directory="closed", command=[*PYTHON, "../app.py"]))
    site.touch("closed/file")
    os.chmod(site.path("closed"), 0o700)
    site.start()
    site.wait_log(r" error app: .*\[app\] directory.*closed.*Permission denied")


def other_user_than(name):
    return next(account.pw_name for account in pwd.getpwall() if account.pw_name not in (name, "root"))


def test_another_user_is_refused_where_the_server_is_not_root(stage):
    """As root this runs the server itself as somebody else."""
    self = OTHER_USER if IS_ROOT else pwd.getpwuid(os.geteuid()).pw_name
    site = make_app(stage, app=app_table(instances=1, user=other_user_than(self)))
    if IS_ROOT:
        site.run_as(self)
    site.start(wait=False)
    assert site.wait_exit(10) == 1
    assert "app.user: only root may run anything as another user" in site.stderr()
    own = make_app(stage, app=app_table(instances=1, user=self))
    if IS_ROOT:
        own.run_as(self)
    own.start().wait_instances()
    assert own.get("/who")


# ---- Node


@pytest.mark.skipif(NODE is None, reason="node is not installed")
@pytest.mark.parametrize("listen", ["unix", "tcp", "port"])
def test_the_example_in_node_runs_within_a_memory_limit(stage, listen):
    """V8 reserves gigabytes of addresses: a limit of the address space would end it at once."""
    app = app_table(command=[NODE, "server.js"], instances=1, listen=listen, limits={"memory": "256MiB"})
    site = make_app(stage, app=app)
    with open(os.path.join(ROOT, "examples", "node", "server.js"), encoding="utf-8") as file:
        site.touch("server.js", file.read())
    site.start().wait_instances()
    old = site.pids()
    answer = json.loads(site.get("/"))
    assert answer["process"] == old[0]
    if listen != "port":
        with site.load(clients=4, request=b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n") as load:
            load.wait_requests(300)
            site.do("restart", "app")
            load.wait_requests(300)
        assert load.failures == []
        assert not set(site.pids()) & set(old)
    before = Processes(set(site.family()) - {site.pid})
    site.stop()
    assert before.alive() == [] and site.exit_code() == 0
    assert site.log_count("an instance has stopped: exited with status 0") == (1 if listen == "port" else 2)
