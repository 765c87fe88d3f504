"""Make the modules beside the tests, and those of real nodes, importable by name."""

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "relay"))
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "system"))
sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))
sys.path.insert(0, os.path.dirname(__file__))

from relayed_share import memory_folder


@pytest.fixture
def ground() -> Iterator[Path]:
    """A folder in memory, where there is room for it, that is gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="paxect-faults-", dir=memory_folder()))
    yield folder
    shutil.rmtree(folder)
