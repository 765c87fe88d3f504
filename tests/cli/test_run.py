"""Drain, from words to what lies on the share afterwards."""

import errno
import json
import os
import signal
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from cli_samples import Command, drop, make_share, names

from paxect_batch.model.errors import BatchError, NotReady, ShareError
from paxect_batch.model.places import Place, Root
from paxect_batch.relay.node import Node
from paxect_batch.seams import Applicant
from paxect_batch.world.locks import FileLocks
from paxect_batch.world.share import LocalShare

pytestmark = pytest.mark.slow


@pytest.fixture
def share(tmp_path: Path) -> Path:
    return make_share(tmp_path)


def test_drain_delivers_everything_and_ends_with_the_audit_line(
    share: Path, command: Command
) -> None:
    drop(share, a_txt=b"one", b_csv=b"", c_bin=os.urandom(100_000))
    before = {path.name: path.read_bytes() for path in (share / "inbox").iterdir()}
    said = command("drain", share)
    after = {path.name: path.read_bytes() for path in (share / "outbox").iterdir()}
    assert (said.code, said.err) == (0, "")
    assert after == before
    assert names(share / "inbox") == names(share / "wire") == []
    assert said.out.count("\n") == 1
    assert (
        said.audit["seen"] == said.audit["delivered"] == {"bytes": 100_003, "files": 3}
    )
    assert said.audit["deterministic"] is True
    kept = share / ".paxect" / "runs" / said.audit["node"] / f"{said.audit['run']}.json"
    assert json.loads(kept.read_text()) == said.audit


def test_drain_as_an_option_of_nothing_to_do_is_0(
    share: Path, command: Command
) -> None:
    said = command("--drain", share, "--summary")
    assert said.code == 0
    assert said.out.startswith("nothing to do")


def test_drain_says_with_json_what_it_did(share: Path, command: Command) -> None:
    drop(share, a_txt=b"one")
    said = command("drain", share, "--json")
    facts = json.loads(said.out.splitlines()[0])
    assert facts["audit"] == said.audit
    assert facts["problems"] == []


def test_drain_in_own_folders_needs_no_share(tmp_path: Path, command: Command) -> None:
    inbox, outbox = tmp_path / "in", tmp_path / "out"
    inbox.mkdir()
    outbox.mkdir()
    (inbox / "a.txt").write_bytes(b"one")
    policy = tmp_path / "p.toml"
    policy.write_text('version = "2"\nsettle_seconds = 0.0\n')
    words = ("--inbox", inbox, "--outbox", outbox, "--policy", policy)
    said = command("drain", *words)
    assert said.code == 0
    assert (outbox / "a.txt").read_bytes() == b"one"
    assert names(inbox / ".paxect" / "wire") == []
    # An inbox of its own has a policy of its own only if it is put there.
    plan = command("drain", "--inbox", inbox, "--outbox", outbox, "--dry-run")
    assert plan.code == 0


def test_encode_and_decode_go_one_way_each(share: Path, command: Command) -> None:
    drop(share, a_txt=b"one")
    assert command("drain", share, "--direction", "encode").code == 0
    assert names(share / "wire") == ["a.txt.freq", "a.txt.freq.sha256"]
    assert names(share / "outbox") == []
    assert command("drain", share, "--direction", "decode").code == 0
    assert names(share / "outbox") == ["a.txt"]


def test_dry_run_tells_of_each_file_and_touches_nothing(
    tmp_path: Path, command: Command
) -> None:
    share = make_share(tmp_path, 'allowed_suffixes = [".txt"]\n')
    drop(share, a_txt=b"one", b_exe=b"two")
    before = {path: path.stat().st_mtime_ns for path in share.rglob("*")}
    said = command("drain", share, "--dry-run")
    assert said.code == 0
    assert "encode  inbox/a.txt -> wire/a.txt.freq  (3 bytes)" in said.out
    assert "leave   inbox/b.exe  (blocked: disallowed_suffix:.exe)" in said.out
    assert "1 file would be taken now, 1 left; nothing was changed" in said.out
    lines = command("drain", share, "--dry-run", "--json").out.splitlines()
    verdicts = {json.loads(line)["decision"]["verdict"] for line in lines}
    assert verdicts == {"admitted", "blocked"}
    assert {path: path.stat().st_mtime_ns for path in share.rglob("*")} == before


def test_blocked_files_make_it_1_and_the_sum_closes(
    tmp_path: Path, command: Command
) -> None:
    share = make_share(tmp_path, 'allowed_suffixes = [".txt"]\n')
    drop(share, a_txt=b"one", b_exe=b"two")
    said = command("drain", share, "--summary")
    assert said.code == 1
    assert said.audit["blocked"]["files"] == 1
    assert said.audit["seen"]["files"] == 2
    assert "blocked" in said.out


def test_reports_are_written_as_asked(
    share: Path, tmp_path: Path, command: Command
) -> None:
    drop(share, a_txt=b"one")
    junit, metrics = tmp_path / "j.xml", tmp_path / "m.prom"
    said = command("drain", share, "--junit", junit, "--textfile", metrics)
    assert said.code == 0
    cases = [case.get("name") for case in ET.parse(junit).getroot().iter("testcase")]
    assert cases[-2:] == ["inbox/a.txt", "wire/a.txt.freq"]
    assert 'outcome="delivered"} 1' in metrics.read_text()


@pytest.mark.parametrize("option", ["--junit", "--textfile"])
def test_report_without_a_folder_to_lie_in_is_refused_before_the_run(
    share: Path, tmp_path: Path, command: Command, option: str
) -> None:
    drop(share, a_txt=b"one")
    said = command("drain", share, option, tmp_path / "none" / "file")
    assert said.code == 64
    assert "nothing was touched; make it" in said.err
    assert (share / "inbox" / "a.txt").exists()


@pytest.mark.parametrize("option", ["--junit", "--textfile", "--log"])
def test_what_is_written_beside_the_work_is_refused_where_it_would_be_sent(
    share: Path, command: Command, option: str
) -> None:
    drop(share, a_txt=b"one", b_txt=b"two")
    said = command("drain", share, option, share / "inbox" / "a.txt")
    assert said.code == 64
    assert "nothing was touched; name a file elsewhere" in said.err
    assert (share / "inbox" / "a.txt").read_bytes() == b"one"
    assert (share / "inbox" / "b.txt").exists()


@pytest.mark.parametrize("option", ["--junit", "--textfile", "--log"])
def test_what_is_written_beside_the_work_may_lie_where_nothing_is_sent(
    share: Path, command: Command, option: str
) -> None:
    drop(share, a_txt=b"one")
    for folder in (share / "inbox" / ".reports", share / "outbox"):
        folder.mkdir(exist_ok=True)
        said = command("drain", share, option, folder / "report")
        assert said.code == 0
        assert (folder / "report").stat().st_size > 0
    assert said.audit["delivered"]["files"] == said.audit["waiting"]["files"] == 0


def test_report_that_cannot_be_written_makes_it_3_in_the_audit_line_too(
    share: Path, tmp_path: Path, command: Command
) -> None:
    drop(share, a_txt=b"one")
    good = tmp_path / "m.prom"
    bad = tmp_path / "folder"
    bad.mkdir()
    said = command("drain", share, "--junit", bad, "--textfile", good)
    assert said.code == said.audit["exit_code"] == 3
    assert str(bad) in said.err
    assert said.audit["delivered"]["files"] == 1
    assert good.exists()


def test_audit_that_cannot_be_kept_is_still_printed(
    share: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename_new = LocalShare.rename_new

    def refuse(self: LocalShare, source: Place, target: Place) -> None:
        if target.path.startswith("runs/"):
            raise OSError(errno.ENOSPC, "No space left on device", "runs")
        rename_new(self, source, target)

    monkeypatch.setattr(LocalShare, "rename_new", refuse)
    said = command("drain", share)
    assert said.code == said.audit["exit_code"] == 3
    assert "No space left on device" in said.err
    assert names(share / ".paxect" / "runs") == []


def test_run_looks_through_no_papers_of_earlier_runs(
    share: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There are hundreds of thousands after a year of cron."""
    listed: list[Place] = []
    entries = LocalShare.entries

    def noted(self: LocalShare, folder: Place) -> object:
        listed.append(folder)
        return entries(self, folder)

    monkeypatch.setattr(LocalShare, "entries", noted)
    node = command("drain", share).audit["node"]
    for kind in ("runs", "settings"):
        assert any((share / ".paxect" / kind / node).iterdir())
        assert Place(Root.STATE, kind) in listed
        assert Place(Root.STATE, f"{kind}/{node}") not in listed


@pytest.mark.parametrize(
    "error",
    [
        ShareError("the share is gone; files are as they were"),
        NotReady("no worker can be started; files are as they were"),
    ],
)
def test_error_in_the_middle_ends_the_run_with_its_code_and_an_audit(
    share: Path, command: Command, monkeypatch: pytest.MonkeyPatch, error: BatchError
) -> None:
    def fail(_node: Node) -> None:
        raise error

    monkeypatch.setattr(Node, "_pass", fail)
    said = command("drain", share)
    assert said.code == said.audit["exit_code"] == error.exit_code
    assert said.err == f"paxect-batch: {error.message}\n"


@pytest.mark.parametrize(
    ("error", "code", "told"),
    [
        (ZeroDivisionError("odd"), 70, "ZeroDivisionError: odd at test_run.py"),
        (MemoryError(), 3, "use fewer --workers"),
    ],
)
def test_fault_in_the_middle_ends_the_run_with_its_code_and_an_audit(
    share: Path,
    command: Command,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    code: int,
    told: str,
) -> None:
    def fail(_node: Node) -> None:
        raise error

    monkeypatch.setattr(Node, "_pass", fail)
    said = command("drain", share)
    assert said.code == said.audit["exit_code"] == code
    assert told in said.err


def test_fault_before_the_run_begins_prints_no_audit(
    share: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_locks: FileLocks, _node: str) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(FileLocks, "join", fail)
    said = command("drain", share)
    assert (said.code, said.out) == (70, "")


def test_share_that_fails_before_the_run_begins_is_3(
    share: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_locks: FileLocks, _node: str) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(FileLocks, "join", refuse)
    said = command("drain", share)
    assert (said.code, said.out) == (3, "")
    assert "Read-only file system" in said.err


def test_dry_run_that_is_stopped_says_so_by_its_code(
    share: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop(share, a_txt=b"one")
    plan = Node.plan

    def stopped(node: Node) -> object:
        signal.raise_signal(signal.SIGTERM)
        return plan(node)

    monkeypatch.setattr(Node, "plan", stopped)
    assert command("drain", share, "-n") == (143, "", "")


def test_trouble_of_the_whole_run_is_told_and_left_out_ledger_lines_are_logged(
    share: Path, command: Command
) -> None:
    policy = share / ".paxect" / "policy.toml"
    policy.write_text(
        policy.read_text().replace('#on_done = "delete"', 'on_done = "keep"')
    )
    folder = share / ".paxect" / "ledger" / "n2"
    folder.mkdir(parents=True)
    (folder / "r.jsonl").write_text("{")
    said = command("drain", share)
    assert said.code == 0
    assert "warning: ledger torn: .paxect/ledger/n2/r.jsonl" in said.err


def test_run_that_cannot_begin_prints_no_audit(share: Path, command: Command) -> None:
    locks = FileLocks(str(share / ".paxect"))
    locks.join(Applicant(node="n1", run="r"))
    said = command("drain", share, "--node", "n1")
    locks.leave()
    assert (said.code, said.out) == (75, "")
    assert "another" in said.err


def test_policy_that_cannot_be_meant_is_64_and_nothing_is_touched(
    share: Path, command: Command
) -> None:
    drop(share, a_txt=b"one")
    (share / ".paxect" / "policy.toml").write_text('version = "2"\nlevl = 3\n')
    said = command("drain", share)
    assert said.code == 64
    assert "levl" in said.err
    assert names(share / "inbox") == ["a.txt"]
    assert not (share / ".paxect" / "log").exists()


def test_share_without_a_policy_is_64(share: Path, command: Command) -> None:
    (share / ".paxect" / "policy.toml").unlink()
    said = command("drain", share)
    assert said.code == 64
    assert "policy.toml" in said.err


def test_policy_that_cannot_be_read_is_64(share: Path, command: Command) -> None:
    said = command("drain", share, "--policy", share)
    assert said.code == 64
    assert "name another one with --policy" in said.err


def test_max_files_stops_the_run_early(share: Path, command: Command) -> None:
    drop(share, a_txt=b"one", b_txt=b"two", c_txt=b"three")
    said = command("drain", share, "--max-files", "1", "--direction", "encode")
    assert said.code in (0, 1)
    assert said.audit["delivered"]["files"] == 1
    assert len(names(share / "inbox")) == 2


def test_deadline_far_away_changes_nothing(share: Path, command: Command) -> None:
    drop(share, a_txt=b"one")
    assert command("drain", share, "--deadline", "1h").code == 0
    assert names(share / "outbox") == ["a.txt"]


def test_problems_are_warnings_and_an_integrity_failure_is_2(
    tmp_path: Path, command: Command
) -> None:
    share = make_share(tmp_path)
    policy = share / ".paxect" / "policy.toml"
    policy.write_text(policy.read_text().replace("#attempts = 3", "attempts = 1"))
    drop(share, a_txt=b"one")
    command("drain", share, "--direction", "encode")
    (share / "wire" / "a.txt.freq.sha256").write_text("0" * 64 + "\n")
    said = command("drain", share, "--progress")
    assert said.code == said.audit["exit_code"] == 2
    assert "warning: wire/a.txt.freq" in said.err
    assert said.audit["set_aside"]["files"] == 1


def test_log_goes_where_it_is_told(
    share: Path, tmp_path: Path, command: Command
) -> None:
    command("drain", share, "--log", tmp_path / "events.jsonl")
    lines = (tmp_path / "events.jsonl").read_text().splitlines()
    events = [json.loads(line) for line in lines]
    assert [events[0]["event"], events[-1]["event"]] == ["startup", "shutdown"]
    assert not (share / ".paxect" / "log").exists()


def test_manifest_is_signed_with_the_key_of_a_file(
    share: Path, tmp_path: Path, command: Command
) -> None:
    key = tmp_path / "key"
    key.write_text("secret\n")
    key.chmod(0o600)
    said = command("drain", share, "--node", "n1", "--hmac-key-file", key)
    assert said.code == 0
    path = share / ".paxect" / "nodes" / "n1" / "manifest.json"
    manifest = json.loads(path.read_text())
    assert len(manifest["hmac_sha256"]) == 64
    assert manifest["payload"]["node"] == "n1"
    assert "secret" not in path.read_text() + said.out + said.err
