"""What somebody might drop on a share to do harm; each costs itself and no more."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import stat
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
import zstandard
from relay_in_thread import Ended, run

import paxect_core
from paxect_batch.cli.init import lay_out
from paxect_batch.model.places import Place, Root
from paxect_batch.model.transfer import Meta
from paxect_batch.relay import scan
from paxect_batch.relay.state import meta_place, paper_bytes
from paxect_batch.rules.naming import alias

LONG = bool(os.environ.get("PAXECT_TEST_LONG"))
HONEST = b"an honest file" * 50
SECRET = b"what lies outside of the share"
POLICY = 'version = "2"\nsettle_seconds = 0.0\nattempts = 1\nbackoff_seconds = 0.0\n'
HEADER = struct.Struct("<4sHIBbIH6x")
FRAME = struct.Struct("<HIII")
FOOTER = struct.Struct("<QI32s")
MIB = 1 << 20
DEVICE = os.makedev(1, 3)
NOBODY = 65534


@pytest.fixture
def share(ground: Path) -> Iterator[Path]:
    """A share with an honest file in it, which must arrive whatever else is dropped."""
    folder = ground / "share"
    lay_out(str(folder))
    (folder / ".paxect/policy.toml").write_text(POLICY)
    (folder / "inbox/honest").write_bytes(HONEST)
    (ground / "secret").write_bytes(SECRET)
    yield folder
    assert (folder / "outbox/honest").read_bytes() == HONEST
    assert (ground / "secret").read_bytes() == SECRET
    assert not any(path.read_bytes() == SECRET for path in files_in(folder / "outbox"))
    assert sorted(os.listdir(ground)) == ["secret", "share"]


def drain(share: Path, *codes: int) -> Ended:
    ended = run("drain", "--quiet", "--node", "n", str(share))
    assert ended.escapes == []
    assert ended.code in (codes or (0,)), ended.err
    return ended


def files_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def reasons(share: Path) -> dict[str, str]:
    """Return why things were set aside, by their names."""
    found = {}
    for path in (share / ".paxect/quarantine").glob("*/reason.json"):
        reason = json.loads(path.read_bytes())
        found[Path(reason["source"][1]).name] = reason["code"]
    return found


def events(share: Path, name: str) -> list[dict[str, str]]:
    lines = (share / ".paxect/log/n.jsonl").read_text().splitlines()
    return [e for e in map(json.loads, lines) if e["event"] == name]


def test_links_of_all_kinds_are_told_and_not_followed(share: Path) -> None:
    secret, inbox, wire = share.parent / "secret", share / "inbox", share / "wire"
    (share.parent / "secret.freq").write_bytes(paxect_core.encode_bytes(SECRET))
    (inbox / "to a file").symlink_to(secret)
    (inbox / "to a folder").symlink_to(share.parent)
    (inbox / "to the policy").symlink_to(share / ".paxect/policy.toml")
    (inbox / "to nothing").symlink_to("nothing")
    (inbox / "to itself").symlink_to("to itself")
    (inbox / "relative").symlink_to("../../secret")
    (wire / "a.freq").symlink_to(share.parent / "secret.freq")
    (wire / "b").symlink_to(share.parent)
    drain(share)
    assert len(events(share, "path_outside_inbox")) == 8
    (share.parent / "secret.freq").unlink()


def test_hard_link_travels_and_leaves_the_other_name_as_it_was(share: Path) -> None:
    with (share / ".paxect/policy.toml").open("a") as policy:
        policy.write("carry_mode = true\ncarry_times = true\n")
    other = share / ".other"
    other.write_bytes(HONEST * 2)
    other.chmod(0o640)
    os.utime(other, ns=(5, 10**18))
    os.link(other, share / "inbox/linked")
    drain(share)
    assert (share / "outbox/linked").read_bytes() == HONEST * 2
    facts = other.stat()
    assert (facts.st_nlink, stat.S_IMODE(facts.st_mode)) == (1, 0o640)
    assert facts.st_mtime_ns == 10**18
    assert other.read_bytes() == HONEST * 2


def test_fifos_sockets_and_devices_are_left_alone(share: Path) -> None:
    for root in ("inbox", "wire"):
        os.mkfifo(share / root / "fifo.freq")
        bound = socket.socket(socket.AF_UNIX)
        bound.bind(str(share / root / "socket.freq"))
        bound.close()
        if os.geteuid() == 0:
            os.mknod(share / root / "null.freq", stat.S_IFCHR | 0o666, DEVICE)
    drain(share)
    assert reasons(share) == {}


def test_names_that_speak_to_terminals_and_logs_are_escaped(share: Path) -> None:
    names = [
        b"a\nb",
        b"\x1b[2Jc",
        b"\xff\xfe",
        b"-rf",
        b" ",
        b"n" * 250,
        b"\r",
        b"$(x)",
    ]
    names += ["\u202egnp.exe".encode(), b'"}', b"%s%n", "é".encode() * 125]
    for name in names:
        (share / "inbox" / os.fsdecode(name)).write_bytes(name)
        bad = os.fsdecode(name[:200] + b"-bad.freq")
        (share / "wire" / bad).write_bytes(b"not a container")
    ended = drain(share, 4)
    for name in names:
        assert (share / "outbox" / os.fsdecode(name)).read_bytes() == name
    assert len(reasons(share)) == len(names)
    assert all(line.startswith("paxect-batch: ") for line in ended.err.splitlines())
    assert "\x1b" not in ended.err + ended.out
    for line in (share / ".paxect/log/n.jsonl").read_bytes().splitlines():
        assert json.loads(line)["event"]


def test_containers_named_to_climb_out_are_no_items(share: Path) -> None:
    container = paxect_core.encode_bytes(b"climbed")
    for name in ("...freq", "..freq", ".freq", ".~.freq"):
        (share / "wire" / name).write_bytes(container)
    drain(share)
    assert [path.name for path in files_in(share / "outbox")] == ["honest"]


def test_alias_whose_paper_names_a_path_keeps_its_own_name(share: Path) -> None:
    evil = "n" * 200 + "/../../../../climbed"
    container = paxect_core.encode_bytes(b"climbed")
    name = alias(evil)
    (share / f"wire/{name}.freq").write_bytes(container)
    digest = hashlib.sha256(container).hexdigest()
    place = Place(Root.WIRE, f"{name}.freq")
    paper = share / ".paxect" / meta_place(place).path
    paper.parent.mkdir(exist_ok=True)
    meta = Meta(container_sha256=digest, raw_name=evil, container=place)
    paper.write_bytes(paper_bytes(meta))
    drain(share)
    assert (share / "outbox" / name).read_bytes() == b"climbed"


def container_of(
    frames: list[tuple[int, bytes]], *, frame_bytes: int, total: int, count: int
) -> bytes:
    """Return a container whose frames say what they like: raw length and body."""
    parts = [HEADER.pack(b"PXC1", 42, 0, 0, 3, frame_bytes, 1)]
    for raw_bytes, body in frames:
        parts += FRAME.pack(0, len(body), raw_bytes, zlib.crc32(b"")), body
    return b"".join([*parts, FOOTER.pack(total, count, bytes(32))])


def test_bombs_are_refused_before_they_take_what_they_promise(share: Path) -> None:
    zeros = zstandard.ZstdCompressor(1).compress(bytes(64 * MIB))
    most = 2**32 - 1
    bombs = {
        "length": container_of([(most, b"x" * 20)], frame_bytes=most, total=1, count=1),
        "frame": container_of(
            [(64 * MIB, zeros[:40])], frame_bytes=64 * MIB, total=64 * MIB, count=1
        ),
        "sums": container_of([], frame_bytes=MIB, total=2**64 - 1, count=most),
        "within": container_of([(1, zeros)], frame_bytes=MIB, total=1, count=1),
        "nested": container_of(
            [(MIB, zeros * 2)], frame_bytes=MIB, total=2 * MIB, count=2
        ),
    }
    for name, data in bombs.items():
        (share / f"wire/{name}.freq").write_bytes(data)
    drain(share, 2, 4)
    assert sorted(reasons(share)) == sorted(f"{name}.freq" for name in bombs)


def test_container_of_more_than_the_policy_lets_travel_is_refused(
    share: Path,
) -> None:
    # Decoded whole it may fill the disk, which would have ended each run.
    with (share / ".paxect/policy.toml").open("a") as policy:
        policy.write("max_file_mb = 1\n")
    for name, size in (("bomb", MIB + 1), ("largest", MIB)):
        bomb = paxect_core.encode_bytes(bytes(size))
        (share / f"wire/{name}.freq").write_bytes(bomb)
    drain(share, 1)
    assert reasons(share) == {"bomb.freq": "file_too_large"}
    assert (share / "outbox/largest").read_bytes() == bytes(MIB)


def test_sidecar_of_ten_gib_is_not_read(share: Path) -> None:
    container = paxect_core.encode_bytes(b"beside a giant")
    (share / "wire/a.freq").write_bytes(container)
    (share / "wire/a.freq.sha256").write_bytes(b"")
    os.truncate(share / "wire/a.freq.sha256", 10 << 30)
    drain(share, 2)
    assert reasons(share) == {"a.freq": "checksum_mismatch"}


@pytest.mark.parametrize("kind", ["folder", "fifo", "link"])
def test_sidecar_that_is_no_file_calls_its_container_unchecked(
    share: Path, kind: str
) -> None:
    (share / "wire/a.freq").write_bytes(paxect_core.encode_bytes(b"beside it"))
    sidecar = share / "wire/a.freq.sha256"
    if kind == "folder":
        sidecar.mkdir()
    elif kind == "fifo":
        os.mkfifo(sidecar)
    else:
        sidecar.symlink_to(share.parent / "secret")
    drain(share, 2)
    assert reasons(share) == {"a.freq": "checksum_mismatch"}


def test_folder_and_file_of_one_name_are_a_collision(share: Path) -> None:
    (share / "outbox/f").write_bytes(b"a file that came before")
    (share / "inbox/f").mkdir()
    (share / "inbox/f/a").write_bytes(b"in a folder of its name")
    drain(share, 1)
    assert reasons(share) == {"a.freq": "collision"}
    assert (share / "outbox/f").read_bytes() == b"a file that came before"


def test_folders_200_deep_are_kept_and_deeper_ones_told(
    share: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As it is, 512, it would take minutes: each folder is reached from the top.
    monkeypatch.setattr(scan, "DEPTH_MAX", 220)
    deep = share / "inbox" / "/".join(["d"] * 200)
    deep.mkdir(parents=True)
    (deep / "bottom").write_bytes(HONEST)
    deeper = share / "inbox" / "/".join(["e"] * 240)
    deeper.mkdir(parents=True)
    (deeper / "unseen").write_bytes(HONEST)
    drain(share, 1)
    there = share / "outbox" / "/".join(["d"] * 200) / "bottom"
    assert there.read_bytes() == HONEST
    assert (deeper / "unseen").exists()
    told = [e["src"] for e in events(share, "encode_error")]
    assert told == ["inbox/" + "/".join(["e"] * 220)]


@pytest.mark.slow
def test_folder_of_very_many_files_is_gone_through(share: Path) -> None:
    count = 100_000 if LONG else 1000
    with (share / ".paxect/policy.toml").open("a") as policy:
        policy.write('include = ["honest", "many/*7777"]\n')
    many = share / "inbox/many"
    many.mkdir()
    for number in range(count):
        (many / str(number)).touch()
    (many / "7777").write_bytes(HONEST)
    said = drain(share, 1).out
    assert (share / "outbox/many/7777").read_bytes() == HONEST
    blocked = sum(not str(number).endswith("7777") for number in range(count))
    # Not by events: the log is rotated.
    assert f'"blocked":{{"bytes":0,"files":{blocked}}}' in said


@pytest.fixture
def unprivileged(share: Path) -> Iterator[Path]:
    """The share, as somebody sees it who may not read everything."""
    as_root = os.geteuid() == 0
    if as_root:
        share.parent.chmod(0o755)
        for above, folders, names in os.walk(share):
            for name in (".", *folders, *names):
                os.chown(os.path.join(above, name), NOBODY, NOBODY)
        os.seteuid(NOBODY)
    yield share
    if as_root:
        os.seteuid(0)


def test_file_and_folder_without_permission_cost_themselves(
    unprivileged: Path,
) -> None:
    share = unprivileged
    (share / "inbox/locked").write_bytes(SECRET)
    (share / "inbox/locked").chmod(0)
    (share / "inbox/shut").mkdir()
    (share / "inbox/shut/in").write_bytes(HONEST)
    (share / "inbox/shut").chmod(0)
    drain(share, 1)
    assert sorted(e["src"] for e in events(share, "encode_error")) == [
        "inbox/locked",
        "inbox/shut",
    ]
    assert reasons(share) == {"locked": "unreadable"}
    (share / "inbox/shut").chmod(0o700)
