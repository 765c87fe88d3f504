"""How often the interpreter looks for garbage that lies in cycles."""

from __future__ import annotations

import gc

_OBJECTS = 10_000
"""So many more are there than before when it looks; it would at 700.

Hardly anything here lies in a cycle, and each look goes over all that is in flight.
"""


def look_for_seldom() -> None:
    """Have it look less often, in a process that is the relay's alone."""
    gc.set_threshold(_OBJECTS)
