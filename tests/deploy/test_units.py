"""The units of systemd are right, as far as systemd itself can tell without running."""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from deploy_files import DEPLOY, INSTANCE, PROGRAM, ROOT, SHARE, Place, unit

from paxect_batch.cli import settings
from paxect_batch.cli.arguments import Arguments, parse
from paxect_batch.cli.commands import COMMANDS

UNITS = DEPLOY / "systemd"
SERVICES = sorted(UNITS.glob("*.service"))
WATCH, DRAIN = (UNITS / f"paxect-batch-{name}@.service" for name in ("watch", "drain"))
EXPOSURE_MAX = 2.5

needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="no systemd-analyze here"
)


def by_name(path: Path) -> str:
    return path.name


def words(path: Path) -> list[str]:
    (line,) = unit(path)["ExecStart"]
    program, *rest = shlex.split(line.replace("%f", SHARE))
    assert program == PROGRAM
    return rest


def test_there_is_a_unit_to_watch_and_one_to_drain_by_a_timer() -> None:
    assert SERVICES == [DRAIN, WATCH]
    assert DRAIN.with_suffix(".timer").is_file()


@pytest.mark.parametrize("path", SERVICES, ids=by_name)
def test_service_starts_a_command_that_parses_on_its_share(path: Path) -> None:
    arguments = parse(words(path))
    assert path.name == f"paxect-batch-{arguments.command}@.service"
    assert arguments.operands == (SHARE,)
    settings.load(arguments, share=SHARE, environ={})


@pytest.mark.parametrize("path", SERVICES, ids=by_name)
def test_service_knows_the_exit_codes_of_its_command(path: Path) -> None:
    command = parse(words(path)).command
    for key in ("SuccessExitStatus", "RestartPreventExitStatus"):
        for line in unit(path).get(key, []):
            assert set(map(int, line.split())) <= set(COMMANDS[command].exit_codes)


def test_both_services_may_do_the_same() -> None:
    watch, drain = (set(_may(path)) for path in SERVICES)
    assert watch == drain
    assert ("ReadWritePaths", "%f") in watch


def _may(path: Path) -> list[tuple[str, str]]:
    text = path.read_text(encoding="utf-8").split("# What it may do")[1]
    lines = [line for line in text.partition("[Install]")[0].splitlines()[1:] if line]
    return [line.partition("=")[::2] for line in lines if line[0] != "#"]


def test_drop_in_sets_what_the_units_set_and_settings_that_exist() -> None:
    drop_in = unit(UNITS / "listen.conf")
    assert set(drop_in) <= {*unit(WATCH), "Environment", "IPAddressAllow"}
    environ = dict(line.split("=", 1) for line in drop_in["Environment"])
    loaded = settings.load(Arguments("watch", {}, ()), share=SHARE, environ=environ)
    assert loaded.listen == "127.0.0.1:8081"


def test_user_of_the_units_is_the_one_that_is_made() -> None:
    text = (UNITS / "paxect-batch.sysusers.conf").read_text(encoding="utf-8")
    made = re.findall(r"^u (\S+) ", text, re.MULTILINE)
    assert made == unit(WATCH)["User"] == unit(DRAIN)["User"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The units in a folder, with a program that is there."""
    for path in (*SERVICES, *UNITS.glob("*.timer")):
        text = path.read_text(encoding="utf-8").replace(PROGRAM, "/bin/true")
        (tmp_path / path.name).write_text(text, encoding="utf-8")
    return tmp_path


@needs_systemd
def test_systemd_finds_nothing_wrong(folder: Path) -> None:
    files = [path.name.replace("@", f"@{INSTANCE}") for path in folder.iterdir()]
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *(f"./{name}" for name in files)],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@needs_systemd
@pytest.mark.parametrize("drop_in", ["", "listen.conf"])
@pytest.mark.parametrize("path", SERVICES, ids=by_name)
def test_service_is_little_exposed(path: Path, drop_in: str, folder: Path) -> None:
    found = exposure(folder / path.name, UNITS / drop_in if drop_in else None)
    assert found <= EXPOSURE_MAX


@needs_systemd
def test_exposure_is_the_one_that_the_page_states(folder: Path) -> None:
    page = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
    version = subprocess.run(
        ["systemd-analyze", "--version"], capture_output=True, text=True, check=True
    ).stdout.split()[1]
    stated = re.search(r"([0-9.]+), and ([0-9.]+) with `listen.conf`", page)
    measured_with = re.search(r"systemd (\d+)", page)
    assert stated
    assert measured_with
    if version != measured_with[1]:
        pytest.skip(f"systemd {version} judges by other rules than {measured_with[1]}")
    assert exposure(folder / WATCH.name, None) == float(stated[1])
    listening = exposure(folder / WATCH.name, UNITS / "listen.conf")
    assert listening == float(stated[2])


def exposure(service: Path, drop_in: Path | None) -> float:
    if drop_in is not None:
        text = service.read_text(encoding="utf-8").partition("[Install]")[0]
        service.write_text(text + drop_in.read_text(encoding="utf-8"), encoding="utf-8")
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=yes", f"./{service.name}"],
        cwd=service.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    found = re.search(r"exposure level for \S+: ([0-9.]+)", done.stdout)
    assert found, done.stderr
    return float(found[1])


# --- what the units forbid is not needed --------------------------------------------


@pytest.fixture
def place(tmp_path: Path) -> Place:
    place = Place(tmp_path)
    place.drop("a.txt", b"some bytes")
    return place


@pytest.mark.slow
@pytest.mark.skipif(
    shutil.which("strace") is None or shutil.which("systemd-analyze") is None,
    reason="no strace or no systemd-analyze here",
)
def test_drain_makes_no_system_call_that_the_units_forbid(place: Place) -> None:
    log = place.folder / "calls"
    traced = ["strace", "-f", "-qq", "-C", "-o", str(log), "-e", "signal=none"]
    probed = subprocess.run(
        [*traced[:-2], "true"], capture_output=True, check=False, cwd=place.folder
    )
    if probed.returncode:
        pytest.skip("processes cannot be traced here")
    place.run([*traced, str(place.program), *words_here(DRAIN, place)])
    assert (place.share / "outbox" / "a.txt").read_bytes() == b"some bytes"
    calls = set(re.findall(r"^\d+ +([a-z_0-9]+)\(", log.read_text(), re.MULTILINE))
    assert {"openat", "renameat2", "fsync"} <= calls
    allowed = filtered("@system-service") - filtered("@privileged")
    assert calls - allowed <= {"exit", "exit_group", "execve"}


def words_here(path: Path, place: Place) -> list[str]:
    return [word.replace(SHARE, str(place.share)) for word in words(path)]


def filtered(group: str) -> set[str]:
    """Return the system calls of a group, and of the groups in it."""
    shown = subprocess.run(
        ["systemd-analyze", "syscall-filter", group],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    names = [line.strip() for line in shown.splitlines()[1:]]
    calls = {name for name in names if re.fullmatch(r"[a-z_0-9]+", name)}
    return calls.union(*(filtered(name) for name in names if name.startswith("@")))


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("bwrap") is None, reason="no bwrap here")
def test_drain_needs_no_network_and_writes_to_its_share_alone(place: Place) -> None:
    jail = ["bwrap", "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"]
    jail += ["--tmpfs", "/var/tmp", "--unshare-pid", "--unshare-net"]
    jail += ["--cap-drop", "ALL", "--ro-bind", str(place.folder), str(place.folder)]
    jail += ["--bind", str(place.share), str(place.share)]
    probed = subprocess.run([*jail, "true"], capture_output=True, check=False)
    if probed.returncode:
        pytest.skip("no namespaces can be made here")
    place.run([*jail, str(place.program), *words_here(DRAIN, place)])
    assert (place.share / "outbox" / "a.txt").read_bytes() == b"some bytes"


MDWE = """
import ctypes, os, sys
if ctypes.CDLL(None).prctl(65, 1, 0, 0, 0):  # PR_SET_MDWE, since Linux 6.3
    sys.exit("no such protection here")
os.execv(sys.argv[1], sys.argv[1:])
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="this is of Linux")
def test_drain_needs_no_memory_that_is_both_written_and_run(place: Place) -> None:
    command = [
        sys.executable,
        "-c",
        MDWE,
        str(place.program),
        *words_here(DRAIN, place),
    ]
    done = place.run(command, check=False)
    if "no such protection" in done.stderr:
        pytest.skip("this kernel cannot protect memory so")
    assert (done.returncode, done.stderr) == (0, "")
    assert (place.share / "outbox" / "a.txt").read_bytes() == b"some bytes"
