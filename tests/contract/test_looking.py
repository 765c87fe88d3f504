"""How a tree looks at names on each kind of file system, by calls that are counted."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from stages import LocalStage, inbox

from paxect_batch.model.items import Kind
from paxect_batch.world import asking, file_systems, looks
from paxect_batch.world.tree_descriptors import DescriptorTree

NFS, SMB, FUSE, EXT4 = 0x6969, 0xFE534D42, 0x65735546, 0xEF53
REMOTE = {"nfs": NFS, "smb": SMB, "fuse": FUSE}

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="no statx on this platform"
)


@pytest.fixture
def on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[int], LocalStage]]:
    def make(kind: int) -> LocalStage:
        monkeypatch.setattr(file_systems, "_known", {})
        monkeypatch.setattr(file_systems, "_asked", lambda _fd: kind)
        folder = tmp_path / hex(kind)
        folder.mkdir()
        return LocalStage(folder, DescriptorTree)

    yield make
    file_systems._known.clear()


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    made: list[str] = []

    def counted(name: str) -> None:
        real = getattr(looks, name)

        def call(*args: Any) -> Any:
            made.append(name)
            return real(*args)

        monkeypatch.setattr(looks, name, call)

    counted("ask")
    counted("see")
    return made


@pytest.mark.parametrize("kind", [EXT4, *REMOTE.values()])
def test_look_tells_the_same_on_every_kind_of_file_system(
    on: Callable[[int], LocalStage], kind: int
) -> None:
    stage = on(kind)
    stage.put(inbox("a/file"), b"12345")
    stage.put_link(inbox("a/link"))
    stage.put_other(inbox("a/fifo"))
    found = stage.share.look(inbox("a/file"))
    assert found is not None
    assert (found.kind, found.identity.size) == (Kind.FILE, 5)
    assert found.identity.inode == os.stat(stage.path(inbox("a/file"))).st_ino
    for name, told in (
        ("a/link", Kind.LINK),
        ("a/fifo", Kind.OTHER),
        ("a", Kind.FOLDER),
        ("", Kind.FOLDER),
    ):
        found = stage.share.look(inbox(name))
        assert found is not None
        assert found.kind is told
    assert stage.share.look(inbox("a/none")) is None
    assert stage.share.look(inbox("none/none")) is None
    assert stage.share.look(inbox("a/file/none")) is None


def test_server_is_asked_about_the_name_and_on_nfs_about_its_folder(
    on: Callable[[int], LocalStage], calls: list[str]
) -> None:
    for kind, asked in (
        (EXT4, []),
        (SMB, ["ask"]),
        (NFS, ["see", "ask"]),
        (FUSE, ["see"]),
    ):
        stage = on(kind)
        stage.put(inbox("file"), b"")
        assert stage.share.look(inbox("file")) is not None
        calls.clear()
        assert stage.share.look(inbox("file")) is not None
        assert calls == asked, hex(kind)


def test_what_is_asked_for_and_is_not_there_is_enoent(tmp_path: Path) -> None:
    fd = os.open(tmp_path, os.O_RDONLY)
    try:
        with pytest.raises(FileNotFoundError):
            asking.ask(b"none", fd)
        (tmp_path / "file").write_bytes(b"123")
        assert asking.ask(b"file", fd).st_size == 3
        os.symlink("nowhere", tmp_path / "link")
        assert asking.ask(b"link", fd).st_size == len("nowhere")
    finally:
        os.close(fd)
    with pytest.raises(OSError) as caught:  # noqa: PT011  its number is looked at
        asking.ask(b"file", fd)
    assert caught.value.errno == errno.EBADF
