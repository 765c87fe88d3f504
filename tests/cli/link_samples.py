"""A Link as a process of its own, and the files that lie around one."""

import hashlib
import hmac
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
_LIFE_SECONDS_MAX = 60.0
HOST = socket.gethostname()
FIELDS = [
    "datetime_utc",
    "level",
    "event",
    "src",
    "dst",
    "status",
    "message",
    "version",
]


class Link:
    """`paxect-link`, started in a folder with some variables."""

    def __init__(self, folder: Path, **variables: str) -> None:
        self.folder = folder
        self.lines: list[str] = []
        self._process = subprocess.Popen(
            [sys.executable, "-m", "paxect_batch.cli.link"],
            cwd=folder,
            env=link_environment(**variables),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )
        # What never comes must not be waited for; nothing is judged by this time.
        self._watchdog = threading.Timer(_LIFE_SECONDS_MAX, self._process.kill)
        self._watchdog.daemon = True
        self._watchdog.start()

    def until(self, *wanted: str) -> None:
        """Wait until each of the words stood in some line."""
        missing = [word for word in wanted if not self._has(word)]
        assert self._process.stdout is not None
        while missing:
            line = self._process.stdout.readline()
            assert line, (missing, self.lines, self._process.communicate()[1])
            self.lines.append(line.rstrip("\n"))
            missing = [word for word in missing if word not in line]

    def _has(self, word: str) -> bool:
        return any(word in line for line in self.lines)

    def stop(self, number: int = signal.SIGTERM) -> tuple[int, str]:
        """Send a signal; return the exit code and what came on standard error."""
        self._process.send_signal(number)
        out, err = self._process.communicate()
        self._watchdog.cancel()
        self.lines += out.splitlines()
        return self._process.returncode, err

    @property
    def audit(self) -> dict[str, Any]:
        """The audit in the last line."""
        assert self.lines[-1].startswith("AUDIT_SUMMARY_JSON=")
        audit: dict[str, Any] = json.loads(self.lines[-1].partition("=")[2])
        return audit


def link_environment(**variables: str) -> dict[str, str]:
    """Return an environment in which nothing but these variables concerns a Link."""
    search = os.pathsep.join((str(ROOT / "core"), str(ROOT)))
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("PAXECT_")}
    ours = {f"PAXECT_LINK_{name}": value for name, value in variables.items()}
    return inherited | {"PYTHONPATH": search, "PYTHONUTF8": "1"} | ours


def write_policy(path: Path, **changes: object) -> None:
    """Write a policy of Link 1.2.0."""
    facts = {"version": "1.2.0", "trusted_nodes": [HOST, "node2"]}
    path.write_text(json.dumps(facts | changes))


def write_manifest(path: Path, node: str, key: bytes | None = None) -> None:
    """Write a manifest as Link 1.2.0 does, signed if there is a key."""
    payload = {
        "datetime_utc": "2026-01-31T23:59:59Z",
        "node": node,
        "platform": "linux",
        "policy": "link_policy.json",
        "inbox": "inbox",
        "outbox": "outbox",
        "version": "1.2.0",
    }
    data = json.dumps(payload, sort_keys=True, separators=(",", ":")).encode()
    signature = key and hmac.new(key, data, hashlib.sha256).hexdigest()
    path.write_text(json.dumps({"payload": payload, "hmac_sha256": signature}))


def core_container(source: Path, target: Path) -> bytes:
    """Return what Core makes of a file with its defaults, level 5."""
    subprocess.run(
        [sys.executable, "-m", "paxect_core", "encode", "-i", source, "-o", target],
        check=True,
        env=link_environment(),
        stdout=subprocess.DEVNULL,
    )
    return target.read_bytes()
