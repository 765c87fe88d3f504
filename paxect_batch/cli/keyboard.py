"""Single keys from a terminal, without waiting for the end of a line."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

if sys.platform == "win32":
    import msvcrt

    _SLICE_SECONDS = 0.02

    @contextmanager
    def raw_keys() -> Iterator[None]:
        """Do nothing: keys come singly by themselves."""
        yield

    def key_within(seconds: float) -> str:
        """Return the key that is pressed within that time, or nothing."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if msvcrt.kbhit():
                return msvcrt.getwch()
            time.sleep(_SLICE_SECONDS)
        return ""

else:
    import os
    import select
    import termios

    @contextmanager
    def raw_keys() -> Iterator[None]:
        """Have keys come singly and unseen; Ctrl-C stays what it is.

        Ctrl-Z is none meanwhile: a shell would come back on the wrong screen.
        """
        descriptor = sys.stdin.fileno()
        before = termios.tcgetattr(descriptor)
        changed = termios.tcgetattr(descriptor)
        changed[3] &= ~(termios.ECHO | termios.ICANON)
        changed[6] = list(changed[6])
        changed[6][termios.VMIN] = 1
        changed[6][termios.VTIME] = 0
        changed[6][termios.VSUSP] = b"\0"
        termios.tcsetattr(descriptor, termios.TCSANOW, changed)
        try:
            yield
        finally:
            termios.tcsetattr(descriptor, termios.TCSANOW, before)

    def key_within(seconds: float) -> str:
        """Return the key that is pressed within that time, or nothing."""
        descriptor = sys.stdin.fileno()
        if not select.select([descriptor], [], [], seconds)[0]:
            return ""
        data = os.read(descriptor, 1)
        if not data:
            # The terminal is gone, and nobody will press anything.
            return "q"
        return data.decode("latin-1")
