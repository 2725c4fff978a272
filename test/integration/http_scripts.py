"""Requests and origin scripts that several tests of HTTP share."""

import threading

H = b"Host: a.test\r\n"
POST = b"POST /p HTTP/1.1\r\n" + H


def get(path="/", *lines):
    return f"GET {path} HTTP/1.1\r\nHost: a.test\r\n".encode() + b"".join(line.encode("latin-1") + b"\r\n" for line in lines) + b"\r\n"


def serve_bytes(*answers):
    """A script that answers the requests of a connection with these bytes, the last one for all that follow."""

    def script(connection):
        count = 0
        while connection.request() is not None:
            connection.send(answers[min(count, len(answers) - 1)])
            count += 1

    return script


def is_stalled(lb):
    """True when the balancer has used no processor time for a while."""

    def ticks():
        with open(f"/proc/{lb.pid}/stat", encoding="ascii") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return int(fields[11]) + int(fields[12])

    before = ticks()
    threading.Event().wait(0.2)
    return ticks() <= before + 1
