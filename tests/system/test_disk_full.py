"""A full disk ends a drain with code 3 or nothing at all; given room, all arrives once."""

from __future__ import annotations

import hashlib
import os
import random
import re
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from dropped_files import content
from relayed_share import (
    EAGER_POLICY,
    LONG,
    Finished,
    RelayedShare,
    counted,
    digests_below,
    files_below,
    finish,
    wait_until,
)
from small_disk import SmallDisk, why_not

import paxect_core

WHY_NOT = why_not()

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT),
]

LEVELS = 20 if LONG else 3
DISK_BYTES = 48 << 20


@pytest.fixture
def disk(ground: Path) -> Iterator[SmallDisk]:
    small = SmallDisk(ground / "disk", DISK_BYTES)
    yield small
    small.remove()


def drop_some(share: RelayedShare, dice: random.Random) -> int:
    """Drop some ten MiB in several lots; return how many bytes."""
    total = 0
    for number in range(40):
        large = number % 5 == 0
        size = dice.randrange(1 << 20, 3 << 19) if large else dice.randrange(40_000)
        share.drop(b"%d/%d.bin" % (number % 3, number), content(dice, size))
        total += size
    return total


def take(share: RelayedShare, direction: str) -> list[tuple[bytes, str]]:
    """Take what arrived, as a consumer would; give names and digests of the files."""
    if direction != "encode":
        found = list(digests_below(share.outbox).items())
        for path in files_below(share.outbox):
            os.unlink(path)
        return found
    found = []
    for path in files_below(share.wire):
        if not path.endswith(b".freq"):
            continue
        with open(path, "rb") as stream:
            container = stream.read()
        sidecar = path + b".sha256"
        with open(sidecar, "rb") as stream:
            expected = stream.read().split()[0].decode()
        assert hashlib.sha256(container).hexdigest() == expected
        raw = paxect_core.decode_bytes(container)
        name = os.path.relpath(path, os.fsencode(share.wire)).removesuffix(b".freq")
        found.append((name, hashlib.sha256(raw).hexdigest()))
        os.unlink(path)
        os.unlink(sidecar)
    return found


def problems_when_full(share: RelayedShare, run: Finished) -> list[str]:
    """Tell what was wrong with a run on a full disk."""
    found = []
    if run.code not in (0, 1, 3):
        found.append(f"exit code {run.code}: {run.err}")
    if run.code == 3 and "No space left on device" not in run.err:
        found.append(f"does not say what was full: {run.err}")
    if run.code == 3 and not re.search(r"device \([^)]*/|'[^']*/", run.err):
        found.append(f"does not say where it was full: {run.err}")
    if run.out:  # not of a run that could not even begin
        audit = run.audit
        if audit["exit_code"] != run.code:
            found.append(f"the audit line has another code: {run.out}")
        if not run.sum_closes:
            found.append(f"the sum does not close: {run.out}")
        if audit["set_aside"]["files"]:
            found.append(f"set aside: {run.out}")
    elif run.code != 3:
        found.append(f"no audit line: {run.err}")
    for folder in ("quarantine", "attempts"):
        found += [f"blamed: {path!r}" for path in files_below(share.state / folder)]
    return found


def problems_at(disk: SmallDisk, direction: str, level: int) -> tuple[int, list[str]]:
    """Drain a disk that is full to that level, then with room; give the first code."""
    share = RelayedShare.lay_out(disk.folder / "share", EAGER_POLICY)
    dropped_bytes = drop_some(share, random.Random(level))
    if direction == "decode":
        assert share.drain("--direction", "encode").code == 0
    disk.fill(leave_bytes=level * dropped_bytes * 5 // 4 // LEVELS)
    run = share.drain("--direction", direction)
    found = problems_when_full(share, run)
    taken = take(share, direction)
    if run.code == 0 and len(taken) != len(share.dropped):
        found.append("all well, it said, and not all had arrived")
    disk.make_room()
    again = share.drain("--direction", direction)
    if again.code != 0 or again.audit["waiting"]["files"]:
        found.append(f"with room it ended with {again.code}: {again.err}{again.out}")
    taken += take(share, direction)
    found += counted(taken, share.dropped)
    found += [f"left behind: {crumb}" for crumb in share.crumbs()]
    found += [f"orphan: {told}" for told in share.end_processes()]
    shutil.rmtree(share.folder)
    return run.code, [f"level {level}: {text}" for text in found]


@pytest.mark.parametrize("direction", ["encode", "decode", "relay"])
def test_disk_full_at_each_level_blames_no_item_and_with_room_all_arrives_once(
    disk: SmallDisk, direction: str
) -> None:
    found, codes = [], set()
    for level in range(LEVELS):
        code, told = problems_at(disk, direction, level)
        codes.add(code)
        found += told
    assert found == []
    assert 3 in codes  # it was full indeed


def test_watch_on_a_full_disk_pauses_and_goes_on_when_there_is_room(
    disk: SmallDisk, ground: Path
) -> None:
    share = RelayedShare.lay_out(disk.folder / "share", EAGER_POLICY)
    drop_some(share, random.Random(1))
    share.drop("larger than the room", random.Random(2).randbytes(1 << 20))
    log = ground / "log.jsonl"
    disk.fill(leave_bytes=1 << 19)
    process = share.start("--log", str(log), "--poll-seconds", "0.05", command="watch")
    try:
        assert wait_until(
            # It waits for room, or met the end of it in the middle of a lot.
            lambda: (
                log.exists()
                and any(
                    word in log.read_text() for word in ("share_trouble", '"paused"')
                )
            ),
            process=process,
        )
        disk.make_room()
        assert wait_until(
            lambda: log.read_text().count('"decode"') >= len(share.dropped),
            process=process,
        )
        process.send_signal(signal.SIGTERM)
        run = finish(process)
    finally:
        process.kill()
    assert run.code == 143, run.err
    assert run.sum_closes
    assert run.audit["set_aside"]["files"] == 0
    assert share.arrived() == share.dropped
    assert share.crumbs() == []
