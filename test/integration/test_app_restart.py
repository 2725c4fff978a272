"""`trilith restart app`: every instance is replaced under load and nobody notices; what does not become healthy changes nothing."""

import json
import os
import re
import signal

import pytest

from app_site import POST_WHO, Processes, app_table, kill_9, make_app, program_command, start_app
from raw_client import wait_until


def restart_under_load(site, order, **options):
    """Runs order() under requests that nobody may repeat, on kept and on fresh connections; the loads with what they saw."""
    loads = [site.load(clients=4, request=POST_WHO, **options), site.load(clients=3, fresh=True, request=POST_WHO, **options)]
    try:
        for load in loads:
            load.__enter__()
            load.wait_requests(30)
        order()
        for load in loads:
            load.wait_requests(30)
    finally:
        for load in loads:
            load.stop()
    return loads


# ---- all goes well


@pytest.mark.parametrize(("listen", "instances"), [("unix", 2), ("tcp", 2), ("port", 2), ("unix", 1), ("tcp", 1), ("port", 1)])
def test_a_restart_under_load_fails_no_request(stage, listen, instances):
    """Not even a POST, and without a single retry."""
    app = app_table(["--delay", "5"], listen=listen, instances=instances)
    site = start_app(stage, app=app, web_limits={"retries": 0})
    old = site.pids()
    before = Processes(old)
    guards = Processes(set(site.family()) - {site.pid} - set(old))
    output = []
    loads = restart_under_load(site, lambda: output.append(site.do("restart", "app")))
    assert [load.failures for load in loads] == [[], []]
    new = site.instances()
    assert [instance["generation"] for instance in new] == [2] * instances
    assert before.alive() == [] and guards.alive() == []
    assert not {instance["pid"] for instance in new} & set(old)
    for load in loads:
        assert load.pids() <= {*old, *(instance["pid"] for instance in new)}
    lines = output[0].splitlines()
    assert len(lines) == instances, output
    for line, instance in zip(lines, new):
        assert re.fullmatch(rf"web1: {instance['name']}: replaced, pid {instance['pid']}, healthy after \d+ms", line), line
    assert all(instance["restarts_total"] == 0 and instance["state"] == "up" for instance in new)
    assert site.log_count(" (warn|error) app: ") == 0


def test_control_a_server_that_is_started_again_fails_requests_of_the_same_load(stage):
    site = start_app(stage, app=app_table(["--delay", "5"]), web_limits={"retries": 0})

    def start_again():
        site.kill()
        site.start().wait_instances()

    loads = restart_under_load(site, start_again)
    assert all(load.failures for load in loads)


def test_a_restart_lets_running_requests_of_the_old_instance_end(stage):
    """Also one that was there first: the restart waits for it."""
    site = start_app(stage, app=app_table(instances=1))
    old = site.pids()[0]
    with site.client() as client:
        client.send(f"POST /hold?until={site.path('go')} HTTP/1.1\r\nHost: a.test\r\nContent-Length: 0\r\n\r\n".encode())
        site.wait_count("line=\"holding", 1)
        restart = site.start_verb("restart", "app")
        wait_until(lambda: site.instances()[0]["generation"] == 2, 10, "the new instance in its place")
        assert site.get("/who") == f"app-1 {site.pids()[0]}".encode()
        assert os.path.exists(f"/proc/{old}") and restart.poll() is None
        assert site.app()["restart"]["running"]
        site.touch("go")
        assert client.response("POST").body == f"app-1 {old}".encode()
    output, _ = restart.communicate(timeout=10)
    assert restart.returncode == 0, output
    assert site.log_count(f"line=\"stopped {old}\"") == 1


def test_a_running_request_that_does_not_end_holds_a_restart_up_no_longer_than_drain(stage):
    site = start_app(stage, app=app_table(instances=1, stop={"within": "300ms"}), web_timeouts={"drain": "500ms"})
    with site.client() as client:
        client.send(f"GET /hold?until={site.path('never')} HTTP/1.1\r\nHost: a.test\r\n\r\n".encode())
        site.wait_count("line=\"holding", 1)
        old = Processes(site.pids())
        site.do("restart", "app")
        assert old.alive() == []


def test_the_new_instances_are_the_new_program(stage):
    """What is deployed by putting files in place and `restart app`."""
    site = start_app(stage)
    with open(site.path("app.py"), encoding="utf-8") as file:
        text = file.read()
    site.touch("app.new", text.replace("not found", "the second version"))
    os.rename(site.path("app.new"), site.path("app.py"))
    assert site.request("/x").body == b"not found"
    site.do("restart", "app")
    assert {site.request("/x").body for _ in range(4)} == {b"the second version"}


def test_restarts_follow_one_another(stage):
    site = start_app(stage, app=app_table(instances=1))
    for generation in (2, 3, 4):
        site.do("restart", "app")
        assert [instance["generation"] for instance in site.instances()] == [generation]
    assert site.app()["restart"]["number"] == 3 and not site.app()["restart"]["running"]
    assert len(site.socket_files()) == 1
    assert site.sockets_there() == site.socket_files(), "the old sockets are removed"


def test_an_instance_that_died_after_a_restart_comes_back_in_its_new_generation(stage):
    site = start_app(stage)
    site.do("restart", "app")
    old = site.pids()
    kill_9(old[0])
    new = site.wait_new([old[0]])
    assert [instance["generation"] for instance in new] == [2, 2]
    assert [instance["restarts_total"] for instance in new] == [1, 0]
    assert {site.get("/who").split()[0] for _ in range(4)} == {b"app-1", b"app-2"}


def test_json_has_the_same(stage):
    site = start_app(stage)
    answer = json.loads(site.do("restart", "app", "--json"))
    (server,) = answer["servers"]
    assert server["server"] == "web1"
    pids = site.pids()
    assert [re.sub(r"\d+ms", "N", line) for line in server["instances"]] == [
        f"app-{slot}: replaced, pid {pid}, healthy after N" for slot, pid in enumerate(pids, 1)
    ]


# ---- it does not become healthy


@pytest.mark.parametrize(
    ("listen", "option", "words", "how"),
    [
        ("unix", "--broken-if", "the new version is broken: it waits for a database", "GET /healthz"),
        ("port", "--broken-if", "the new version is broken: it waits for a database", "GET /healthz"),
        ("tcp", "--exit-if", "the new version is broken: cannot read its settings", "exited with status 7"),
    ],
)
def test_a_new_version_that_does_not_become_healthy_changes_nothing(stage, listen, option, words, how):
    app = app_table([option, "broken", "--delay", "2"], listen=listen, health={"within": "2s", "timeout": "300ms"})
    site = start_app(stage, app=app)
    old = site.instances()
    family = site.family()
    site.touch("broken")
    done = []
    loads = restart_under_load(site, lambda: done.append(site.verb("restart", "app")))
    assert [load.failures for load in loads] == [[], []]
    assert done[0].returncode == 1 and done[0].stdout == "", done
    for expected in (words, how, "app-1", "the old instance stays", "0 of 2 instances were replaced", "web1"):
        assert expected in done[0].stderr, done
    new = site.instances()
    assert [(i["pid"], i["generation"], i["state"]) for i in new] == [(i["pid"], 1, "up") for i in old]
    assert sorted(site.family()) == sorted(family), "nothing of the new version is left"
    assert site.log_count("error app: the rolling restart failed") == 1
    assert site.app()["restart"]["error"] and not site.app()["restart"]["running"]
    # And when it is mended, it goes.
    site.remove("broken")
    site.do("restart", "app")
    assert [instance["generation"] for instance in site.instances()] == [2, 2]


def test_a_restart_that_fails_half_way_keeps_what_was_replaced(stage):
    script = "test $TRILITH_INSTANCE = app-1 || test ! -e broken || exit 5; exec " + " ".join(program_command())
    app = app_table(command=["/bin/sh", "-c", script])
    site = start_app(stage, app=app)
    old = site.pids()
    site.touch("broken")
    done = site.verb("restart", "app")
    assert done.returncode == 1 and "app-2: exited with status 5" in done.stderr, done
    assert "1 of 2 instances were replaced" in done.stderr
    new = site.instances()
    assert [instance["generation"] for instance in new] == [2, 1]
    assert new[0]["pid"] != old[0] and new[1]["pid"] == old[1]
    assert {site.get("/who").split()[0] for _ in range(4)} == {b"app-1", b"app-2"}


def test_a_failure_in_json_is_json_too(stage):
    site = start_app(stage, app=app_table(["--exit-if", "broken"]))
    site.touch("broken")
    done = site.verb("restart", "app", "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout) == {"servers": []}
    assert "the new version is broken" in done.stderr


# ---- orders that are refused


def test_a_second_restart_at_the_same_time_is_refused(stage):
    site = start_app(stage, app=app_table(["--healthy-if", "well"], instances=1), up=False)
    site.touch("well")
    site.wait_instances()
    site.remove("well")
    site.wait_instances(lambda instance: instance["pid"] > 0)
    first = site.start_verb("restart", "app")
    wait_until(lambda: site.app()["restart"].get("running"), 10, "the restart")
    for _ in range(2):
        second = site.verb("restart", "app")
        assert second.returncode == 1 and "runs already" in second.stderr, second
        assert len(second.stderr.splitlines()) == 1
    assert "is being restarted" in site.verb("status").stdout
    site.touch("well")
    output, _ = first.communicate(timeout=15)
    assert first.returncode == 0 and "app-1: replaced" in output, output
    assert site.app()["restart"]["number"] == 1
    site.do("restart", "app")


def test_what_cannot_be_restarted_is_told(stage):
    site = start_app(stage, app=app_table(instances=1))
    for words, status in ((("web",), 2), (("ap",), 2), ((), 2), (("app", "--server", "web9"), None)):
        done = site.verb("restart", *words)
        assert done.returncode in ([status] if status else [1, 2]) and done.stderr, (words, done)
    site.do("restart", "app", "--server", "web1")


def test_a_restart_of_a_site_that_does_not_run_is_told(stage):
    site = make_app(stage)
    done = site.verb("restart", "app")
    assert done.returncode == 1 and done.stderr.strip(), done


# ---- a restart and other things at once


def test_a_server_that_stops_ends_its_restart(stage):
    site = start_app(stage, app=app_table(["--healthy-if", "well"], health={"within": "1h"}), up=False)
    site.touch("well")
    site.wait_instances()
    site.remove("well")
    restart = site.start_verb("restart", "app")
    wait_until(lambda: len(site.family()) == 1 + 3 * 2, 10, "three guards with their programs")
    site.signal(signal.SIGTERM)
    assert site.wait_exit(8) == 0
    assert site.family() == []
    output, _ = restart.communicate(timeout=10)
    assert restart.returncode == 1 and output.strip(), output


def test_a_restart_goes_on_when_who_asked_for_it_is_gone(stage):
    site = start_app(stage, app=app_table(["--healthy-if", "well"]), up=False)
    site.touch("well")
    site.wait_instances()
    site.remove("well")
    restart = site.start_verb("restart", "app")
    wait_until(lambda: site.app()["restart"].get("running"), 10, "the restart")
    restart.kill()
    restart.communicate()
    site.touch("well")
    wait_until(lambda: not site.app()["restart"]["running"], 15, "end of the restart")
    assert [instance["generation"] for instance in site.instances()] == [2, 2]
    assert len(site.app()["restart"]["sentences"]) == 2


def test_an_old_instance_that_dies_during_the_restart_does_no_harm(stage):
    site = start_app(stage, app=app_table(["--healthy-if", "well"]), up=False)
    site.touch("well")
    site.wait_instances()
    old = site.pids()
    site.remove("well")
    restart = site.start_verb("restart", "app")
    wait_until(lambda: len(site.family()) == 1 + 3 * 2, 10, "three guards with their programs")
    for pid in old:
        kill_9(pid)
    site.wait_instances(lambda instance: instance["restarts_total"] >= 1, what="both started again")
    site.touch("well")
    output, _ = restart.communicate(timeout=20)
    assert restart.returncode == 0, output
    site.wait_new(old)
    assert [instance["generation"] for instance in site.instances()] == [2, 2]
    assert {site.get("/who").split()[0] for _ in range(4)} == {b"app-1", b"app-2"}


def test_a_new_instance_that_is_killed_at_the_gate_fails_the_restart(stage):
    site = start_app(stage, app=app_table(["--healthy-if", "well"], instances=1), up=False)
    site.touch("well")
    site.wait_instances()
    old = site.pids()
    site.remove("well")
    restart = site.start_verb("restart", "app")
    site.wait_count("line=\"started ", 2)
    kill_9(int(re.findall(r'line="started (\d+)', site.stderr())[1]))
    output, _ = restart.communicate(timeout=10)
    assert restart.returncode == 1 and "killed by signal 9 (SIGKILL)" in output, output
    assert site.pids() == old


def test_a_restart_brings_up_what_waits_after_crashes(stage):
    """What was mended need not wait for the end of a long pause."""
    app = app_table(["--exit-if", "broken"], instances=1, restart={"first_pause": "1m", "longest_pause": "1m"})
    site = make_app(stage, app=app)
    site.touch("broken")
    site.start().wait_instances(lambda instance: instance["state"] == "waiting", what="the pause")
    site.remove("broken")
    site.do("restart", "app")
    assert [(instance["state"], instance["generation"]) for instance in site.instances()] == [("up", 2)]
    assert site.get("/who")


def test_kill_9_of_the_server_in_the_middle_of_a_restart_leaves_no_process(stage):
    site = start_app(stage, app=app_table(["--healthy-if", "well"]), up=False)
    site.touch("well")
    site.wait_instances()
    site.remove("well")
    restart = site.start_verb("restart", "app")
    wait_until(lambda: len(site.family()) == 1 + 3 * 2, 10, "three guards with their programs")
    everybody = Processes(set(site.family()) - {site.pid})
    site.kill()
    everybody.wait_gone(2)
    output, _ = restart.communicate(timeout=10)
    assert restart.returncode == 1 and output.strip(), output
    site.touch("well")
    site.start().wait_instances()
    assert len(site.sockets_there()) == 2
