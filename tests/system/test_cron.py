"""Without terminal or environment: silence but for warnings, one audit line, a code."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from relayed_share import (
    AUDIT,
    EAGER_POLICY,
    ROOT,
    Finished,
    RelayedShare,
    finish,
    wait_until,
)

import paxect_core

pytestmark = pytest.mark.slow

BOOT = (
    f"import sys; sys.path[:0] = {[str(ROOT), str(ROOT / 'core')]!r}; "
    "from paxect_batch.cli.main import main; sys.exit(main())"
)


def bare(*words: str | Path) -> Finished:
    """Run the command with no variable, no terminal and no input at all."""
    done = subprocess.run(
        [sys.executable, "-c", BOOT, *map(str, words)],
        env={"SYSTEMROOT": os.environ["SYSTEMROOT"]} if os.name == "nt" else {},
        cwd=os.path.abspath(os.sep),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        errors="surrogateescape",
        start_new_session=True,
        check=False,
    )
    return Finished(done.returncode, done.stdout, done.stderr)


def is_only_the_audit(run: Finished) -> bool:
    """Tell whether standard output is one audit line that names the exit code."""
    return len(run.lines) == 1 and run.audit["exit_code"] == run.code


def nothing_to_do(share: RelayedShare) -> None:
    """An empty inbox."""


def a_file(share: RelayedShare) -> None:
    share.drop("emoji \N{SNAKE} line\nbreak", b"data")


def a_blocked_file(share: RelayedShare) -> None:
    share.set_policy(f'{EAGER_POLICY}allowed_suffixes = [".csv"]\n')
    share.drop("a.txt", b"data")


def a_damaged_container(share: RelayedShare) -> None:
    share.set_policy(f"{EAGER_POLICY}attempts = 1\n")
    container = bytearray(paxect_core.encode_bytes(bytes(range(256)) * 40))
    container[-1] ^= 1  # of the SHA-256 in the footer
    (share.wire / "damaged.bin.freq").write_bytes(container)


def no_container(share: RelayedShare) -> None:
    share.set_policy(f"{EAGER_POLICY}attempts = 1\n")
    (share.wire / "none.bin.freq").write_bytes(b"no container")


def a_share_that_fails(share: RelayedShare) -> None:
    share.drop("a.txt", b"data")
    (share.state / "ledger").write_bytes(b"where a folder should be")


@pytest.mark.parametrize(
    ("prepare", "code", "told"),
    [
        (nothing_to_do, 0, ""),
        (a_file, 0, ""),
        (a_blocked_file, 1, ""),
        (a_damaged_container, 2, "damaged.bin.freq"),
        (no_container, 4, "none.bin.freq"),
        (a_share_that_fails, 3, "ledger"),
    ],
)
def test_drain_in_cron_prints_one_audit_line_and_exits_with_what_it_says(
    share: RelayedShare,
    prepare: Callable[[RelayedShare], None],
    code: int,
    told: str,
) -> None:
    prepare(share)
    run = bare("drain", share.folder)
    assert run.code == code, run.err
    assert is_only_the_audit(run), run.out
    assert run.sum_closes
    assert (run.err != "") == bool(told), run.err
    assert told in run.err
    assert all(line.startswith("paxect-batch: ") for line in run.err.splitlines())
    assert AUDIT not in run.err


def test_warning_in_cron_goes_to_standard_error(share: RelayedShare) -> None:
    outside = share.folder.parent / "outside"
    outside.write_bytes(b"of no concern")
    (share.inbox / "link").symlink_to(outside)
    run = bare("drain", share.folder)
    assert run.code == 0
    assert is_only_the_audit(run)
    assert len(run.err.splitlines()) == 1
    assert "inbox/link" in run.err


def test_wrong_words_and_wrong_policy_exit_with_64_and_touch_nothing(
    share: RelayedShare,
) -> None:
    share.drop("a.txt", b"data")
    share.set_policy('version = "2"\nsettle = 3\n')
    for words in (["--no-such-option"], []):
        run = bare("drain", share.folder, *words)
        assert run.code == 64
        assert run.out == ""
        assert len(run.err.splitlines()) == 1
    assert (share.inbox / "a.txt").read_bytes() == b"data"


def test_share_that_is_not_there_exits_with_75(ground: Path) -> None:
    (ground / "not-mounted").mkdir()
    run = bare("drain", ground / "not-mounted")
    assert run.code == 75
    assert run.out == ""
    assert "not-mounted" in run.err


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 143)],
    ids=["SIGINT", "SIGTERM"],
)
@pytest.mark.skipif(os.name != "posix", reason="Windows has no such signals")
def test_second_run_of_a_node_exits_with_75_and_the_first_one_by_its_signal(
    share: RelayedShare, number: signal.Signals, code: int
) -> None:
    process = share.start(command="watch")
    assert wait_until(lambda: share.events("startup"), process=process)
    run = bare("drain", share.folder, "--node", "node")
    assert run.code == 75
    assert run.out == ""
    assert "node" in run.err
    process.send_signal(number)
    first = finish(process)
    assert first.code == code
    assert is_only_the_audit(first)
    assert len(first.err.splitlines()) == 1
