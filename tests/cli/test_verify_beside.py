"""Verify beside nodes at work: what they do meanwhile is no finding."""

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cli_samples import Command, drop

from paxect_batch.cli import verification
from paxect_batch.cli.main import main
from paxect_batch.cli.verification import Verification
from paxect_batch.relay.settle import Settler
from paxect_batch.world.clock import RealClock

pytestmark = pytest.mark.slow
needs_fork = pytest.mark.skipif(
    not hasattr(os, "fork"), reason="a run that dies is forked"
)


def before(
    monkeypatch: pytest.MonkeyPatch, name: str, act: Callable[[], object]
) -> None:
    """Let something happen each time before `verify` makes a step."""
    real = getattr(Verification, name)

    def step(self: Verification, *args: Any) -> object:
        act()
        return real(self, *args)

    monkeypatch.setattr(Verification, name, step)


def once(act: Callable[[], object]) -> Callable[[], None]:
    acts = [act]
    return lambda: acts.pop()() and None if acts else None


def deliver_anew(share: Path, data: bytes = b"another") -> None:
    """Let the consumer take a file, and a node deliver another of its name."""
    (share / "outbox" / "a.txt").unlink()
    drop(share, a_txt=data)
    assert main(["drain", "-q", str(share), "--node", "n1"]) == 0


def test_verify_passes_a_file_that_was_delivered_after_the_records_were_read(
    share: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    before(monkeypatch, "check_delivered", lambda: deliver_anew(share))
    said = command("verify", share)
    assert (said.code, said.err) == (0, "")


def test_verify_passes_a_file_that_is_delivered_anew_each_time_it_looks(
    share: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    before(monkeypatch, "_check_delivered", lambda: deliver_anew(share))
    monkeypatch.setattr(verification, "ROUNDS_MAX", 2)
    assert command("verify", share).code == 0


def test_verify_finds_a_file_that_changed_after_it_was_delivered_meanwhile(
    share: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def act() -> None:
        deliver_anew(share)
        (share / "outbox" / "a.txt").write_bytes(b"changed")

    before(monkeypatch, "check_delivered", once(act))
    said = command("verify", share)
    assert said.code == 2
    assert "outbox/a.txt: it is not the file that was delivered" in said.err


@needs_fork
def test_verify_passes_what_a_run_that_died_promised(
    share: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    (share / "wire" / "b.txt.freq").unlink()
    (share / "wire" / "b.txt.freq.sha256").unlink()
    drop(share, b_txt=b"of a run that dies")
    child = os.fork()
    if child == 0:
        monkeypatch.setattr(Settler, "_publish", lambda *_args: os._exit(9))
        words = ["drain", "-q", str(share), "--direction", "encode", "--workers", "1"]
        main([*words, "--node", "n3"])
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    assert os.listdir(share / "wire") == ["b.txt.freq.sha256"]
    said = command("verify", share)
    assert (said.code, said.err) == (0, "")


def test_verify_passes_a_container_that_is_replaced_before_its_sidecar_is_read(
    share: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = Verification._read_container

    def act() -> None:
        wire = share / "wire"
        for name in ("b.txt.freq", "b.txt.freq.sha256"):
            (wire / name).unlink()
        drop(share, b_txt=b"another")
        words = ["drain", "-q", str(share), "--direction", "encode", "--node", "n1"]
        assert main(words) == 0

    acts = once(act)

    def replaced(self: Verification, *args: Any) -> object:
        result = read(self, *args)
        acts()
        return result

    monkeypatch.setattr(Verification, "_read_container", replaced)
    said = command("verify", share)
    assert (said.code, said.err) == (0, "")


def test_verify_passes_a_line_that_is_written_as_it_reads(
    share: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = next((share / ".paxect" / "ledger" / "n1").iterdir())
    whole = ledger.read_bytes()
    ledger.write_bytes(whole[:-20])
    before(monkeypatch, "check_wire", lambda: ledger.write_bytes(whole))
    said = command("verify", share)
    assert (said.code, said.err) == (0, "")


def test_verify_counts_what_it_looks_at_again_once(
    share: Path, command: Command
) -> None:
    good = json.loads(command("verify", share, "--json").out)
    (share / "outbox" / "a.txt").write_bytes(b"onE")
    bad = json.loads(command("verify", share, "--json").out)
    assert bad["checked"] == good["checked"]


def test_verify_and_checksums_go_by_what_came_last_though_a_clock_was_ahead(
    share: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = RealClock.now
    with monkeypatch.context() as ahead:
        ahead.setattr(RealClock, "now", lambda self: now(self) + 300)
        deliver_anew(share, b"first")
    deliver_anew(share, b"second")
    said = command("verify", share)
    assert (said.code, said.err) == (0, "")
    said = command("manifest", share, "--checksums", "-")
    digest = hashlib.sha256(b"second").hexdigest()
    assert f"{digest}  a.txt" in said.out.splitlines()
