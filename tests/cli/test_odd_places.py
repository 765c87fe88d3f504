"""Shares and files to write whose paths have bytes that are no text."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from cli_samples import Command, drop, make_share

from paxect_batch.cli.shell_words import shell_word

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="paths are text here"),
]

ODD = os.fsdecode(b"r\xff")


@pytest.fixture
def share(tmp_path: Path) -> Path:
    above = tmp_path / ODD
    above.mkdir()
    share = make_share(above)
    drop(share, a_txt=b"data")
    return share


def test_share_is_drained_and_reported_on(share: Path, command: Command) -> None:
    said = command("drain", share)
    assert (said.code, said.audit["delivered"]["files"]) == (0, 1)
    for looks in ("report", "status", "verify", "manifest"):
        assert command(looks, share).code == 0
    page = share.parent / "page.html"
    assert command("report", "--to", page, share).code == 0
    assert "\\udcff" in page.read_text(encoding="utf-8")


def test_folders_of_ones_own_are_drained(tmp_path: Path, command: Command) -> None:
    inbox, outbox = tmp_path / f"in{ODD}", tmp_path / f"out{ODD}"
    inbox.mkdir()
    outbox.mkdir()
    (inbox / "a").write_bytes(b"data")
    said = command("drain", "--inbox", inbox, "--outbox", outbox)
    assert (said.code, said.audit["delivered"]["files"]) == (0, 1)


@pytest.mark.parametrize("option", ["--junit", "--log"])
def test_file_of_such_a_name_is_written(
    tmp_path: Path, command: Command, option: str
) -> None:
    share = make_share(tmp_path)
    drop(share, a_txt=b"data")
    path = tmp_path / f"{ODD}.out"
    said = command("drain", option, path, share)
    assert (said.code, said.audit["delivered"]["files"]) == (0, 1)
    assert path.stat().st_size > 0


@pytest.mark.parametrize(
    "name", [b"plain", b"two words", b"it's", b"r\xff", b"a\nb\\'\t", "ü".encode()]
)
def test_what_is_told_to_be_typed_names_the_file(name: bytes) -> None:
    word = shell_word(os.fsdecode(name))
    assert word.isprintable()
    echoed = subprocess.run(
        ["bash", "-c", f"printf %s {word}"], stdout=subprocess.PIPE, check=True
    )
    assert echoed.stdout == name


def test_checksums_of_such_a_share_are_checked_as_told(
    share: Path, command: Command
) -> None:
    assert command("drain", share).code == 0
    said = command("manifest", share, "--checksums", share.parent / "sums")
    typed = said.out.split("check them with: ")[1].splitlines()[0]
    checked = subprocess.run(
        ["bash", "-c", typed], stdout=subprocess.PIPE, check=True, text=True
    )
    assert checked.stdout == "a.txt: OK\n"
