"""What keeps a web server from starting is said in one line, with the key and the cure, and it ends at once."""

import os
import re
import shutil
import socket
import subprocess
import tempfile

import pytest

from balancer_site import BINARY, balancer_config
from web_site import CAN_BE_DENIED, OTHER_USER, HeldPort, start_web, web_section, write_tree

LOG_LINE = re.compile(r"\d{4}-\d\d-\d\dT\S+ (warn|info) ")


@pytest.fixture
def home(trilith):
    """A folder of the user as whom the server runs, which every user may enter."""
    made = tempfile.mkdtemp(prefix="ts-", dir="/tmp")
    write_tree(made, {"root/index.html": b"x", "file.txt": b"x", "state/": b"", "run/": b""})
    os.chmod(made, 0o755)
    os.chmod(f"{made}/run", 0o700)
    if OTHER_USER is not None:
        for name in ("state", "run"):
            os.chown(f"{made}/{name}", OTHER_USER, OTHER_USER)
    yield made
    for name in ("root", "file.txt"):
        os.chmod(f"{made}/{name}", 0o700)
    shutil.rmtree(made)


@pytest.fixture
def port():
    held = HeldPort()
    yield held.number
    held.close()


def refusal(home, text, verb="serve"):
    """(exit status, the lines on standard error that are no log lines) of a server that must not start."""
    path = f"{home}/site.toml"
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    user = {} if OTHER_USER is None else {"user": OTHER_USER, "group": OTHER_USER, "extra_groups": []}
    done = subprocess.run(
        [BINARY, verb, path, "--state-dir", f"{home}/state", "--runtime-dir", f"{home}/run"],
        capture_output=True, text=True, timeout=15, check=False, stdin=subprocess.DEVNULL, **user,
    )
    return done.returncode, [line for line in done.stderr.splitlines() if not LOG_LINE.match(line)]


def route_config(root):
    return balancer_config(["127.0.0.1:9"]) + f'\n[[routes]]\npath = "/static/*"\nroot = "{root}"\n'


@pytest.mark.parametrize("config", ["web", "route"])
@pytest.mark.parametrize(
    ("root", "words"),
    [
        ("missing", ["is not there", "create it"]),
        ("root/missing", ["is not there", "create it"]),
        ("file.txt", ["is not a directory", "name the directory"]),
        ("root/index.html/below", ["is not a directory"]),
        ("dangling", ["is not there"]),
    ],
)
def test_a_root_that_cannot_be_served(home, port, config, root, words):
    os.symlink("nothing", f"{home}/dangling")
    path = f"{home}/{root}"
    status, lines = refusal(home, web_section(path, port) if config == "web" else route_config(path))
    assert status in (1, 2)
    assert len(lines) == 1, lines
    assert path in lines[0] and "root" in lines[0] and all(word in lines[0] for word in words), lines[0]


needs_denial = pytest.mark.skipif(not CAN_BE_DENIED, reason="root may search everything, and no other user may run the program")


@needs_denial
@pytest.mark.parametrize("mode", [0o000, 0o444, 0o666])
def test_a_root_that_may_not_be_searched(home, port, mode):
    os.chmod(f"{home}/root", mode)
    status, lines = refusal(home, web_section(f"{home}/root", port))
    assert status in (1, 2)
    assert len(lines) == 1 and f"root {home}/root" in lines[0] and "right" in lines[0], lines


@needs_denial
def test_a_root_behind_a_folder_that_may_not_be_searched(home, port):
    write_tree(home, {"root/public/index.html": b"x"})
    os.chmod(f"{home}/root", 0o600)
    status, lines = refusal(home, web_section(f"{home}/root/public", port))
    assert status in (1, 2)
    assert len(lines) == 1 and f"root {home}/root/public" in lines[0] and "ermission" in lines[0], lines


def test_a_root_that_may_only_be_searched_is_enough(stage, home):
    """Nothing is listed, so the right to list is not asked for."""
    write_tree(home, {"root/index.html": b"x"})
    os.chmod(f"{home}/root", 0o711)
    assert start_web(stage, f"{home}/root", user=OTHER_USER).fetch("/").body == b"x"


@pytest.mark.parametrize("taken_by", ["another_program", "another_server"])
def test_a_port_that_is_taken(stage, home, taken_by):
    write_tree(home, {"root/index.html": b"x"})
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        if taken_by == "another_server":
            port = start_web(stage, f"{home}/root", user=OTHER_USER).web_port
        status, lines = refusal(home, web_section(f"{home}/root", port))
    assert status in (1, 2)
    assert len(lines) == 1 and f"127.0.0.1:{port}" in lines[0], lines
    assert re.search(r"in use|taken|occupied", lines[0]), lines


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"root": None}, ["root is missing", 'root = "public"']),
        ({"port": 0}, ["web.port", "1 to 65535"]),
        ({"port": 70000}, ["web.port", "1 to 65535"]),
        ({"index": ["a/b.html"]}, ["web.index"]),
        ({"index": [".."]}, ["web.index"]),
        ({"try": []}, ["web.try"]),
        ({"try": ["{path}", "=200"]}, ["web.try", "400 to 599"]),
        ({"try": ["=404", "{path}"]}, ["web.try", "never tried"]),
        ({"try": ["{path}", "@app"]}, ["web.try", "@app"]),
        ({"try": ["../x"]}, ["web.try"]),
        ({"error_pages": {"200": "/a.html"}}, ["web.error_pages", "400 to 599"]),
        ({"error_pages": {"404": "/../a.html"}}, ["web.error_pages.404"]),
        ({"cache_control": [{"match": "*", "value": "a\r\nSet-Cookie: b"}]}, ["web.cache_control"]),
        ({"mime_types": {"log": "text"}}, ["web.mime_types.log", "text/plain"]),
        ({"precompressed": ["deflate"]}, ["web.precompressed", "br"]),
        ({"charset": "a b"}, ["web.charset"]),
        ({"health": "up"}, ["web.health"]),
        ({"cache": {"valid": "-1s"}}, ["web.cache.valid"]),
        ({"cache": {"entries": 0}}, ["web.cache.entries"]),
        ({"cache": {"open_file": 1}}, ["open_file", "open_files"]),
        ({"rot": "x"}, ["rot", '"root"']),
    ],
)
def test_a_wrong_key_is_named_with_its_place(home, port, keys, words):
    text = web_section(**{"root": f"{home}/root", "port": port, **keys})
    if keys.get("root", "") is None:
        text = text.replace('root = "None"\n', "")
    for verb in ("check", "serve"):
        if verb == "check":
            with open(f"{home}/site.toml", "w", encoding="utf-8") as file:
                file.write(text)
            done = subprocess.run([BINARY, "check", f"{home}/site.toml"], capture_output=True, text=True, timeout=15, check=False)
            status, lines = done.returncode, done.stderr.splitlines()
        else:
            status, lines = refusal(home, text)
        assert status == 2 and len(lines) == 1, lines
        assert re.match(re.escape(f"{home}/site.toml") + r":\d+:\d+: ", lines[0]), lines
        assert all(word in lines[0] for word in words), lines


def test_up_says_it_once_and_ends(home, port):
    status, lines = refusal(home, web_section(f"{home}/missing", port), verb="up")
    assert status in (1, 2)
    told = [line for line in lines if "missing" in line]
    assert len(told) == 1 and "create it" in told[0], lines


def test_a_server_that_was_refused_leaves_nothing_behind(home, port):
    """The same directories serve the next start."""
    assert refusal(home, web_section(f"{home}/missing", port))[0] in (1, 2)
    assert [name for name in os.listdir(f"{home}/run") if name.endswith(".sock")] == []
    status, lines = refusal(home, web_section(f"{home}/file.txt", port))
    assert status in (1, 2) and "file.txt" in lines[0]
