"""Doctor: a verdict on a share, alone or in a pair, and nothing left behind."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from cli_samples import Command, drop, make_share, start
from jsonschema import Draft202012Validator

from paxect_batch.cli import doctor, doctor_text
from paxect_batch.model.fitness import Finding, Level, Mount, Verdict
from paxect_batch.report.schemas import schemas
from paxect_batch.world import probes_ground

pytestmark = pytest.mark.slow

DISK = Mount("/srv", "ext4", "/dev/sda1", ("rw", "relatime"))
READ_ONLY = Mount("/srv", "ext4", "/dev/sda1", ("ro", "relatime"))
NFS = Mount("/mnt", "nfs4", "server:/x", ("rw", "vers=4.2", "hard"))

SECONDS_MAX = 120
"""More than any run takes."""


@pytest.fixture
def share(tmp_path: Path) -> Path:
    return make_share(tmp_path)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the share lie on a disk, wherever the tests run."""
    mounted(monkeypatch, DISK)


def mounted(monkeypatch: pytest.MonkeyPatch, mount: Mount) -> None:
    monkeypatch.setattr(doctor, "find_mount", lambda _path: mount)


def tree(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def mount_point_above(path: Path) -> str | None:
    """Return the deepest mount point that a path lies below, if the kernel tells of one."""
    table = Path("/proc/self/mountinfo")
    told = os.fsdecode(table.read_bytes()) if table.exists() else ""
    points = {line.split(" ")[4] for line in told.split("\n") if line}
    for above in map(str, (path, *path.parents)):
        # Blanks and backslashes of a name stand there in octal.
        if above.replace("\\", r"\134").replace(" ", r"\040") in points:
            return above
    return None


@pytest.mark.usefixtures("disk")
def test_doctor_on_a_good_share_is_0_and_leaves_it_as_it_was(
    share: Path, command: Command
) -> None:
    before = tree(share)
    said = command("doctor", share)
    assert (said.code, said.err) == (0, "")
    *_, named, locks, verdict = said.out.splitlines()
    assert named.split() == ["share", str(share)]
    assert locks.split(maxsplit=1) == ["locks", "rest on markers (not pinned)"]
    assert verdict.split(maxsplit=1) == ["verdict", "fit"]
    assert tree(share) == before


@pytest.mark.usefixtures("disk")
def test_doctor_says_in_json_all_that_it_found(share: Path, command: Command) -> None:
    said = command("doctor", share, "--json")
    facts = json.loads(said.out)
    Draft202012Validator(schemas()["doctor"]).validate(facts)
    assert (facts["verdict"], facts["exit_code"], facts["locks"]) == (
        "fit",
        0,
        "markers",
    )
    codes = {finding["code"] for finding in facts["findings"]}
    assert codes >= {
        "mount",
        "exclusive",
        "kept",
        "locks",
        "space",
        "speed",
        "alone",
        "writers",
    }
    assert facts["probed"]["mount"]["kind"] == "ext4"
    assert facts["probed"]["peer"] is None


def test_doctor_on_this_very_machine_says_where_it_is(
    share: Path, command: Command
) -> None:
    facts = json.loads(command("doctor", share, "--json").out)
    assert facts["verdict"] in ("fit", "fit with care")
    if sys.platform == "linux":
        point = mount_point_above(share.resolve())
        if point is None:
            pytest.skip(
                "this root is no mount that the kernel tells of, as in a chroot"
            )
        mount = facts["probed"]["mount"]
        assert mount is not None
        assert mount["point"] == point


def test_doctor_on_a_network_alone_is_1_and_says_what_to_do(
    share: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    mounted(monkeypatch, NFS)
    said = command("doctor", share)
    assert said.code == 1
    assert "care   only this machine looked" in said.out
    assert "paxect-batch doctor --peer" in said.out
    assert said.out.splitlines()[-1].endswith(Verdict.CARE)


def test_doctor_on_a_read_only_mount_is_3_and_pins_nothing(
    share: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    mounted(monkeypatch, READ_ONLY)
    said = command("doctor", share, "--pin")
    assert said.code == 3
    assert "UNFIT  it is mounted read-only" in said.out
    assert "nothing was pinned" in said.err
    assert "locks" not in json.loads((share / ".paxect" / "share.json").read_text())


@pytest.mark.usefixtures("disk")
def test_doctor_on_a_folder_that_is_no_share_yet_says_so_and_leaves_it_plain(
    tmp_path: Path, command: Command
) -> None:
    said = command("doctor", tmp_path)
    assert said.code == 0
    assert "not laid out as a share yet" in said.out.replace("\n       ", " ")
    assert os.listdir(tmp_path) == []


def test_doctor_where_nothing_can_be_written_is_3(
    tmp_path: Path, command: Command
) -> None:
    (tmp_path / ".paxect").write_text("in the way")
    said = command("doctor", tmp_path, "--json")
    assert said.code == 3
    facts = json.loads(said.out)
    assert "not_writable" in {finding["code"] for finding in facts["findings"]}
    assert facts["probed"]["calls"] is None


def test_doctor_refuses_what_a_run_refuses(share: Path, command: Command) -> None:
    outbox = share / "outbox"
    outbox.rmdir()
    (share / "inbox" / "made").mkdir()
    outbox.symlink_to("inbox/made")
    before = tree(share)
    said = command("doctor", share)
    assert (said.code, said.out) == (64, "")
    assert said.err == command("drain", share).err
    assert "lies in the inbox" in said.err
    assert tree(share) == before


def test_doctor_of_a_share_without_one_of_its_folders_is_75_as_a_run_is(
    share: Path, command: Command
) -> None:
    (share / "wire").rmdir()
    said = command("doctor", share)
    assert (said.code, said.out) == (75, "")
    assert said.err == command("drain", share).err


def test_doctor_without_a_folder_is_75(tmp_path: Path, command: Command) -> None:
    said = command("doctor", tmp_path / "gone")
    assert said.code == 75
    assert "is not there" in said.err
    assert os.listdir(tmp_path) == []
    (tmp_path / "file").touch()
    assert "is no folder" in command("doctor", tmp_path / "file").err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--peer-seconds", "5"], "add --peer"),
        (["--peer", "--peer-seconds", "soon"], "--peer-seconds is 'soon'"),
        (["--pin"], "run: paxect-batch init"),
    ],
)
def test_doctor_that_is_asked_wrongly_is_64_and_touches_nothing(
    tmp_path: Path, command: Command, words: list[str], told: str
) -> None:
    said = command("doctor", tmp_path, *words)
    assert said.code == 64
    assert told in said.err
    assert os.listdir(tmp_path) == []


@pytest.mark.usefixtures("disk")
def test_pin_writes_what_locks_rest_on_once_and_nodes_work_on(
    share: Path, command: Command
) -> None:
    marker = share / ".paxect" / "share.json"
    before = json.loads(marker.read_text())
    said = command("doctor", share, "--pin")
    assert said.code == 0
    assert "(pinned: markers)" in said.out
    assert json.loads(marker.read_text()) == before | {"locks": "markers"}
    written = marker.stat().st_ino
    assert command("doctor", share, "--pin").code == 0
    assert marker.stat().st_ino == written
    drop(share, a_txt=b"one")
    assert command("drain", share).code == 0
    assert (share / "outbox" / "a.txt").read_bytes() == b"one"


@pytest.mark.usefixtures("disk")
def test_pin_that_is_not_known_is_refused_by_nodes_and_told_by_doctor(
    share: Path, command: Command
) -> None:
    path = share / ".paxect" / "share.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"locks": "ravens"}))
    said = command("drain", share)
    assert said.code == 64
    assert "'ravens'" in said.err
    assert "does not know" in said.err
    said = command("doctor", share)
    assert said.code == 3
    assert "'ravens'" in said.out


def test_peer_that_does_not_come_is_told_after_the_wait(
    share: Path, command: Command
) -> None:
    before = tree(share)
    said = command("doctor", share, "--peer", "--peer-seconds", "0", "--json")
    assert said.code == 1
    assert "waiting up to 0 s for a peer" in said.err
    facts = json.loads(said.out)
    assert "no_peer" in {finding["code"] for finding in facts["findings"]}
    assert facts["probed"]["waited_seconds"] == 0
    assert tree(share) == before


def test_two_at_once_find_each_other_and_leave_nothing(share: Path) -> None:
    before = tree(share)
    words = ("doctor", "--peer", "--peer-seconds", SECONDS_MAX, "--json", share)
    pair = [start(*words), start(*words)]
    for process in pair:
        out, err = process.communicate(timeout=SECONDS_MAX)
        assert process.returncode in (0, 1), err
        facts = json.loads(out)
        Draft202012Validator(schemas()["doctor"]).validate(facts)
        peer = facts["probed"]["peer"]
        assert peer["same_machine"]
        assert peer["lost_at"] == ""
        levels = {each["code"]: each["level"] for each in facts["findings"]}
        assert {levels[code] for code in levels if code.startswith("peer_")} == {"ok"}
        assert levels["visible"] == "ok"
    assert tree(share) == before


@pytest.fixture
def waiting(share: Path) -> "Iterator[subprocess.Popen[bytes]]":
    """A doctor that waits for its peer."""
    process = start("doctor", "--peer", "--peer-seconds", SECONDS_MAX, share)
    assert process.stderr is not None
    try:
        assert b"waiting" in process.stderr.readline()
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.mark.skipif(sys.platform == "win32", reason="no such signals there")
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)]
)
def test_doctor_that_is_stopped_leaves_nothing(
    share: Path,
    waiting: "subprocess.Popen[bytes]",
    number: signal.Signals,
    code: int,
) -> None:
    assert any((share / ".paxect" / "doctor").iterdir())
    waiting.send_signal(number)
    out, err = waiting.communicate(timeout=SECONDS_MAX)
    assert (waiting.returncode, out) == (code, b"")
    assert b"stopped before all was tried" in err
    assert not (share / ".paxect" / "doctor").exists()


def test_doctor_tells_what_it_could_not_remove(
    share: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: str) -> None:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(probes_ground, "remove_tree", refuse)
    monkeypatch.setattr(probes_ground, "LEAVE_TRIES_MAX", 1)
    said = command("doctor", share)
    assert said.code in (0, 1)
    assert "could not be removed" in said.err


def test_text_fits_a_terminal() -> None:
    words = "word " * 60
    found = Finding("code", Level.CARE, words, words, words)
    lines = list(doctor_text._finding_lines(found))
    assert max(map(len, lines)) <= doctor_text.COLUMNS
    assert lines[0].startswith("care   word")
    assert sum(line.startswith("       -> word") for line in lines) == 1


def test_text_keeps_control_characters_of_names_off_the_terminal() -> None:
    assert doctor_text._wrapped("a\x1b[2Jb\nc", indent=0) == ["a\\x1b[2Jb\\nc"]
    assert doctor_text._wrapped("", indent=2) == ["  "]
