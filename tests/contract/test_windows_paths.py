"""What paths on Windows need, as far as it can be tried elsewhere."""

from __future__ import annotations

import errno
import os
import time
from pathlib import Path

import pytest
from stages import LocalStage, inbox, refused

from paxect_batch.world import tree_paths
from paxect_batch.world.tree_paths import PathTree


def sharing_violation() -> OSError:
    error = PermissionError(errno.EACCES, "used by another process")
    error.winerror = 32  # type: ignore[attr-defined]
    return error


def test_sharing_violation_is_waited_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = LocalStage(tmp_path, PathTree)
    stage.put(inbox("file"), b"")
    unlink = os.unlink
    refusals = [sharing_violation() for _ in range(tree_paths.SHARING_TRIES_MAX - 1)]

    def busy(path: str) -> None:
        if refusals:
            raise refusals.pop()
        unlink(path)

    monkeypatch.setattr(os, "unlink", busy)
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)
    assert stage.share.remove(inbox("file"))


def test_sharing_violation_that_stays_is_raised(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = LocalStage(tmp_path, PathTree)

    def busy(_path: str) -> None:
        raise sharing_violation()

    monkeypatch.setattr(os, "unlink", busy)
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)
    with refused(errno.EACCES):
        stage.share.remove(inbox("file"))


@pytest.mark.parametrize(
    ("path", "literal"),
    [
        ("C:\\share", "\\\\?\\C:\\share"),
        ("\\\\server\\share", "\\\\?\\UNC\\server\\share"),
        ("\\\\?\\C:\\share", "\\\\?\\C:\\share"),
    ],
)
def test_windows_takes_names_literally(path: str, literal: str) -> None:
    assert tree_paths.literal_on_windows(path) == literal
