"""A share with every kind of paper, and room to do harm to copies of it."""

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

for folder in ("fuzz", "system"):
    sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(__file__)), folder))
sys.path.insert(0, os.path.dirname(__file__))

from honest_share import HonestShare  # noqa: E402

_MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK | os.X_OK) else None


@pytest.fixture(scope="session")
def honest() -> Iterator[HonestShare]:
    """A share on which work is under way, to be copied and not changed."""
    folder = Path(tempfile.mkdtemp(prefix="paxect-hostile-", dir=_MEMORY))
    yield HonestShare(folder / "honest")
    shutil.rmtree(folder)


@pytest.fixture
def ground() -> Iterator[Path]:
    """A folder that is gone afterwards; in memory, where syncs cost nothing."""
    folder = Path(tempfile.mkdtemp(prefix="paxect-hostile-", dir=_MEMORY))
    yield folder
    shutil.rmtree(folder)
