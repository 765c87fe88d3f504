"""Files made durable together, or one by one where one call does not answer for all."""

from __future__ import annotations

import errno
import os
import platform
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from paxect_batch.world import syncing
from paxect_batch.world.syncing import ALONE_CALLS, SLOW_SECONDS, TOGETHER_MIN, Syncing


class System:
    """Counts what is asked of it, and answers as it is told."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.whole: list[int] = []
        self.single: list[int] = []
        self.answer = 0
        self.broken: dict[int, int] = {}
        self.seconds_a_call = 0.0
        self.seconds = 0.0
        self.devices: dict[int, int] = {}
        self.is_local = True
        monkeypatch.setattr(syncing, "_system_call", lambda: self._syncfs)
        monkeypatch.setattr(syncing, "syncs_whole", lambda _fd, _device: self.is_local)
        monkeypatch.setattr(syncing, "sync_file", self._fsync)
        monkeypatch.setattr(syncing, "os", SimpleNamespace(fstat=self._fstat))

    def _syncfs(self, fd: int) -> int:
        self.whole.append(fd)
        self.seconds += self.seconds_a_call
        return self.answer

    def _fsync(self, fd: int) -> None:
        self.single.append(fd)
        if fd in self.broken:
            raise OSError(self.broken[fd], os.strerror(self.broken[fd]))

    def _fstat(self, fd: int) -> SimpleNamespace:
        return SimpleNamespace(st_dev=self.devices.get(fd, 7))

    def syncing(self) -> Syncing:
        return Syncing(monotonic=lambda: self.seconds)


@pytest.fixture
def system(monkeypatch: pytest.MonkeyPatch) -> System:
    return System(monkeypatch)


FILES = range(100, 110)


def test_many_files_of_one_file_system_take_one_call(system: System) -> None:
    assert system.syncing().sync_all(FILES) == (None,) * len(FILES)
    # Of the file that was opened first: the call tells what failed since then.
    assert system.whole == [FILES[0]]
    assert system.single == []


def test_files_of_two_file_systems_take_one_call_each(system: System) -> None:
    system.devices = dict.fromkeys(FILES[3:], 8)
    assert system.syncing().sync_all(FILES) == (None,) * len(FILES)
    assert sorted(system.whole) == [FILES[0], FILES[3]]


def test_few_files_go_one_by_one(system: System) -> None:
    few = FILES[: TOGETHER_MIN - 1]
    assert system.syncing().sync_all(few) == (None,) * len(few)
    assert system.whole == []
    assert system.single == list(few)


def test_files_of_a_server_go_one_by_one(system: System) -> None:
    system.is_local = False
    assert system.syncing().sync_all(FILES) == (None,) * len(FILES)
    assert system.whole == []
    assert system.single == list(FILES)


def test_what_fails_for_all_is_asked_of_each_once(system: System) -> None:
    system.answer = errno.EIO
    system.broken = {FILES[4]: errno.ENOSPC}
    told = system.syncing().sync_all(FILES)
    assert system.single == list(FILES)
    assert [error.errno if error else 0 for error in told] == [
        errno.ENOSPC if fd == FILES[4] else 0 for fd in FILES
    ]


@pytest.mark.parametrize("where", ["statfs", "fstat"])
def test_what_cannot_be_told_of_a_file_leaves_it_to_each(
    system: System, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    def refuse(_fd: int, _device: int = 0) -> bool:
        raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))

    if where == "statfs":
        monkeypatch.setattr(syncing, "syncs_whole", refuse)
    else:
        monkeypatch.setattr(syncing, "os", SimpleNamespace(fstat=refuse))
    assert system.syncing().sync_all(FILES) == (None,) * len(FILES)
    assert system.single == list(FILES)


def test_slow_call_is_left_alone_for_a_while(system: System) -> None:
    files = system.syncing()
    system.seconds_a_call = SLOW_SECONDS * len(FILES) + 1
    files.sync_all(FILES)
    assert system.single == []
    for _ in range(ALONE_CALLS):
        files.sync_all(FILES)
    assert len(system.whole) == 1
    assert len(system.single) == ALONE_CALLS * len(FILES)
    system.seconds_a_call = 0.0
    for _ in range(3):
        files.sync_all(FILES)
    assert len(system.whole) == 4


def tells_of_errors() -> bool:
    """Tell whether the system has a call that does, by its release alone."""
    numbers = tuple(map(int, re.findall(r"\d+", platform.release())[:2]))
    return sys.platform == "linux" and numbers >= (5, 8)


@pytest.mark.parametrize("is_local", [True, False])
def test_names_around_a_file_are_made_durable_by_their_system_or_their_server(
    system: System, monkeypatch: pytest.MonkeyPatch, is_local: bool
) -> None:
    monkeypatch.setattr(syncing, "is_local", lambda _fd: is_local)
    syncing.sync_around(5)
    assert (system.whole, system.single) == (([5], []) if is_local else ([], [5]))


@pytest.mark.parametrize("is_local", [True, False])
def test_names_around_a_file_that_are_not_durable_are_told(
    system: System, monkeypatch: pytest.MonkeyPatch, is_local: bool
) -> None:
    monkeypatch.setattr(syncing, "is_local", lambda _fd: is_local)
    monkeypatch.setattr(syncing.os, "strerror", os.strerror, raising=False)
    system.answer, system.broken = errno.EIO, {5: errno.EIO}
    with pytest.raises(OSError, match=os.strerror(errno.EIO)) as caught:
        syncing.sync_around(5)
    assert caught.value.errno == errno.EIO


@pytest.mark.skipif(
    not tells_of_errors(), reason="this system has no call that tells of errors"
)
def test_the_systems_own_call_makes_files_durable(tmp_path: Path) -> None:
    call = syncing._system_call()
    assert call is not None
    with (tmp_path / "file").open("wb", buffering=0) as stream:
        stream.write(b"data")
        assert call(stream.fileno()) == 0
        fd = os.dup(stream.fileno())
        os.close(fd)
        assert call(fd) == errno.EBADF


@pytest.fixture
def found_anew() -> Iterator[None]:
    syncing._system_call.cache_clear()
    yield
    syncing._system_call.cache_clear()


@pytest.mark.usefixtures("found_anew")
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has such a call")
@pytest.mark.parametrize(
    ("release", "is_asked"),
    [
        ("5.7.19-generic", False),
        ("4.19.0", False),
        ("odd", False),
        ("", False),
        ("5.8", True),
        ("5.10.0-8-amd64", True),
        ("6.18.44", True),
        ("10.0", True),
    ],
)
def test_kernel_is_asked_if_its_release_tells_of_errors(
    monkeypatch: pytest.MonkeyPatch, release: str, is_asked: bool
) -> None:
    def named() -> SimpleNamespace:
        return SimpleNamespace(release=release)

    monkeypatch.setattr(syncing, "os", SimpleNamespace(uname=named))
    assert (syncing._system_call() is not None) == is_asked
