"""Files that go to the disk while they are written are the same files."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paxect_core import writeback
from paxect_core.files import decode_file, encode_file
from paxect_core.writeback import Writeback


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """What the system is told to begin with: where, and how much."""
    found: list[tuple[int, int]] = []
    monkeypatch.setattr(writeback, "STEP_BYTES", 1000)
    monkeypatch.setattr(
        writeback, "_call", lambda _fd, start, size, _flags: found.append((start, size))
    )
    return found


@given(st.lists(st.integers(0, 2500), max_size=8))
def test_system_is_told_of_each_byte_once_and_of_none_that_is_not_there(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int]
) -> None:
    told: list[tuple[int, int]] = []
    path = tmp_path_factory.mktemp("x") / "file"

    def tell(fd: int, start: int, size: int, _flags: int) -> int:
        assert start + size == os.fstat(fd).st_size
        told.append((start, size))
        return -1  # it may fail, and nothing comes of it

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(writeback, "STEP_BYTES", 1000)
        patch.setattr(writeback, "_call", tell)
        with path.open("xb", buffering=0) as stream:
            file = Writeback(stream)
            for number, size in enumerate(sizes):
                assert file.write(bytes([number]) * size) == size
    assert path.read_bytes() == b"".join(bytes([n]) * s for n, s in enumerate(sizes))
    ends = [0, *(start + size for start, size in told)]
    assert [start for start, _ in told] == ends[:-1]
    assert all(size >= 1000 for _, size in told)
    assert sum(sizes) - ends[-1] < 1000


def test_small_file_is_left_alone(tmp_path: Path, begun: list[tuple[int, int]]) -> None:
    with (tmp_path / "file").open("xb", buffering=0) as stream:
        file = Writeback(stream)
        file.write(bytes(999))
    assert begun == []


def test_files_of_the_engine_go_to_the_disk_while_they_are_made(
    tmp_path: Path, begun: list[tuple[int, int]]
) -> None:
    raw, container, back = (tmp_path / name for name in ("raw", "container", "back"))
    raw.write_bytes(os.urandom(5000))
    encode_file(raw, container)
    assert sum(size for _, size in begun) > 5000
    begun.clear()
    decode_file(container, back)
    assert begun == [(0, 5000)]
    assert back.read_bytes() == raw.read_bytes()


@pytest.mark.skipif(sys.platform != "linux", reason="no other system has the call")
def test_linux_is_told_with_success(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writeback, "_call", None)
    with (tmp_path / "file").open("xb", buffering=0) as stream:
        file = Writeback(stream)
        file.write(bytes(5000))
        call = writeback._load()
        assert call(file.fileno(), 0, 5000, 2) == 0
        assert call(file.fileno(), -1, 5000, 2) == -1
        writeback._begin(file.fileno(), 0, 5000)


def test_system_without_the_call_has_the_same_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", "sunos5")
    monkeypatch.setattr(writeback, "_call", None)
    monkeypatch.setattr(writeback, "STEP_BYTES", 10)
    with (tmp_path / "file").open("xb", buffering=0) as stream:
        file = Writeback(stream)
        file.write(b"a" * 25)
    assert (tmp_path / "file").read_bytes() == b"a" * 25
