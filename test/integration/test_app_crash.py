"""The site's program dies: no safe request fails, it comes back; where it cannot, that is said once, and the server stays up."""

import os
import re
import signal
import threading

import pytest

from app_site import PYTHON, WHO, Processes, app_table, kill_9, make_app, send_signal, start_app
from raw_client import wait_until

SHELL = ["/bin/sh", "-c"]


# ---- kill -9 under load


def kill_under_load(site, rounds, **options):
    """Kills one instance after the other under load, each when all are up again; the load with what it saw."""
    killed = set()
    with site.load(clients=8, **options) as load:
        load.wait_requests(30)
        for at in range(rounds):
            instances = site.wait_instances()
            pid = instances[at % len(instances)]["pid"]
            assert pid not in killed
            kill_9(pid)
            killed.add(pid)
            site.wait_new(killed)
            load.wait_requests(30)
        load.stop()
    return load


@pytest.mark.parametrize(("listen", "instances"), [("unix", 2), ("tcp", 2), ("port", 2), ("unix", 1), ("tcp", 1)])
def test_kill_9_of_an_instance_fails_no_safe_request(stage, listen, instances):
    site = start_app(stage, app=app_table(["--delay", "10", "--close"], listen=listen, instances=instances))
    load = kill_under_load(site, 4)
    assert load.failures == []
    assert len(load.pids()) == instances + 4
    assert sum(instance["restarts_total"] for instance in site.instances()) == 4
    assert {i["last_end"] for i in site.instances()} == {"killed by signal 9 (SIGKILL)"}
    assert site.log_count(r"an instance ended: killed by signal 9 \(SIGKILL\); it is started again in") >= 2


@pytest.mark.parametrize("instances", [2, 1])
def test_control_without_retries_kill_9_fails_requests(stage, instances):
    """A pooled connection that has gone stale is replaced without a retry: --close leaves none."""
    app = app_table(["--delay", "10", "--close"], instances=instances)
    site = start_app(stage, app=app, web_limits={"retries": 0})
    load = kill_under_load(site, 4)
    assert load.failures, "the test above would pass without retries, so it proves nothing"


def test_what_is_not_safe_is_never_carried_out_twice(stage):
    site = start_app(stage, app=app_table(instances=1))
    with site.client() as client:
        client.send(f"POST /hold?until={site.path('never')} HTTP/1.1\r\nHost: a.test\r\nContent-Length: 0\r\n\r\n".encode())
        site.wait_count("line=\"holding POST", 1)
        old = site.pids()
        kill_9(old[0])
        assert client.response("POST").status == 502
        site.wait_new(old)
        assert client.request(WHO).status == 200
    assert site.log_count("line=\"holding POST") == 1


def test_requests_wait_for_the_only_instance_while_it_is_started_again(stage):
    app = app_table(instances=1, restart={"first_pause": "600ms"})
    site = start_app(stage, app=app)

    def waits():
        """Whether a request that comes in the pause is answered by the new instance: not where its start takes longer than requests wait."""
        old = site.pids()
        kill_9(old[0])
        site.wait_instances(lambda instance: instance["state"] == "waiting", what="the pause")
        response = site.request("/who")
        new = site.wait_new(old)[0]["pid"]
        return response.status == 200 and response.body == f"app-1 {new}".encode()

    assert any(waits() for _ in range(5))


def test_an_instance_that_is_down_for_long_gives_its_requests_to_the_others(stage):
    site = start_app(stage, app=app_table(["--exit-if", "broken"], restart={"first_pause": "30s"}))
    victim, other = site.instances()
    kill_9(victim["pid"])
    wait_until(lambda: [b["name"] for b in site.pool("app")["backends"]] == [other["name"]], 15, "a pool of one")
    for _ in range(4):
        assert site.get("/who", timeout=2.0) == f"{other['name']} {other['pid']}".encode()
    assert site.get("/healthz")


def test_what_an_instance_started_dies_with_it(stage):
    site = start_app(stage, app=app_table(instances=1))
    for end in (lambda pid: kill_9(pid), lambda pid: site.request("/leave?status=3")):
        family = Processes(site.ask("/family"))
        old = site.pids()
        end(old[0])
        site.wait_new(old)
        assert family.alive() == []


def test_an_exit_is_told_with_its_status_and_the_last_words(stage):
    site = start_app(stage, app=app_table(instances=1))
    old = site.pids()
    # No retry: the next run would be told to leave as well.
    assert site.request("/leave?status=4&words=the+disk+is+full", "Content-Length: 0", method="POST").status == 502
    site.wait_new(old)
    assert site.instances()[0]["last_end"] == "exited with status 4"
    assert site.log_count(r"warn app: an instance ended: exited with status 4.*instance=app-1.*the disk is full") == 1


def test_an_instance_that_hangs_is_taken_out_and_comes_back(stage):
    """Stopped, not dead: only the health checks can tell."""
    app = app_table(["--delay", "1"], health={"within": "10s", "interval": "100ms", "timeout": "200ms", "fall": 2, "rise": 1})
    site = start_app(stage, app=app)
    victim, other = site.instances()
    send_signal(victim["pid"], signal.SIGSTOP)
    site.wait_backend(victim["name"], "down", pool="app")
    for _ in range(4):
        assert site.get("/who", timeout=2.0).split()[0] == other["name"].encode()
    send_signal(victim["pid"], signal.SIGCONT)
    site.wait_backend(victim["name"], "up", pool="app")
    assert {site.get("/who").split()[0] for _ in range(4)} == {b"app-1", b"app-2"}
    assert site.pids() == [victim["pid"], other["pid"]]


def test_an_instance_that_hangs_for_restart_after_is_started_again_and_no_safe_request_fails(stage):
    """SIGTERM does not reach a stopped program: it takes stop.within, too. Requests that it holds are sent again."""
    health = {"within": "10s", "interval": "100ms", "timeout": "200ms", "fall": 2, "rise": 1, "restart_after": "1s"}
    site = start_app(stage, app=app_table(["--delay", "1"], health=health, stop={"within": "200ms"}))
    victim = site.instances()[0]
    with site.load(clients=4) as load:
        load.wait_requests(20)
        send_signal(victim["pid"], signal.SIGSTOP)
        site.wait_new([victim["pid"]])
        load.wait_requests(20)
        load.stop()
    assert load.failures == []
    assert [instance["restarts_total"] for instance in site.instances()] == [1, 0]
    assert site.instances()[0]["last_end"].startswith("it hung: no good answer to GET /healthz for 1s")
    assert site.log_count(r"warn app: an instance ended: it hung: .*it is started again in.*instance=app-1") == 1


# ---- a crash loop


def start_broken(stage, command, pids=None, **keys):
    """A site with one file, whose program does not come up."""
    site = make_app(stage, app=app_table(command=command, instances=1, **keys))
    site.touch("public/index.html", "a file")
    return site.start()


def assert_files_are_served_without_the_app(site):
    assert site.get("/") == b"a file"
    assert site.request("/who").status == 503
    assert site.request("/healthz").status == 503
    assert site.exit_code() is None


def test_a_program_that_exits_at_once_is_told_once_with_its_last_words(stage):
    restart = {"first_pause": "50ms", "longest_pause": "400ms"}
    site = start_broken(stage, [*SHELL, "date +%s.%N; echo cannot open the database >&2; exit 3"], restart=restart)
    site.wait_instances(lambda instance: instance["restarts_total"] >= 7, what="seven restarts")
    assert site.instances()[0]["last_end"] == "exited with status 3"
    errors = re.findall(r".* error .*", site.stderr())
    assert len(errors) == 1, errors
    for words in ("did not become healthy", "exited with status 3", "[app] command", "cannot open the database", "app-1"):
        assert words in errors[0], errors[0]
    assert site.log_count(" warn app: ") == 0
    assert_files_are_served_without_the_app(site)
    starts = [float(at) for at in re.findall(r'line=(\d+\.\d+)', site.stderr())]
    pauses = [later - earlier for earlier, later in zip(starts, starts[1:])]
    for pause, least in zip(pauses, (0.05, 0.1, 0.2, 0.4, 0.4, 0.4)):
        assert pause >= least * 0.98, pauses
    assert pauses[5] < 1.6, f"the longest pause is 400ms: {pauses}"


def test_control_a_program_that_stays_is_told_as_no_error(stage):
    site = start_app(stage)
    assert site.log_count(" error ") == 0 and site.log_count(" warn app: ") == 0


def test_a_crash_loop_after_good_times_is_told_once_and_its_end_too(stage):
    """Three ends in a row are a loop; up for `settled` after it, and it has recovered."""
    app = app_table(instances=1, restart={"first_pause": "20ms", "longest_pause": "50ms", "settled": "1s"})
    site = start_app(stage, app=app)
    killed = []
    for _ in range(5):
        killed.append(site.wait_new(killed)[0]["pid"])
        kill_9(killed[-1])
    site.wait_new(killed)
    site.wait_log("an instance has recovered", 10)
    assert site.log_count("warn app: an instance ended") == 2
    assert site.log_count("error app: an instance ends again and again") == 1
    assert site.instances()[0]["restarts_total"] == 5
    # The slate is clean.
    kill_9(site.pids()[0])
    site.wait_count("warn app: an instance ended", 3)
    site.wait_new([*killed, site.pids()[0]])


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["./missing"], ["[app] command", "./missing", "No such file or directory"]),
        (["no-such-program-of-trilith"], ["[app] command", "no-such-program-of-trilith", "No such file or directory"]),
        (["./plain"], ["[app] command", "./plain", "Permission denied"]),
        (["./text"], ["[app] command", "./text", "Exec format error"]),
        (["./public"], ["[app] command", "./public"]),
    ],
)
def test_a_command_that_cannot_be_run_is_told_with_its_key(stage, command, words):
    site = make_app(stage, app=app_table(command=command, instances=1, restart={"first_pause": "30ms"}))
    site.touch("plain", "#!/bin/sh\n")
    os.chmod(site.touch("text", "no program"), 0o755)
    site.touch("public/index.html", "a file")
    # A directory of PATH that the program's user may not search would be told as a lack of permission.
    site.environment = {**os.environ, "PATH": "/usr/bin:/bin"}
    site.start()
    site.wait_instances(lambda instance: instance["restarts_total"] >= 3, what="three restarts")
    errors = re.findall(r".* error .*", site.stderr())
    assert len(errors) == 1 and all(word in errors[0] for word in words), errors
    assert_files_are_served_without_the_app(site)


def test_a_directory_that_is_not_there_is_told_with_its_key(stage):
    site = start_broken(stage, [*PYTHON, "app.py"], directory="nowhere")
    site.wait_log(r" error app: .*\[app\] directory.*nowhere.*No such file or directory")
    assert_files_are_served_without_the_app(site)


@pytest.mark.parametrize(
    ("options", "key"),
    [
        ([*SHELL, "exec sleep 600"], "health"),
        ([*PYTHON, "app.py", "--healthy-if", "never"], "health"),
    ],
)
@pytest.mark.parametrize("listen", ["unix", "port"])
def test_a_program_that_never_becomes_healthy_is_told_with_the_key(stage, options, key, listen):
    health = {"within": "600ms", "timeout": "200ms"}
    site = start_broken(stage, options, listen=listen, health=health, stop={"within": "300ms"})
    site.wait_instances(lambda instance: instance["restarts_total"] >= 1, what="a restart")
    errors = re.findall(r".* error .*", site.stderr())
    assert len(errors) == 1, errors
    for words in ("did not become healthy", "GET /healthz within 600ms", f"[app] {key}", "app-1"):
        assert words in errors[0], errors[0]
    assert_files_are_served_without_the_app(site)


def test_a_program_that_is_mended_comes_up_by_itself(stage):
    site = start_broken(stage, ["./app"], restart={"first_pause": "20ms", "longest_pause": "100ms"})
    site.wait_log(" error app: ")
    os.chmod(site.touch("app.new", "#!/bin/sh\nexec " + " ".join([*PYTHON, "app.py"]) + "\n"), 0o755)
    os.rename(site.path("app.new"), site.path("app"))
    site.wait_instances()
    assert site.get("/who").startswith(b"app-1")
    assert site.get("/healthz")


def test_one_broken_instance_of_two_leaves_the_site_up(stage):
    command = [*SHELL, "test $TRILITH_INSTANCE = app-1 || exit 5; exec " + " ".join([*PYTHON, "app.py"])]
    site = start_app(stage, up=False, app=app_table(command=command))
    wait_until(lambda: [i["state"] for i in site.instances()][:1] == ["up"], 10, "app-1 up")
    site.wait_log("error app: an instance did not become healthy.*app-2")
    with site.load(clients=2) as load:
        load.wait_requests(100)
    assert load.failures == [] and {body.split()[0] for body in load.bodies} == {b"app-1"}
    assert site.request("/healthz").status == 200


def test_clients_that_come_while_the_program_starts_are_told_at_once(stage):
    """No waiting for what has never been up: 503, not a hang."""
    site = start_app(stage, up=False, app=app_table(["--healthy-if", "well"], instances=1))
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(site.request("/who", timeout=2.0).status)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [503] * 4


# ---- the pages of errors


PAGES = {502: "/gone.html", 503: "/later.html", 504: "/slow.html", 404: "/missing.html"}


def start_with_pages(stage, options=(), **tables):
    site = start_app(stage, up=False, app=app_table(options, instances=1, restart={"first_pause": "30s"}), web={"error_pages": PAGES}, **tables)
    site.touch("public/gone.html", "<p>gone")
    site.touch("public/later.html", "<p>" + "later " * 20_000)  # from the disk
    site.touch("public/slow.html", "<p>slow")
    site.touch("public/missing.html", "<p>missing")
    return site


def judge_page(response, status, body):
    assert (response.status, response.body) == (status, body)
    assert response.get("content-type") == "text/html; charset=utf-8" and response.get("x-request-id")
    for field in ("etag", "last-modified", "accept-ranges"):
        assert response.get(field) is None, field
    assert response.get("retry-after") == ("1" if status == 503 else None)


def test_where_no_instance_is_up_the_configured_page_is_sent(stage):
    site = start_with_pages(stage, ["--healthy-if", "well"])
    later = ("<p>" + "later " * 20_000).encode()
    for _ in range(2):
        judge_page(site.request("/who"), 503, later)
    head = site.request("/who", method="HEAD")
    assert (head.status, head.body, head.get("content-length")) == (503, b"", str(len(later)))
    with site.client() as client:
        client.send(WHO * 2)
        judge_page(client.response(), 503, later)
        judge_page(client.response(), 503, later)
    judge_page(site.request("/who", "Content-Length: 3", method="POST", timeout=5.0), 503, later)


def test_an_instance_that_breaks_off_or_is_late_has_its_page_too(stage):
    site = start_with_pages(stage, web_timeouts={"first_byte": "300ms"})
    site.wait_instances()
    never = site.path("never")
    judge_page(site.request(f"/hold?until={never}"), 504, b"<p>slow")
    # Not safe, so not sent again.
    judge_page(site.request("/leave", "Content-Length: 0", method="POST"), 502, b"<p>gone")


def test_what_the_program_answers_itself_stays_as_it_is(stage):
    site = start_with_pages(stage)
    site.wait_instances()
    response = site.request("/nothing")
    assert (response.status, response.body) == (404, b"not found") and response.get("x-instance") == "app-1"
