"""What `trilith up` shows: a line a step, a block that is redrawn on a terminal, who has the port, who runs the site already."""

import os
import re
import signal
import socket

import pytest

from app_site import app_table, kill_9, make_tiers
from balancer_site import run_trilith
from terminal import Terminal

TWO = {"lb1": ["balancer"], "web1": ["web", "app"]}


@pytest.fixture
def site(stage):
    return make_tiers(stage, TWO, app=app_table(instances=1))


@pytest.fixture
def on_terminal(stage, site):
    """Starts `up` of the site on a terminal."""

    def start(**environment):
        terminal = Terminal(site.words(), cwd=site.home, **environment)
        site.process = terminal.process
        return terminal

    return start


def sentence(site):
    return f"it.foobar.com is up: http://{site.places['lb1'][0]}:{site.places['lb1'][1]}"


def test_on_a_terminal_a_block_is_redrawn_in_place_until_ctrl_c(site, on_terminal):
    terminal = on_terminal()
    terminal.wait_text(r"it\.foobar\.com is up: http://\S+\n(?s:.*)\nit\.foobar\.com is up: .*\n.*\n  ✓  web1 .*1 instance up\n")
    lines = terminal.lines()
    at = max(index for index, line in enumerate(lines) if line.startswith("it.foobar.com is up: "))
    block = lines[at:]
    assert re.search(r"✓  lb1 .*ready$", block[1]) and re.search(r"✓  web1 .*1 instance up$", block[2]), block
    assert block[3].startswith("Ctrl-C stops all") and block[4:] == [""]
    above = "\n".join(lines[:at])
    assert "it.foobar.com is starting" not in above, "what was redrawn is gone"
    assert f"{sentence(site)}\nits files are in {site.state}" in above
    # What a server waits for meanwhile is told where it takes long enough to be seen.
    assert re.search(r"^ +\d+\.\ds  web1: (ready|1 instance up)$", above, re.MULTILINE), above
    assert " info " not in above
    # What is as it must be while a site starts is no warning to its operator; the log has it.
    assert not re.search(r"(warn|error) (health|sql|database): ", above), above
    assert b"\x1b[32m" in terminal.sent
    # A server that dies is told above the block, and comes back in it.
    kill_9(site.status_of("web1")["pid"])
    terminal.wait_text(r"web1: died by signal 9")
    terminal.wait_text(r"web1: died by signal 9(?s:.*)\n  ✓  web1 .*1 instance up\n")
    terminal.press(b"\x03")
    assert terminal.process.wait(30) == 0
    terminal.close()
    assert re.search(r"web1: stopped, status 0", terminal.text()) and "it.foobar.com is stopping" in terminal.text()


def test_a_key_shows_all_lines_with_the_server_that_wrote_them_and_takes_them_away_again(site, on_terminal):
    terminal = on_terminal()
    terminal.wait_text(r"(?s)\n  ✓  web1 .*1 instance up\n.*; l shows all lines; more: `trilith status --watch`$")
    assert " info " not in terminal.text() and not terminal.echoes()
    terminal.press(b"l")
    terminal.wait_text(r"; l shows fewer lines; more: ")
    site.do("weight", "web1", "50")
    terminal.wait_text(r"(?m)^\S+Z lb1 info \w+: .*web1")
    terminal.press(b"xl")
    terminal.wait_text(r"(?s); l shows all lines; [^\n]*\n?$")
    told = terminal.text().count(" info ")
    site.do("weight", "web1", "60")
    # The death of a server is told behind what a change of weight would have.
    kill_9(site.status_of("web1")["pid"])
    terminal.wait_text(r"web1: died by signal 9")
    assert terminal.text().count(" info ") == told
    terminal.press(b"\x03")
    assert terminal.process.wait(30) == 0
    assert terminal.echoes(), "the terminal is as it was"
    terminal.close()


def test_without_keys_to_read_none_is_offered(site, on_terminal):
    terminal = on_terminal(keys=False)
    terminal.wait_text(r"\n  ✓  web1 .*1 instance up\nCtrl-C stops all in order; more: `trilith status --watch`\n?$")
    assert terminal.echoes()
    os.kill(terminal.process.pid, signal.SIGTERM)
    assert terminal.process.wait(30) == 0
    terminal.close()


def test_with_no_color_and_another_locale_the_block_is_plain(on_terminal):
    terminal = on_terminal(NO_COLOR="1", LANG="C")
    terminal.wait_text(r"\n  \+  web1 .*1 instance up\n")
    terminal.press(b"\x03")
    assert terminal.process.wait(30) == 0
    terminal.close()
    assert not re.search(rb"\x1b\[[0-9;]*m", terminal.sent) and terminal.sent.isascii()


def test_elsewhere_steps_are_lines_with_their_times(site):
    site.start().wait_log(r"(?m)^it\.foobar\.com is up: ", 30)
    text = site.stderr()
    assert re.search(r"info up: step of=web1 after=\d+\.\ds doing=", text), text
    assert f"{sentence(site)}\nits files are in {site.state}\n" in text and "\x1b" not in text
    # Each server's lines bear its name.
    levels = [line.split(" ")[1] for line in text.splitlines() if re.match(r"\d{4}-\d\d-\d\dT\S+Z ", line)]
    assert set(levels) == {"info", "lb1", "web1"}, text
    assert all(" up: " in line for line in text.splitlines() if re.match(r"\S+Z info ", line)), text
    assert re.search(r"(?m)^\S+Z web1 info node: serving server=web1 ", text), text


def test_a_site_that_runs_is_not_started_twice(site):
    site.start()
    done = run_trilith("up", site.file, *site.options())
    assert done.returncode == 1
    assert re.match(rf"trilith: it\.foobar\.com runs already: its server \w+ is run by trilith up, process {site.pid}; ", done.stderr), done.stderr
    assert site.exit_code() is None
    # Who finds its port taken by a server, or looks into top, reads whose it is.
    with open(f"/proc/{site.status_of('web1')['pid']}/comm", encoding="ascii") as name:
        assert name.read() == "trilith\n"


def test_another_site_in_the_same_directories_is_told_by_its_own_name(site):
    site.start()
    other = site.path("other.toml")
    with open(site.file, encoding="utf-8") as file, open(other, "w", encoding="utf-8") as copy:
        copy.write(file.read().replace("it.foobar.com", "another.foobar.com"))
    done = run_trilith("up", other, *site.options())
    assert done.returncode == 1
    assert done.stderr.startswith(f"trilith: it.foobar.com runs already: its server "), done.stderr
    assert done.stderr.endswith("; another.foobar.com needs directories of its own: --state-dir, --runtime-dir\n"), done.stderr


def test_a_port_that_is_taken_is_told_with_who_has_it_and_how_to_choose_another(site):
    with socket.create_server(site.places["lb1"]):
        site.start(wait=False)
        assert site.wait_exit(30) == 1
    line = next(line for line in site.stderr().splitlines() if "balancer.listen" in line)
    assert re.search(rf"process {os.getpid()} \(.+\) listens there: end it, or write another port", line), line
