"""Whether a file on a share is told to have a writer."""

from __future__ import annotations

import errno
import mmap
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from fakes.write_leases import kernel_tells_of_writers
from stages import LocalStage, inbox, refusing

from paxect_batch.model.fitness import Writers
from paxect_batch.model.places import Place
from paxect_batch.world import file_systems, probes_writers, writers
from paxect_batch.world.clock import RealClock
from paxect_batch.world.probes_ground import Ground

NFS = 0x6969


@pytest.fixture
def told(descriptors: LocalStage, tmp_path: Path) -> LocalStage:
    if not kernel_tells_of_writers(tmp_path):
        pytest.skip("nobody here tells of writers")
    return descriptors


def writer_of(stage: LocalStage, place: Place) -> bool | None:
    found = stage.share.look(place, closely=True)
    assert found is not None
    return found.writer


def test_writer_through_a_mapping_is_seen_after_its_descriptor_closed(
    told: LocalStage,
) -> None:
    told.put(inbox("file"), b"x" * 4096)
    with open(told.path(inbox("file")), "r+b") as stream:
        mapping = mmap.mmap(stream.fileno(), 4096)
    assert writer_of(told, inbox("file")) is True
    mapping.close()
    assert writer_of(told, inbox("file")) is False


def test_readers_are_no_writers_and_looking_keeps_nobody_out(told: LocalStage) -> None:
    told.put(inbox("file"), b"data")
    with open(told.path(inbox("file")), "rb"):
        assert writer_of(told, inbox("file")) is False
    flags = os.O_WRONLY | os.O_NONBLOCK
    os.close(os.open(told.path(inbox("file")), flags))


def test_writers_are_unknown_where_the_kernel_does_not_tell(
    told: LocalStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    told.put(inbox("file"), b"data")
    monkeypatch.setattr(file_systems, "_known", {})
    monkeypatch.setattr(file_systems, "_asked", lambda _fd: NFS)
    assert writer_of(told, inbox("file")) is None
    with told.open_to_write(inbox("file")):
        assert writer_of(told, inbox("file")) is None


@pytest.mark.parametrize("kind", [0xFF534D42, 0xFE534D42])
def test_times_of_an_smb_server_tell_of_no_change(
    told: LocalStage, monkeypatch: pytest.MonkeyPatch, kind: int
) -> None:
    """Samba lets them stand still for as long as a file is open to be written."""
    told.put(inbox("file"), b"data")
    monkeypatch.setattr(file_systems, "_known", {})
    monkeypatch.setattr(file_systems, "_asked", lambda _fd: kind)
    found = told.share.look(inbox("file"), closely=True)
    assert found is not None
    assert (found.ctime_ns, found.writer) == (None, None)


def test_writers_of_anothers_file_are_unknown(told: LocalStage) -> None:
    import fcntl

    told.put(inbox("file"), b"data")
    with (
        told.share.open_source(inbox("file")) as stream,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setattr(fcntl, "fcntl", refusing(errno.EACCES))
        assert writers.has_writer(stream.fileno()) is None


def test_file_system_that_cannot_be_asked_is_not_local() -> None:
    assert file_systems._asked(-1) == 0


def test_devices_known_are_bounded(
    told: LocalStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, devices_max = time.monotonic(), file_systems._DEVICES_MAX
    known = {-number: (NFS, now) for number in range(1, devices_max + 1)}
    monkeypatch.setattr(file_systems, "_known", known)
    told.put(inbox("file"), b"data")
    assert writer_of(told, inbox("file")) is False
    assert len(known) == 1


@pytest.mark.parametrize(
    ("capable", "whose"), [(True, Writers.ALL), (False, Writers.OWN)]
)
def test_probe_tells_whose_files_this_process_may_ask_of(
    told: LocalStage,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capable: bool,
    whose: Writers,
) -> None:
    status = tmp_path / "status"
    bits = (1 << 28) * capable | 1 << 27 | 1 << 29
    status.write_text(f"Name:\tx\nCapPrm:\t{1 << 28:016x}\nCapEff:\t{bits:016x}\n")
    monkeypatch.setattr(probes_writers, "_STATUS", str(status))
    with Ground(str(tmp_path), RealClock()) as ground:
        assert probes_writers.try_writers(ground) is whose


def test_probe_without_proc_is_sure_of_this_users_own_files_alone(
    told: LocalStage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probes_writers, "_STATUS", str(tmp_path / "none"))
    with Ground(str(tmp_path), RealClock()) as ground:
        assert probes_writers.try_writers(ground) is Writers.OWN


@pytest.mark.parametrize("told_is", [None, True, False])
def test_probe_believes_nobody_who_tells_the_same_of_all_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told_is: bool | None
) -> None:
    monkeypatch.setattr(probes_writers, "has_writer", lambda _fd: told_is)
    with Ground(str(tmp_path), RealClock()) as ground:
        assert probes_writers.try_writers(ground) is Writers.NONE


ANOTHER = 10_001


@pytest.mark.parametrize(("capable", "told_is"), [(True, True), (False, None)])
def test_writer_of_another_users_file_is_told_to_who_may_lease_it(
    told: LocalStage, capable: bool, told_is: bool | None
) -> None:
    """As the systemd units have it: one capability, and no user of the producer's."""
    told.put(inbox("file"), b"data")
    path = os.fsdecode(told.path(inbox("file")))
    os.chmod(path, 0o644)
    modules = [os.path.dirname(os.path.dirname(os.path.dirname(writers.__file__)))]
    asks = (
        "import os, sys; sys.path[:0] = sys.argv[2:]\n"
        "from paxect_batch.world.writers import has_writer\n"
        "print(has_writer(int(sys.argv[1])))"
    )
    caps = ["--inh-caps=+lease", "--ambient-caps=+lease"] if capable else []
    alter = ["setpriv", f"--reuid={ANOTHER}", "--clear-groups", *caps, "--no-new-privs"]
    with open(path, "r+b"), open(path, "rb") as stream:
        try:
            done = subprocess.run(
                [*alter, sys.executable, "-c", asks, str(stream.fileno()), *modules],
                pass_fds=[stream.fileno()],
                capture_output=True,
                text=True,
                check=False,
            )
        except FileNotFoundError:
            pytest.skip("no setpriv here")
    if done.returncode:
        pytest.skip(f"no run as another user here: {done.stderr.splitlines()[-1]}")
    assert done.stdout.strip() == str(told_is)
