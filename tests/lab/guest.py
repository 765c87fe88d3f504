"""One guest: its processor, its network cable, and the agent that acts inside it."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any

BOOT_SECONDS_MAX = 180.0
ANSWER_SECONDS_MAX = 600.0
_TOLD_MAX = 2000
_CONNECT_WAIT_SECONDS = 0.02


class GuestLost(Exception):
    """The guest ended, or its agent did, while it was asked something."""


class RefusedByGuest(Exception):
    """What was asked raised this in the guest; `kind` is the name of its class."""

    def __init__(self, kind: str, number: int, text: str) -> None:
        super().__init__(f"{kind}: {text}")
        self.kind = kind
        self.number = number


@dataclass(frozen=True)
class Machine:
    """How a guest is started."""

    name: str
    folder: Path
    """Seen as /lab in the guest, and writable from both sides."""
    kernel: Path
    first_root: Path
    number: int
    port: int
    memory_mib: int
    processors: int = 1
    disk: Path | None = None


class Guest:
    """A running guest. `tell` gets what it says unasked: a topic, a value, and when."""

    def __init__(
        self, machine: Machine, tell: Callable[[str, str, Any, float], None]
    ) -> None:
        self.name = machine.name
        self._folder = machine.folder
        self._tell = tell
        self._numbers = itertools.count(1)
        self._asked: dict[int, Future[Any]] = {}
        self._lock = threading.Lock()
        self._up = threading.Event()
        self.lost = False
        for name in ("agent", "qmp"):
            (self._folder / name).unlink(missing_ok=True)
        self._log = (self._folder / "qemu.log").open("wb")
        self._process = subprocess.Popen(
            _words(machine),
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self._socket = _connected(self._folder / "agent", self._process)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def wait_up(self) -> None:
        """Wait until its agent says that it is there."""
        if not self._up.wait(BOOT_SECONDS_MAX) or self.lost:
            raise GuestLost(f"{self.name} did not come up: {self._last_words()}")

    def _last_words(self) -> str:
        texts = (self._folder / name for name in ("qemu.log", "console", "setup.log"))
        told = (path.read_text(errors="replace") for path in texts if path.exists())
        return "\n".join(text[-_TOLD_MAX:] for text in told)

    def listen(
        self, tell: Callable[[str, str, Any, float], None]
    ) -> Callable[[str, str, Any, float], None]:
        """Give what it says unasked to that; return who got it until now."""
        old, self._tell = self._tell, tell
        return old

    def ask(self, do: str, **words: Any) -> Future[Any]:
        """Have the agent do something; its answer comes as the future's result."""
        answer: Future[Any] = Future()
        number = next(self._numbers)
        line = json.dumps({"id": number, "do": do, "with": words}) + "\n"
        with self._lock:
            if self.lost:
                answer.set_exception(GuestLost(f"{self.name} is not there"))
                return answer
            self._asked[number] = answer
        with contextlib.suppress(OSError):
            self._socket.sendall(line.encode())
        return answer

    def do(self, do: str, **words: Any) -> Any:
        """Have the agent do something, and return its answer."""
        return self.ask(do, **words).result(ANSWER_SECONDS_MAX)

    def run(self, command: str, *, within: float = ANSWER_SECONDS_MAX) -> str:
        """Run a shell command that must end well, and return what it printed."""
        code, out = self.ask("run", command=command).result(within)
        if code != 0:
            raise RefusedByGuest("CalledProcessError", code, f"{command}: {out}")
        return str(out)

    def freeze(self) -> None:
        """Stop its processor; time goes on without it."""
        self._qmp({"execute": "stop"})

    def thaw(self) -> None:
        """Let its processor go on."""
        self._qmp({"execute": "cont"})

    def cut(self) -> None:
        """Pull its network cable."""
        self._qmp({"execute": "set_link", "arguments": {"name": "nic0", "up": False}})

    def heal(self) -> None:
        """Put its network cable back."""
        self._qmp({"execute": "set_link", "arguments": {"name": "nic0", "up": True}})

    def end(self) -> None:
        """Take its power away, between two instructions."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._socket.close()
        self._reader.join()
        self._log.close()

    def _read(self) -> None:
        with (
            contextlib.suppress(OSError, ValueError),
            self._socket.makefile("rb") as lines,
        ):
            for line in lines:
                self._take(json.loads(line), time.monotonic())
        with self._lock:
            self.lost = True
            asked, self._asked = self._asked, {}
        self._up.set()
        for answer in asked.values():
            answer.set_exception(GuestLost(f"{self.name} is gone"))

    def _take(self, said: dict[str, Any], at: float) -> None:
        if "topic" in said:
            if said["topic"] == "up":
                self._up.set()
            self._tell(self.name, said["topic"], said["value"], at)
            return
        with self._lock:
            answer = self._asked.pop(said["id"])
        if "error" in said:
            answer.set_exception(RefusedByGuest(*said["error"]))
        else:
            answer.set_result(said["answer"])

    def _qmp(self, command: dict[str, Any]) -> None:
        with socket.socket(socket.AF_UNIX) as channel:
            channel.connect(str(self._folder / "qmp"))
            stream = channel.makefile("rw")
            stream.readline()
            for each in ({"execute": "qmp_capabilities"}, command):
                stream.write(json.dumps(each) + "\n")
                stream.flush()
                answer = json.loads(stream.readline())
                while "event" in answer:
                    answer = json.loads(stream.readline())
                assert "error" not in answer, f"{self.name}: {answer}"


def _connected(path: Path, process: subprocess.Popen[bytes]) -> socket.socket:
    until = time.monotonic() + BOOT_SECONDS_MAX
    while True:
        channel = socket.socket(socket.AF_UNIX)
        try:
            channel.connect(str(path))
        except OSError:
            channel.close()
            if process.poll() is not None or time.monotonic() > until:
                raise GuestLost(f"qemu did not start: see {path.parent}") from None
            time.sleep(_CONNECT_WAIT_SECONDS)
        else:
            return channel


def _words(machine: Machine) -> list[str]:
    folder = machine.folder
    root = "local,path=/,mount_tag=root,security_model=none,readonly=on,multidevs=remap"
    network = f"socket,id=net0,mcast=230.0.0.1:{machine.port},localaddr=127.0.0.1"
    card = f"virtio-net-pci,netdev=net0,id=nic0,mac=52:54:00:77:00:{machine.number:02x}"
    words = [
        *("qemu-system-x86_64", "-accel", machine_accel(), "-cpu", "max"),
        *("-smp", str(machine.processors)),
        *("-m", str(machine.memory_mib), "-display", "none", "-no-reboot"),
        *("-serial", f"file:{folder}/console"),
        *("-qmp", f"unix:{folder}/qmp,server=on,wait=off"),
        *("-kernel", str(machine.kernel), "-initrd", str(machine.first_root)),
        *("-append", "console=ttyS0 panic=-1 quiet no_timer_check"),
        *("-virtfs", root),
        *("-virtfs", f"local,path={folder},mount_tag=lab,security_model=none"),
        *("-netdev", network, "-device", card),
        *("-device", "virtio-serial"),
        *("-chardev", f"socket,id=agent,path={folder}/agent,server=on,wait=off"),
        *("-device", "virtserialport,chardev=agent,name=lab"),
    ]
    if machine.disk is not None:
        words += ["-drive", f"file={machine.disk},if=virtio,format=raw"]
    return words


def machine_accel() -> str:
    """Return how guests are to be run: emulated, which works everywhere."""
    return "tcg,thread=multi"
