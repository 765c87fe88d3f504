"""A file that is still being written is never taken, however its producer writes it."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import writers
from fakes.write_leases import kernel_tells_of_writers
from relayed_share import EAGER_POLICY, RelayedShare, finish, wait_until

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name != "posix", reason="Windows has no such signals"),
]

SETTLING = EAGER_POLICY.replace("settle_seconds = 0.0", "settle_seconds = 1.5")
MARKED = f'{EAGER_POLICY}ready_marker = "{writers.MARKER}"\n'


@contextmanager
def writing(share: RelayedShare, way: str) -> Iterator[subprocess.Popen[str]]:
    """Start a producer of a file that is named after its way; wait for it at the end."""
    command = [sys.executable, writers.__file__, way, str(share.inbox), way]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        if way in writers.WAITING:
            assert process.stdout is not None
            assert process.stdout.readline() == "half\n"
        yield process
        process.communicate("go on\n")
        assert process.returncode == 0
    finally:
        process.kill()
    expected = hashlib.sha256(writers.data_of(way)).hexdigest()
    share.dropped[way.encode()] = expected


@contextmanager
def watching(share: RelayedShare) -> Iterator[subprocess.Popen[str]]:
    process = share.start("--poll-seconds", "0.05", command="watch")
    try:
        yield process
        process.send_signal(signal.SIGTERM)
        run = finish(process)
    finally:
        process.kill()
    assert run.code == 143, run.err
    assert run.sum_closes


def await_arrival(
    share: RelayedShare, process: subprocess.Popen[str], name: str
) -> None:
    path = share.outbox / name
    assert wait_until(path.exists, process=process)


@pytest.mark.parametrize("way", [*writers.HOLDING, *writers.RENAMING])
def test_half_a_file_is_not_taken_though_it_did_not_change_for_the_settle_time(
    share: RelayedShare, ground: Path, way: str
) -> None:
    if way in writers.HOLDING and not kernel_tells_of_writers(ground):
        pytest.skip("this system does not tell who has a file open for writing")
    with watching(share) as process:
        with writing(share, way):
            # Dropped later, taken earlier: passes were made over the half file.
            for name in ("witness", "second witness"):
                share.drop(name, b"whole")
                await_arrival(share, process, name)
            assert not (share.outbox / way).exists()
            assert not (share.wire / f"{way}.freq").exists()
        await_arrival(share, process, way)
    assert share.arrived() == share.dropped
    assert share.crumbs() == []


def test_file_that_is_opened_again_for_each_part_is_taken_when_it_has_settled(
    share: RelayedShare,
) -> None:
    share.set_policy(SETTLING)
    with watching(share) as process:
        with writing(share, "reopen"):
            pass
        await_arrival(share, process, "reopen")
    assert share.arrived() == share.dropped
    assert share.crumbs() == []


def test_file_without_its_marker_is_not_taken(share: RelayedShare) -> None:
    share.set_policy(MARKED)
    with watching(share) as process:
        with writing(share, "marker"):
            for name in ("witness", "second witness"):
                share.drop(name, b"whole")
                (share.inbox / f"{name}{writers.MARKER}").touch()
                await_arrival(share, process, name)
            assert not (share.outbox / "marker").exists()
        await_arrival(share, process, "marker")
    assert share.arrived() == share.dropped
    assert share.crumbs() == []


def test_drain_leaves_what_is_being_written_and_says_that_it_waits(
    share: RelayedShare, ground: Path
) -> None:
    if not kernel_tells_of_writers(ground):
        pytest.skip("this system does not tell who has a file open for writing")
    with writing(share, "append"), writing(share, "mapping"):
        run = share.drain()
        assert run.code == 1, run.err
        assert run.audit["waiting"]["files"] == 2
        assert run.sum_closes
        assert share.arrived() == {}
    run = share.drain()
    assert run.code == 0, run.err
    assert share.arrived() == share.dropped
    assert share.crumbs() == []
