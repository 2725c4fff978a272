"""A headless Chromium that tests click and type in, by the DevTools protocol over a pipe: no driver, no port."""

import base64
import contextlib
import json
import os
import select
import shutil
import subprocess
import tempfile
import time

PROGRAM = shutil.which("chromium")
PHONE, DESKTOP = (390, 844, True), (1280, 800, False)
FLAGS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
         "--disable-dev-shm-usage", "--no-proxy-server", "--remote-debugging-pipe"]


class Browser:
    """One page of one browser. `size` is PHONE or DESKTOP; `scripts` whether pages may run any."""

    def __init__(self, size=DESKTOP, scripts=True, seconds=60):
        self.seconds = seconds
        self.profile = tempfile.mkdtemp(prefix="tl-chromium-", dir="/tmp")
        to_browser, self.writer = os.pipe()
        self.reader, from_browser = os.pipe()
        command = ["bash", "-c", f'exec "$@" 3<&{to_browser} 4>&{from_browser}', "bash", PROGRAM, *FLAGS, f"--user-data-dir={self.profile}", "about:blank"]
        self.process = subprocess.Popen(command, pass_fds=(to_browser, from_browser), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                        env={**os.environ, "HOME": self.profile}, start_new_session=True)
        os.close(to_browser)
        os.close(from_browser)
        self.received, self.events, self.number, self.session = b"", [], 0, None
        target = next(t for t in self.call("Target.getTargets")["targetInfos"] if t["type"] == "page")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.call("Page.enable")
        self.call("Emulation.setDeviceMetricsOverride", width=size[0], height=size[1], deviceScaleFactor=1, mobile=size[2])
        self.call("Emulation.setScriptExecutionDisabled", value=not scripts)

    # ---- the protocol

    def _message(self, deadline):
        while b"\0" not in self.received:
            ready, _, _ = select.select([self.reader], [], [], max(deadline - time.monotonic(), 0))
            assert ready, "the browser does not answer"
            piece = os.read(self.reader, 1 << 20)
            assert piece, "the browser has ended"
            self.received += piece
        text, _, self.received = self.received.partition(b"\0")
        return json.loads(text)

    def call(self, method, **parameters):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.writer, json.dumps(message).encode() + b"\0")
        deadline = time.monotonic() + self.seconds
        while True:
            answer = self._message(deadline)
            if answer.get("id") == self.number:
                assert "error" not in answer, (method, answer["error"])
                return answer["result"]
            self.events.append(answer.get("method"))

    def _wait_load(self):
        deadline = time.monotonic() + self.seconds
        while "Page.loadEventFired" not in self.events:
            self.events.append(self._message(deadline).get("method"))

    # ---- what a visitor does

    def open(self, address):
        self.events.clear()
        result = self.call("Page.navigate", url=address)
        assert "errorText" not in result, result
        self._wait_load()

    def evaluate(self, expression):
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in result, (expression, result["exceptionDetails"])
        return result["result"].get("value")

    def texts(self, selector):
        return self.evaluate(f"[...document.querySelectorAll({json.dumps(selector)})].map(e => e.innerText)")

    def text(self, selector):
        found = self.texts(selector)
        assert len(found) == 1, (selector, found)
        return found[0]

    def _point(self, selector, words):
        script = f"""(() => {{
            const found = [...document.querySelectorAll({json.dumps(selector)})].find(e => e.innerText.includes({json.dumps(words)}) || {json.dumps(words)} === "");
            if (!found) return null;
            found.scrollIntoView({{block: "center"}});
            const box = found.getClientRects()[0];
            return [box.x + box.width / 2, box.y + box.height / 2];
        }})()"""
        point = self.evaluate(script)
        assert point, f"there is no {selector} with {words!r}"
        return point

    def press(self, selector, words=""):
        """A click in the middle of the element, which does not lead anywhere."""
        x, y = self._point(selector, words)
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def follow(self, selector, words=""):
        """The same on what leads to another page, and waits for that."""
        self.events.clear()
        self.press(selector, words)
        self._wait_load()

    def type(self, selector, text):
        """In the place of what stands in the field."""
        self.press(selector)
        self.evaluate(f"document.querySelector({json.dumps(selector)}).select()")
        self.call("Input.insertText", text=text)

    def picture(self, name):
        """A picture of the whole page, kept where SCREENSHOTS says."""
        directory = os.environ.get("SCREENSHOTS")
        if directory:
            data = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True)["data"]
            with open(os.path.join(directory, f"{name}.png"), "wb") as file:
                file.write(base64.b64decode(data))

    def close(self):
        with contextlib.suppress(Exception):
            self.session = None
            self.call("Browser.close")
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(15)
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.reader)
        os.close(self.writer)
        shutil.rmtree(self.profile, ignore_errors=True)
