"""CRC32 of a frame's raw bytes, by the fastest implementation at hand.

`isal` computes the same value as `zlib` some twenty times faster; where no wheel of it
exists, zlib does. The only user of `isal`.
"""

from __future__ import annotations

from zlib import crc32 as _zlib_crc32

_LARGE_BYTES = 128 << 10
"""Below this, loading isal costs more than it saves."""

_large_crc32 = None


def crc32(data: bytes | memoryview) -> int:
    """Return the CRC32 (IEEE 802.3) of the data."""
    if len(data) < _LARGE_BYTES:
        return _zlib_crc32(data)
    global _large_crc32
    if _large_crc32 is None:
        try:
            from isal.isal_zlib import crc32 as isal_crc32
        except ImportError:
            _large_crc32 = _zlib_crc32
        else:
            _large_crc32 = isal_crc32
    return _large_crc32(data)
