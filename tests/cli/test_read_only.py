"""Commands that only look change nothing on the share, not even for a moment."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from cli_samples import ROOT, Command, drop, make_share

pytestmark = pytest.mark.slow

LOOKING = [
    ("drain", "--dry-run"),
    ("watch", "--dry-run", "--json"),
    ("status",),
    ("status", "--json"),
    ("verify",),
    ("quarantine", "list"),
    ("config", "show"),
]
_TRACED = "openat,open,creat,mkdir,mkdirat,unlink,unlinkat,rename,renameat,renameat2,link,linkat,symlink,symlinkat,chmod,fchmod,fchmodat,utimensat,truncate,ftruncate"
_CHANGES = re.compile(r"O_CREAT|O_WRONLY|O_RDWR|O_TRUNC|^\d+ +(?!open)\w+\(")


@pytest.fixture
def share(tmp_path: Path, command: Command) -> Path:
    """A share with something in each state."""
    share = make_share(tmp_path, 'allowed_suffixes = [".txt"]\n')
    drop(share, a_txt=b"one")
    assert command("drain", share).code == 0
    drop(share, b_txt=b"two", c_exe=b"three")
    (share / "wire" / "odd.txt.freq").write_bytes(b"nonsense")
    return share


def snapshot(folder: Path) -> dict[str, tuple[int, ...]]:
    """What changes when anything is made, written, renamed or removed below."""
    return {
        str(path): (
            (found := path.lstat()).st_ino,
            found.st_size,
            found.st_mode,
            found.st_mtime_ns,
            found.st_ctime_ns,
        )
        for path in (folder, *folder.rglob("*"))
    }


@pytest.mark.parametrize("words", LOOKING, ids=" ".join)
def test_command_that_looks_leaves_every_file_and_folder_as_it_was(
    share: Path, command: Command, words: tuple[str, ...]
) -> None:
    before = snapshot(share)
    assert command(*words, share).code in (0, 4)
    assert snapshot(share) == before


@pytest.mark.parametrize("words", [("drain", "--dry-run"), ("status",)], ids=" ".join)
def test_command_that_looks_makes_nothing_in_folders_of_ones_own(
    tmp_path: Path, command: Command, words: tuple[str, ...]
) -> None:
    inbox, outbox = tmp_path / "in", tmp_path / "out"
    inbox.mkdir()
    outbox.mkdir()
    (inbox / "a.txt").write_bytes(b"one")
    before = snapshot(tmp_path)
    assert command(*words, "--inbox", inbox, "--outbox", outbox).code == 0
    assert snapshot(tmp_path) == before


def can_trace() -> bool:
    if not shutil.which("strace"):
        return False
    probe = subprocess.run(["strace", "-o", os.devnull, "true"], check=False)
    return probe.returncode == 0


@pytest.mark.skipif(not can_trace(), reason="no strace here, or it may not trace")
@pytest.mark.parametrize("words", [("drain", "--dry-run"), ("status",)], ids=" ".join)
def test_command_that_looks_calls_nothing_that_writes(
    share: Path, tmp_path: Path, words: tuple[str, ...]
) -> None:
    trace = tmp_path / "trace"
    search = os.pathsep.join((str(ROOT / "core"), str(ROOT)))
    done = subprocess.run(
        [
            *("strace", "-f", "-y", "-e", f"trace={_TRACED}", "-o", trace),
            *(sys.executable, "-B", "-m", "paxect_batch", *words, share),
        ],
        env=os.environ | {"PYTHONPATH": search},
        stdout=subprocess.DEVNULL,
        check=False,
    )
    assert done.returncode == 0
    calls = [line for line in trace.read_text().splitlines() if str(share) in line]
    assert calls
    assert [line for line in calls if _CHANGES.search(line)] == []
