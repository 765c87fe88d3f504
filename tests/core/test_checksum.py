"""CRC32 is the same with and without isal."""

import sys
import zlib

import pytest
from samples import noise

from paxect_core import checksum


@pytest.mark.parametrize("size", [0, 1, (128 << 10) - 1, 128 << 10, 1_000_003])
def test_crc32_is_that_of_zlib(size: int) -> None:
    data = noise(size)
    assert checksum.crc32(data) == zlib.crc32(data)
    assert checksum.crc32(memoryview(data)) == zlib.crc32(data)


def test_crc32_without_isal_is_that_of_zlib(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checksum, "_large_crc32", None)
    monkeypatch.setitem(sys.modules, "isal.isal_zlib", None)
    data = noise(200_000)
    assert checksum.crc32(data) == zlib.crc32(data)
    assert checksum._large_crc32 is zlib.crc32
    assert checksum.crc32(data) == zlib.crc32(data)
