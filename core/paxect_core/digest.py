"""SHA-256, from OpenSSL for bulk and from the interpreter itself for small inputs.

Both give the same digest. OpenSSL's is several times faster, and takes 2 ms to load:
a tenth of a whole `paxect-core` process on a small file.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    class Digest(Protocol):
        """The part of a `hashlib` object that is used here."""

        def update(self, data: bytes | memoryview, /) -> None: ...  # noqa: D102
        def digest(self) -> bytes: ...  # noqa: D102
        def hexdigest(self) -> str: ...  # noqa: D102


_BUILT_IN = "_sha2" if sys.version_info >= (3, 12) else "_sha256"


def sha256(*, bulk: bool) -> Digest:
    """Return a new SHA-256, made for much data or for little."""
    if not bulk and "hashlib" not in sys.modules:
        try:
            module = __import__(_BUILT_IN)
        except ImportError:  # an interpreter built without it
            pass
        else:
            digest: Digest = module.sha256()
            return digest
    import hashlib

    return hashlib.sha256()
