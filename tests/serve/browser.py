"""A Chromium without a screen, told what to do through two pipes; nothing but Python."""

import base64
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import deque
from types import TracebackType
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome")

_WRAPPER = """
import fcntl, os, sys
pair = [fcntl.fcntl(int(each), fcntl.F_DUPFD, 20) for each in sys.argv[1:3]]
os.dup2(pair[0], 3)
os.dup2(pair[1], 4)
os.execv(sys.argv[3], sys.argv[3:])
"""


def program() -> str | None:
    """Return the browser that is installed, if any."""
    return next((found for name in NAMES if (found := shutil.which(name))), None)


class Browser:
    """One page in a browser of its own."""

    def __init__(self) -> None:
        self._profile = tempfile.mkdtemp(prefix="paxect-browser-")
        to_it, self._commands = os.pipe()
        self._replies, from_it = os.pipe()
        found = program()
        assert found is not None, "no Chromium here"
        # It takes commands from descriptor 3, and answers on 4.
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-c", _WRAPPER, str(to_it), str(from_it), found),
                *("--headless=new", "--no-sandbox", "--disable-gpu"),
                *("--remote-debugging-pipe", "--hide-scrollbars"),
                *("--no-first-run", "--disable-dev-shm-usage"),
                *("--disable-background-networking", "--disable-component-update"),
                *("--disable-sync", "--disable-extensions", "--lang=en-US"),
                f"--user-data-dir={self._profile}",
                "about:blank",
            ],
            pass_fds=(to_it, from_it),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(to_it)
        os.close(from_it)
        self._input = os.fdopen(self._replies, "rb")
        self._rest = b""
        self._number = 0
        self.events: deque[dict[str, Any]] = deque()
        """What it told unasked."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self._session: str | None = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    _session = None

    def __enter__(self) -> "Browser":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._commands)
        self._input.close()
        shutil.rmtree(self._profile, ignore_errors=True)

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Have the browser do something; return what it says."""
        self._number += 1
        message: dict[str, Any] = {
            "id": self._number,
            "method": method,
            "params": parameters,
        }
        if self._session is not None:
            message["sessionId"] = self._session
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        while True:
            reply = self._next()
            if reply.get("id") == self._number:
                assert "error" not in reply, (method, reply["error"])
                result: dict[str, Any] = reply["result"]
                return result
            self.events.append(reply)

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            data = os.read(self._input.fileno(), 1 << 16)
            assert data, "the browser ended"
            self._rest += data
        first, self._rest = self._rest.split(b"\0", 1)
        found: dict[str, Any] = json.loads(first)
        return found

    def look(
        self, *, width: int, height: int, dark: bool = False, phone: bool = False
    ) -> None:
        """Take on a screen of that kind."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=phone,
        )
        scheme = "dark" if dark else "light"
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.call("Emulation.setEmulatedMedia", features=features)

    def open(self, url: str) -> None:
        """Go to a page; what is on it comes when it comes."""
        self.call("Page.navigate", url=url)

    def value(self, expression: str) -> Any:
        """Return what an expression comes to on the page, promises awaited."""
        found = self.call(
            "Runtime.evaluate",
            expression=expression,
            returnByValue=True,
            awaitPromise=True,
        )
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def until(self, expression: str, *, seconds: float = 60.0) -> None:
        """Wait on the page until an expression holds."""
        script = (
            f"new Promise((done, failed) => {{ const end = Date.now() + {seconds}*1000;"
            f" const look = () => {{ if ({expression}) done(true);"
            " else if (Date.now() > end) failed(new Error('it never held'));"
            " else setTimeout(look, 50); }; look(); })"
        )
        assert self.value(script) is True

    def press(self, key: str, code: int) -> None:
        """Press a key and let it go."""
        about = {"key": key, "code": key, "windowsVirtualKeyCode": code}
        text = {"text": "\r"} if key == "Enter" else {}
        self.call("Input.dispatchKeyEvent", type="keyDown", **about, **text)
        self.call("Input.dispatchKeyEvent", type="keyUp", **about)

    def screenshot(self, path: str, *, whole: bool = True) -> None:
        """Keep what is to be seen."""
        found = self.call(
            "Page.captureScreenshot", format="png", captureBeyondViewport=whole
        )
        with open(path, "wb") as stream:
            stream.write(base64.b64decode(found["data"]))

    def complaints(self) -> list[str]:
        """Return what the console said so far, and what failed to load."""
        self.value("0")
        found = []
        for each in self.events:
            about = each.get("params", {})
            if each.get("method") == "Runtime.exceptionThrown":
                found.append(str(about["exceptionDetails"]))
            elif each.get("method") == "Runtime.consoleAPICalled":
                found.append(str(about["args"]))
            elif each.get("method") == "Log.entryAdded":
                entry = about["entry"]
                found.append(f"{entry['text']} {entry.get('url', '')}")
        return found

    def requests(self) -> list[str]:
        """Return the addresses that the page asked so far."""
        self.value("0")
        return [
            each["params"]["request"]["url"]
            for each in self.events
            if each.get("method") == "Network.requestWillBeSent"
        ]
