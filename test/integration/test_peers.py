"""Real programs on both sides: curl and wrk as clients, nginx as origin."""

import hashlib
import os
import re
import shutil
import socket
import subprocess
import tempfile

import pytest

from origins import response
from raw_client import RawClient, wait_until
from raw_http import WireError, read_response_body, read_response_head

NGINX = shutil.which("nginx") or "/usr/sbin/nginx"


def need(program):
    path = shutil.which(program) or f"/usr/sbin/{program}"
    if not os.path.exists(path):
        pytest.fail(f"{program} is not installed: scripts/install-dependencies brings it", pytrace=False)
    return path


class Nginx:
    """nginx in the foreground, in a directory of its own, on a socket that it inherits (so that no port is guessed)."""

    def __init__(self):
        self.prefix = tempfile.mkdtemp(prefix="ng-", dir="/tmp")
        os.chmod(self.prefix, 0o755)
        self.root = os.path.join(self.prefix, "html")
        os.mkdir(self.root)
        listener = socket.create_server(("127.0.0.1", 0), backlog=511)
        self.port = listener.getsockname()[1]
        self.address = f"127.0.0.1:{self.port}"
        temporary = "".join(
            f"{kind}_temp_path {self.prefix}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        with open(os.path.join(self.prefix, "nginx.conf"), "w", encoding="ascii") as conf:
            conf.write(
                f"daemon off; worker_processes 1; pid {self.prefix}/pid; error_log {self.prefix}/error.log;\n"
                "events { worker_connections 1000; }\n"
                f"http {{ access_log off; {temporary}\n"
                f"  server {{ listen 127.0.0.1:{self.port}; root {self.root}; keepalive_requests 7;\n"
                "    location = /small { return 200 \"small\"; }\n"
                "    location = /headers { return 200 \"$http_via|$http_x_forwarded_for|$http_host\"; } } }\n"
            )
        fd = listener.fileno()
        self.process = subprocess.Popen(
            [need("nginx"), "-p", self.prefix, "-c", "nginx.conf", "-e", os.path.join(self.prefix, "error.log")],
            env={"NGINX": f"{fd};", "PATH": os.environ["PATH"]},
            pass_fds=[fd],
            stdin=subprocess.DEVNULL,
        )
        listener.close()
        wait_until(self._answers, 10, "nginx")

    def _answers(self):
        try:
            with RawClient(self.port, timeout=1) as client:
                return client.request(b"GET /small HTTP/1.1\r\nHost: a\r\n\r\n").status == 200
        except (OSError, WireError):
            return False

    def close(self):
        self.process.terminate()
        self.process.wait(10)
        shutil.rmtree(self.prefix, ignore_errors=True)


@pytest.fixture
def nginx(stage):
    made = Nginx()
    stage.ends.append(made.close)
    return made


def curl(*words, check=True):
    done = subprocess.run([need("curl"), "-sS", "--max-time", "20", *words], capture_output=True, timeout=30, check=False)
    assert not check or done.returncode == 0, done.stderr
    return done.stdout


def test_a_large_file_of_nginx_arrives_whole(nginx, site):
    content = os.urandom(1 << 20) * 10
    with open(os.path.join(nginx.root, "big"), "wb") as out:
        out.write(content)
    lb = site([nginx.address])
    digest = hashlib.sha256(content).hexdigest()
    for _ in range(3):
        assert hashlib.sha256(curl(f"http://127.0.0.1:{lb.port}/big")).hexdigest() == digest
    part = curl("-r", "1000-2999", f"http://127.0.0.1:{lb.port}/big")
    assert part == content[1000:3000]
    got = hashlib.sha256()
    with RawClient(lb.port) as client:
        client.send(b"GET /big HTTP/1.1\r\nHost: a.test\r\n\r\n")
        read_response_body(client, read_response_head(client), on_data=got.update)
    assert got.hexdigest() == digest


def test_conditional_requests_pass_to_nginx(nginx, site):
    with open(os.path.join(nginx.root, "file"), "wb") as out:
        out.write(b"content")
    lb = site([nginx.address])
    with RawClient(lb.port) as client:
        first = client.request(b"GET /file HTTP/1.1\r\nHost: a.test\r\n\r\n")
        second = client.request(f"GET /file HTTP/1.1\r\nHost: a.test\r\nIf-None-Match: {first.get('etag')}\r\n\r\n".encode())
        assert (first.body, second.status, second.body) == (b"content", 304, b"")
        assert client.request(b"HEAD /file HTTP/1.1\r\nHost: a.test\r\n\r\n").get("content-length") == "7"


def test_nginx_sees_who_asks(nginx, site):
    lb = site([nginx.address])
    assert curl("-H", "Host: shop.test", f"http://127.0.0.1:{lb.port}/headers") == b"1.1 trilith|127.0.0.1|shop.test"


def test_nginx_that_closes_every_seventh_connection_costs_no_request(nginx, site):
    """keepalive_requests 7: pooled connections end all the time."""
    lb = site([nginx.address])
    with RawClient(lb.port) as client:
        for _ in range(300):
            assert client.request(b"GET /small HTTP/1.1\r\nHost: a.test\r\n\r\n").body == b"small"


def test_curl_uploads_with_expect_and_chunked(site, origin):
    o = origin(answer=lambda request: response(b"%d" % len(request.body)))
    lb = site([o])
    with tempfile.NamedTemporaryFile() as upload:
        upload.write(b"u" * 3_000_000)
        upload.flush()
        url = f"http://127.0.0.1:{lb.port}/up"
        # The origin does not say 100, so curl waits a second and then sends: no balancer may hang on that.
        assert curl("-T", upload.name, "-H", "Expect:", url) == b"3000000"
        assert curl("-T", upload.name, "-H", "Expect:", "-H", "Transfer-Encoding: chunked", url) == b"3000000"
        assert curl("-T", upload.name, "-H", "Expect: 100-continue", url) == b"3000000"


def test_curl_keeps_its_connection_and_speaks_http_1_0(site, origin):
    lb = site([origin()])
    url = f"http://127.0.0.1:{lb.port}/"
    text = subprocess.run(
        [need("curl"), "-sv", "--max-time", "10", url, url, url], capture_output=True, text=True, timeout=20, check=True
    )
    assert text.stdout == "okokok" and len(re.findall("Re-using existing connection", text.stderr)) == 2
    assert curl("--http1.0", url) == b"ok"
    assert curl("-I", url).startswith(b"HTTP/1.1 200")
    assert curl("-x", f"http://127.0.0.1:{lb.port}", "http://a.test/x") == b"ok"


def test_wrk_sees_no_error(site, child):
    lb = site([child("c1"), child("c2")], balancer={"threads": 2})
    done = subprocess.run(
        [need("wrk"), "-t1", "-c32", "-d2s", f"http://127.0.0.1:{lb.port}/"], capture_output=True, text=True, timeout=30, check=True
    )
    assert re.search(r"(\d+) requests in", done.stdout) and int(re.search(r"(\d+) requests in", done.stdout).group(1)) > 100
    assert "Socket errors" not in done.stdout and "Non-2xx" not in done.stdout, done.stdout
    assert all(b["errors_total"] == 0 for b in lb.pool()["backends"])
