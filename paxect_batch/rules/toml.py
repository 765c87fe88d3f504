"""Read TOML, whose whole numbers have 64 bits."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable

_BITS = 64
_TOO_LONG = f"it has a whole number of more than {_BITS} bits"


def parse_toml(data: bytes) -> dict[str, object]:
    """Return what a file of TOML says; a `ValueError` tells why it is none."""
    # A byte order mark, as editors on Windows write it, is no part of the text.
    text = data.decode("utf-8-sig")
    try:
        document = tomllib.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    except tomllib.TOMLDecodeError:
        raise
    except ValueError:
        # Of thousands of digits, from which Python makes no number.
        raise ValueError(_TOO_LONG) from None
    # In hexadecimal it makes one, and cannot print it.
    if not _have_room(document.values()):
        raise ValueError(_TOO_LONG)
    return document


def _have_room(values: Iterable[object]) -> bool:
    for value in values:
        if isinstance(value, int) and value.bit_length() > _BITS:
            return False
        if isinstance(value, dict) and not _have_room(value.values()):
            return False
        if isinstance(value, list) and not _have_room(value):
            return False
    return True
