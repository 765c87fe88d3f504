"""Tell this machine and process from all others."""

from __future__ import annotations

import hashlib
import os
import socket
import sys
import uuid

from paxect_batch.model.leases import Machine

_ID_PATHS = ("/etc/machine-id", "/var/lib/dbus/machine-id")
_PID_MAX = 2**31 - 1
"""What every system call takes; a lease may say anything."""
_BOOT_PATH = "/proc/sys/kernel/random/boot_id"


def this_machine() -> Machine:
    """Return what is known of the machine and process that this is."""
    return Machine(
        host=socket.gethostname(),
        machine=_machine(),
        boot=_boot(),
        pid=os.getpid(),
        started=process_start(os.getpid()) or "",
    )


def is_running(machine: Machine) -> bool:
    """Tell whether that process is known to run, given that it is of this system."""
    if not 0 < machine.pid <= _PID_MAX or not machine.started:
        return False
    return process_start(machine.pid) == machine.started


def has_ended(machine: Machine) -> bool:
    """Tell whether that process is known to have ended, if it is of this system.

    Of one that this user may not see neither is known.
    """
    if not 0 < machine.pid <= _PID_MAX:
        return True
    started = process_start(machine.pid)
    if not started or not machine.started:
        return started is None
    return started != machine.started


def process_start(pid: int) -> str | None:
    """Return when a process began; None if there is none, nothing if it is hidden."""
    if sys.platform == "linux":
        try:
            with open(f"/proc/{pid}/stat", "rb") as stream:
                words = stream.read().rpartition(b")")[2].split()
        except OSError:
            # As with `hidepid`, which shows a user those of others no more, nor those
            # of his own that have a capability which he lacks.
            return "" if _is_there(pid) else None
        # The dead that nobody waited for do nothing any more.
        return None if words[0] in (b"Z", b"X") else words[19].decode()
    from paxect_batch.world.load import process_started

    return process_started(pid)


def _is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass  # it is somebody else's
    return True


def user_id() -> str:
    """Return a text for who runs this, where systems number their users."""
    if sys.platform == "win32":
        return ""
    return str(os.getuid())


def _machine() -> str:
    """Return a short text that stays; those who share pids and files share it."""
    identity = next(filter(None, map(_text, _ID_PATHS)), f"{uuid.getnode():x}")
    # Containers on one machine see one machine id, and not each other's processes, or
    # these as begun at another time.
    words = (identity, _space("pid"), _space("time"), user_id())
    return hashlib.sha256("\0".join(words).encode()).hexdigest()[:16]


def _space(kind: str) -> str:
    """Return which namespace of that kind this process is in, where there are some."""
    try:
        return str(os.stat(f"/proc/self/ns/{kind}").st_ino)
    except OSError:
        return ""


def _boot() -> str:
    boot = _text(_BOOT_PATH)
    if boot:
        return boot
    from paxect_batch.world.load import boot_second

    return str(boot_second())


def _text(path: str) -> str:
    try:
        with open(path, encoding="ascii", errors="replace") as stream:
            return stream.read(200).strip()
    except OSError:
        return ""
