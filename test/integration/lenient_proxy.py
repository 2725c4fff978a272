"""A proxy that reads nothing and refuses nothing: the negative control of the hostile table."""

import re
import socket
import threading

from raw_http import Stream


class LenientProxy:
    """Waits for what looks like an end of headers, then passes all bytes on as they came. One exchange a connection."""

    def __init__(self, origin_port):
        self.origin_port = origin_port
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *ignored):
        self.listener.close()

    def _accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(Stream(sock),), daemon=True).start()

    def _serve(self, client):
        client.sock.settimeout(0.3)  # what has not come by then will not come: clients of the table send at once
        try:
            while client.fill():
                if re.search(rb"\r?\n\r?\n", client.buffer):
                    client.sock.settimeout(0.05)
                    client.fill()
                    break
        except TimeoutError:
            pass
        with socket.create_connection(("127.0.0.1", self.origin_port)) as upstream:
            upstream.settimeout(0.3)
            upstream.sendall(bytes(client.buffer))
            try:
                while piece := upstream.recv(65536):
                    client.send(piece)
                    upstream.settimeout(0.05)
            except OSError:
                pass
        client.close()
