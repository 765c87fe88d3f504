"""Manifest: one batch for all nodes, each delivery once, and checksums that hold."""

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from cli_samples import Command, drop, make_share

from paxect_batch.model.places import Place
from paxect_batch.model.status import Deliveries
from paxect_batch.world.ledger_files import FOLDER
from paxect_batch.world.share import LocalShare

pytestmark = pytest.mark.slow


def facts_of(command: Command, *words: object) -> Deliveries:
    said = command("manifest", *words, "--json")
    assert (said.code, said.err) == (0, "")
    return msgspec.json.decode(said.out, type=Deliveries, strict=True)


def record_again(share: Path, *, by: str) -> None:
    """Have another node record all that the first one did, as if both finished it."""
    ledger = share / ".paxect" / "ledger"
    lines = [
        json.loads(line) | {"node": by, "run": "r", "at": "2030-01-01T00:00:00.000Z"}
        for line in next((ledger / "n1").iterdir()).read_text().splitlines()
    ]
    (ledger / by).mkdir()
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (ledger / by / "r.jsonl").write_text(text)


def test_manifest_is_the_same_batch_for_all_nodes(
    share: Path, command: Command
) -> None:
    said = command("manifest", share)
    assert said.code == 0
    facts = json.loads(command("manifest", share, "--json").out)
    assert f"batch digest {facts['batch_digest']}" in said.out
    assert (facts["root"], facts["files"], facts["bytes"]) == ("outbox", 1, 3)


def test_bytes_are_of_files_in_audits_and_of_what_arrived_in_the_manifest(
    tmp_path: Path, command: Command
) -> None:
    share = make_share(tmp_path)
    drop(share, a_txt=b"abc")
    audit = command("drain", share, "--direction=encode").audit
    lies = (share / "wire/a.txt.freq").stat().st_size
    assert lies > 3
    assert audit["delivered"] == audit["encoded"] == {"files": 1, "bytes": 3}
    assert facts_of(command, share).bytes == lies
    policy = share / ".paxect/policy.toml"
    policy.write_text('version = "2"\nsettle_seconds = 0.0\nexclude = ["*"]\n')
    audit = command("drain", share, "--direction=decode").audit
    assert audit["blocked"] == {"files": 1, "bytes": lies}
    policy.write_text('version = "2"\nsettle_seconds = 0.0\n')
    audit = command("drain", share, "--direction=decode").audit
    assert audit["delivered"] == audit["decoded"] == {"files": 1, "bytes": 3}
    assert facts_of(command, share).bytes == 3


def test_manifest_of_a_run_has_the_digest_of_its_audit(
    share: Path, command: Command
) -> None:
    drop(share, d_txt=b"four")
    audit = command("drain", share).audit
    facts = json.loads(command("manifest", share, "--run", audit["run"], "--json").out)
    assert facts["batch_digest"] == audit["batch_digest"]
    empty = command("drain", share).audit
    said = command("manifest", share, "--run", empty["run"], "--json")
    assert json.loads(said.out)["batch_digest"] == empty["batch_digest"]


@pytest.mark.parametrize("run", ["never", "../../x", "..", "", "a/b", "x\0y"])
def test_manifest_of_an_unknown_run_is_64(
    share: Path, command: Command, run: str
) -> None:
    said = command("manifest", share, "--run", run)
    assert said.code == 64
    assert f"no run {run!r}" in said.err


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")
def test_checksums_to_an_output_that_is_full_name_it(share: Path) -> None:
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "paxect_batch", "manifest", share, "--checksums=-"],
            check=False,
            stdout=full,
            stderr=subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        )
    assert done.returncode == 3
    assert done.stderr.startswith(b"paxect-batch: 'standard output': No space left")


def test_manifest_writes_checksums_that_hold(
    share: Path, tmp_path: Path, command: Command
) -> None:
    drop(share, a_txt=b"one again")
    (share / "outbox" / "a.txt").unlink()
    command("drain", share)
    sums = tmp_path / "SUMS"
    said = command("manifest", share, "--checksums", sums)
    assert f"sha256sum -c {sums}" in said.out
    assert command("manifest", share, "--checksums", "-").out == sums.read_text()
    assert len(sums.read_text().splitlines()) == 2
    done = subprocess.run(
        ["sha256sum", "--strict", "-c", sums],
        check=False,
        cwd=share / "outbox",
        capture_output=True,
    )
    assert done.returncode == 0, done.stdout


def test_manifest_counts_once_what_two_nodes_recorded(
    share: Path, command: Command
) -> None:
    before = facts_of(command, share)
    record_again(share, by="n3")
    after = facts_of(command, share)
    assert (after.files, after.bytes) == (before.files, before.bytes) == (1, 3)
    assert after.batch_digest == before.batch_digest
    assert after.raw_digest == before.raw_digest
    assert len(command("manifest", share, "--checksums", "-").out.splitlines()) == 1
    parts = {part.node: part for part in after.nodes}
    assert list(parts) == ["n1", "n2", "n3"]
    assert parts["n1"].digest == parts["n3"].digest
    assert parts["n1"].delivered == parts["n3"].delivered
    assert (parts["n2"].delivered.files, parts["n2"].runs) == (0, 1)


def test_manifest_counts_twice_what_was_dropped_twice(
    share: Path, command: Command
) -> None:
    (share / "outbox" / "a.txt").unlink()
    drop(share, a_txt=b"one")
    before = facts_of(command, share)
    assert command("drain", share, "--node", "n1").code == 0
    after = facts_of(command, share)
    assert (before.files, after.files) == (1, 3), "a.txt twice and b.txt"
    assert after.nodes[0].runs == 2


def test_manifest_for_a_person_has_a_line_for_each_node(
    share: Path, command: Command
) -> None:
    said = command("manifest", share)
    lines = said.out.splitlines()
    assert lines[1] == f"1 file, 3 B, to {share / 'outbox'}"
    assert [line.split() for line in lines[2:]] == [
        ["n1", "1", "file", "3", "B", "1", "run"],
        ["n2", "0", "files", "0", "B", "1", "run"],
    ]


def test_manifest_freshens_the_ledgers_before_it_lists_them(
    share: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    freshened: list[Place] = []
    monkeypatch.setattr(LocalShare, "freshen", lambda _, place: freshened.append(place))
    assert facts_of(command, share).fresh is True
    assert freshened[0] == FOLDER
    assert sorted(freshened[1:]) == [FOLDER.child("n1"), FOLDER.child("n2")]


def test_manifest_of_a_share_that_cannot_be_written_is_the_same_and_says_so(
    share: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = facts_of(command, share)

    def refuse(_: LocalShare, place: Place) -> None:
        raise OSError(errno.EROFS, "Read-only file system", str(place))

    monkeypatch.setattr(LocalShare, "freshen", refuse)
    after = facts_of(command, share)
    assert after == msgspec.structs.replace(before, fresh=False)
    assert "cannot be written here" in command("manifest", share).out


def test_lines_that_cannot_be_read_are_told_and_are_no_success(
    share: Path, command: Command
) -> None:
    whole = command("manifest", share)
    (ledger,) = (share / ".paxect/ledger/n1").iterdir()
    lines = ledger.read_bytes().splitlines(keepends=True)
    ledger.write_bytes(b"".join(b"x" + line for line in lines))
    said = command("manifest", share)
    assert (whole.code, said.code) == (0, 1)
    assert "lines of ledgers cannot be read" in said.err
    assert "paxect-batch verify" in said.err
    facts = json.loads(command("manifest", share, "--json").out)
    assert facts["torn"] == len(lines)
    assert facts["root"] == "wire", "all that was delivered is missing"


def test_ledger_that_is_no_file_is_told(share: Path, command: Command) -> None:
    (share / ".paxect/ledger/n1/other.jsonl").mkdir()
    assert command("manifest", share).code == 1
    said = command("verify", share)
    assert said.code == 1
    assert "other.jsonl" in said.err
