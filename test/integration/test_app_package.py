"""What a newcomer does with trilith::app: installs the CMake package, builds examples/hello and examples/foobar outside of the tree, runs them."""

import os
import shutil
import signal
import subprocess

import pytest

from app_site import free_port
from balancer_site import ROOT
from raw_client import RawClient, wait_until

RELEASE = os.path.join(ROOT, "build", "release")


def run(*command, cwd=None):
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False, timeout=400)
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with what was installed in `prefix`."""
    if not os.path.exists(os.path.join(RELEASE, "cmake_install.cmake")):
        pytest.fail(f"{RELEASE} is not there: build it first (scripts/build release)", pytrace=False)
    place = tmp_path_factory.mktemp("package")
    run("cmake", "--install", RELEASE, "--prefix", place / "prefix")
    for name in os.listdir(place / "prefix" / "include"):
        assert name == "trilith", "the public headers, in a folder of their own"
    return place


def build_example(place, name):
    """examples/NAME, built from a copy by what was installed; the path of the program."""
    source = shutil.copytree(os.path.join(ROOT, "examples", name), place / name)
    build = source / "build"
    run(
        "cmake", "-B", build, "-S", source, "-DCMAKE_CXX_COMPILER=clang++-19", "-DCMAKE_BUILD_TYPE=Release",
        f"-DCMAKE_PREFIX_PATH={place / 'prefix'}",
    )
    run("cmake", "--build", build)
    return build / name


@pytest.fixture(scope="module")
def hello(place):
    return build_example(place, "hello")


def get(port, target):
    with RawClient(port) as client:
        return client.request(f"GET {target} HTTP/1.1\r\nHost: a.test\r\n\r\n".encode())


def is_open(port):
    try:
        return get(port, "/").status == 200
    except OSError:
        return False


def test_hello_is_built_outside_of_the_tree_and_runs(hello):
    port = free_port(["127.0.0.1"])
    program = subprocess.Popen([hello, "--port", str(port)], cwd="/", stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        wait_until(lambda: is_open(port) or program.poll() is not None, 10, "an answer")
        assert program.poll() is None, program.stderr.read()
        assert b"Ada &lt;b&gt;" in get(port, "/?name=Ada%20%3Cb%3E").body
        assert b"144" in get(port, "/square/12").body
        program.send_signal(signal.SIGTERM)
        assert program.wait(10) == 0
    finally:
        if program.poll() is None:
            program.kill()
        program.wait()
        program.stderr.close()


def test_the_program_needs_nothing_of_the_tree(hello):
    needed = run("ldd", hello)
    assert "libcrypto" in needed and "/work" not in needed and "libc++" not in needed, needed


def test_foobar_is_built_outside_of_the_tree_and_says_what_it_lacks(place):
    program = build_example(place, "foobar")
    without = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    done = subprocess.run([program], env=without, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2 and "DATABASE_URL is not set" in done.stderr
