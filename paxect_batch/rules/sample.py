"""Sample: which items are encoded twice, to see that encoding is deterministic.

The choice depends on the item alone, so every node makes the same one.
"""

from __future__ import annotations

import hashlib

ONE_IN = 64
TWICE_BYTES_MAX = 64 << 20
"""Items over this are never done twice: that would cost too much."""


def encode_twice(path_text: str, size: int, number_in_run: int) -> bool:
    """Tell whether an item is encoded twice.

    `number_in_run` is how many items of at most `TWICE_BYTES_MAX` the run had before:
    the first one is chosen whatever its name, so that each run checks at least one.
    """
    if size > TWICE_BYTES_MAX:
        return False
    digest = hashlib.sha256(f"{size}/{path_text}".encode("utf-8", "surrogatepass"))
    return not number_in_run or digest.digest()[0] % ONE_IN == 0
