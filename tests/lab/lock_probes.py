"""What locks and claims hold between two nodes, measured.

Each probe gives a question and the answer that this share gave, in words.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import Any

from guest import Guest
from lab import SHARE, Lab

FILELOCKS = ("FileLock", "SoftFileLock", "StrictSoftFileLock", "SoftFileLease")
FREE_WITHIN_SECONDS = 80.0
BEATS = 15
RACES = 300

Finding = tuple[str, str]


def probes(lab: Lab) -> Iterator[Finding]:
    """Give a finding for each question; node1 loses power several times."""
    first, second = lab["node1"], lab["node2"]
    for guest in (first, second):
        guest.do("lock", kind="FileLock", path="/run/warm", keep="warm")
    yield from _races(lab)
    yield from _beats(first, second)
    for kind in FILELOCKS:
        yield from _filelock(first, second, kind)
    yield from _power_loss(lab)


def _filelock(first: Guest, second: Guest, kind: str) -> Iterator[Finding]:
    path = f"{SHARE}/{kind}.lock"
    held = first.do("lock", kind=kind, path=path, keep=kind)
    if held != "held":
        yield f"{kind}: taken on a free name", held
        return
    yield (
        f"{kind}: held, tried on another node",
        second.do("lock", kind=kind, path=path, keep=kind),
    )
    wait = second.ask("lock_within", kind=kind, path=path, keep=kind, within=30.0)
    time.sleep(2.0)
    first.do("unlock", keep=kind)
    freed = time.monotonic()
    took = wait.result(60)
    after = f"after {time.monotonic() - freed:.1f} s"
    yield (
        f"{kind}: released, taken by a waiting node",
        "never" if took is None else after,
    )
    if took is not None:
        second.do("unlock", keep=kind)


def _races(lab: Lab) -> Iterator[Finding]:
    first, second = lab["node1"], lab["node2"]
    needs = {
        "create": (),
        "rename away": ("",),
        "unlink": ("",),
        "rename onto": (".node1", ".node2"),
        "look and rename": (".node1", ".node2"),
        "link": (".node1", ".node2"),
    }
    for how, suffixes in needs.items():
        folder = f"{SHARE}/race-{how.replace(' ', '-')}"
        lab.server.do("make_folder", path=folder.replace(SHARE, "/srv/share"))
        for suffix in suffixes:
            first.do("make_all", folder=folder, count=RACES, suffix=suffix)
        for guest in (first, second):
            guest.do("freshen", folder=folder, how="create and remove")
        asked = [
            guest.ask("take_all", folder=folder, count=RACES, how=how, mine=guest.name)
            for guest in (first, second)
        ]
        mine, its = (set(each.result(600)) for each in asked)
        yield (
            f"{how}: {RACES} names, two nodes at once",
            f"{len(mine)} and {len(its)} won, {len(mine & its)} by both, "
            f"{RACES - len(mine | its)} by none",
        )


def _beats(first: Guest, second: Guest) -> Iterator[Finding]:
    for how in ("kept open", "in place", "renamed over"):
        path = f"{SHARE}/beat-{how.replace(' ', '-')}"
        # A reader that asks for a name before it is there goes on being told so.
        first.do("create", path=path, text="00000000\n", sync=True)
        with _said(first, second) as said:
            hearing = second.ask("hear", path=path, until=BEATS, within=BEATS * 4.0)
            first.do("beat", path=path, how=how, seconds=1.0, count=BEATS)
            told = hearing.result(120)
        waits = [
            said["heard"][n] - said["beat"][n]
            for n in said["heard"]
            if n in said["beat"]
        ]
        worst = f"{max(waits):.2f}" if waits else "-"
        median = f"{sorted(waits)[len(waits) // 2]:.2f}" if waits else "-"
        yield (
            f"heartbeat {how}, synced each second, read on another node by open",
            f"{len(waits)} of {BEATS} seen, median {median} s, worst {worst} s; "
            f"{told or 'no error'}; {_refusals(said)}",
        )


def _refusals(said: dict[str, dict[Any, float]]) -> str:
    names = ", ".join(said.get("beat refused", {}))
    return f"the writer was refused with {names}" if names else "no refusal"


@contextlib.contextmanager
def _said(*guests: Guest) -> Iterator[dict[str, dict[Any, float]]]:
    """Note when each value was said, by topic."""
    said: dict[str, dict[Any, float]] = {"beat": {}, "heard": {}}

    def tell(name: str, topic: str, value: Any, at: float) -> None:
        said.setdefault(topic, {})[value] = at

    before = [guest.listen(tell) for guest in guests]
    yield said
    for guest, old in zip(guests, before, strict=True):
        guest.listen(old)


def _power_loss(lab: Lab) -> Iterator[Finding]:
    """All at once: one death of node1, all that it held, and who gets it when."""
    first, second = lab["node1"], lab["node2"]
    for kind in FILELOCKS:
        held = first.do(
            "lock", kind=kind, path=f"{SHARE}/{kind}.dead", keep=f"{kind}.dead"
        )
        if held != "held":
            yield f"{kind}: before the power loss", held
        # An SMB client tells the server of a lock only when another one opens the file.
        path = f"{SHARE}/{kind}.dead"
        told = second.do("lock", kind=kind, path=path, keep=f"{kind}.early")
        if told != "refused":
            yield f"{kind}: tried before the power loss", told
    closed, opened = f"{SHARE}/claim-closed", f"{SHARE}/claim-open"
    first.do("create", path=closed, text="node1 7 closed\n", sync=True)
    first.do("create", path=opened, text="node1 7 open\n", sync=True, keep="marker")
    first.do(
        "create", path=f"{SHARE}/claim-unsynced", text="node1 7\n", sync=False, keep="u"
    )
    # What the other node knows of them before, as in a real run.
    for path in (closed, opened):
        second.do("read", path=path)
    time.sleep(3.0)
    waits = {
        kind: second.ask(
            "lock_within",
            kind=kind,
            path=f"{SHARE}/{kind}.dead",
            keep=f"{kind}.dead",
            within=FREE_WITHIN_SECONDS,
        )
        for kind in FILELOCKS
    }
    lab.kill("node1")
    died = time.monotonic()
    for path, what in ((closed, "closed"), (opened, "still open at the loss")):
        text = second.do("read", path=path)
        yield f"marker synced, {what}: read after power loss", repr(text)
        result = second.do("rename", source=path, target=f"{path}.aside")
        while result != "done" and time.monotonic() - died < FREE_WITHIN_SECONDS:
            time.sleep(0.2)
            result = second.do("rename", source=path, target=f"{path}.aside")
        yield (
            f"marker synced, {what}: renamed aside by another node",
            f"{result}, {time.monotonic() - died:.1f} s after the loss",
        )
        again = second.do("create", path=path, text="node2 1\n", sync=True)
        yield f"marker synced, {what}: made anew", str(again)
    yield (
        "marker not synced: read after power loss",
        repr(second.do("read", path=f"{SHARE}/claim-unsynced")),
    )
    for kind, wait in waits.items():
        took = wait.result(FREE_WITHIN_SECONDS + 60)
        # What was waited before the death is not counted.
        yield (
            f"{kind}: holder loses power, taken by a waiting node",
            f"not within {FREE_WITHIN_SECONDS:.0f} s"
            if took is None
            else f"after about {took:.0f} s",
        )
    lab.boot("node1")
