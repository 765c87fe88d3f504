"""Runs on a machine that has no thread left: they end as they should, and leave nothing."""

import threading
from collections.abc import Callable, Collection
from pathlib import Path

import pytest
from cli_samples import Command, drop, names

from paxect_batch.model.errors import Exit

pytestmark = pytest.mark.slow
Allow = Callable[[Collection[str]], None]


@pytest.fixture
def allow(monkeypatch: pytest.MonkeyPatch) -> Allow:
    """Let threads of these names be started alone."""
    real = threading.Thread.start

    def allow(allowed: Collection[str]) -> None:
        def start(thread: threading.Thread) -> None:
            if thread.name not in allowed:
                raise RuntimeError("can't start new thread")
            real(thread)

        monkeypatch.setattr(threading.Thread, "start", start)

    return allow


def left_on(share: Path) -> list[str]:
    """Return what of a run is there still: its lease, its claims, its stages."""
    kept = ("claims", "over", "stage", "intents")
    return [
        name
        for name in names(share / ".paxect")
        if name.startswith(kept) or Path(name).name.startswith("lease")
    ]


@pytest.mark.parametrize("allowed", [(), ("lease",)])
def test_drain_without_threads_is_not_ready_and_gives_lease_and_claims_back(
    share: Path, command: Command, allow: Allow, allowed: tuple[str, ...]
) -> None:
    drop(share, c_txt=b"three")
    allow(allowed)
    said = command("drain", share)
    assert said.code == Exit.NOT_READY
    assert "the system lets no thread be started" in said.err
    assert "please report" not in said.err
    assert left_on(share) == []
    assert (share / "inbox" / "c.txt").read_bytes() == b"three"


def test_drain_with_a_thread_for_its_lease_and_one_for_a_worker_delivers_all(
    share: Path, command: Command, allow: Allow
) -> None:
    drop(share, c_txt=b"three")
    allow(("lease", "attend-worker"))
    assert command("drain", share, "--progress").code == Exit.OK
    assert (share / "outbox" / "c.txt").read_bytes() == b"three"
    assert left_on(share) == []


@pytest.mark.parametrize("allowed", [(), ("paxect-listener",), ("paxect-ground",)])
def test_what_listens_or_looks_without_threads_is_not_ready(
    share: Path, command: Command, allow: Allow, allowed: tuple[str, ...]
) -> None:
    allow(allowed)
    for words in (("serve", share, "--listen", "127.0.0.1:0"), ("top", share)):
        said = command(*words)
        assert said.code == Exit.NOT_READY
        assert "the system lets no thread be started" in said.err
