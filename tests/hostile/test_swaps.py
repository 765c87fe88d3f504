"""Files, folders and sidecars that turn into something else between two operations."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from relay_in_thread import Ended, run

import paxect_core
from paxect_batch.cli.init import lay_out

SECRET = b"what lies outside of the share"
HONEST = {"honest.txt": b"honest" * 99, "f/victim.txt": b"victim" * 99}
POLICY = 'version = "2"\nsettle_seconds = 0.0\nattempts = 1\nbackoff_seconds = 0.0\n'
STEPS_MAX = 4000


def laid_out(folder: Path) -> Path:
    """Return a share whose inbox holds the honest files, with a secret beside it."""
    share = folder / "share"
    lay_out(str(share))
    (share / ".paxect/policy.toml").write_text(POLICY)
    (folder / "outside").mkdir()
    (folder / "outside/victim.txt").write_bytes(SECRET)
    container = paxect_core.encode_bytes(SECRET)
    (folder / "outside/victim.txt.freq").write_bytes(container)
    for name, data in HONEST.items():
        path = share / "inbox" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
    return share


def drain(share: Path, **named: object) -> Ended:
    return run("drain", "--quiet", "--node", "n", str(share), **named)


def aside(path: Path) -> Path:
    """Take what has the name away, within its folder, if it is there."""
    kept = path.with_name(f".{path.name}")
    if path.exists():
        path.rename(kept)
    return kept


def file_to_link(share: Path) -> None:
    victim = share / "inbox/f/victim.txt"
    if victim.exists():
        aside(victim)
        victim.symlink_to(share.parent / "outside/victim.txt")


def folder_to_link(share: Path) -> None:
    victim = share / "inbox/f"
    aside(victim)
    victim.symlink_to(share.parent / "outside")


def folder_of_wire_to_link(share: Path) -> None:
    victim = share / "wire/f"
    if victim.exists():
        aside(victim)
        victim.symlink_to(share.parent / "outside")


def folder_of_outbox_to_link(share: Path) -> None:
    victim = share / "outbox/f"
    aside(victim)
    victim.symlink_to(share.parent / "outside")


def file_to_folder(share: Path) -> None:
    victim = share / "inbox/f/victim.txt"
    if victim.exists():
        aside(victim)
        (victim / "within").mkdir(parents=True)


def file_to_fifo(share: Path) -> None:
    victim = share / "inbox/f/victim.txt"
    if victim.exists():
        aside(victim)
        os.mkfifo(victim)


def sidecar_to_fifo(share: Path) -> None:
    sidecar = share / "wire/f/victim.txt.freq.sha256"
    if sidecar.exists():
        sidecar.unlink()
        os.mkfifo(sidecar)


def sidecar_to_folder(share: Path) -> None:
    sidecar = share / "wire/f/victim.txt.freq.sha256"
    if sidecar.exists():
        sidecar.unlink()
        sidecar.mkdir()


SWAPS = (
    *(file_to_link, folder_to_link, folder_of_wire_to_link, folder_of_outbox_to_link),
    *(file_to_folder, file_to_fifo, sidecar_to_fifo, sidecar_to_folder),
)


def swap_at(
    ground: Path, swap: Callable[[Path], None], after: int
) -> tuple[list[str], bool]:
    """Swap in a run at that operation; return what is wrong, and whether it came."""
    folder = ground / f"at-{after}"
    folder.mkdir()
    share = laid_out(folder)
    swapped = []

    def disturb() -> None:
        swapped.append(True)
        swap(share)

    ended = drain(share, disturb=disturb, after=after)
    wrong = [*ended.escapes]
    if ended.code not in (0, 1, 2):
        wrong.append(f"exit code {ended.code}: {ended.err}")
    if SECRET in _contents(share):
        wrong.append("a secret came in")
    if (share / "outbox/honest.txt").exists() is False:
        wrong.append(f"not delivered: {ended.err}")
    outside = sorted(path.name for path in (folder / "outside").iterdir())
    if outside != ["victim.txt", "victim.txt.freq"]:
        wrong.append(f"changed outside: {outside}")
    if not set(HONEST.values()) <= _contents(share):
        wrong.append("lost")
    shutil.rmtree(folder)
    return [f"{swap.__name__} at {after}: {each}" for each in wrong], bool(swapped)


def _contents(share: Path) -> set[bytes]:
    """Return what is in the files of the share, in containers or as it was."""
    found = set()
    for above, _, names in os.walk(share):
        for name in names:
            path = Path(above, name)
            if path.is_symlink() or not path.is_file():
                continue
            data = path.read_bytes()
            found.add(data)
            if data.startswith(b"PXC1"):
                found.add(paxect_core.decode_bytes(data))
    return found


@pytest.mark.slow
@pytest.mark.parametrize("swap", SWAPS)
def test_swap_between_any_two_operations_costs_one_file(
    ground: Path, swap: Callable[[Path], None]
) -> None:
    wrong: list[str] = []
    # Not the same steps for each: together they come near to all.
    for after in range(1 + SWAPS.index(swap) % STRIDE, STEPS_MAX, STRIDE):
        found, swapped = swap_at(ground, swap, after)
        wrong += found
        if not swapped:
            break
    assert wrong == []


STRIDE = 1 if os.environ.get("PAXECT_TEST_LONG") else 41
"""Every operation in the long form; some apart in the short one."""
