"""Fixtures: balancers and origins that end with their test, checked for breakage."""

import os

import pytest

from balancer_site import BINARY, SERVING_USER, Site, balancer_config
from origins import ChildOrigin, RecordingOrigin


def pytest_configure(config):
    config.addinivalue_line("markers", "long: minutes, not seconds; run with -m long")


def pytest_collection_modifyitems(config, items):
    """Without -m, the long tests stay out."""
    if config.getoption("-m"):
        return
    chosen = [item for item in items if "long" not in item.keywords]
    config.hook.pytest_deselected(items=[item for item in items if "long" in item.keywords])
    items[:] = chosen


@pytest.fixture(scope="session", autouse=True)
def open_to_all(tmp_path_factory):
    """A server that root starts goes on as a user who may neither enter pytest's folders as they are made nor write there."""
    if os.geteuid() != 0:
        return
    make = tmp_path_factory.mktemp

    def mktemp(*args, **options):
        made = make(*args, **options)
        made.chmod(0o755)
        os.chown(made, *SERVING_USER)
        return made

    tmp_path_factory.mktemp = mktemp
    base = tmp_path_factory.getbasetemp()
    base.chmod(0o711)
    base.parent.chmod(0o711)


@pytest.fixture(scope="session")
def trilith():
    """The path of the program under test."""
    if not os.access(BINARY, os.X_OK):
        pytest.fail(f"{BINARY} is not there: build it first, or set TRILITH", pytrace=False)
    return BINARY


class Stage:
    """Makes what a test needs and ends it in the reverse order."""

    def __init__(self):
        self.ends = []

    def origin(self, *args, **options):
        origin = RecordingOrigin(*args, **options)
        self.ends.append(lambda: self._end_origin(origin))
        return origin

    @staticmethod
    def _end_origin(origin):
        origin.close()
        assert not origin.script_errors, f"the origin's script is broken: {origin.script_errors}"

    def child(self, name, delay_ms=0):
        child = ChildOrigin(name, delay_ms)
        self.ends.append(child.close)
        return child

    def text(self, config):
        """A balancer of this configuration text that is not started."""
        site = Site(config)
        self.ends.append(site.finish)
        return site

    def site(self, backends=(), up=True, **options):
        """A balancer that serves; with `up`, all its backends are up."""
        site = self.text(balancer_config(backends, **options)).start()
        return site.wait_up() if up else site

    def end(self):
        problems = []
        for end in reversed(self.ends):
            try:
                end()
            except Exception as problem:  # every other end must still run
                problems.append(problem)
        if problems:
            raise problems[0]


@pytest.fixture
def stage(trilith):
    made = Stage()
    yield made
    made.end()


@pytest.fixture(scope="module")
def module_stage(trilith):
    made = Stage()
    yield made
    made.end()


@pytest.fixture
def site(stage):
    """site(backends, **sections of the file) -> a balancer that serves."""
    return stage.site


@pytest.fixture
def origin(stage):
    """origin(answer=…, script=…) -> a recording origin."""
    return stage.origin


@pytest.fixture
def child(stage):
    """child(name, delay_ms) -> an origin that is a process of its own."""
    return stage.child
