"""A folder in memory for the demos to make theirs in, and the modules beside the tests."""

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, os.path.dirname(__file__))


@pytest.fixture
def ground() -> Iterator[Path]:
    """The temporary folder of a demo; with a short path, which shims begin with."""
    memory = "/dev/shm" if os.path.isdir("/dev/shm") else None
    folder = Path(tempfile.mkdtemp(prefix="paxect-", dir=memory))
    yield folder
    shutil.rmtree(folder)
