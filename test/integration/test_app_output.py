"""What the program writes: lines of the log with the instance's name, escaped, bounded in rate and length, and never in anybody's way."""

import os
import re
import signal
import subprocess

import pytest

from app_site import POST_WHO, app_table, kill_9, make_app, start_app
from raw_client import wait_until


def say(site, data, stream=1, times=1):
    """Lets an instance write these bytes so many times, in one go."""
    response = site.request(f"/say?stream={stream}&times={times}&hex={data.hex()}", "Content-Length: 0", method="POST")
    assert response.status == 200, response
    return response


def output_lines(site, stream="stdout"):
    """What the log tells of that stream, in order, as it stands there."""
    return re.findall(rf"info app: output instance=app-1 stream={stream} line=(.*)$", site.stderr(), re.MULTILINE)


def test_lines_of_both_streams_are_in_the_log_with_the_instances_name(stage):
    site = start_app(stage)
    for at, stream in enumerate(("stdout", "stderr") * 2):
        name = say(site, b"hello %d\nagain %d\n" % (at, at), 1 if stream == "stdout" else 2).get("X-Instance")
        for word in ("hello", "again"):
            site.wait_log(rf'(?m)^\S+ info app: output instance={name} stream={stream} line="{word} {at}"$')
    names = set(re.findall(r"output instance=(\S+)", site.stderr()))
    assert names == {"app-1", "app-2"}


def test_control_characters_are_escaped_and_a_line_stays_one_line(stage):
    site = start_app(stage, app=app_table(instances=1))
    say(site, b"\x1b[31mred\x1b[0m\x00\x07 \r and \x7f\n")
    say(site, b"2026-11-27T00:00:00.000Z error app: forged instance=app-9\\n\n")
    say(site, "Grüezi wohl ✓\n".encode())
    say(site, b"not utf-8: \xff\xfe\n")
    site.wait_log("not utf-8")
    with open(site.path("stderr"), "rb") as log:
        raw = log.read()
    assert not re.search(rb"[\x00-\x09\x0b-\x1f\x7f]", raw), "a control character has reached the log"
    assert raw.decode("utf-8"), "the log is UTF-8"
    lines = output_lines(site)
    assert any("[31mred" in line and "001b" in line for line in lines), lines
    assert any("Grüezi wohl ✓" in line for line in lines), lines
    assert not re.search(r"^\S+ error app: forged", site.stderr(), re.MULTILINE)


def test_lines_come_whole_however_they_are_written(stage):
    site = start_app(stage, app=app_table(instances=1))
    before = len(output_lines(site))
    for piece in (b"a line in ", b"three ", b"pieces\nand the next\nan end without"):
        say(site, piece)
    site.wait_log('"and the next"')
    assert output_lines(site)[before:] == ['"a line in three pieces"', '"and the next"']
    old = site.pids()
    kill_9(old[0])
    site.wait_new(old)
    assert '"an end without"' in output_lines(site), "the last words of a killed program"
    assert site.log_count("an instance ended: killed by signal 9.*an end without") == 1


def test_empty_lines_and_long_ones(stage):
    site = start_app(stage, app=app_table(instances=1))
    before = len(output_lines(site))
    say(site, b"\n", times=2)
    say(site, b"x", times=8192)
    say(site, b"\nshort\n")
    say(site, b"y", times=80000)
    say(site, b"\nthe end\n")
    site.wait_log('"the end"')
    lines = output_lines(site)[before:]
    assert lines[:2] == ['""', '""'] and lines[2] == "x" * 8192 and lines[3] == "short"
    assert lines[4] == '"' + "y" * 8192 + ' [cut: a line of more than 8KiB]"'
    assert lines[5:] == ['"the end"']


@pytest.mark.parametrize("lines", ["yes", "no"])
def test_a_program_that_writes_without_end_stops_nobody(stage, lines):
    """It is read and dropped as fast as it comes: it does not block, we do not grow, the site answers, and the drops are told."""
    site = start_app(stage, app=app_table(health={"within": "10s", "interval": "100ms", "timeout": "1s"}))
    site.get("/who")
    before = site.rss_kib()
    talker = site.request(f"/write?lines={lines}", "Content-Length: 0", method="POST").get("X-Instance")

    def amount():
        """What the one that talks has written: requests go to both in turn."""
        return max(int(site.get("/written")), int(site.get("/written")))

    wait_until(lambda: amount() > 4 << 20, 20, "4 MiB")
    far = amount()
    wait_until(lambda: amount() > far + (4 << 20), 20, "4 MiB more")
    with site.load(clients=2, request=POST_WHO) as load:
        load.wait_requests(100)
    assert load.failures == []
    if lines == "yes":
        site.wait_log(rf"warn app: lines were left out: more than 1000 in a second instance={talker} stream=stdout lines=\d+", 10)
    site.assert_grew_less(before, 12 << 10, "its output")
    assert all(instance["state"] == "up" and instance["restarts_total"] == 0 for instance in site.instances())
    assert os.path.getsize(site.path("stderr")) < 20 << 20
    # Others are heard meanwhile.
    say(site, b"can you hear me\n", 2)
    say(site, b"can you hear me\n", 2)
    site.wait_count("line=\"can you hear me\"", 2)


def test_the_bound_is_each_streams_own(stage):
    """Of three thousand lines a second's share is there, and the rest is counted."""
    site = start_app(stage, app=app_table(instances=1))
    say(site, b"one of them\n", times=3000)
    say(site, b"nothing of stderr is left out\n", 2)
    site.wait_log("nothing of stderr is left out")

    def told():
        dropped = sum(int(count) for count in re.findall(r"lines were left out.* lines=(\d+)", site.stderr()))
        return len(re.findall(r'line="one of them"', site.stderr())), dropped

    def all_told():
        say(site, b"more\n")
        kept, dropped = told()
        return kept + dropped >= 3000

    wait_until(all_told, 10, "every line told or counted")
    kept, dropped = told()
    assert 990 <= kept < 3000 and dropped > 0


def start_with_reader(site):
    """Starts the server with a pipe as its standard error, and reads that until it serves; gives the reading end."""
    site.process = subprocess.Popen(site.words(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd=site.home)
    reader = site.process.stderr
    while b"serving" not in reader.readline():
        assert site.exit_code() is None
    return reader


def test_a_reader_of_the_log_who_left_ends_nothing(stage):
    """As when a terminal is closed."""
    site = make_app(stage, app=app_table(instances=1))
    start_with_reader(site).close()
    site.wait_instances()
    for _ in range(10):
        say(site, b"nobody hears me\n")
    old = site.pids()
    kill_9(old[0])
    site.wait_new(old)
    assert site.get("/who").startswith(b"app-1")


def test_a_reader_of_the_log_who_does_not_read_holds_nobody_up(stage):
    """A pager, or a journal that hangs: the program talks on, and the server still follows orders and signals."""
    site = make_app(stage, app=app_table())
    with start_with_reader(site):
        site.wait_instances()
        for _ in range(8):
            say(site, b"this is a line that nobody will read\n", times=1000)
        assert site.get("/who")
        done = site.verb("status", timeout=10)
        assert done.returncode == 0 and "app-1" in done.stdout, done
        assert site.status()["standard_error_lines_lost_total"] > 1000
        site.signal(signal.SIGTERM)
        site.wait_exit(10)
