"""docs/tour.md: every command that it tells a newcomer to type, typed."""

import os
import re
import subprocess

import pytest

import mariadb_cluster
from balancer_site import BINARY, ROOT
from foobar_site import Shape
from raw_client import wait_until

pytestmark = pytest.mark.skipif(not mariadb_cluster.IS_THERE, reason="no mariadbd here: scripts/install-dependencies test")


def commands():
    """The lines of the blocks ```sh, in their order."""
    with open(os.path.join(ROOT, "docs", "tour.md"), encoding="utf-8") as tour:
        blocks = re.findall(r"^```sh\n(.*?)^```$", tour.read(), re.MULTILINE | re.DOTALL)
    return [line for block in blocks for line in block.splitlines()]


def test_every_command_of_the_tour_does_what_it_should():
    # Drills make load for seconds, and have tests of their own.
    words = [line for line in commands() if not re.match(r"trilith drill (?!list)|export PATH", line)]
    assert len(words) > 20, words
    site = Shape("trilith.toml")
    try:
        site.start().wait_whole()
        wait_until(lambda: site.verb("status").returncode == 0, 60, "a healthy site")
        environment = {**os.environ, "PATH": f"{os.path.dirname(BINARY)}:{os.environ['PATH']}",
                       "TRILITH_STATE_DIR": site.state, "TRILITH_RUNTIME_DIR": site.runtime}
        for line in words:
            typed = line.replace("http://127.0.0.1:8080", site.url).replace("examples/foobar/trilith.toml", site.file)
            # What an earlier command began, a replica that is to follow, may take a moment.
            wait_until(lambda typed=typed: is_done(typed, site, environment), 60, typed)
        assert site.exit_code() is None
    finally:
        site.finish()


def is_done(typed, site, environment):
    done = subprocess.run(["sh", "-c", typed], cwd=site.home, env=environment, capture_output=True, text=True, timeout=60, check=False)
    print(f"$ {typed}\n{done.stdout}{done.stderr}")
    return done.returncode == 0
