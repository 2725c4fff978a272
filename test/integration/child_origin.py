"""A small HTTP/1.1 origin as a process of its own: child_origin.py PORT NAME DELAY_MS. `/stall` never gets an answer."""

import asyncio
import re
import sys

LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]+)", re.IGNORECASE)
CHUNKED = re.compile(rb"\r\ntransfer-encoding:[ \t]*chunked", re.IGNORECASE)


class Origin(asyncio.Protocol):
    """Reads requests with Content-Length or chunked bodies and answers after the delay, in order."""

    def __init__(self, name, delay):
        self.answer = f"HTTP/1.1 200 OK\r\nContent-Length: {len(name)}\r\nX-Origin: {name}\r\n\r\n{name}".encode()
        self.delay = delay
        self.buffer = b""

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.buffer += data
        while (size := self.request_size()) is not None:
            target = self.buffer.split(b" ", 2)[1]
            self.buffer = self.buffer[size:]
            if target == b"/stall":
                continue
            if self.delay:
                asyncio.get_running_loop().call_later(self.delay, self.send)
            else:
                self.send()

    def send(self):
        if not self.transport.is_closing():
            self.transport.write(self.answer)

    def request_size(self):
        end = self.buffer.find(b"\r\n\r\n")
        if end < 0:
            return None
        head = self.buffer[:end]
        if CHUNKED.search(head):
            last = self.buffer.find(b"0\r\n\r\n", end)
            return None if last < 0 else last + 5
        match = LENGTH.search(head)
        size = end + 4 + (int(match.group(1)) if match else 0)
        return size if len(self.buffer) >= size else None


async def main():
    port, name, delay_ms = int(sys.argv[1]), sys.argv[2], float(sys.argv[3])
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: Origin(name, delay_ms / 1000), "127.0.0.1", port, reuse_port=True, backlog=1024
    )
    print("ready", flush=True)
    await server.serve_forever()


asyncio.run(main())
