"""Crashes at a part of all changes, in each way; `crash_run.py` has them all.

Some six seconds of a processor in all. Nodes are forked by a process of one thread,
which this one need not be.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
from relayed_share import process_environment

CAN_FORK = hasattr(os, "fork") and os.path.isdir("/proc/self/fd")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not CAN_FORK, reason="crashes need fork and /proc/self/fd"),
]

if CAN_FORK:
    from crash_changes import Call, Slot
    from crash_power import why_not
    from crash_states import History

    WHY_NOT = why_not()
else:
    WHY_NOT = "crashes need fork and /proc/self/fd"

_RUN = Path(__file__).with_name("crash_run.py")


def found_nothing(way: str) -> str:
    done = subprocess.run(
        [sys.executable, _RUN, "--short", "--way", way],
        capture_output=True,
        text=True,
        check=False,
        env=process_environment(),
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_process_that_is_killed_at_a_change_loses_nothing() -> None:
    assert "killed, lot" in found_nothing("killed")


@pytest.mark.skipif(bool(WHY_NOT), reason=f"POWER WAS NOT CUT: {WHY_NOT}")
def test_file_system_that_loses_power_at_a_change_loses_nothing() -> None:
    assert "without power, lot" in found_nothing("power")


def test_states_that_a_crash_may_leave_lose_nothing() -> None:
    assert "any state, lot" in found_nothing("states")


def test_deliberate_mistakes_are_found() -> None:
    assert "retire before recording" in found_nothing("mistakes")


def _history(tmp_path: Path, *calls: dict[str, object]) -> set[tuple[str, ...]]:
    """Return the states that may be left after these calls, each as its files."""
    folder = tmp_path / "share"
    folder.mkdir()
    history = History(folder)
    root = folder.stat().st_ino
    for number, facts in enumerate(calls):
        slots = tuple(
            Slot(root, name.encode(), inode)
            for name, inode in facts.pop("names", {}).items()  # type: ignore[attr-defined]
        )
        if facts["kind"] == "sync folder":
            facts["inode"] = root
        history.play(
            Call(number=number, role="", told="", slots=slots, **facts)  # type: ignore[arg-type]
        )
    states = history.choices().states(random.Random(1), all_up_to=1000, some=0)
    return {
        tuple(
            f"{path.decode()}={state.contents[inode].decode()}"
            for path, inode in state.paths()
        )
        for state in states
    }


_NEW = {"kind": "create", "names": {"a": 7}, "inode": 7}
_WRITTEN = {"kind": "write", "inode": 7, "data": b"abcd"}
_SYNCED = {"kind": "sync", "inode": 7}
_RENAMED = {"kind": "rename", "names": {"a": None, "b": 7}}


def test_states_of_a_file_without_a_sync_are_all_that_may_be(tmp_path: Path) -> None:
    assert _history(tmp_path, dict(_NEW), dict(_WRITTEN)) == {
        (),
        ("a=",),
        ("a=ab",),
        ("a=abcd",),
        ("a=\0\0\0\0",),
    }


def test_states_of_a_rename_are_before_or_after_it(tmp_path: Path) -> None:
    calls = map(dict, (_NEW, _WRITTEN, _SYNCED, _RENAMED))
    assert _history(tmp_path, *calls) == {(), ("a=abcd",), ("b=abcd",)}


def test_states_after_folder_and_file_were_synced_are_one(tmp_path: Path) -> None:
    calls = map(dict, (_NEW, _WRITTEN, _SYNCED, _RENAMED, {"kind": "sync folder"}))
    assert _history(tmp_path, *calls) == {("b=abcd",)}
