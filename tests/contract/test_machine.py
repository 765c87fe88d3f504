"""Telling this machine and process from all others, also where /proc is missing."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from types import SimpleNamespace

import msgspec
import psutil
import pytest

from paxect_batch.world import machine
from paxect_batch.world.machine import (
    has_ended,
    is_running,
    process_start,
    this_machine,
)

posix = pytest.mark.skipif(os.name != "posix", reason="Windows has no zombies")


@pytest.fixture(params=["own", "psutil"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Ask the system itself, or psutil, as where there is no /proc."""
    if request.param == "psutil":
        monkeypatch.setattr(machine, "sys", SimpleNamespace(platform="other"))
    return str(request.param)


def test_machine_stays_the_same(way: str) -> None:
    assert this_machine() == this_machine()
    assert is_running(this_machine())


def test_process_that_ended_runs_no_more(way: str) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=-1) as process:
        here = msgspec.structs.replace(
            this_machine(), pid=process.pid, started=process_start(process.pid)
        )
        assert here.started
        assert is_running(here)
    assert not is_running(here)
    assert has_ended(here)
    assert process_start(process.pid) is None


@posix
def test_process_that_nobody_waited_for_runs_no_more(way: str) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert process_start(process.pid) is None


def test_pid_that_is_used_again_is_another_process(way: str) -> None:
    before = msgspec.structs.replace(this_machine(), started="1")
    assert not is_running(before)
    assert has_ended(before)


def test_process_that_is_hidden_neither_runs_nor_has_ended(
    way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with `hidepid`: of what beats nobody may say that it is over."""
    here = this_machine()

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    if way == "own":
        monkeypatch.setattr("builtins.open", refuse)
    else:
        monkeypatch.setattr(psutil, "Process", lambda _: refuse_psutil())
    assert process_start(here.pid) == ""
    assert not is_running(here)
    assert not has_ended(here)


def refuse_psutil() -> None:
    raise psutil.AccessDenied


def test_process_of_which_no_beginning_is_known_has_not_ended_while_one_runs() -> None:
    """It could not see itself as it began."""
    unseen = msgspec.structs.replace(this_machine(), started="")
    assert not is_running(unseen)
    assert not has_ended(unseen)


@pytest.mark.skipif(not os.path.exists("/proc/self/ns/time"), reason="none here")
def test_who_counts_time_otherwise_is_another_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """When a process began differs by as much."""
    real = os.stat

    def stat(path: str) -> os.stat_result | SimpleNamespace:
        return SimpleNamespace(st_ino=1) if path.endswith("ns/time") else real(path)

    here = this_machine()
    monkeypatch.setattr(os, "stat", stat)
    assert this_machine().machine != here.machine


def test_machine_without_an_id_goes_by_its_network_card(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with_id = this_machine()
    monkeypatch.setattr(machine, "_ID_PATHS", ("/absent",))
    monkeypatch.setattr(machine.uuid, "getnode", lambda: 1)
    one = this_machine()
    monkeypatch.setattr(machine.uuid, "getnode", lambda: 2)
    assert len({with_id.machine, one.machine, this_machine().machine}) == 3


def test_boot_without_an_id_goes_by_when_it_was(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(machine, "_BOOT_PATH", "/absent")
    assert int(this_machine().boot) > 0
    assert this_machine().boot == this_machine().boot
