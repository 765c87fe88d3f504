"""SHA-256 is the same from the interpreter and from OpenSSL."""

import hashlib
import sys

import pytest
from samples import noise

from paxect_core import digest


def of(data: bytes, *, bulk: bool) -> str:
    made = digest.sha256(bulk=bulk)
    made.update(memoryview(data)[:10])
    made.update(data[10:])
    assert made.digest().hex() == made.hexdigest()
    return made.hexdigest()


@pytest.mark.parametrize("size", [0, 10, 5000])
def test_digest_is_the_same_from_wherever(
    monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    data = noise(size)
    expected = hashlib.sha256(data).hexdigest()
    assert of(data, bulk=True) == of(data, bulk=False) == expected
    monkeypatch.delitem(sys.modules, "hashlib")
    assert of(data, bulk=False) == expected
    assert "hashlib" not in sys.modules
    monkeypatch.setattr(digest, "_BUILT_IN", "no_such_module")
    assert of(data, bulk=False) == expected
    assert "hashlib" in sys.modules
