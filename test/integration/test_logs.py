"""`trilith logs`: every server's log, its program's output and its access log as one stream, in files that are bounded."""

import glob
import json
import os

from app_site import app_table, start_tiers
from raw_client import wait_until

TIERS = {"lb1": ["balancer"], "web1": ["web", "app"]}


def start(stage, **log):
    return start_tiers(stage, TIERS, app=app_table(instances=1), log={"requests": True, **log})


def lines(site, *words):
    return [json.loads(line) for line in site.do("logs", "--json", *words).splitlines()]


def say(site, text, *more, times=1):
    """The program writes that line to its standard output."""
    site.get(f"/say?stream=1&hex={(text + chr(10)).encode().hex()}&times={times}", *more)


def test_all_servers_and_what_they_run_are_one_stream_by_time(stage):
    site = start(stage)
    say(site, "of my-request I say this", "X-Request-Id: my-request")
    wait_until(lambda: len(lines(site, "--request", "my-request")) == 3, 30, "the lines of three tiers")
    found = lines(site, "--request", "my-request")
    assert {(line["server"], line["tier"]) for line in found} == {("lb1", "balancer"), ("web1", "web"), ("web1", "app")}
    assert {line.get("request_id", "my-request") for line in found} == {"my-request"}
    assert next(line for line in found if line["tier"] == "app")["line"] == "of my-request I say this"
    every = lines(site, "--lines", "100000")
    assert {line["server"] for line in every} == {"lb1", "web1", "up"} and all(line["tier"] for line in every)
    times = [line["time"] for line in every]
    assert times == sorted(times)
    assert {line["server"] for line in lines(site, "--server", "web1")} == {"web1"}
    assert {line["tier"] for line in lines(site, "--tier", "node")} == {"node"}
    assert len(lines(site, "--lines", "2")) == 2
    os.mkfifo(os.path.join(site.state, "logs", "pipe.log"))
    assert len(lines(site, "--lines", "2")) == 2
    text = site.do("logs", "--request", "my-request")
    assert " web1 app app-1: of my-request I say this\n" in text and " lb1 balancer GET a.test/say" in text and "request=my-request\n" in text
    assert site.stdout() == "", "nobody asked for the access log there"
    refused = site.verb("logs", "--server", "web9")
    assert refused.returncode == 1 and "no log file of web9 is in" in refused.stderr
    nothing = site.verb("logs", "--request", "no-such-request")
    assert nothing.returncode == 0 and nothing.stdout == "" and "no line names the request no-such-request" in nothing.stderr
    site.stop()
    assert lines(site, "--request", "my-request") == found, "a site that has ended has its log still"


def test_it_is_followed_across_rotations_and_bounded(stage):
    site = start(stage, max_size="64KiB", keep=3)
    follower = site.start_verb("logs", "--follow", "--json", "--server", "web1", "--tier", "app", "--lines", "1")
    seen = []

    def read_to(count):
        while len(seen) < count:
            line = follower.stdout.readline()
            assert line, "the follower has ended"
            if json.loads(line).get("event") == "output":
                seen.append(json.loads(line)["line"])

    try:
        assert follower.stdout.readline(), "the newest line that was there"
        written = []
        for at in range(6):
            word = f"round {at} " + "x" * 200
            say(site, word, times=150)  # most of a file
            written += [word] * 150
            read_to(len(written))
        assert seen == written
    finally:
        follower.kill()
        follower.communicate()
    logs = os.path.join(site.state, "logs")
    files = {os.path.basename(path): os.path.getsize(path) for path in glob.glob(os.path.join(logs, "web1.log*"))}
    assert set(files) == {"web1.log", "web1.log.1", "web1.log.2", "web1.log.3"}, files
    assert max(files.values()) <= (64 << 10) + (128 << 10), files


def test_a_directory_that_cannot_be_written_is_told_once_and_nothing_waits(stage):
    site = start(stage, directory="elsewhere")
    log = site.path("elsewhere/web1.log")
    wait_until(lambda: os.path.exists(log) and "serving" in open(log, encoding="utf-8").read(), 30, "the file elsewhere")
    assert lines(site, "--server", "web1"), "it is found there"
    site.stop()
    for name in os.listdir(site.path("elsewhere")):
        os.unlink(site.path(f"elsewhere/{name}"))
    os.rmdir(site.path("elsewhere"))
    site.touch("elsewhere", "in the way")
    site.start()
    site.wait_instances(server="web1")
    site.wait_pools_up("lb1")
    for _ in range(20):
        assert site.get("/who")
    told = [line for line in site.stderr().splitlines() if "log: the log file cannot be written: lines are lost" in line]
    assert len(told) == len(TIERS), told
    wait_until(lambda: all(site.status_of(server)["log_file_lines_lost_total"] >= 20 for server in TIERS), 10, "every lost line counted")
