"""On NFS no file is opened so that the server may delegate it to this machine."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from stages import inbox

from paxect_batch.model.places import Root
from paxect_batch.world import file_systems
from paxect_batch.world.claims import ClaimFiles
from paxect_batch.world.plain_files import open_plain
from paxect_batch.world.share import LocalShare
from paxect_batch.world.tree_descriptors import DescriptorTree

NFS, EXT4 = 0x6969, 0xEF53
ITEM = inbox("item.csv")

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="delegations are declined on Linux only"
)


@pytest.fixture
def on(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int], None]]:
    def make(kind: int) -> None:
        monkeypatch.setattr(file_systems, "_known", {})
        monkeypatch.setattr(file_systems, "_asked", lambda _fd: kind)

    yield make
    file_systems._known.clear()


@pytest.fixture
def asked_with(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The flags by which files were opened, without those of folders."""
    seen: list[int] = []
    real = os.open

    def counted(path: Any, flags: int, *more: Any, **words: Any) -> int:
        if not flags & (os.O_DIRECTORY | os.O_PATH):
            seen.append(flags)
        return real(path, flags, *more, **words)

    monkeypatch.setattr(os, "open", counted)
    return seen


@pytest.fixture
def refusing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse direct reading and writing, as a client that was built without it."""
    real = os.open

    def refuse(path: Any, flags: int, *more: Any, **words: Any) -> int:
        if flags & os.O_DIRECT:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL), path)
        return real(path, flags, *more, **words)

    monkeypatch.setattr(os, "open", refuse)


def share_on(folder: Path) -> LocalShare:
    # Told which tree it has: an `os.open` that is not the system's takes no folder.
    roots = {Root.INBOX: os.fsencode(folder)}
    return LocalShare(roots, tree=DescriptorTree(roots))


def uses(folder: Path) -> Iterator[tuple[str, int]]:
    """Open files in each way that there is; give what it was, and a descriptor."""
    share = share_on(folder)
    with share.create(ITEM) as stream:
        stream.write(b"odd length")
        yield "created", stream.fileno()
    with share.open_source(ITEM) as stream:
        assert stream.read() == b"odd length"
        yield "read", stream.fileno()
    with open_plain(str(folder / "item.csv")) as stream:
        assert stream.read() == b"odd length"
        yield "a paper", stream.fileno()


def test_on_nfs_what_is_there_is_opened_without_a_delegation_and_then_used_as_ever(
    on: Callable[[int], None], asked_with: list[int], tmp_path: Path
) -> None:
    import fcntl

    on(NFS)
    for what, fd in uses(tmp_path):
        # A client that cannot do it may say so when it has made the file.
        assert bool(asked_with.pop() & os.O_DIRECT) is (what != "created")
        assert not fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_DIRECT, what


def test_elsewhere_nothing_is_asked_for(
    on: Callable[[int], None], asked_with: list[int], tmp_path: Path
) -> None:
    on(EXT4)
    for what, _ in uses(tmp_path):
        assert not asked_with.pop() & os.O_DIRECT, what


def test_a_claim_on_nfs_is_read_without_a_delegation(
    on: Callable[[int], None], asked_with: list[int], tmp_path: Path
) -> None:
    on(NFS)
    (tmp_path / "claims").mkdir()
    claims = ClaimFiles(str(tmp_path))
    assert claims.take("item", node="a", run="run")
    assert claims.owner("item") == ("a", "run")
    assert [bool(flags & os.O_DIRECT) for flags in asked_with] == [False, True]


@pytest.mark.usefixtures("refusing")
def test_a_client_that_refuses_to_read_directly_opens_as_ever(
    on: Callable[[int], None], tmp_path: Path
) -> None:
    on(NFS)
    assert [what for what, _ in uses(tmp_path)] == ["created", "read", "a paper"]


def test_what_is_not_there_is_told_as_ever_on_nfs(
    on: Callable[[int], None], tmp_path: Path
) -> None:
    on(NFS)
    with pytest.raises(FileNotFoundError):
        open_plain(str(tmp_path / "nothing"))
    with pytest.raises(FileNotFoundError):
        open_plain(str(tmp_path / "no folder" / "nothing"))
    with pytest.raises(FileNotFoundError):
        share_on(tmp_path).open_source(ITEM)
