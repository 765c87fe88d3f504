"""What is relayed when it crashes, and what must hold once another node was there."""

from __future__ import annotations

import hashlib
import os
import random
import re
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from crash_calls import Calls
from crash_changes import Call, Point, When, Who
from crash_nodes import Nodes
from crash_states import History
from relayed_share import Finished, RelayedShare, counted, files_below

POLICY = 'version = "2"\nsettle_seconds = 0.0\nbackoff_seconds = 0.0\n'
DEAD, RESCUER, LAST = "dead", "rescuer", "last"
STRANGER = "there before"
"""A file in the outbox that is nobody's business."""

_PROBE = re.compile(
    r"(^|/)\.paxect-([0-9a-f]{16}|\d{8}T\d{9}Z-[0-9a-f]{6})(-[^/]*)?\.tmp$"
)
_dice = random.Random(20261121)
_NOISE = _dice.randbytes(150_000)
_SMALL = {
    "a.txt": b"alpha\n" * 100,
    "sub/b.bin": bytes(range(256)) * 9,
    "sub/deep/empty": b"",
}


@dataclass(frozen=True)
class Scenario:
    """A share, what lies on it, and the run that is to die."""

    name: str
    told: str
    direction: str
    files: dict[str, bytes]
    policy: str = POLICY
    prepare: tuple[str, ...] = ()
    """Directions that are run to their end before."""
    dies_first: Callable[[Call], bool] | None = None
    """The change before which a first run died, which the run then recovers."""

    @property
    def node(self) -> str:
        """Who dies."""
        return RESCUER if self.dies_first else DEAD

    @property
    def rescuer(self) -> str:
        """Who recovers."""
        return LAST if self.dies_first else RESCUER


SCENARIOS = {
    each.name: each
    for each in (
        Scenario(
            "encode",
            "one file of three frames onto the wire",
            "encode",
            {"big.bin": _NOISE},
            policy=POLICY + "frame_bytes = 65536\n",
        ),
        Scenario(
            "decode",
            "its container from the wire into the outbox",
            "decode",
            {"big.bin": _NOISE},
            policy=POLICY + "frame_bytes = 65536\n",
            prepare=("encode",),
        ),
        Scenario("lot", "three small files, both ways", "relay", _SMALL),
        Scenario(
            "archive",
            "one small file, both ways, its sources archived",
            "relay",
            {"sub/a.txt": b"alpha\n" * 100},
            policy=POLICY + 'on_done = "archive"\n',
        ),
        Scenario(
            "recovery",
            "what a run left that died between publishing and recording a lot",
            "relay",
            _SMALL,
            dies_first=lambda call: (
                call.kind == "create" and call.told.startswith(".paxect/ledger/")
            ),
        ),
    )
}


@dataclass
class Prepared:
    """A share on which the run of a scenario may begin."""

    scenario: Scenario
    share: RelayedShare
    history: History
    """What of the share is durable: all, but for what a run did that died."""

    def words(self, node: str, direction: str = "") -> list[str]:
        """Return the command line of a drain."""
        told = direction or self.scenario.direction
        return ["drain", str(self.share.folder), "--node", node, "--direction", told]

    def at(self, folder: Path) -> Prepared:
        """Return the same, for a copy of the share that lies there."""
        share = RelayedShare(folder, dropped=self.share.dropped)
        return Prepared(self.scenario, share, self.history)


def prepare(
    scenario: Scenario, folder: Path, nodes: Nodes, scratch: Path, *, before: int = -1
) -> Prepared:
    """Lay a share out, and run what runs before; the number is where that one dies."""
    share = RelayedShare.lay_out(folder, scenario.policy)
    for name, data in scenario.files.items():
        share.drop(name, data)
    (share.outbox / STRANGER).write_bytes(STRANGER.encode())
    prepared = Prepared(scenario, share, History(folder))
    for direction in scenario.prepare:
        run = nodes.run_here(prepared.words(LAST, direction))
        assert run.code == 0, run.err
    prepared.history = History(folder)
    if scenario.dies_first is not None:
        at = Point(before, When.BEFORE, Who.MACHINE) if before >= 0 else None
        calls = Calls(folder, scratch, point=at)
        run = nodes.run(prepared.words(DEAD), calls=calls)
        made = calls.made()
        calls.close()
        if before < 0:
            # Once to see which change it is, and once to die there.
            assert run.code == 0, run.err
            number = next(c.number for c in made if scenario.dies_first(c))
            shutil.rmtree(folder)
            return prepare(scenario, folder, nodes, scratch, before=number)
        assert run.code < 0, run.err
        for call in made:
            prepared.history.play(call)
    return prepared


@dataclass
class Look:
    """What was found once another node was there."""

    findings: list[str] = field(default_factory=list)
    probes: int = 0
    """Files of a moment that who died had made; they go when they are an hour old."""
    returns: int = 0
    """1 if a crumb waited for the node that left it to run again."""


def recover(
    prepared: Prepared,
    nodes: Nodes,
    *,
    takes_first: bool,
    inodes: dict[int, int] | None = None,
) -> Look:
    """Have another node drain the share, and look whether all is as it must be."""
    share = prepared.share
    found = _take(share) if takes_first else []
    words = prepared.words(prepared.scenario.rescuer, "relay")
    run = nodes.run_here(words, inodes=inodes)
    found += _take(share)
    look = Look()
    look.findings += _of_the_run(run)
    look.findings += counted(found, share.dropped)
    crumbs = _crumbs(share)
    for node in (prepared.scenario.node, DEAD):
        if look.findings or all(_PROBE.search(crumb) for crumb in crumbs):
            break
        # What comes back of a run that had left is its own node's to sweep.
        look.returns = 1
        back = nodes.run_here(prepared.words(node, "relay"), inodes=inodes)
        found += _take(share)
        look.findings += [*_of_the_run(back), *counted(found, share.dropped)]
        crumbs = _crumbs(share)
    look.probes = sum(bool(_PROBE.search(crumb)) for crumb in crumbs)
    look.findings += [f"left behind: {c}" for c in crumbs if not _PROBE.search(c)]
    look.findings += _of_the_ledgers(share)
    if "archive" in prepared.scenario.policy:
        look.findings += _of_the_archive(share)
    stranger = share.outbox / STRANGER
    if not stranger.exists() or stranger.read_bytes() != STRANGER.encode():
        look.findings.append("a stranger's file was replaced")
    return look


def _take(share: RelayedShare) -> list[tuple[bytes, str]]:
    """Be the consumer: take what has arrived."""
    outbox = os.fsencode(share.outbox)
    found = []
    for path in files_below(outbox):
        name = os.path.relpath(path, outbox)
        if os.path.basename(name).startswith(b".") or name == STRANGER.encode():
            continue
        with open(path, "rb") as stream:
            found.append((name, hashlib.sha256(stream.read()).hexdigest()))
        os.unlink(path)
    return found


def _of_the_run(run: Finished) -> Sequence[str]:
    if run.code != 0:
        return [f"the recovering run ended with {run.code}: {run.err} {run.out}"]
    if not run.sum_closes or run.audit["waiting"]["files"]:
        return [f"the sum does not close: {run.lines[-1]}"]
    return []


def _crumbs(share: RelayedShare) -> list[str]:
    crumbs = set(share.crumbs())
    state = share.state
    crumbs |= {os.path.relpath(path, share.folder) for path in state.glob("over/*")}
    crumbs |= {
        os.path.relpath(path, share.folder) for path in state.glob("nodes/*/lease")
    }
    for name in ("stage", "intents"):
        crumbs |= {
            os.path.relpath(path, share.folder) for path in state.glob(f"{name}/*/*")
        }
    return sorted(crumbs)


def _of_the_ledgers(share: RelayedShare) -> list[str]:
    """Tell of files that the ledgers do not have once each way."""
    delivered = [r for r in share.records() if r["fate"] == "delivered"]
    # Whoever finishes what another run began may record it once more.
    ways = {(r["direction"], r["source"][1], str(r["identity"])) for r in delivered}
    if len(ways) != 2 * len(share.dropped):
        return [f"{len(ways)} records of {2 * len(share.dropped)} ways"]
    return []


def _of_the_archive(share: RelayedShare) -> list[str]:
    kept = share.state / "archive" / "inbox"
    found = {
        os.path.relpath(path, os.fsencode(kept)): hashlib.sha256(
            Path(os.fsdecode(path)).read_bytes()
        ).hexdigest()
        for path in files_below(kept)
    }
    return [] if found == share.dropped else [f"the archive holds {sorted(found)}"]
