"""How the site's program starts, what it is given, and what reaches it."""

import collections
import os
import re
import resource

import pytest

from app_site import IS_ROOT, PYTHON, app_table, make_app, start_app
from raw_client import wait_until

OF_THE_C_LIBRARY = 3 << 31  # signals 32 and 33, which glibc's posix_spawn leaves ignored

# ---- the gate


def test_nothing_reaches_the_program_before_it_is_healthy(stage):
    site = start_app(stage, up=False, app=app_table(["--healthy-if", "well"]))
    site.wait_instances(lambda instance: instance["pid"] > 0, what="every program running")
    site.wait_count(r"line=\"started \d+\"", 2)
    for _ in range(3):
        assert site.request("/healthz").status == 503
        assert site.request("/who").status == 503
    assert {instance["state"] for instance in site.instances()} == {"starting"}
    site.touch("well")
    site.wait_instances()
    response = site.request("/healthz")
    assert (response.status, response.body) == (200, b"ok\n"), "the web server answers for itself, not the program"
    assert site.get("/who")


def test_control_a_program_without_a_gate_to_wait_at_is_up_by_itself(stage):
    site = start_app(stage)
    assert site.request("/healthz").status == 200 and site.request("/who").status == 200


@pytest.mark.parametrize("listen", ["unix", "tcp", "port"])
def test_requests_reach_all_instances_in_turn(stage, listen):
    site = start_app(stage, app=app_table(["--delay", "0"], listen=listen, instances=3))
    with site.client() as client:
        seen = [client.request(b"GET /who HTTP/1.1\r\nHost: a.test\r\n\r\n").body.decode() for _ in range(30)]
    assert len(set(seen[:3])) == 3 and seen == seen[:3] * 10
    names = {instance["name"]: str(instance["pid"]) for instance in site.instances()}
    assert dict(word.split() for word in seen) == names
    assert set(names) == {"app-1", "app-2", "app-3"}
    assert [backend["name"] for backend in site.pool("app")["backends"]] == ["app-1", "app-2", "app-3"]


def test_the_program_sees_the_visitor_and_the_id_of_the_request(stage):
    site = start_app(stage)
    lines = ["X-Forwarded-For: 6.6.6.6", "X-Request-Id: my-id-1"]
    fields = collections.defaultdict(list)
    for name, value in site.ask("/request", source="127.9.8.7")["fields"]:
        fields[name.lower()].append(value)
    assert fields["x-forwarded-for"] == ["127.9.8.7"]
    assert fields["host"] == ["a.test"]
    assert len(fields["x-request-id"]) == 1 and fields["x-request-id"][0]
    response = site.request("/request", *lines, source="127.9.8.7")
    assert b"6.6.6.6" not in response.body, "nobody is believed who is no tier of the site"
    assert b"my-id-1" in response.body


# ---- what the program is given


@pytest.mark.parametrize("listen", ["unix", "tcp", "port"])
def test_the_program_is_given_its_socket_or_its_port_and_nothing_else(stage, listen):
    env = {"X": "y", "EMPTY": "", "LISTEN_FDS": "7", "HOME": "/somewhere"}
    site = make_app(stage, app=app_table(listen=listen, env=env, instances=1))
    site.environment = {**os.environ, "SECRET_OF_THE_SERVER": "s3cret", "LC_ALL": "C.UTF-8", "TZ": "Europe/Zurich"}
    site.start().wait_instances()
    facts = site.ask("/facts")
    given = facts["environment"]
    if listen == "port":
        assert facts["descriptors"] == [0, 1, 2]
        assert not [name for name in given if name.startswith("LISTEN_")], given
        assert site.instances()[0]["address"].rsplit(":", 1)[1] == given["PORT"]
    else:
        assert facts["descriptors"] == [0, 1, 2, 3]
        assert given["LISTEN_FDS"] == "1" and given["LISTEN_FDNAMES"] == "http"
        assert given["LISTEN_PID"] == str(facts["pid"])
        assert "PORT" not in given
    assert facts["stdin"] == "/dev/null"
    assert given["X"] == "y" and given["EMPTY"] == "" and given["HOME"] == "/somewhere"
    assert given["TRILITH_INSTANCE"] == "app-1"
    assert given["LC_ALL"] == "C.UTF-8" and given["TZ"] == "Europe/Zurich" and given["PATH"] == os.environ["PATH"]
    assert "s3cret" not in str(given)
    assert facts["pid"] == facts["session"] == facts["group"] == site.pids()[0]


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
def test_a_program_that_is_told_a_port_may_listen_on_the_loopback_alone(stage, host):
    site = start_app(stage, app=app_table(["--host", host], listen="port", instances=1, health={"within": "3s"}))
    assert site.get("/who")


def test_the_program_runs_where_the_file_is_or_where_it_says(stage):
    site = start_app(stage, app=app_table(instances=1))
    assert site.ask("/facts")["directory"] == site.home
    other = make_app(stage, app=app_table(instances=1, directory="below", command=[*PYTHON, "../app.py"]))
    other.touch("below/file")
    other.start().wait_instances()
    assert other.ask("/facts")["directory"] == other.path("below")


def test_limits_are_set_and_the_address_space_has_none(stage):
    site = start_app(stage, app=app_table(instances=1, limits={"memory": "128MiB", "open_files": 256}))
    facts = site.ask("/facts")
    assert facts["open_files"] == [256, 256]
    assert facts["core"] == [0, 0]
    assert facts["address_space"] == [resource.RLIM_INFINITY] * 2
    plain = start_app(stage, app=app_table(instances=1))
    soft, hard = plain.ask("/facts")["open_files"]
    assert soft == min(hard, 65536)


def test_signals_are_as_a_program_expects_them(stage):
    """Python ignores SIGPIPE itself, so a shell looks first; the server ignores it and blocks its own signals."""
    words = ["/bin/sh", "-c", "grep ^Sig /proc/self/status; exec " + " ".join(PYTHON) + " app.py"]
    site = start_app(stage, app=app_table(instances=1, command=words))
    masks = dict(re.findall(r'line="(Sig\w+):\\t([0-9a-f]+)"', site.stderr()))
    assert int(masks["SigBlk"], 16) == 0, masks
    assert int(masks["SigIgn"], 16) & ~OF_THE_C_LIBRARY == 0, masks
    with open(f"/proc/{site.pid}/status", encoding="ascii") as status:
        server = dict(re.findall(r"(Sig\w+):\t([0-9a-f]+)", status.read()))
    assert int(server["SigBlk"], 16) or int(server["SigIgn"], 16), "the server has nothing that could be inherited"


def test_the_sockets_are_the_servers_alone(stage):
    site = start_app(stage)
    paths = site.socket_files()
    assert len(set(paths)) == 2
    for path in paths:
        assert path.startswith(site.runtime + "/")
        assert os.stat(path).st_mode & 0o777 == 0o600


def test_files_are_answered_before_the_program_and_the_rest_by_it(stage):
    site = start_app(stage)
    site.touch("public/index.html", "a file")
    assert site.get("/") == b"a file"
    assert site.get("/index.html") == b"a file"
    assert site.get("/who").startswith(b"app-")
    assert site.request("/nothing").status == 404
    assert site.request("/nothing").get("X-Instance"), "the 404 is the program's"
    assert site.request("/who", "Content-Length: 0", method="POST").body.startswith(b"app-")


def test_without_a_root_everything_goes_to_the_program(stage):
    site = start_app(stage, web={"root": None})
    assert site.get("/who").startswith(b"app-")
    assert site.request("/").get("X-Instance")
    assert site.get("/healthz") == b"ok\n"


def test_instances_follow_the_processors_where_nothing_is_said(stage):
    site = start_app(stage, app=app_table(instances=None))
    assert len(site.instances()) == len(os.sched_getaffinity(0))


def test_status_shows_the_instances(stage):
    site = start_app(stage)
    for instance in site.instances():
        assert instance["state"] == "up" and instance["generation"] == 1 and instance["restarts_total"] == 0
        assert instance["pid"] > 0 and instance["memory_bytes"] > 1 << 20 and instance["last_end"] == ""
    text = site.do("status")
    assert "app-1" in text and "app-2" in text and str(site.pids()[0]) in text
    assert site.app()["restart"]["number"] == 0


def test_a_server_without_the_role_has_no_app_in_its_status(stage):
    site = make_app(stage)
    with open(site.file, encoding="utf-8") as file:
        text = file.read().replace('["web", "app"]', '["web"]')
    site.touch("public/index.html", "a file")
    site.write(re.sub(r"(?s)\[app\].*", "", text))
    site.start()
    assert "app" not in site.status()
    done = site.verb("restart", "app")
    assert done.returncode == 1 and "runs no application" in done.stderr, done
    wait_until(lambda: site.get("/") == b"a file")


def test_as_root_or_not_the_site_runs(stage):
    """The same as everybody else: no privilege is needed."""
    if not IS_ROOT:
        pytest.skip("every other test shows this already")
    site = make_app(stage, app=app_table(user=None)).run_as("nobody")
    site.start().wait_instances()
    facts = site.ask("/facts")
    assert facts["user"] == [65534] * 3 or 0 not in facts["user"]
    old = site.pids()
    assert site.verb("restart", "app").returncode == 0
    assert not set(site.pids()) & set(old)


def test_a_runtime_directory_too_long_for_the_programs_sockets_is_refused(stage):
    """Before anything is served, as it is for the server's own socket."""
    site = make_app(stage, app=app_table(instances=1))
    site.runtime = site.path("x" * (106 - len(site.home) - len("/web1.sock")))
    os.mkdir(site.runtime, 0o700)
    site.start(wait=False)
    wait_until(lambda: site.exit_code() is not None, 15, f"the end of the server, which says {site.stderr()}")
    assert site.exit_code() == 1 and "107 are possible" in site.stderr() and "--runtime-dir" in site.stderr(), site.stderr()
