"""A login at a MariaDB server byte by byte, from a source address of choice: what the `mariadb` program cannot do."""

import hashlib
import socket
import struct

PROTOCOL_41, SECURE_CONNECTION, PLUGIN_AUTH = 1 << 9, 1 << 15, 1 << 19
NATIVE = b"mysql_native_password"


class LoginRefused(Exception):
    """An ERR: `number`, `state` ("" before the greeting) and `message`."""

    def __init__(self, payload):
        self.number = struct.unpack_from("<H", payload, 1)[0]
        has_state = payload[3:4] == b"#"
        self.state = payload[4:9].decode() if has_state else ""
        self.message = payload[9 if has_state else 3 :].decode(errors="replace")
        super().__init__(f"{self.number} ({self.state}): {self.message}")


def native_answer(password, nonce):
    if not password:
        return b""
    key = hashlib.sha1(password.encode()).digest()
    mask = hashlib.sha1(nonce + hashlib.sha1(key).digest()).digest()
    return bytes(a ^ b for a, b in zip(key, mask))


class RawLogin:
    """One connection that is logged in, to a (host, port) or the path of a unix socket. LoginRefused where the server says no."""

    def __init__(self, where, user, password, source=None, timeout=15.0):
        is_unix = isinstance(where, str)
        self.socket = socket.socket(socket.AF_UNIX if is_unix else socket.AF_INET)
        self.socket.settimeout(timeout)
        try:
            if source:
                self.socket.bind((source, 0))
            self.socket.connect(where)
            self._log_in(user, password)
        except BaseException:
            self.close()
            raise

    def _log_in(self, user, password):
        greeting = self.read()
        end = greeting.index(b"\0", 1)
        nonce = greeting[end + 5 : end + 13] + greeting[end + 32 : end + 44]
        answer = native_answer(password, nonce)
        capabilities = PROTOCOL_41 | SECURE_CONNECTION | PLUGIN_AUTH
        self.write(1, struct.pack("<IIB23x", capabilities, 1 << 24, 45) + user.encode() + b"\0" + bytes([len(answer)]) + answer + NATIVE + b"\0")
        self.switches = []
        while True:
            payload = self.read()
            if payload[0] == 0:
                return
            plugin, _, rest = payload[1:].partition(b"\0")
            self.switches.append(plugin.decode())
            # The answer of a plugin that we do not have is nothing.
            self.write(self.sequence + 1, native_answer(password, rest[:20]) if plugin == NATIVE else b"")

    def value(self, text):
        """The first value of a one-row, one-column answer."""
        self.write(0, b"\x03" + text.encode())
        packets = [self.read() for _ in range(5)]  # count, definition, EOF, row, EOF
        row = packets[3]
        return row[1 : 1 + row[0]].decode()

    def read(self):
        header = self._take(4)
        self.sequence = header[3]
        payload = self._take(int.from_bytes(header[:3], "little"))
        if payload[:1] == b"\xff":
            raise LoginRefused(payload)
        return payload

    def write(self, sequence, payload):
        self.socket.sendall(len(payload).to_bytes(3, "little") + bytes([sequence]) + payload)

    def _take(self, count):
        taken = b""
        while len(taken) < count:
            piece = self.socket.recv(count - len(taken))
            if not piece:
                raise ConnectionError("the server closed the connection")
            taken += piece
        return taken

    def close(self):
        self.socket.close()
