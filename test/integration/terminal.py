"""A terminal for a program under test: a pty of its own, and what stands on its screen."""

import contextlib
import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
import threading

from raw_client import wait_until

PIECE = re.compile(rb"\x1b\[(?P<numbers>[0-9;]*)(?P<letter>[A-Za-z])|(?P<control>[\r\n])|(?P<text>[^\x1b\r\n]+|\x1b)")


class Terminal:
    """Runs a program on `rows` x `columns`. It knows what our programs send: text, CR, LF, cursor up, home, erase, colours."""

    def __init__(self, words, cwd=None, rows=24, columns=100, keys=True, **environment):
        """Without `keys`, its standard input is /dev/null."""
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.sent = b""
        self._fd = ours
        base = {key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "LC_ALL", "LC_CTYPE", "LANG")}
        self.process = subprocess.Popen(
            words, stdin=theirs if keys else subprocess.DEVNULL, stdout=theirs, stderr=theirs, start_new_session=True, cwd=cwd,
            preexec_fn=lambda: fcntl.ioctl(1, termios.TIOCSCTTY, 0),
            env={**base, "TERM": "xterm", "LANG": "C.UTF-8", **environment},
        )
        os.close(theirs)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        with contextlib.suppress(OSError):  # EIO: nobody has the other end any more
            while piece := os.read(self._fd, 65536):
                self.sent += piece

    def echoes(self):
        """Whether it shows what is typed, as it did before the program."""
        return bool(termios.tcgetattr(self._fd)[3] & termios.ECHO)

    def press(self, keys):
        os.write(self._fd, keys)

    def lines(self):
        """The screen, and what was scrolled above it, without what follows the last line."""
        lines, row, column = [""], 0, 0
        for piece in PIECE.finditer(self.sent):
            if piece["text"]:
                text = piece["text"].decode(errors="replace")
                lines[row] = lines[row][:column].ljust(column) + text + lines[row][column + len(text):]
                column += len(text)
            elif piece["control"] == b"\r":
                column = 0
            elif piece["control"] == b"\n":
                row += 1
                lines += [""] * (row + 1 - len(lines))
            elif piece["letter"] == b"A":
                row = max(0, row - int(piece["numbers"] or 1))
            elif piece["letter"] == b"H":
                row, column = 0, 0
            elif piece["letter"] == b"J" and piece["numbers"] == b"2":
                lines, row, column = [""], 0, 0
            elif piece["letter"] == b"J":
                lines = lines[:row] + [lines[row][:column]]
            elif piece["letter"] == b"K":
                lines[row] = lines[row][:column]
        return lines

    def text(self):
        return "\n".join(self.lines())

    def wait_text(self, pattern, seconds=30):
        return wait_until(lambda: re.search(pattern, self.text()), seconds, f"{pattern!r} on the screen:\n{self.text()}")

    def close(self):
        self.process.wait(20)
        self._reader.join(5)
        os.close(self._fd)
