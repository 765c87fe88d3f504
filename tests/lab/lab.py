"""A file server and nodes, each a guest with a kernel of its own, on one network share.

The server's share lies on a disk of its own, so that it can lose power and come back
with what was made durable. Nodes mount it at `SHARE` with their kernel's own client and
run the relay as it was in the checkout when the lab was begun.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from guest import Guest, GuestLost, Machine
from guest_image import Image, found
from guest_scripts import (
    BOOT,
    MOUNTS,
    PORT_NAME,
    RESTART_NFS,
    RESTART_SMB,
    SERVE_NFS,
    SERVE_SMB,
    SERVER_ADDRESS,
    SPARED_SMB,
)

CHECKOUT = Path(__file__).resolve().parents[2]
SERVER = "server"
SHARE = "/mnt/share"
"""Where a node sees the share."""
SHARE_ON_SERVER = "/srv/share"

NFS_LEASE_SECONDS = 10
SERVER_MEMORY_MIB = 500
SERVER_PROCESSORS = 2
"""What nodes wait for, on SMB above all."""
NODE_MEMORY_MIB = 700


@dataclass(frozen=True)
class Scale:
    """How much a scenario does; less of it for a first look."""

    files: int = 2000
    """Dropped when nodes share the work undisturbed."""
    files_of_a_moment: int = 120
    """Dropped for each harm that is done."""
    moments: int = 10
    outages: int = 3


@dataclass(frozen=True)
class Setting:
    """What a lab is made of."""

    protocol: str
    nodes: int = 2
    options: str = ""
    """More mount options, such as `actimeo=1`."""
    share_mib: int = 1024
    spared: bool = True
    """Whether an SMB server leaves out what the relay does not need."""
    scale: Scale = Scale()


class Lab:
    """Guests that are up; leaving it ends them."""

    def __init__(self, folder: Path, setting: Setting) -> None:
        self.setting = setting
        self.image = Image(folder)
        self.folder = Path(tempfile.mkdtemp(prefix="guests-", dir=folder))
        self.nodes = [f"node{number + 1}" for number in range(setting.nodes)]
        self.said: list[tuple[str, str, Any, float]] = []
        """What guests said unasked: who, topic, value, when."""
        self._news = threading.Condition()
        self._guests: dict[str, Guest] = {}
        self._port = 20000 + os.getpid() % 20000
        self._disk = _disk_folder() / f"paxect-lab-{os.getpid()}.disk"

    def __enter__(self) -> Lab:
        try:
            self._copy_relay()
            self._make_disk()
            self.boot(SERVER)
            self.boot(*self.nodes)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End every guest, and leave nothing behind."""
        for guest in self._guests.values():
            guest.end()
        self._guests.clear()
        self._disk.unlink(missing_ok=True)
        shutil.rmtree(self.folder)

    def __getitem__(self, name: str) -> Guest:
        return self._guests[name]

    @property
    def server(self) -> Guest:
        """The file server."""
        return self._guests[SERVER]

    def boot(self, *names: str) -> None:
        """Start guests, together, and wait until they have what they serve or mount."""
        for name in names:
            self._guests[name] = Guest(self._machine(name), self._note)
        for name in names:
            self._guests[name].wait_up()
        for name in names:
            code = self._guests[name].run("cat /run/setup.code").strip()
            if code != "0":
                log = (self.folder / name / "setup.log").read_text(errors="replace")
                raise GuestLost(f"{name} was not set up ({code}): {log}")

    def kill(self, name: str) -> None:
        """Take a guest's power away."""
        self._guests.pop(name).end()

    def restart_service(self) -> None:
        """End the file server's service and start it again; its machine stays up."""
        smb = self.setting.protocol == "smb"
        self.server.run(RESTART_SMB if smb else RESTART_NFS)

    def wait_for(self, topic: str, *, guest: str = "", within: float) -> Any:
        """Wait until some guest, or that one, says something on the topic next."""
        until = time.monotonic() + within
        with self._news:
            first = len(self.said)
            while True:
                for name, said, value, _ in self.said[first:]:
                    if said == topic and guest in ("", name):
                        return value
                first = len(self.said)
                if not self._news.wait(until - time.monotonic()):
                    raise TimeoutError(f"nobody said {topic} within {within} s")

    def _note(self, name: str, topic: str, value: Any, at: float) -> None:
        with self._news:
            self.said.append((name, topic, value, at))
            self._news.notify_all()

    def address(self, name: str) -> str:
        """Return where other guests find that one."""
        if name == SERVER:
            return SERVER_ADDRESS
        return f"10.77.0.{11 + self.nodes.index(name)}"

    def mount(self) -> str:
        """Return the commands by which a node mounts the share."""
        options = f",{self.setting.options}" if self.setting.options else ""
        return MOUNTS[self.setting.protocol].substitute(options=options)

    def _machine(self, name: str) -> Machine:
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        number = 0 if name == SERVER else self.nodes.index(name) + 1
        (folder / "boot.sh").write_text(
            BOOT.substitute(
                path=_path(),
                modules=self.image.modules,
                name=name,
                address=self.address(name),
                setup=self._setup(name),
                python=sys.executable,
                agent=Path(__file__).with_name("agent.py"),
                port=PORT_NAME,
            )
        )
        return Machine(
            name=name,
            folder=folder,
            kernel=self.image.kernel,
            first_root=self.image.first_root,
            number=number,
            port=self._port,
            memory_mib=SERVER_MEMORY_MIB if name == SERVER else NODE_MEMORY_MIB,
            processors=SERVER_PROCESSORS if name == SERVER else 1,
            disk=self._disk if name == SERVER else None,
        )

    def _setup(self, name: str) -> str:
        protocol = self.setting.protocol
        if name != SERVER:
            return self.mount()
        if protocol == "smb":
            return SERVE_SMB.substitute(more=SPARED_SMB if self.setting.spared else "")
        # Version 3 only where it is asked for; 4.2 needs no port mapper.
        threads = "4" if protocol == "nfs3" else "-N 3 4"
        return SERVE_NFS.substitute(lease=NFS_LEASE_SECONDS, threads=threads)

    def _make_disk(self) -> None:
        with self._disk.open("wb") as disk:
            disk.truncate(self.setting.share_mib << 20)
        words = (found("mkfs.ext4") or "mkfs.ext4", "-q", "-F", "-m", "0")
        subprocess.run([*words, str(self._disk)], check=True)

    def _copy_relay(self) -> None:
        """Keep the relay as it is now, whatever is edited while the lab runs."""
        copy = self.folder / "relay"
        skipped = shutil.ignore_patterns("__pycache__")
        shutil.copytree(
            CHECKOUT / "paxect_batch", copy / "paxect_batch", ignore=skipped
        )
        shutil.copytree(
            CHECKOUT / "core/paxect_core", copy / "paxect_core", ignore=skipped
        )
        # Compiled here: an emulated guest is slow at it, and each would do it again.
        words = (sys.executable, "-m", "compileall", "-q", str(copy))
        subprocess.run(words, check=True, stdout=subprocess.DEVNULL)

    @property
    def relay(self) -> Path:
        """Where guests find the relay's packages."""
        return self.folder / "relay"


def _path() -> str:
    return os.pathsep.join((os.environ["PATH"], "/usr/sbin", "/sbin"))


def _disk_folder() -> Path:
    # In memory if there is one: guests sync all the time.
    memory = Path("/dev/shm")
    return memory if memory.is_dir() else Path(tempfile.gettempdir())
