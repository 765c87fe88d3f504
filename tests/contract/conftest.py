"""Lets the tests of this folder import the fakes and what they share."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

_HERE = os.path.dirname(__file__)
sys.path.insert(0, _HERE)
sys.path.insert(0, os.path.dirname(_HERE))

from lease_samples import start_holder  # noqa: E402
from stages import LocalStage, make_stage  # noqa: E402

from paxect_batch.seams import Applicant  # noqa: E402
from paxect_batch.world.leases import LeaseFiles  # noqa: E402
from paxect_batch.world.locks import FileLocks  # noqa: E402
from paxect_batch.world.tree_descriptors import DescriptorTree  # noqa: E402


@pytest.fixture(params=["wary", "paths"])
def stage(request: pytest.FixtureRequest, tmp_path: Path) -> LocalStage:
    made = make_stage(request.param, tmp_path)
    assert isinstance(made, LocalStage)
    return made


@pytest.fixture
def descriptors(tmp_path: Path) -> LocalStage:
    return LocalStage(tmp_path, DescriptorTree)


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that is node1 and has an item, with a long lease."""
    with start_holder(tmp_path, 60) as process:
        yield process
        process.kill()


@pytest.fixture
def joined(tmp_path: Path) -> Iterator[Callable[..., FileLocks]]:
    """Join nodes; they leave at the end."""
    made: list[FileLocks] = []

    def join(node: str, *, seconds: float = 60, **more: object) -> FileLocks:
        locks = FileLocks(str(tmp_path), lease_seconds=seconds)
        run = f"run-of-{node}-{len(made)}"
        locks.join(Applicant(node=node, run=run, **more))  # type: ignore[arg-type]
        made.append(locks)
        return locks

    yield join
    for locks in made:
        locks.leave()


@pytest.fixture
def files(tmp_path: Path) -> LeaseFiles:
    return LeaseFiles(str(tmp_path))
