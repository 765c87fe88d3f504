"""Whether others wait for what a machine without power had read a moment before.

An NFS server may have delegated it to that machine, and asks it first.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from guest import Guest
from lab import SHARE, Lab
from scenarios import Verdict

_SOON_SECONDS = 3.0
_WITHIN_SECONDS = 120.0
_PLAINLY = "plainly"
_WAYS = (_PLAINLY, "as an item", "as a paper")
_CHANGES: dict[str, Callable[[str], dict[str, str]]] = {
    "rename": lambda path: {"source": path, "target": f"{path}.moved"},
    "remove": lambda path: {"path": path},
    "append": lambda path: {"path": path, "text": "y\n"},
}


def readers(lab: Lab) -> Verdict:
    """Judge what the relay read, and tell how what was read plainly fares."""
    verdict = Verdict()
    reader, other = lab["node1"], lab["node2"]
    # In a folder for each: who waits for one name in it keeps the others waiting.
    paths = {
        (way, change): f"{SHARE}/{way}-{change}/file".replace(" ", "-")
        for way in _WAYS
        for change in _CHANGES
    }
    for path in paths.values():
        other.do("make_folder", path=path.rpartition("/")[0])
        other.do("create", path=path, text="x\n", sync=True)
    for (way, _), path in paths.items():
        _read(lab, reader, path, way)
    lab.kill("node1")
    took = {
        key: _timed(other.ask(key[1], **_CHANGES[key[1]](path)))
        for key, path in paths.items()
    }
    waited = dict.fromkeys(_WAYS, 0.0)
    for (way, change), answer in took.items():
        seconds, said = answer.result(_WITHIN_SECONDS)
        waited[way] = max(waited[way], seconds)
        # To append says nothing.
        if said not in ("done", None) or (way != _PLAINLY and seconds > _SOON_SECONDS):
            verdict.faults.append(
                f"{change} of what was read {way}: {said} after {seconds:.1f} s"
            )
    lab.boot("node1")
    verdict.figures.append(
        "others waited for what was read "
        + ", ".join(f"{way} {seconds:.1f} s" for way, seconds in waited.items())
    )
    return verdict


def _read(lab: Lab, reader: Guest, path: str, way: str) -> None:
    if way == _PLAINLY:
        reader.do("read", path=path)
    else:
        reader.do("relay_reads", relay=str(lab.relay), path=path, paper="paper" in way)


def _timed(answer: Future[Any]) -> Future[tuple[float, Any]]:
    """Return how long an answer took to come, and what it was."""
    began = time.monotonic()
    timed: Future[tuple[float, Any]] = Future()

    def came(answer: Future[Any]) -> None:
        seconds = time.monotonic() - began
        error = answer.exception()
        timed.set_result((seconds, answer.result() if error is None else repr(error)))

    answer.add_done_callback(came)
    return timed
