"""Verify, status, manifest and config show: what they see, and that they only look."""

import json
import subprocess
from pathlib import Path

import msgspec
import pytest
from cli_samples import Command, copy_of, drop, make_share

from paxect_batch.cli.main import main
from paxect_batch.cli.verification import Verification
from paxect_batch.model.items import Direction, Identity
from paxect_batch.model.places import Place, Root
from paxect_batch.model.transfer import Attempts, Failure, Intent
from paxect_batch.relay.set_aside import set_aside
from paxect_batch.relay.state import key_of
from paxect_batch.seams import Applicant
from paxect_batch.world.locks import FileLocks
from paxect_batch.world.share import LocalShare

pytestmark = pytest.mark.slow


@pytest.fixture
def command(capfd: pytest.CaptureFixture[str]) -> Command:
    return Command(capfd)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A share with one delivered file and one container on the wire."""
    share = make_share(tmp_path_factory.mktemp("looking"))
    drop(share, a_txt=b"one")
    assert main(["drain", str(share), "--node", "n1"]) == 0
    drop(share, b_txt=b"two")
    words = ["drain", str(share), "--node", "n2", "--direction", "encode"]
    assert main(words) == 0
    return share


@pytest.fixture
def share(template: Path, tmp_path: Path) -> Path:
    return copy_of(template, tmp_path)


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


def test_status_shows_each_state(share: Path, command: Command) -> None:
    drop(share, c_txt=b"three")
    state = share / ".paxect"
    locks = FileLocks(str(state))
    locks.join(Applicant(node="n1", run="r"))
    assert locks.claim("key") is not None
    local = LocalShare({Root.STATE: str(state), Root.INBOX: str(share / "inbox")})
    identity = Identity(5, 1, 2)
    source = Place(Root.INBOX, "c.txt")
    failure = Failure(1.0, "n1", "unreadable", "no permission", 3)
    attempts = Attempts(Direction.ENCODE, source, identity, (failure,), 5.0)
    folder = state / "attempts"
    folder.mkdir(exist_ok=True)
    name = f"{key_of(Direction.ENCODE, source)}.json"
    (folder / name).write_bytes(msgspec.json.encode(attempts))
    (folder / "torn.json").write_text("{")
    intent = Intent("n1", "r", 1, "delete", 0, ())
    (state / "intents" / "n1" / "r").mkdir(parents=True)
    (state / "intents" / "n1" / "r" / "1.json").write_bytes(msgspec.json.encode(intent))
    drop(share, bad_txt=b"x")
    place = Place(Root.INBOX, "bad.txt")
    facts = local.look(place)
    assert facts is not None
    bad = msgspec.structs.replace(attempts, source=place, identity=facts.identity)
    assert set_aside(local, bad, node="n1", run="r")
    said = command("status", share)
    assert said.code == 0
    for told in (
        "inbox       1 file, 5 B",
        "wire        1 file",
        "in flight   2 claims and intents",
        "backing off 1 file",
        "inbox/c.txt: unreadable, 1 attempt",
        "set aside   1 file",
        "by n2, exit 0: 1 of 1 file delivered",
    ):
        assert told in said.out, told
    assert max(map(len, said.out.splitlines())) <= 80
    facts = json.loads(command("status", share, "--json").out)
    assert {each["what"] for each in facts["in_flight"]} == {"claim", "intent"}
    assert facts["set_aside"][0]["source"] == ["inbox", "bad.txt"]
    assert facts["last_run"]["node"] == "n2"
    locks.leave()


def test_status_of_a_new_share_says_that_there_is_nothing(
    tmp_path: Path, command: Command
) -> None:
    share = make_share(tmp_path)
    said = command("status", share)
    assert "in flight   nothing" in said.out
    assert "last run    none yet" in said.out
    assert json.loads(command("status", share, "--json").out)["last_run"] is None


def test_status_passes_over_an_audit_that_cannot_be_read(
    share: Path, command: Command
) -> None:
    (share / ".paxect" / "runs" / "n1" / "9.json").write_text("{")
    assert "by n2, exit 0" in command("status", share).out


def test_manifest_is_the_same_batch_for_all_nodes(
    share: Path, command: Command
) -> None:
    said = command("manifest", share)
    assert said.code == 0
    facts = json.loads(command("manifest", share, "--json").out)
    assert f"batch digest {facts['batch_digest']}" in said.out
    assert (facts["root"], facts["files"], facts["bytes"]) == ("outbox", 1, 3)


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


def test_manifest_of_an_unknown_run_is_64(share: Path, command: Command) -> None:
    said = command("manifest", share, "--run", "never")
    assert said.code == 64
    assert "no run 'never'" in said.err


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
