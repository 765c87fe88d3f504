"""What pages show of other machines is done by nodes and a carrier of this one."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from page_blocks import NODES, run_by
from page_console import Console, needs_shell

_HERE = "tests/docs/test_machines_shown.py"

pytestmark = [pytest.mark.slow, needs_shell]


def test_peers_of_the_smb_page_find_each_other(tmp_path: Path) -> None:
    (command,) = run_by(_HERE, "docs/how-to/smb-windows.md")
    console = Console(tmp_path)
    (tmp_path / "mnt" / "exchange").mkdir()
    with ThreadPoolExecutor(len(NODES)) as pool:
        said = list(pool.map(lambda node: console.run(command, node), NODES))
    for text in said:
        assert text.splitlines()[-1].startswith("verdict  fit"), text
        assert "no peer came" not in text


@pytest.mark.skipif(shutil.which("rsync") is None, reason="no rsync here")
def test_carrier_of_the_one_way_page_moves_what_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (command,) = run_by(_HERE, "docs/how-to/one-way.md")
    there = tmp_path / "there"
    there.write_text('#!/bin/sh\nshift\nexec "$@"\n')
    there.chmod(0o755)
    monkeypatch.setenv("RSYNC_RSH", str(there))
    console = Console(tmp_path)
    container = tmp_path / "srv" / "transfer" / "daily" / "orders.csv.freq"
    container.parent.mkdir(parents=True)
    container.write_bytes(b"container")
    assert console.run(command) == ""
    arrived = tmp_path / "srv" / "arrived" / "daily" / "orders.csv.freq"
    assert arrived.read_bytes() == b"container"
    assert not container.exists()
