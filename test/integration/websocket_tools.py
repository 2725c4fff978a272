"""A minimal RFC 6455 endpoint for both ends of a tunnel: handshake, masked and plain frames."""

import base64
import hashlib
import os
import struct

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


def accept_value(key):
    return base64.b64encode(hashlib.sha1(key.encode() + GUID).digest()).decode()


def handshake(key=None, path="/chat"):
    """(key, request bytes)"""
    key = key or base64.b64encode(os.urandom(16)).decode()
    return key, (
        f"GET {path} HTTP/1.1\r\nHost: a.test\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n"
        f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n"
    ).encode()


def frame(opcode, payload, masked):
    head = bytes([0x80 | opcode])
    flag = 0x80 if masked else 0
    if len(payload) < 126:
        head += bytes([flag | len(payload)])
    elif len(payload) < 65536:
        head += bytes([flag | 126]) + struct.pack("!H", len(payload))
    else:
        head += bytes([flag | 127]) + struct.pack("!Q", len(payload))
    if not masked:
        return head + payload
    mask = os.urandom(4)
    return head + mask + apply_mask(payload, mask)


def apply_mask(payload, mask):
    stretched = (mask * (len(payload) // 4 + 1))[:len(payload)]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(stretched, "big")).to_bytes(len(payload), "big")


def read_frame(stream, masked):
    """(opcode, payload) of the next frame; AssertionError when it is masked wrongly for its direction."""
    first, second = stream.read_exact(2)
    assert bool(second & 0x80) == masked, "masked in the wrong direction"
    size = second & 0x7F
    if size == 126:
        size = struct.unpack("!H", stream.read_exact(2))[0]
    elif size == 127:
        size = struct.unpack("!Q", stream.read_exact(8))[0]
    mask = stream.read_exact(4) if masked else b""
    payload = stream.read_exact(size)
    return first & 0x0F, apply_mask(payload, mask) if masked else payload


def echo_script(connection):
    """An origin's script: accepts the upgrade, greets first, echoes every frame until a close."""
    request = connection.request()
    if request is None:  # a health check
        return
    assert request.get("upgrade", "").lower() == "websocket" and "upgrade" in request.tokens("connection")
    connection.send(
        (
            "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            f"Sec-WebSocket-Accept: {accept_value(request.get('sec-websocket-key'))}\r\n\r\n"
        ).encode() + frame(TEXT, b"welcome", False)
    )
    while True:
        opcode, payload = read_frame(connection, True)
        connection.send(frame(opcode, payload, False))
        if opcode == CLOSE:
            return
