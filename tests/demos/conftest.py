"""A folder in memory for the demos to make theirs in, and the modules beside the tests."""

import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, os.path.dirname(__file__))

# Shells ignore Ctrl-C for what they run in the background, and it stays so in whatever is
# started; what is handled here begins anew there.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, lambda *_: None)


@pytest.fixture
def ground() -> Iterator[Path]:
    """The temporary folder of a demo; with a short path, which shims begin with."""
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK | os.X_OK) else None
    folder = Path(tempfile.mkdtemp(prefix="paxect-", dir=memory))
    yield folder
    shutil.rmtree(folder)
