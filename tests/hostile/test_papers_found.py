"""Damaged papers that did harm once: each stopped every run, hung it, or lost a file."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from honest_share import NODE, HonestShare, copy
from paper_mutation import DEEP, SPARSE_BYTES
from relay_in_thread import Ended, run

from paxect_batch.model.leases import Machine
from paxect_batch.world.machine import is_running

NESTED = b'{"deep":' + b"[" * DEEP + b"]" * DEEP + b","


def share_with(honest: HonestShare, ground: Path, kind: str) -> tuple[Path, Path]:
    """Return a copy of the share, and its first paper of that kind."""
    share = ground / "share"
    copy(honest.folder, share)
    return share, honest.papers(share)[kind][0]


def drain(share: Path) -> Ended:
    ended = run("drain", "--quiet", "--node", NODE, str(share))
    assert ended.escapes == []
    return ended


def missing(honest: HonestShare, share: Path) -> list[str]:
    """Return the honest files that did not arrive; whatever else is there is one."""
    there = {p.read_bytes() for p in (share / "outbox").rglob("*") if p.is_file()}
    assert there <= set(honest.honest.values())
    return sorted(name for name, data in honest.honest.items() if data not in there)


def replace_by_fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def replace_by_folder(path: Path) -> None:
    path.unlink()
    (path / "within").mkdir(parents=True)


def replace_by_loop(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.name)


def grow(path: Path) -> None:
    os.truncate(path, SPARSE_BYTES)


@pytest.mark.parametrize("kind", ["lease", "claim", "batch note", "attempts", "ledger"])
@pytest.mark.parametrize(
    "replace", [replace_by_fifo, replace_by_folder, replace_by_loop, grow]
)
def test_paper_replaced_by_something_else_stops_nobody(
    honest: HonestShare, ground: Path, kind: str, replace: Callable[[Path], None]
) -> None:
    share, path = share_with(honest, ground, kind)
    replace(path)
    assert drain(share).code in (1, 4)
    while missing(honest, share):  # once a lease that says nothing is over
        assert drain(share).code in (1, 4)


@pytest.mark.parametrize("kind", ["policy", "share marker"])
def test_fifo_in_place_of_what_no_run_can_do_without_is_refused(
    honest: HonestShare, ground: Path, kind: str
) -> None:
    share, path = share_with(honest, ground, kind)
    replace_by_fifo(path)
    ended = drain(share)
    assert ended.code in (64, 75)
    assert path.name in ended.err


@pytest.mark.parametrize(
    "kind",
    [
        *("lease", "intent", "attempts", "meta", "quarantine note"),
        *("node manifest", "ledger", "paper of a run that is over"),
    ],
)
def test_paper_nested_deeply_stops_nobody(
    honest: HonestShare, ground: Path, kind: str
) -> None:
    share, path = share_with(honest, ground, kind)
    path.write_bytes(NESTED + path.read_bytes()[1:])
    assert drain(share).code in (1, 4)
    assert drain(share).code in (1, 4)
    assert missing(honest, share) == []
    assert run("quarantine", "list", str(share)).code == 0


def test_marker_of_the_share_nested_deeply_is_refused(
    honest: HonestShare, ground: Path
) -> None:
    share, path = share_with(honest, ground, "share marker")
    path.write_bytes(NESTED + path.read_bytes().lstrip()[1:])
    assert drain(share).code == 64


@pytest.mark.parametrize("kind", ["batch note", "ledger", "node manifest"])
def test_paper_that_is_no_text_stops_nobody(
    honest: HonestShare, ground: Path, kind: str
) -> None:
    share, path = share_with(honest, ground, kind)
    path.write_bytes(path.read_bytes().replace(b"e", b"\xff"))
    assert drain(share).code == 1
    assert missing(honest, share) == []


def test_intent_with_one_letter_of_its_stage_changed_loses_nothing(
    honest: HonestShare, ground: Path
) -> None:
    # It said that what was staged had been published: its source was taken away.
    share, path = share_with(honest, ground, "intent")
    data = path.read_bytes()
    (stage,) = set(re.findall(rb'"stage":\["state","[^"]*/([^"/]+)\.part"\]', data))
    path.write_bytes(data.replace(stage, stage[:-1] + b"z"))
    ended = drain(share)
    assert "not an intent" in ended.err
    assert missing(honest, share) == []


@pytest.mark.parametrize("named", ["../../../etc", "a\0b", "", "n" * 300, "x/../../y"])
def test_history_of_a_path_that_cannot_be_is_none(
    honest: HonestShare, ground: Path, named: str
) -> None:
    share, path = share_with(honest, ground, "attempts")
    paper = json.loads(path.read_bytes())
    paper["source"][1] = named
    path.write_text(json.dumps(paper))
    assert drain(share).code in (1, 4)
    assert missing(honest, share) == []


def test_history_without_a_failure_is_none(honest: HonestShare, ground: Path) -> None:
    share, path = share_with(honest, ground, "attempts")
    paper = json.loads(path.read_bytes()) | {"failures": []}
    path.write_text(json.dumps(paper))
    assert drain(share).code == 4
    assert missing(honest, share) == []


@pytest.mark.parametrize(
    ("kind", "number", "other"),
    [
        ("ledger", "raw_bytes", -5),
        ("ledger", "container_bytes", 10**30),
        ("meta", "mtime_ns", 10**30),
        ("lease", "in_flight_bytes", 10**400),
    ],
)
def test_number_that_no_relay_wrote_costs_its_paper_alone(
    honest: HonestShare, ground: Path, kind: str, number: str, other: int
) -> None:
    share, _ = share_with(honest, ground, kind)
    field = f'"{number}":'.encode()
    for path in honest.papers(share)[kind]:
        paper = path.read_bytes()
        wrong = re.sub(field + rb"[^,}]+", b"%s%d" % (field, other), paper)
        path.write_bytes(wrong)
    for command in ("status", "quarantine list", "manifest"):
        assert run(*command.split(), str(share)).code in (0, 1, 2, 3)
    while missing(honest, share):  # once a lease that says nothing is over
        ended = drain(share)
        assert ended.code in (1, 4)
        assert "AUDIT_SUMMARY_JSON=" in ended.out
    assert run("report", str(share)).code in (0, 4)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("run", "../../a"), ("run", "a\0b"), ("run", "n" * 300), ("batch", "../..")),
        *(("seconds", 1e300), ("seconds", -1.0), ("beat", 2**63 - 1), ("node", "..")),
    ],
)
def test_lease_that_no_relay_wrote_is_over_in_time(
    honest: HonestShare, ground: Path, field: str, value: object
) -> None:
    share, path = share_with(honest, ground, "lease")
    lease = json.loads(path.read_bytes()) | {field: value}
    path.write_text(json.dumps(lease))
    assert drain(share).code == 1
    while missing(honest, share):
        assert drain(share).code == 1


@pytest.mark.parametrize("pid", [0, -1, 2**31, 2**64, 10**400])
def test_process_with_an_impossible_number_does_not_run(pid: int) -> None:
    assert not is_running(Machine("host", "machine", "boot", pid, "started"))


@pytest.mark.parametrize("kind", ["lease", "paper of a run that is over"])
def test_promise_of_a_run_of_which_nothing_is_known_is_kept(
    honest: HonestShare, ground: Path, kind: str
) -> None:
    # Its file waited for a node that might never come back.
    share, path = share_with(honest, ground, kind)
    path.unlink()
    ended = drain(share)
    assert ended.code == 1
    assert missing(honest, share) == []
    assert list((share / ".paxect/over").iterdir()) == []


def test_claim_of_no_owner_behind_a_link_is_swept(
    honest: HonestShare, ground: Path
) -> None:
    share, path = share_with(honest, ground, "claim")
    for each in honest.papers(share)["claim"]:
        each.unlink()
        each.symlink_to("nowhere")
    assert drain(share).code == 1
    while missing(honest, share):  # once it is old enough
        assert drain(share).code == 1
    assert not path.is_symlink()
