"""Numbers as papers hold them: what is out of range was not written here."""

from __future__ import annotations

from typing import Annotated

import msgspec

INT64_MIN = -(1 << 63)
INT64_MAX = (1 << 63) - 1
UINT64_MAX = (1 << 64) - 1

Count = Annotated[int, msgspec.Meta(ge=0, le=INT64_MAX)]
"""Of files or bytes: no file system has more."""

ModeBits = Annotated[int, msgspec.Meta(ge=0, le=0o7777)]
"""The permission bits of a file."""
