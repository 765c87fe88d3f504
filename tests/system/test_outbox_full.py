"""The outbox on a disk of its own, which is full: containers wait, nothing is blamed."""

from __future__ import annotations

import hashlib
import os
import random
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from relayed_share import (
    COMMAND,
    EAGER_POLICY,
    Finished,
    digests_below,
    files_below,
    process_environment,
)
from small_disk import SmallDisk, why_not

WHY_NOT = why_not()

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT),
]


@pytest.fixture
def outbox(ground: Path) -> Iterator[SmallDisk]:
    small = SmallDisk(ground / "outbox", 16 << 20)
    yield small
    small.remove()


def drain(inbox: Path, outbox: Path, policy: Path) -> Finished:
    words = ["drain", "--inbox", inbox, "--outbox", outbox, "--policy", policy]
    done = subprocess.run(
        [*COMMAND, *words],
        env=process_environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    return Finished(done.returncode, done.stdout, done.stderr)


def visible_below(folder: Path) -> list[bytes]:
    """Return the files that no relay keeps for itself."""
    return [path for path in files_below(folder) if b"/.paxect" not in path]


@pytest.mark.parametrize("leave_bytes", [0, 1 << 18, 2 << 20, 4 << 20])
def test_outbox_full_ends_with_3_and_with_room_all_arrives_once(
    ground: Path, outbox: SmallDisk, leave_bytes: int
) -> None:
    inbox, policy = ground / "inbox", ground / "policy.toml"
    inbox.mkdir()
    policy.write_text(EAGER_POLICY)
    dice = random.Random(leave_bytes)
    dropped = {}
    for number in range(24):
        data = dice.randbytes(500_000 if number % 3 == 0 else 9_000)
        (inbox / f"{number}.bin").write_bytes(data)
        dropped[b"%d.bin" % number] = hashlib.sha256(data).hexdigest()
    outbox.fill(leave_bytes=leave_bytes)
    run = drain(inbox, outbox.folder, policy)
    assert run.code == 3, run.err
    assert "No space left on device" in run.err
    assert run.sum_closes
    assert run.audit["set_aside"]["files"] == 0
    outbox.make_room()
    first = digests_below(outbox.folder)
    for path in visible_below(outbox.folder):
        os.unlink(path)
    run = drain(inbox, outbox.folder, policy)
    assert run.code == 0, run.err
    second = digests_below(outbox.folder)
    arrived = {name: digest for name, digest in first.items() if b"/" not in name}
    assert not arrived.keys() & second.keys()
    assert {**arrived, **second} == dropped
    assert visible_below(inbox) == []
