"""Runs in a guest: does what it is asked by lines of JSON, each in a thread of its own.

    python agent.py PORT

A line asks `{"id", "do", "with"}`; its answer is `{"id", "answer"}` or `{"id", "error"}`.
What an asked thing says in between is `{"topic", "value"}`. The standard library is all
that it needs, so that it is up soon on an emulated machine.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

SETUP_CODE = Path("/run/setup.code")
_PORTS = Path("/sys/class/virtio-ports")

Say = Callable[[str, Any], None]


class Agent:
    """Takes lines from the port until it closes, which it does when the guest ends."""

    def __init__(self, port: Port) -> None:
        self._port = port
        self._lock = threading.Lock()
        self._jobs: dict[str, subprocess.Popen[bytes]] = {}
        self._hands: tuple[Any, ...] = ()

    def serve(self) -> None:
        """Answer until the other side is gone."""
        self.say("up", {"setup": SETUP_CODE.read_text().strip()})
        for line in self._port:
            asked = json.loads(line)
            threading.Thread(target=self._serve_one, args=(asked,)).start()

    def say(self, topic: str, value: Any) -> None:
        """Say something unasked."""
        self._send({"topic": topic, "value": value})

    def _serve_one(self, asked: dict[str, Any]) -> None:
        said: dict[str, Any] = {"id": asked["id"]}
        try:
            said["answer"] = self._act(asked["do"])(**asked["with"])
        except Exception as error:  # noqa: BLE001  whatever it is, the asker is told
            number = error.errno if isinstance(error, OSError) else None
            said["error"] = [type(error).__name__, number or 0, str(error)]
        self._send(said)

    def _act(self, name: str) -> Callable[..., Any]:
        own: dict[str, Callable[..., Any]] = {
            "run": self._run,
            "start": self._start,
            "ended": self._ended,
            "signal": self._signal,
        }
        return own.get(name) or self._hand(name)

    def _hand(self, name: str) -> Callable[..., Any]:
        with self._lock:
            if not self._hands:
                # Imported when they are first needed: commands alone do without.
                import hands
                import share_hands

                self._hands = (hands.Hands(self.say), share_hands.ShareHands(self.say))
        for each in self._hands:
            if hasattr(each, name):
                act: Callable[..., Any] = getattr(each, name)
                return act
        raise LookupError(f"there is no act named {name}")

    def _send(self, said: dict[str, Any]) -> None:
        line = (json.dumps(said) + "\n").encode()
        with self._lock:
            self._port.write(line)

    def _run(self, command: str) -> tuple[int, str]:
        """Run a shell command; its exit status, and all that it printed."""
        done = subprocess.run(
            ["/bin/bash", "-c", command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        return done.returncode, done.stdout.decode(errors="replace")

    def _start(self, job: str, words: list[str], environment: dict[str, str]) -> int:
        """Start a command whose output goes to /lab/JOB.out and .err."""
        with open(f"/lab/{job}.out", "wb") as out, open(f"/lab/{job}.err", "wb") as err:
            self._jobs[job] = subprocess.Popen(
                words,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                env={**os.environ, **environment},
                start_new_session=True,
            )
        return self._jobs[job].pid

    def _ended(self, job: str, wait: bool) -> int | None:
        """Return a command's exit status; None if it runs on."""
        return self._jobs[job].wait() if wait else self._jobs[job].poll()

    def _signal(self, job: str, number: int) -> None:
        """Send a signal to a command's coordinator."""
        os.kill(self._jobs[job].pid, signal.Signals(number))


def _device(name: str) -> str:
    for port in _PORTS.iterdir():
        if (port / "name").read_text().strip() == name:
            return f"/dev/{port.name}"
    raise FileNotFoundError(f"no channel named {name}")


class Port:
    """The channel: read by lines, written whole."""

    def __init__(self, fd: int) -> None:
        self._fd = fd

    def __iter__(self) -> Iterator[bytes]:
        rest = b""
        while piece := os.read(self._fd, 1 << 16):
            *lines, rest = (rest + piece).split(b"\n")
            yield from lines

    def write(self, data: bytes) -> None:
        """Write all of it."""
        view = memoryview(data)
        while view:
            view = view[os.write(self._fd, view) :]


def main() -> None:
    """Serve on the channel of that name."""
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    Agent(Port(os.open(_device(sys.argv[1]), os.O_RDWR))).serve()


if __name__ == "__main__":
    main()
