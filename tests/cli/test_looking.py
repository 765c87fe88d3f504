"""Verify and config show: what they see, and that they only look."""

import json
from pathlib import Path

import pytest
from cli_samples import Command, drop

from paxect_batch.cli.verification import Verification
from paxect_batch.model.places import Place, Root
from paxect_batch.world.share import LocalShare

pytestmark = pytest.mark.slow


def codes(said_out: str) -> list[str]:
    return sorted(finding["code"] for finding in json.loads(said_out)["findings"])


def test_verify_of_a_good_share_is_0_and_says_what_it_checked(
    share: Path, command: Command
) -> None:
    said = command("verify", share)
    assert (said.code, said.err) == (0, "")
    assert "all well" in said.out
    facts = json.loads(command("verify", share, "--json").out)
    assert facts["ok"] is True
    assert facts["checked"] == {"containers": 1, "delivered_files": 1, "records": 3}
    assert command("verify", "-q", share).out == ""


def test_verify_passes_what_consumers_took(share: Path, command: Command) -> None:
    (share / "outbox" / "a.txt").unlink()
    (share / "wire" / "b.txt.freq").unlink()
    (share / "wire" / "b.txt.freq.sha256").unlink()
    facts = json.loads(command("verify", share, "--json").out)
    assert facts["checked"] == {"delivered_files_taken": 1, "records": 3}
    assert facts["ok"] is True


def test_verify_finds_a_container_that_is_broken(share: Path, command: Command) -> None:
    (share / "wire" / "b.txt.freq").write_bytes(b"nonsense")
    said = command("verify", share)
    assert said.code == 4
    assert "wire/b.txt.freq" in said.err
    assert "it was left as it is" in said.err
    assert (share / "wire" / "b.txt.freq").read_bytes() == b"nonsense"


def test_verify_finds_bytes_that_changed(share: Path, command: Command) -> None:
    (share / "outbox" / "a.txt").write_bytes(b"onE")
    sidecar = share / "wire" / "b.txt.freq.sha256"
    sidecar.write_text("0" * 64 + "\n")
    said = command("verify", share, "--json")
    assert said.code == 2
    assert codes(said.out) == ["checksum_mismatch", "differs_from_record"]
    sidecar.write_bytes(b"")
    assert "checksum_mismatch" in codes(command("verify", share, "--json").out)


@pytest.mark.parametrize("line", ["\\{}  we\\\\ird.freq\n", "SHA256 (b) = {}\n"])
def test_verify_reads_sidecars_in_each_form_of_sha256sum(
    share: Path, command: Command, line: str
) -> None:
    sidecar = share / "wire" / "b.txt.freq.sha256"
    sidecar.write_text(line.format(sidecar.read_text().strip()))
    assert command("verify", share).code == 0


def test_verify_finds_another_container_in_the_place_of_the_recorded_one(
    share: Path, command: Command
) -> None:
    drop(share, c_txt=b"three")
    command("drain", share, "--direction", "encode")
    wire = share / "wire"
    (wire / "c.txt.freq").replace(wire / "b.txt.freq")
    (wire / "c.txt.freq.sha256").replace(wire / "b.txt.freq.sha256")
    said = command("verify", share, "--json")
    assert (said.code, codes(said.out)) == (2, ["differs_from_record"])


def test_verify_finds_orphans_and_counts_containers_without_sidecar(
    share: Path, command: Command
) -> None:
    (share / "wire" / "x.freq.sha256").write_text("0" * 64)
    (share / "wire" / "b.txt.freq.sha256").unlink()
    said = command("verify", share, "--json")
    assert (said.code, codes(said.out)) == (1, ["orphaned_sidecar"])
    assert "no run does" in said.out
    assert json.loads(said.out)["checked"]["containers_without_sidecar"] == 1


def test_verify_finds_what_ledgers_hold_wrong(share: Path, command: Command) -> None:
    ledger = next((share / ".paxect" / "ledger").rglob("*.jsonl"))
    lines = ledger.read_text().splitlines()
    record = json.loads(lines[0])
    bad = [
        record | {"raw_sha256": "0" * 64},
        record | {"raw_sha256": "zz"},
        record | {"raw_sha256": ""},
        record | {"fate": "set_aside"},
    ]
    lines += [json.dumps(each) for each in bad]
    ledger.write_text("\n".join(lines) + '\n{"torn')
    said = command("verify", share, "--json")
    assert said.code == 2
    assert codes(said.out)[-1] == "ledger_torn"
    assert codes(said.out).count("ledger_contradiction") == 3


def test_verify_tells_what_cannot_be_read(
    share: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_source = LocalShare.open_source

    def refuse(self: LocalShare, place: Place) -> object:
        if place.root is not Root.STATE:
            raise PermissionError(13, "Permission denied")
        return open_source(self, place)

    monkeypatch.setattr(LocalShare, "open_source", refuse)
    said = command("verify", share, "--json")
    assert (said.code, codes(said.out)) == (3, ["unreadable", "unreadable"])


def test_verify_passes_a_container_that_is_taken_meanwhile(
    share: Path, monkeypatch: pytest.MonkeyPatch, command: Command
) -> None:
    read = Verification._read_container

    def taken(self: Verification, place: Place) -> object:
        (share / "wire" / "b.txt.freq").unlink()
        return read(self, place)

    monkeypatch.setattr(Verification, "_read_container", taken)
    facts = json.loads(command("verify", share, "--json").out)
    assert "containers" not in facts["checked"]


def test_config_show_tells_values_origins_and_folders(
    share: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAXECT_BATCH_WORKERS", "4")
    said = command("config", "show", share, "--no-progress")
    rows = {line.split()[0]: line.split()[1:] for line in said.out.splitlines()}
    assert rows["workers"] == ["4", "PAXECT_BATCH_WORKERS"]
    assert rows["progress"] == ["false", "--no-progress"]
    assert rows["summary"] == ["auto", "default"]
    assert rows["policy"] == ["-", "default"]
    assert f"folder outbox  {share / 'outbox'}" in said.out
    facts = json.loads(command("config", "show", "--json").out)
    assert facts["settings"]["workers"] == {
        "origin": "PAXECT_BATCH_WORKERS",
        "value": 4,
    }
    assert facts["folders"] == {}
