"""A run that others take for dead begins anew, and accounts for both of its lives."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from cli_samples import Command, drop, make_share

from paxect_batch.model.places import Place, Root
from paxect_batch.relay.node import Node
from paxect_batch.world.leases import LeaseFiles
from paxect_batch.world.ledger import FileLedger
from paxect_batch.world.share import LocalShare

pytestmark = pytest.mark.slow

FILES = {"a_txt": b"one", "b_txt": b"", "c_bin": os.urandom(70_000)}
NAMES = ["a.txt", "b.txt", "c.bin"]


@pytest.fixture
def share(tmp_path: Path) -> Path:
    share = make_share(tmp_path)
    drop(share, **FILES)
    return share


def take_for_dead(share: Path) -> None:
    """End the lease of the run that lives, as a node that then dies itself."""
    leases = LeaseFiles(str(share / ".paxect"))
    for node in leases.nodes():
        over = None
        while over is None:  # it may beat between the look and the rename
            judged = leases.read(node)
            assert judged is not None
            over = leases.end(node, judged, "a-run-that-died")


class Once:
    """Acts at the call of that number, and never again."""

    def __init__(self, number: int, act: Callable[[], None]) -> None:
        self._left = number
        self._act = act

    def __call__(self) -> None:
        self._left -= 1
        if self._left == 0:
            self._act()


def before_intent(patch: pytest.MonkeyPatch, act: Callable[[], None]) -> None:
    def rename(self: LocalShare, source: Place, target: Place) -> None:
        if target.root is Root.STATE and target.path.startswith("intents/"):
            act()
        real(self, source, target)

    real = LocalShare.rename_new
    patch.setattr(LocalShare, "rename_new", rename)


def after_record(patch: pytest.MonkeyPatch, act: Callable[[], None]) -> None:
    def append(self: FileLedger, records: list[object]) -> None:
        real(self, records)  # type: ignore[arg-type]
        act()

    real = FileLedger.append
    patch.setattr(FileLedger, "append", append)


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("when", [before_intent, after_record])
def test_drain_that_is_taken_for_dead_delivers_all_and_accounts_for_all(
    share: Path,
    command: Command,
    monkeypatch: pytest.MonkeyPatch,
    when: Callable[[pytest.MonkeyPatch, Callable[[], None]], None],
    number: int,
) -> None:
    when(monkeypatch, Once(number, lambda: take_for_dead(share)))
    log = share.parent / "log.jsonl"
    said = command("drain", share, "--node", "n1", "--log", log)
    assert (said.code, said.audit["exit_code"]) == (0, 0)
    assert sorted(path.name for path in (share / "outbox").iterdir()) == NAMES
    assert "the node begins anew" in said.err
    audit = said.audit
    size = sum(map(len, FILES.values()))
    assert audit["seen"] == audit["delivered"] == {"bytes": size, "files": 3}
    assert audit["encoded"]["files"] == audit["decoded"]["files"] == 3
    assert audit["waiting"]["files"] == audit["set_aside"]["files"] == 0
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    lives = [line["run"] for line in lines if line["event"] == "startup"]
    assert len(set(lives)) == 2
    assert audit["run"] == lives[1]
    for folder in ("stage", "intents", "claims", "over"):
        left = list((share / ".paxect" / folder).rglob("*"))
        assert [path for path in left if path.is_file()] == []


def test_audit_names_both_lives_and_either_finds_all_that_it_tells_of(
    share: Path, tmp_path: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    (share / ".paxect/policy.toml").write_text(
        'version = "2"\nsettle_seconds = 0.0\nbackoff_seconds = 0.0\n'
    )
    after_record(monkeypatch, Once(1, partial(take_for_dead, share)))
    junit = tmp_path / "junit.xml"
    audit = command("drain", share, "--node", "n1", "--junit", junit).audit
    monkeypatch.undo()
    ledgers = sorted(path.stem for path in share.glob(".paxect/ledger/n1/*.jsonl"))
    assert [*audit["earlier_runs"], audit["run"]] == ledgers
    assert len(ledgers) == 2
    for run in ledgers:
        told = json.loads(command("manifest", share, "--json", "--run", run).out)
        assert told["batch_digest"] == audit["batch_digest"]
        assert told["files"] == audit["delivered"]["files"] == 3
        page = command("report", share, "--run", run).out
        assert all(name in page for name in NAMES)
    assert all(name in junit.read_text() for name in NAMES)


def test_digest_of_both_lives_is_that_of_one(
    tmp_path: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    digests = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        share = make_share(tmp_path / name)
        drop(share, **FILES)
        if name == "two":
            after_record(monkeypatch, Once(1, partial(take_for_dead, share)))
        digests.append(command("drain", share).audit["batch_digest"])
    assert digests[0] == digests[1]


def test_limits_of_a_run_hold_over_both_of_its_lives(
    share: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    deadlines: list[float | None] = []

    def run(self: Node) -> object:
        deadlines.append(self.options.deadline_seconds)
        return real(self)

    real = Node.run
    monkeypatch.setattr(Node, "run", run)
    after_record(monkeypatch, Once(1, lambda: take_for_dead(share)))
    said = command(
        "drain",
        share,
        "--max-files=2",
        "--workers=1",
        "--direction=encode",
        "--deadline=1h",
    )
    assert said.audit["delivered"]["files"] == 2
    assert len(list((share / "inbox").iterdir())) == 1
    first, second = deadlines
    assert first is not None
    assert second is not None
    assert second < first <= 3600


def test_drain_whose_node_is_taken_meanwhile_says_so_and_what_it_did(
    share: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def replace() -> None:
        lease = share / ".paxect/nodes/n1/lease"
        other = json.loads(lease.read_bytes())
        take_for_dead(share)
        other["run"] = "of-the-twin"
        lease.write_bytes(json.dumps(other).encode().ljust(4095) + b"\n")

    after_record(monkeypatch, Once(1, replace))
    said = command("drain", share, "--node", "n1")
    assert said.code == said.audit["exit_code"] == 75
    assert "another run holds node 'n1'" in said.err
    assert said.audit["encoded"]["files"] == 3
    assert (share / ".paxect/nodes/n1/lease").exists()


def test_drain_that_is_stopped_when_it_is_taken_for_dead_ends(
    share: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop() -> None:
        take_for_dead(share)
        os.kill(os.getpid(), 15)

    after_record(monkeypatch, Once(1, stop))
    said = command("drain", share, "--node", "n1")
    assert said.code == said.audit["exit_code"] == 143
    assert said.audit["encoded"]["files"] == 3
    assert len(list((share / ".paxect/ledger/n1").iterdir())) == 1
    again = command("drain", share, "--node", "n1")
    assert again.code == 0
    assert sorted(path.name for path in (share / "outbox").iterdir()) == NAMES
