"""A node's listener must answer while its mount hangs, and say so."""

from __future__ import annotations

import sys
import time
from typing import Any

from ground import Ground
from guest import Guest
from lab import Lab
from scenarios import Verdict

_ADDRESS = "127.0.0.1:8081"
_JOB = "serve"
_SIGTERM = 15
_PING_SECONDS_MAX = 5.0
"""An emulated machine answers slowly, and what touches a hung mount not at all."""
_HANGS_SECONDS = 30.0
_PAUSE_SECONDS = 0.2
"""More requests than that are told to come again later."""
_BACK_SECONDS_MAX = 240.0
_PATHS = ("ping", "metrics", "last", "events", "")


def hung(lab: Lab) -> Verdict:
    """Cut a node off while it serves a share; it answers, and is ready when healed."""
    verdict = Verdict()
    ground = Ground(lab, "hung")
    ground.lay_out()
    node = lab["node1"]
    relay = (sys.executable, "-m", "paxect_batch", "serve", ground.folder)
    node.do(
        "start",
        job=_JOB,
        words=[*relay, "--listen", _ADDRESS],
        environment={"PYTHONPATH": str(lab.relay)},
    )
    if not _comes(node, 200, within=_BACK_SECONDS_MAX):
        verdict.faults.append(f"not ready before: {_asked(node, 'ready')}")
    node.cut()
    slowest, count = _hammer(node, verdict)
    if not _comes(node, 503, within=_BACK_SECONDS_MAX):
        verdict.faults.append(f"/ready does not say so: {_asked(node, 'ready')}")
    said = str(_asked(node, "ready")["text"])
    node.heal()
    if not _comes(node, 200, within=_BACK_SECONDS_MAX):
        verdict.faults.append(f"not ready again: {_asked(node, 'ready')}")
    node.do("signal", job=_JOB, number=_SIGTERM)
    code = node.do("ended", job=_JOB, wait=True)
    verdict.figures += [
        f"{count} answers while the mount hung, the slowest after {slowest:.2f} s",
        f"ended with {code}",
        f"/ready said {said[:200]}",
    ]
    return verdict


def _hammer(node: Guest, verdict: Verdict) -> tuple[float, int]:
    """Ask for each path again and again while the mount hangs."""
    until = time.monotonic() + _HANGS_SECONDS
    slowest, count = 0.0, 0
    while time.monotonic() < until:
        for path in _PATHS:
            answer = _asked(node, path)
            slowest, count = max(slowest, answer["seconds"]), count + 1
            if answer["code"] != 200 or answer["seconds"] > _PING_SECONDS_MAX:
                verdict.faults.append(f"/{path} while the mount hung: {answer}")
            time.sleep(_PAUSE_SECONDS)
    return slowest, count


def _comes(node: Guest, code: int, *, within: float) -> bool:
    until = time.monotonic() + within
    while _asked(node, "ready")["code"] != code:
        if time.monotonic() > until:
            return False
        time.sleep(0.5)
    return True


def _asked(node: Guest, path: str) -> dict[str, Any]:
    url = f"http://{_ADDRESS}/{path}"
    return dict(node.do("ask_http", url=url, within=_PING_SECONDS_MAX * 4))
