"""Nodes that meet on one folder: who may join, who is refused, who waits for whom."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from relayed_share import Finished, RelayedShare, finish, wait_until
from several_nodes import claims_of, drop_files, events, shared, start

pytestmark = pytest.mark.slow

FILES = 300
LONGER_THAN_THE_TEST = 600.0
"""A lease that no node outsleeps here, in seconds."""

OTHER_CODEC = """
import sys, paxect_core
paxect_core.CODEC_VERSION = "zstd 0.0.1"
from paxect_batch.cli.main import main
sys.exit(main())
"""


@pytest.fixture
def share(ground: Path) -> Iterator[RelayedShare]:
    """A share without files, and no process of it left afterwards."""
    laid_out = shared(ground / "share", lease_seconds=LONGER_THAN_THE_TEST)
    yield laid_out
    left = laid_out.end_processes()
    assert left == []


@pytest.fixture
def watching(share: RelayedShare) -> Iterator[subprocess.Popen[str]]:
    """A node `north` that lives and has nothing to do."""
    process = share.start("--workers", "1", command="watch", node="north")
    wait_until((share.state / "nodes" / "north" / "lease").exists, process=process)
    wait_until(lambda: events(share, "startup"), process=process)
    yield process
    if process.poll() is None:
        process.terminate()
        finish(process)


def stopped(process: subprocess.Popen[str]) -> Finished:
    """End a node in an orderly way."""
    process.terminate()
    return finish(process)


def asleep(share: RelayedShare) -> tuple[subprocess.Popen[str], psutil.Process]:
    """Drop files, and let a node `north` claim some and fall asleep."""
    drop_files(share, FILES)
    north = start(share, node="north")
    process = psutil.Process(north.pid)

    def sleeps() -> bool:
        if not claims_of(share, "north"):
            return False
        process.suspend()
        # It may have given them back in the instant in which it fell asleep.
        if claims_of(share, "north") > 0:
            return True
        process.resume()
        return False

    assert wait_until(sleeps, process=north)
    return north, process


def other_policy(share: RelayedShare) -> str:
    """Return the path of a policy that makes other containers."""
    path = share.folder.parent / "other.toml"
    path.write_text('version = "2"\nsettle_seconds = 0.0\nlevel = 7\n')
    return str(path)


def test_second_run_of_a_node_is_refused_and_touches_nothing(
    share: RelayedShare, watching: subprocess.Popen[str]
) -> None:
    refused = share.drain(node="north")
    assert refused.code == 75
    assert "north" in refused.err
    assert "--node" in refused.err
    assert stopped(watching).code == 143


def test_node_with_another_policy_is_refused_or_makes_the_batch_mixed(
    share: RelayedShare, watching: subprocess.Popen[str]
) -> None:
    policy = other_policy(share)
    refused = share.drain("--policy", policy, node="south")
    assert refused.code == 64
    assert "'north' works by policy" in refused.err
    assert "--allow-mixed" in refused.err
    assert refused.out == ""
    drop_files(share, FILES)
    ran = share.drain("--wait", "--policy", policy, "--allow-mixed", node="south")
    assert ran.code == 0, ran.err
    assert ran.audit["mixed"]
    assert ran.audit["batch"] is None
    batch = stopped(watching).audit["batch"]
    assert batch["mixed"]
    assert batch["delivered"]["files"] == FILES


def test_node_with_another_codec_is_refused(
    share: RelayedShare, watching: subprocess.Popen[str]
) -> None:
    words = share.command("drain", "--node", "south")
    refused = subprocess.run(
        [sys.executable, "-c", OTHER_CODEC, *words[words.index("drain") :]],
        env=share.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert refused.returncode == 64, refused.stderr
    assert "zstd 0.0.1" in refused.stderr
    assert "install the same version" in refused.stderr
    assert stopped(watching).code == 143


def test_node_that_sleeps_for_less_than_its_lease_loses_nothing(
    share: RelayedShare,
) -> None:
    north, process = asleep(share)
    held = claims_of(share, "north")
    # It returns when what is left is not its to take, however long north sleeps.
    south = share.drain("--workers", "1", node="south")
    assert claims_of(share, "north") == held
    process.resume()
    done = finish(north)
    assert (south.code, done.code) == (0, 0), south.err + done.err
    assert south.audit["elsewhere"]["files"] >= 1
    delivered = [run.audit["delivered"]["files"] for run in (south, done)]
    assert sum(delivered) == FILES
    assert done.audit["batch"]["delivered"]["files"] == FILES
    assert events(share, "take_over") == events(share, "lease_lost") == []
    assert share.crumbs() == []


def test_drain_that_waits_returns_when_the_share_is_done_by_whomever(
    share: RelayedShare,
) -> None:
    north, process = asleep(share)
    south = start(share, "--wait", node="south")
    lease = share.state / "nodes" / "south" / "lease"
    assert wait_until(lambda: says(lease, "files that other nodes hold"), process=south)
    process.resume()
    runs = finish(north), finish(south)
    assert [run.code for run in runs] == [0, 0]
    assert not any(run.audit["elsewhere"]["files"] for run in runs)
    assert len(share.arrived()) == FILES


def says(lease: Path, words: str) -> bool:
    """Tell whether a node says that it waits for that."""
    try:
        return json.loads(lease.read_text())["word"]["waits_for"] == words
    except (FileNotFoundError, ValueError):
        return False
