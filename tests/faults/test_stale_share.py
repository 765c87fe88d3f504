"""Real nodes, each on a mount that shows it the share as it was half a minute ago.

The short form believes what it saw for three seconds, the long one for thirty.
"""

from __future__ import annotations

import errno
import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from relayed_share import LONG, Consumer, RelayedShare, counted, finish, wait_until
from several_nodes import drop_files, events, has_come_to, left_of_nodes, shared
from stale_mount import BELIEVED_SECONDS, StaleMount, mounted, why_not

from paxect_batch.world.renames import ask_system

WHY_NOT = why_not()

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT),
]

FILES = 60 if LONG else 30
SECONDS = BELIEVED_SECONDS if LONG else 3.0
SEEDS = range(3 if LONG else 1)
MOMENTS = ("claims", "stage", "intents", "ledger")
NODES = ("one", "other")

Harm = Callable[[subprocess.Popen[str], subprocess.Popen[str]], None]
"""What is done to the first node; the other one is told as well."""


class Relayed:
    """A share on its server, as each of two nodes sees it, and what they make of it."""

    def __init__(self, server: RelayedShare, mounts: list[StaleMount]) -> None:
        self.server = server
        self._views = [
            RelayedShare(mount.folder, server.mark, server.dropped) for mount in mounts
        ]

    def problems(
        self, taken: Path, *, gone: str = "", harm: Harm | None = None
    ) -> list:
        """Relay all; `gone` is what is done to the first node, when, by name."""
        with Consumer(self.server, taken) as consumer:
            processes = {
                node: view.start("--wait", "--workers", "1", node=node)
                for node, view in zip(NODES, self._views, strict=True)
            }
            first, other = processes.values()
            if harm is not None and wait_until(
                lambda: has_come_to(self.server, NODES[0], gone), process=first
            ):
                harm(first, other)
            runs = {node: finish(process) for node, process in processes.items()}
        found = counted(consumer.found, self.server.dropped)
        for node, run in runs.items():
            if run.code == -signal.SIGKILL:
                continue
            if run.code != 0 or not run.sum_closes:
                found.append(f"{node} ended with {run.code}: {run.err}{run.out}")
        return found + self._left(notes=harm is None)

    def _left(self, *, notes: bool) -> list[str]:
        """Tell what is left once each node was there again, by a view of its own.

        `notes` is whether notes of a batch count, which stay for an hour if it ended
        with a run that died, or that began anew.
        """
        for node in NODES:
            run = self.server.drain(node=node)
            if run.code != 0:
                return [f"afterwards {node} ended with {run.code}: {run.err}"]
        left = [*self.server.crumbs(), *left_of_nodes(self.server)]
        return [
            name
            for name in left
            # Files of a moment go when they are an hour old.
            if ".paxect-" not in name and (notes or not name.startswith("batches/"))
        ]


@pytest.fixture
def relayed(ground: Path) -> Iterator[Relayed]:
    server = shared(ground / "share")
    drop_files(server, FILES)
    folders = [ground / node for node in NODES]
    with mounted(server.folder, *folders, seconds=SECONDS) as mounts:
        yield Relayed(server, mounts)
        assert server.end_processes() == []


@pytest.mark.skipif(sys.platform != "linux", reason="asks as Linux does")
def test_mounts_are_as_stale_as_they_say(ground: Path) -> None:
    import fcntl

    backing, one, other = (ground / name for name in ("backing", *NODES))
    backing.mkdir()
    with mounted(backing, one, other):
        assert os.listdir(one) == []
        assert not (one / "new").exists()
        (other / "new").write_bytes(b"1")
        # Opening the folder makes its names fresh, not its listing.
        assert os.listdir(one) == []
        assert (one / "new").exists()
        (one / "mine").write_bytes(b"")
        assert sorted(os.listdir(one)) == ["mine", "new"]
        assert (one / "new").stat().st_size == 1
        with open(other / "new", "ab") as stream:
            stream.write(b"23")
        assert (one / "new").stat().st_size == 1
        with open(one / "new", "rb") as stream:
            assert os.fstat(stream.fileno()).st_size == 3
        assert ask_system(str(one), "new", "newer") == errno.EINVAL
        with open(one / "mine", "rb") as held, open(other / "mine", "rb") as too:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            fcntl.flock(too, fcntl.LOCK_EX | fcntl.LOCK_NB)


@pytest.mark.parametrize("seed", SEEDS)
def test_nodes_with_old_views_deliver_each_file_once(
    relayed: Relayed, ground: Path, seed: int
) -> None:
    assert relayed.problems(ground / "taken") == []


@pytest.mark.parametrize("seed", SEEDS)
def test_node_with_an_old_view_finishes_what_a_killed_one_began(
    relayed: Relayed, ground: Path, seed: int
) -> None:
    moment = random.Random(seed).choice(MOMENTS)

    def kill(process: subprocess.Popen[str], other: subprocess.Popen[str]) -> None:
        process.kill()

    assert relayed.problems(ground / "taken", gone=moment, harm=kill) == []


@pytest.mark.parametrize("seed", SEEDS)
def test_node_with_an_old_view_that_froze_begins_anew(
    relayed: Relayed, ground: Path, seed: int
) -> None:
    def freeze(process: subprocess.Popen[str], other: subprocess.Popen[str]) -> None:
        process.send_signal(signal.SIGSTOP)
        # Nobody takes over who has nothing to wait for and leaves before.
        wait_until(lambda: events(relayed.server, "take_over"), process=other)
        process.send_signal(signal.SIGCONT)

    moment = random.Random(seed).choice(MOMENTS)
    assert relayed.problems(ground / "taken", gone=moment, harm=freeze) == []


def test_calls_that_move_little_and_are_interrupted_change_no_byte(
    ground: Path,
) -> None:
    server = shared(ground / "share")
    drop_files(server, FILES)
    folder = ground / "one"
    with mounted(server.folder, folder, seconds=SECONDS, piece=10_007, every=5):
        view = RelayedShare(folder, server.mark, server.dropped)
        run = view.drain("--workers", "2")
    assert run.code == 0, run.err
    assert run.audit["delivered"]["files"] == FILES
    assert server.arrived() == server.dropped
    assert server.crumbs() == []
    assert server.end_processes() == []
