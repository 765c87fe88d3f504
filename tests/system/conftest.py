"""A share in memory, where there is room for it: each sync of a disk costs too much."""

import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, os.path.dirname(__file__))

from relayed_share import RelayedShare, memory_folder

# Shells ignore Ctrl-C for what they run in the background, and nohup ignores SIGHUP. It
# stays so in whatever is started; the relay keeps to it, and could not be tested then.
# What is handled here begins anew there.
for name in ("SIGINT", "SIGHUP"):
    number = getattr(signal, name, None)
    if number is not None and signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, lambda *_: None)


@pytest.fixture
def ground() -> Iterator[Path]:
    """A folder that is gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="paxect-system-", dir=memory_folder()))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def share(ground: Path) -> Iterator[RelayedShare]:
    """A share that settles at once, and no process of it left afterwards."""
    laid_out = RelayedShare.lay_out(ground / "share")
    yield laid_out
    assert laid_out.end_processes() == []
