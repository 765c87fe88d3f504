"""Have the interpreter look seldom for objects that only hold each other.

Hardly any come up here, while each look goes over all that lives: it was a
twenty-fifth of a small file's time.
"""

from __future__ import annotations

import gc

_NEW_MAX = 20_000
_LOOKS_MAX = 20


def look_seldom() -> None:
    """Look at what is new once there is much, and never at what was loaded before."""
    gc.freeze()
    gc.set_threshold(_NEW_MAX, _LOOKS_MAX, _LOOKS_MAX)
